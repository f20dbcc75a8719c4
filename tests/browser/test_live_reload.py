"""What an author sees in a browser while writing: what is wrong, and the page again once that is mended."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from conftest import Project
from served import serving


@pytest.mark.heavy
def test_pages_come_by_themselves(browser: Browser, recorded: Project) -> None:
    config = recorded.folder / "mkdocs.yml"
    whole, topic = config.read_text("utf-8"), (recorded.folder / "topics/words.yml").read_text("utf-8")
    page = browser.new_context().new_page()
    with serving(recorded) as served:
        page.goto(f"{served.url}exercises/words/")
        exercise = page.get_by_role("heading", name="Find what is wrong with the word report")
        expect(exercise).to_be_visible()
        for name, text, said, mended in (
            ("topics/words.yml", "titel: Words\n", "topics/words.yml:1: titel: is no key here", topic),
            ("mkdocs.yml", whole.replace("max_retries: 1", "max_retrys: 1"), "max_retrys: is no key here", whole),
            ("mkdocs.yml", "site_name: [\n", "while parsing a flow node", whole),
        ):
            recorded.write(name, text)
            expect(page.get_by_text(said)).to_be_visible(timeout=60_000)
            recorded.write(name, mended)
            expect(exercise).to_be_visible(timeout=60_000)
            expect(page.get_by_text(said)).to_have_count(0)
    page.context.close()
