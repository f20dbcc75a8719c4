"""The shipped course as Zensical builds it, in both of its variants, in a real browser."""

from __future__ import annotations

import functools
import http.server
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from conftest import ROOT
from errorspan.course import Course
from errorspan.runs.run import Run

TOPIC = "dpo-post-training"
LONG = 30_000
"""Milliseconds."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def run() -> Run:
    course = Course.read(ROOT / "mkdocs.yml", {})
    return course.replay([TOPIC])[0]


@pytest.fixture(params=["modern", "classic"])
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Write the course for Zensical, have it built, and serve it under a subfolder."""
    folder = tmp_path_factory.mktemp(request.param)
    render = ["errorspan.commands.cli", "render", "--zensical", "--variant", request.param]
    subprocess.run([sys.executable, "-m", *render, "-f", ROOT / "mkdocs.yml", folder], check=True)
    zensical = Path(sys.executable).with_name("zensical")
    built = subprocess.run([zensical, "build", "--strict"], cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert f"stylesheets/{request.param}/" in (folder / "site/index.html").read_text("utf-8")
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder / "site", f"http://127.0.0.1:{server.server_port}/site/"
        server.shutdown()


def opened(new_page, url: str, **viewport: int) -> Page:
    """Open a page, and wait long for whatever it does: machines are busy."""
    page: Page = new_page("about:blank", viewport=viewport)
    page.set_default_timeout(LONG)
    page.goto(url)
    return page


def search(page: Page, words: str) -> None:
    page.get_by_role("button", name="Search").first.click()
    page.get_by_role("combobox", name="Search").fill(words)


def searches_and_plays(course: tuple[Path, str], run: Run, new_page) -> None:
    _, url = course
    page = opened(new_page, url, width=1280, height=900)
    assert run.assessment
    page.evaluate("window.once = true")
    search(page, "beta reference")  # words of its code: what the search highlights there must not harm it
    page.get_by_role("option", name=run.assessment.title).first.click()
    page.wait_for_url(f"**/exercises/{TOPIC}/**")
    assert page.locator(".error-span").count() == 0
    for error in run.assessment.errors:
        span = run.assessment.span(error)
        assert span
        page.locator("errorspan-exercise .es-row").nth(span.first - 1).click(position={"x": 120, "y": 10})
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".es-result")).to_contain_text("100", timeout=LONG)
    assert page.locator("errorspan-exercise .error-span").count() >= len(run.assessment.errors)
    page.locator("article a", has_text="All exercises").click()
    page.wait_for_url("**/exercises/")
    expect(page.locator(f"errorspan-progress[data-exercise='{TOPIC}']")).to_contain_text("100", timeout=LONG)
    assert page.evaluate("window.once"), "a page was loaded whole: navigation is not instant"
    page.locator(f"article a[href$='{TOPIC}/']").first.click()
    expect(page.locator("errorspan-exercise .es-row").first).to_be_visible(timeout=LONG)
    page.close()


def finds_no_answer(course: tuple[Path, str], run: Run, new_page) -> None:
    folder, url = course
    assert run.assessment
    page = opened(new_page, url, width=1280, height=900)
    search(page, run.topic.title)
    found = page.get_by_role("option")
    expect(found.first).to_be_visible(timeout=LONG)
    holding = re.compile(r"runs/[^?#<]|/key/")
    links = found.evaluate_all("all => all.map(one => one.href)")
    assert not [link for link in links if holding.search(link)]
    index = (folder / "search.json").read_text("utf-8")
    assert not [item["location"] for item in json.loads(index)["items"] if holding.search(item["location"])]
    for error in run.assessment.errors:
        assert error.description[:40] not in index
    sitemap = (folder / "sitemap.xml").read_text("utf-8")
    assert f"exercises/{TOPIC}/<" in sitemap
    assert not holding.search(sitemap)
    holding_answers = {f"runs/{TOPIC}": 1, f"runs/{TOPIC}/judgment": 1, f"exercises/{TOPIC}/key": 1}
    for name, told in {**holding_answers, f"exercises/{TOPIC}": 0, "runs": 0}.items():
        assert ("noindex" in (folder / name / "index.html").read_text("utf-8")) == told, name


def fits_a_phone(course: tuple[Path, str], new_page) -> None:
    _, url = course
    page = opened(new_page, url, width=320, height=640)
    exercise, run = f"exercises/{TOPIC}/", f"runs/{TOPIC}/"
    for path in ("", "exercises/", exercise, f"{exercise}key/", "runs/", run, f"{run}assessment/"):
        page.goto(url + path)
        expect(page.locator("h1").first).to_be_visible(timeout=LONG)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, f"{path} is {wide} px wide"
    page.goto(f"{url}exercises/")  # Zensical underlines all links, and a whole card is one
    assert page.locator(".es-card").first.evaluate("card => getComputedStyle(card).textDecorationLine") == "none"


def test_a_student_meets_the_course(course: tuple[Path, str], run: Run, new_page) -> None:
    """One test for all, because each would have the course built again."""
    searches_and_plays(course, run, new_page)
    finds_no_answer(course, run, new_page)
    fits_a_phone(course, new_page)
