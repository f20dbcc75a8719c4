"""A course in another language, in folders of other names, as its students meet it."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import expect

from axe import faults
from conftest import Project
from errorspan.site.parts import PARTS
from errorspan.site.words import direction, words_in
from sample import mark

FOLDERS = {"de": ("kurs/Übungen", "wie/es/entstand"), "ar": ("a", "b/a")}


@pytest.fixture(params=FOLDERS)
def course(request, recorded: Project):
    """Return a built course's project, its language, the address of its site, and its folders."""
    lang, (exercises, runs) = request.param, FOLDERS[request.param]
    config = recorded.folder / "mkdocs.yml"
    text = config.read_text("utf-8").replace("  font: false", f"  font: false\n  language: {lang}")
    text = text.replace("Exercises: exercises/", f"{exercises}/").replace("Runs: runs/", f"{runs}/")
    text = text.replace("max_retries: 1", f"exercises_folder: {exercises}\n    runs_folder: {runs}")
    config.write_text(text, "utf-8")
    built = recorded.build("--strict", key=False)
    assert built.returncode == 0, built.stderr
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(recorded.folder / "site"))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield recorded, lang, f"http://127.0.0.1:{server.server_port}/", exercises, runs
        server.shutdown()


@pytest.mark.heavy
def test_a_student_plays_it_and_no_link_is_broken(course, new_page) -> None:
    project, lang, url, exercises, runs = course
    site, words = project.folder / "site", words_in(lang)
    page = new_page(f"{url}{exercises}/", viewport={"width": 375, "height": 800})
    assert not (site / "exercises").exists()
    assert not (site / "runs").exists()

    expect(page.locator("h1")).to_have_text(re.compile(f"^{words.sentence('Exercises')}"))
    page.locator(".es-card").click()
    page.wait_for_url(lambda address: unquote(address) == f"{url}{exercises}/words/")
    expect(page.locator(".es-kicker a")).to_have_text(words.sentence("Exercises"))
    key = (site / exercises / "words/key.js").read_text("utf-8")
    _, graded = json.loads(f"[{key[key.index('(') + 1 : key.rindex(')')]}]")
    mark(page, *{error["segments"][0][0] for error in graded["errors"]})
    page.locator("[data-action=check]").click()
    expect(page.locator(".es-score")).to_have_text(
        words.element["score"].format(score=words.element["percent"].format(n=100))
    )
    page.locator("[data-action=explainAll]").click()
    found = faults(page, ".es")
    page.locator("details:has(.es-links) > summary").first.click()
    page.locator(".es-links a").first.click()
    page.wait_for_url(lambda address: f"{url}{runs}/words/weak-implementation/#" in unquote(address))
    expect(page.locator(page.evaluate("'#' + CSS.escape(location.hash.slice(1))"))).to_be_attached()
    page.goto(f"{url}{exercises}/")
    expect(page.locator("errorspan-progress")).to_contain_text("100")
    assert found == []

    paths = [path.relative_to(site).parent.as_posix() for path in site.rglob("index.html")]
    assert len(paths) == 6 + len(PARTS)
    for path in paths:
        page.goto(f"{url}{path}/")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path
        for link in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
            target = site / unquote(urlsplit(link).path).lstrip("/")
            assert not link.startswith(url) or target.is_file() or (target / "index.html").is_file(), f"{path}: {link}"


def test_every_text_stands_on_its_side(course, new_page) -> None:
    _, lang, url, exercises, runs = course
    page = new_page(f"{url}{exercises}/words/", java_script_enabled=False)
    way = "part => getComputedStyle(part).direction"
    expect(page.locator("[data-action=check]")).to_have_text(words_in(lang).element["check"])  # before any script
    for part, expected in {
        ".es-exercise-head": direction(lang), "h1": "ltr", ".es-scenario > div": "ltr", ".es-code": "ltr",
        ".es-brief p": direction(lang),
    }.items():  # fmt: skip
        assert page.locator(part).first.evaluate(way) == expected, part
    page.goto(f"{url}{runs}/words/")
    told = page.locator("article :is(h1, h2, h3, p, td, th, li)").evaluate_all(
        """all => all.map(one => one.querySelector(":scope > .es-spoken") ?? one)
            .filter(one => one.closest("[lang]").lang !== "en").map(one => one.textContent)"""
    )
    assert told == []
    assert page.locator("article h2").first.evaluate(way) == "ltr"
