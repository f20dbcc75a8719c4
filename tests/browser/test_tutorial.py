"""The tutorial, typed word for word in an empty folder with the wheel, and its pictures."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import answers
from conftest import ROOT
from messages_api import MessagesAPI
from test_wheel import Environment, serving, wheel  # noqa: F401 - a fixture

PAGE = ROOT / "docs/authors/tutorial.md"
PICTURES = ROOT / "docs/authors/pictures"
IDENTITY = {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def typed() -> list[tuple[str, list[str]]]:
    """Return what the page has people type, each with the lines that it says come out."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    parts = (part.rstrip("\n").split("\n") for block in blocks for part in re.split(r"(?m)^\$ ", block))
    return [(command, told) for command, *told in parts if command]


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_the_tutorial_works_as_typed(
    wheel: Path,  # noqa: F811
    tmp_path: Path,
    browser: Browser,
    messages_api: MessagesAPI,
    pytestconfig: pytest.Config,
) -> None:
    environment = Environment(tmp_path / "environment", wheel, fresh=False)
    folder, more = tmp_path, {"ANTHROPIC_BASE_URL": messages_api.url, "COLUMNS": "120", **IDENTITY}
    seen: set[str] = set()
    for command, told in typed():
        match shlex.split(command):
            case ["cd", name]:
                folder = folder / name
            case ["export", setting]:
                name, _, value = setting.partition("=")
                more[name] = value.replace("…", "sk-test")
            case ["mkdocs", "serve"]:
                with serving(environment, f"exec {command}", folder) as url:
                    seen = look(browser, url, update=pytestconfig.getoption("--update-golden"))
            case _:
                said = " ".join(environment.type(f"{command} 2>&1", folder, **more).split())
                for line in told:
                    pattern = ".*".join(re.escape(part.strip()) for part in line.split("…"))
                    assert re.search(pattern, said), (line, said)
    named = set(re.findall(r"\(pictures/(.+?)\.png\)", PAGE.read_text("utf-8")))
    assert seen == named == {path.stem for path in PICTURES.iterdir()}
    assert environment.type("git status --porcelain", folder) == ""
    assert "topics/runs/words/assessment.json" in environment.type("git ls-files", folder)


def look(browser: Browser, url: str, *, update: bool) -> set[str]:
    """Look at what the page shows pictures of; with `update`, make them anew."""
    page = browser.new_page(viewport={"width": 1000, "height": 720})
    page.goto(f"{url}exercises/")
    page.get_by_role("link", name=answers.ASSESSMENT["title"]).wait_for()
    made = {picture(page, "tutorial-list", update=update)}
    page.goto(f"{url}exercises/words/")
    for error in answers.ASSESSMENT["errors"]:
        page.locator("errorspan-exercise .es-row").nth(error["line"] - 1).click(position={"x": 120, "y": 10})
    page.get_by_role("button", name="Check", exact=True).click()
    note = page.locator(".es-note").first
    note.locator("[data-action=explain]").click()
    note.evaluate("note => scrollTo(0, note.getBoundingClientRect().top + scrollY - 240)")
    note.locator(".es-diff").wait_for()
    made.add(picture(page, "tutorial-exercise", update=update))
    page.goto(f"{url}runs/words/")
    page.get_by_role("heading", name="Performance summary").wait_for()
    made.add(picture(page, "tutorial-run", update=update))
    page.close()
    return made


def picture(page: Page, name: str, *, update: bool) -> str:
    """Take a picture of what is to be seen, as the page has it."""
    taken = page.screenshot(path=PICTURES / f"{name}.png" if update else None)
    assert len(taken) > 10_000  # something is to be seen
    return name
