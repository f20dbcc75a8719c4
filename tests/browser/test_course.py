"""The built course in a real browser, under a subfolder, as students meet it."""

from __future__ import annotations

import functools
import html
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from posixpath import normpath
from statistics import median
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from axe import faults
from conftest import ROOT
from errorspan.course import Course
from errorspan.runs.run import Run
from errorspan.site.pages import exercise
from errorspan.site.parts import PARTS

TOPIC = "dpo-post-training"
OF_TOPICS = re.compile(r"(?:exercises|runs)/(?P<topic>[^/]+)/")
OF_EACH_KIND = {TOPIC, "rate-limiting", "undo-history"}
"""Topics whose pages show all that a topic's pages can: written, reported, reviewed, proved, never separated."""


class Built:
    """The shipped course, built and served under a subfolder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    @property
    def pages(self) -> list[str]:
        """Return the path of every page."""
        found = sorted(path.relative_to(self.folder) for path in self.folder.rglob("index.html"))
        return [path.parent.as_posix().removeprefix(".") + "/" * (path.parent != Path()) for path in found]

    @property
    def pages_of_each_kind(self) -> list[str]:
        """Return the path of every page but those of topics whose pages show nothing that others' do not."""
        return [path for path in self.pages if not (of := OF_TOPICS.match(path)) or of["topic"] in OF_EACH_KIND]


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    root = tmp_path_factory.mktemp("served")
    folder = root / "courses" / "errors"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(folder)],
        cwd=ROOT,
        env=kept | {"NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(root))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Built(folder, f"http://127.0.0.1:{server.server_port}/courses/errors/")
        server.shutdown()


@pytest.fixture(scope="session")
def runs() -> list[Run]:
    return [run for run in Course.read(ROOT / "mkdocs.yml", {}).replay() if run.assessment]


COPIED = """selector => {
    const range = document.createRange();
    range.selectNodeContents(document.querySelector(selector));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return `${getSelection()}`.trim();
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page that fails the test at an error of a script, or a request to another place."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("console", lambda said: faults.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("request", lambda asked: faults.append(f"asks {asked.url}") if _elsewhere(asked.url) else None)
    yield page
    context.close()
    assert not faults


def _elsewhere(url: str) -> bool:
    return urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname != "127.0.0.1"


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.heavy)], ids=["of each kind", "all"])
def test_pages_open_without_an_error_or_a_request_elsewhere(course: Built, page: Page, *, every: bool) -> None:
    pages = course.pages if every else course.pages_of_each_kind
    assert len(pages) > 10
    for path in pages:
        page.goto(course.url + path)
        expect(page.locator("h1").first).to_be_visible()
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        for link in links:
            if link.startswith(course.url):
                target = course.folder / urlsplit(link).path.removeprefix("/courses/errors/")
                assert target.is_file() or (target / "index.html").is_file(), f"{path} links to {link}"
            elif "127.0.0.1" in link:
                pytest.fail(f"{path} links outside the subfolder: {link}")


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.heavy)], ids=["of each kind", "all"])
def test_no_page_scrolls_sideways_on_a_phone(course: Built, page: Page, *, every: bool) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    for path in course.pages if every else course.pages_of_each_kind:
        page.goto(course.url + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, f"{path} is {wide} px wide"


def test_a_student_goes_from_home_to_a_checked_exercise_and_back(course: Built, page: Page, runs: list[Run]) -> None:
    run = next(run for run in runs if run.topic.id == TOPIC)
    assert run.assessment
    page.goto(course.url)
    page.get_by_role("link", name=re.compile("exercises", re.IGNORECASE)).first.click()
    page.wait_for_url("**/exercises/")
    for _ in range(2):  # there and back and there again, without a full load
        page.locator(f"article a[href$='{TOPIC}/']").first.click()
        page.wait_for_url(f"**/exercises/{TOPIC}/")
        expect(page.locator("errorspan-exercise .es-row").first).to_be_visible()
        page.go_back()
        page.wait_for_url("**/exercises/")
    page.locator(f"article a[href$='{TOPIC}/']").first.click()
    assert page.locator(".error-span").count() == 0
    for error in run.assessment.errors:
        span = run.assessment.span(error)
        assert span
        page.locator("errorspan-exercise .es-row").nth(span.first - 1).click(position={"x": 120, "y": 10})
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".es-result")).to_contain_text("100")
    assert page.locator("errorspan-exercise .error-span").count() >= len(run.assessment.errors)
    page.go_back()
    expect(page.locator(f"errorspan-progress[data-exercise='{TOPIC}']")).to_contain_text("100")


def test_printed_pages_are_whole_and_have_no_remnants_of_the_screen(course: Built, page: Page) -> None:
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 within its margins
    page.emulate_media(media="print", color_scheme="dark")
    shown = ("assessment", "evidence", "judgment", "mid-implementation")
    run = (f"runs/{TOPIC}/", *(f"runs/{TOPIC}/{part}/" for part in shown))
    for path in (f"exercises/{TOPIC}/", f"exercises/{TOPIC}/key/", *run):
        page.goto(course.url + path)
        page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 718, path
        wide = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
        assert page.locator("article pre > code, article .es-scroll").evaluate_all(wide) == [], path
        remnants = ".md-header, .md-tabs, .md-sidebar, .md-footer, .md-button, .es-button, .es-onward, .md-code__nav"
        assert page.locator(remnants).evaluate_all("all => all.filter(one => one.offsetParent)") == [], path
        colour = page.evaluate("getComputedStyle(document.querySelector('article h1')).color")
        assert max(map(int, re.findall(r"\d+", colour)[:3])) < 100, path  # dark, on paper that is white
    tall = "all => [...new Set(all.map(one => one.getClientRects()[0].height))]"
    assert len(page.locator("#attempt-1-mid-99, #attempt-1-mid-100").evaluate_all(tall)) == 1


def test_a_page_is_printed_in_the_colours_of_the_light_scheme(course: Built, browser: Browser) -> None:
    def printed(preferred: Literal["light", "dark"], scheme: str) -> set[bytes]:
        page = browser.new_page(color_scheme=preferred)  # with a profile of its own: the theme keeps a choice
        page.goto(f"{course.url}exercises/{TOPIC}/")
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", scheme)
        page.add_style_tag(content="* { transition: none !important; }")
        sheets = PdfReader(BytesIO(page.pdf())).pages
        page.context.close()
        drawn = b"".join(sheet.get_contents().get_data() for sheet in sheets)
        return set(re.findall(rb"[\d.]+ [\d.]+ [\d.]+ rg", drawn))

    light = printed("light", "default")
    assert len(light) > 6
    assert printed("dark", "slate") == light


def test_a_wide_table_shows_that_it_scrolls(course: Built, page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(f"{course.url}runs/")
    table = page.locator(".es-scroll").first
    assert table.evaluate("part => part.scrollWidth > part.clientWidth")
    before = table.screenshot()
    table.evaluate("part => { part.style.background = 'none' }")
    assert table.screenshot() != before  # there is a shadow


def test_a_quote_leads_to_the_code_where_it_stands(course: Built, page: Page) -> None:
    page.goto(f"{course.url}runs/{TOPIC}/judgment/")
    link = page.locator(".es-where a[href*='#attempt-1-weak-']").first
    target = page.locator(f"#{str(link.get_attribute('href')).rpartition('#')[2]}")
    link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Weak-tier implementation")
    expect(target).to_be_in_viewport()


def test_every_link_between_the_pages_of_a_run_has_its_target(course: Built) -> None:
    pages = {path: (course.folder / path / "index.html").read_text("utf-8") for path in course.pages}
    known = {path: set(re.findall(r'\bid="?([^"\s>]+)', content)) for path, content in pages.items()}
    seen = 0
    for path in filter(re.compile("runs/.").match, pages):
        article = pages[path].partition("<article")[2].partition("</article>")[0]
        for link in map(html.unescape, re.findall(r'\bhref="?([^"\s>]+)', article)):
            place, _, anchor = link.partition("#")
            if anchor and not urlsplit(place).scheme:
                seen += 1
                assert anchor in known[normpath(f"{path}{place}") + "/"], f"{path}: {link}"
    assert seen > 100


def test_every_place_that_a_key_names_is_on_a_page_of_the_run(course: Built, runs: list[Run]) -> None:
    for run in runs:
        for error in exercise(run, lambda part: f"{part}/").key["errors"]:
            for place in (error["weak"], error["mid"], error["url"]):
                part, _, anchor = place.partition("#")
                page = course.folder / f"runs/{run.topic.id}" / part / "index.html"
                assert f'id="{anchor}"' in page.read_text("utf-8")


def test_a_run_is_told_on_one_screen_and_on_a_page_for_each_step(course: Built, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{course.url}runs/rate-limiting/")
    steps = page.locator(".es-steps li a")
    expect(steps).to_have_count(len(PARTS))
    expect(steps.last).to_be_in_viewport()
    for part in PARTS:
        page.get_by_role("link", name=part.title, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(part.title)
        expect(page.locator("[aria-current=page]", has_text=part.title)).to_be_visible()


def test_the_pages_of_runs_are_light(course: Built) -> None:
    sizes = [(course.folder / path / "index.html").stat().st_size for path in course.pages if re.match("runs/.", path)]
    assert median(sizes) < 60_000


def test_keys_for_instructors_are_linked_from_runs_and_found_by_no_search(course: Built, runs: list[Run]) -> None:
    index = json.loads((course.folder / "search/search_index.json").read_text("utf-8"))
    assert not [entry["location"] for entry in index["docs"] if "/key/" in entry["location"]]
    for run in runs:
        link = f'exercises/{run.topic.id}/key/"'
        assert (course.folder / f"exercises/{run.topic.id}/key/index.html").is_file()
        assert link in (course.folder / f"runs/{run.topic.id}/index.html").read_text("utf-8")
        assert link not in (course.folder / f"exercises/{run.topic.id}/index.html").read_text("utf-8")


@pytest.mark.heavy
def test_the_search_finds_an_exercise_by_concept(course: Built, page: Page, runs: list[Run]) -> None:
    for run in runs:
        page.goto(course.url)
        page.keyboard.press("/")
        page.get_by_role("textbox", name="Search").press_sequentially(run.topic.concepts[0])
        found = page.locator(f".md-search-result a[href*='exercises/{run.topic.id}/']").first
        expect(found).to_be_attached()


def test_neither_the_search_nor_the_exercise_page_tells_an_answer(course: Built, runs: list[Run]) -> None:
    index = json.loads((course.folder / "search/search_index.json").read_text("utf-8"))
    searched = " ".join(" ".join(entry["title"].split() + entry["text"].split()) for entry in index["docs"])
    assert not [entry["location"] for entry in index["docs"] if re.match("runs/[^#]", entry["location"])]
    for run in runs:
        assert run.assessment
        exercise = " ".join((course.folder / f"exercises/{run.topic.id}/index.html").read_text("utf-8").split())
        for error in run.assessment.errors:
            opening = [told.split()[:8] for told in (error.description, error.hint, error.learning_value)]
            for words in filter(None, (*opening, error.correction.split())):
                assert " ".join(words) not in exercise
                assert " ".join(words) not in searched


def test_pages_with_answers_ask_web_searches_to_leave_them_out(course: Built) -> None:
    sitemap = (course.folder / "sitemap.xml").read_text("utf-8")
    for path in course.pages:
        content = (course.folder / path / "index.html").read_text("utf-8")
        answers = (path.startswith("runs/") and path != "runs/") or path.endswith("/key/")
        assert content.count('content="noindex"') == answers, path
        assert (f"<loc>https://errorspan.example/{path}</loc>" in sitemap) != answers, path


def test_pages_work_in_both_palettes(course: Built, browser: Browser) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(f"{course.url}exercises/{TOPIC}/")
        color, background = page.evaluate(
            """() => { const row = document.querySelector(".es-row .es-text"), style = getComputedStyle(row)
                return [style.color, getComputedStyle(document.body).backgroundColor] }"""
        )
        assert color != background
        context.close()


@pytest.mark.parametrize(
    ("below", "code", "line"),
    [
        ("exercises/{}/", ".es-code", ".es-text"),
        ("exercises/{}/key/", ".es-listing pre", ".es-line"),
        ("runs/{}/assessment/", ".es-listing pre", ".es-line"),
    ],
)
def test_code_that_is_copied_keeps_its_blank_lines(course: Built, page: Page, below: str, code: str, line: str) -> None:
    page.goto(course.url + below.format(TOPIC))
    lines = page.locator(code).first.locator(line).all_text_contents()
    assert "" in lines
    assert page.evaluate(COPIED, code) == "\n".join(lines).strip()


def test_task_and_code_are_seen_at_once(course: Built, browser: Browser) -> None:
    for width, height in ((1280, 800), (1920, 1000), (390, 844)):
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.goto(f"{course.url}exercises/{TOPIC}/")
        expect(page.locator(".es-count")).not_to_be_empty()
        assert page.locator(".es-row").nth(2).bounding_box()["y"] < height - 100, width
        task, button = page.locator(".es-scenario"), page.locator(".es-task")
        page.locator(".es-row").nth(20).evaluate("row => row.scrollIntoView({ block: 'center' })")
        if width > 1000:
            expect(button).to_be_hidden()
            expect(task).to_be_in_viewport(ratio=0.5)
        else:
            expect(task).to_be_hidden()
            button.click()
            expect(task).to_be_in_viewport(ratio=0.5)
            assert faults(page) == []
            page.keyboard.press("Escape")
            expect(task).to_be_hidden()
            expect(button).to_be_focused()
        context.close()
