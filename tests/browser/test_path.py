"""The learning path tells how far a student is: in its modules, and in the site's navigation."""

from __future__ import annotations

import functools
import http.server
import threading

import pytest
import yaml
from playwright.sync_api import expect

from axe import faults
from sample import check, mark


@pytest.mark.heavy
def test_lists_and_navigation_tell_what_is_done(recorded, new_page) -> None:
    config = recorded.folder / "mkdocs.yml"
    set_ = yaml.safe_load(config.read_text("utf-8"))
    set_["extra"]["generator"]["modules"] = [{"title": "First", "topics": ["words"]}]
    set_["nav"] = [{"Home": "index.md"}, {"Exercises": ["exercises/index.md", {"Words": "exercises/words/index.md"}]}]
    config.write_text(yaml.safe_dump(set_), "utf-8")
    recorded.write("docs/index.md", "# A course\n\n<errorspan-path></errorspan-path>\n")
    assert recorded.build(key=False).returncode == 0
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(recorded.folder / "site"))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        page = new_page(home, viewport={"width": 1280, "height": 800})
        link = page.locator(".md-sidebar--primary .md-nav a[href$='words/']")
        expect(link).to_have_text("Words")
        assert (page.locator(".es-of").count(), page.locator(".es-done").count()) == (0, 0)
        page.goto(f"{home}exercises/words/")
        mark(page, 4)
        check(page)
        page.locator(".md-header a.md-logo").click()  # without a full load, where instant navigation goes
        page.wait_for_url(home)
        expect(link).to_have_text("Words (done)")
        expect(page.locator(".es-stage .es-of")).to_have_text("1 of 1 done")
        assert faults(page, ".md-sidebar--primary") + faults(page, ".md-content") == []
        page.goto(f"{home}exercises/")
        expect(page.locator(".es-module .es-of")).to_have_text("1 of 1 done")
        expect(page.locator("errorspan-progress")).to_contain_text("Best: ")
        page.locator(".es-data summary").click()
        for _ in range(2):
            page.locator("[data-action=forget]").click()
        expect(page.locator(".es-of")).to_have_count(0)
        page.goto(home)
        expect(link).to_have_text("Words")
        server.shutdown()
