"""Errorspan beside other plugins: strict builds of a real course, and its exercise played in a real browser."""

from __future__ import annotations

import functools
import html
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from playwright.sync_api import Page, Route, expect

from browser.conftest import Quiet
from conftest import HOOK, ROOT
from errorspan.course import Course
from errorspan.runs.run import Run
from matrix.environments import environment, replaced

TOPIC = "async-search-box"
BRACED = "{{ stale }} {% results [[ 1 // 0 ]]"
"""What macros would read in a topic's title and a scenario."""
Row = dict[str, Any]
NEIGHBOURS, SITES = (
    yaml.safe_load((Path(__file__).parent / name).read_text("utf-8")) for name in ("neighbours.yml", "sites.yml")
)
ROWS: dict[str, Row] = NEIGHBOURS | SITES
MKDOCS = {
    "site_name": "A course",
    "site_url": "https://course.example/sub/path/",
    "theme": {"name": "material", "font": False, "features": ["navigation.instant"]},
    "nav": [{"Home": "index.md"}, {"Exercises": "exercises/index.md"}, {"Runs": "runs/index.md"}],
}
COMMITTED = {"GIT_AUTHOR_DATE": "2026-01-05T12:00:00Z", "GIT_COMMITTER_DATE": "2026-01-05T12:00:00Z"}
COMMIT = ("-c", "user.name=Author", "-c", "user.email=author@course.example", "commit", "--quiet", "-m", "Begin")

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def run() -> Run:
    course = Course.read(ROOT / "mkdocs.yml", {})
    (run,) = course.replay([TOPIC])
    return run


@pytest.mark.parametrize("name", ROWS)
def test_an_exercise_is_played_beside(name: str, tmp_path: Path, run: Run, new_page: Any) -> None:
    row = ROWS[name]
    python = environment(row.get("install", []))
    assert replaced(python) == []
    course, served = tmp_path / "course", tmp_path / "served"
    write(course, row)
    site = served / row.get("served", "sub/path")
    built = subprocess.run(
        [str(python), "-m", "mkdocs", "build", "--strict", "-d", str(site)],
        cwd=course,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    asked: set[str] = set()
    with serving(served) as host:
        address = f"{host}/{quote(site.relative_to(served).as_posix())}/"
        for place in row.get("at", [""]):
            with opened(new_page, row, asked) as page:
                play(page, f"{address}{place}", run)
        for place in row.get("opens", []):
            with opened(new_page, row, asked) as page:
                page.goto(f"{address}{place}")
    if row.get("file"):
        with opened(new_page, row, asked) as page:
            play(page, f"{site.as_uri()}/", run)
    assert asked <= set(row.get("asks", []))
    look_at_the_search(site, run)
    for path, texts in row.get("holds", {}).items():
        for text in [texts] if isinstance(texts, str) else texts:
            assert text in (site / path).read_text("utf-8")
    for path, text in row.get("lacks", {}).items():
        assert text not in (site / path).read_text("utf-8")


def write(folder: Path, row: Row) -> None:
    """Write a site with one topic and its record, whose prose tempts a template engine."""
    docs = row.get("docs", "docs")
    config = MKDOCS | row.get("config", {}) | {"plugins": row["plugins"], "docs_dir": docs}
    if not any("errorspan" in named for named in row["plugins"]):
        config["hooks"] = [str(HOOK)]
    told = yaml.safe_dump({key: value for key, value in config.items() if value is not None})
    files = {"base.yml" if row.get("inherit") else "mkdocs.yml": told, f"{docs}/index.md": "# A course\n"}
    if row.get("inherit"):
        files["mkdocs.yml"] = "INHERIT: base.yml\n"
    for path, text in (files | row.get("files", {})).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    shutil.copytree(ROOT / "topics/runs" / TOPIC, folder / "topics/runs" / TOPIC)
    for path in ROOT.glob(f"topics/{TOPIC}.*"):
        shutil.copy(path, folder / "topics")
    for path, text in {
        f"{TOPIC}.yml": "stale results",
        f"runs/{TOPIC}/assessment.json": "Some of them are broken.",
    }.items():
        written = (folder / "topics" / path).read_text("utf-8")
        assert text in written
        (folder / "topics" / path).write_text(written.replace(text, BRACED), "utf-8")
    if row.get("git"):
        for command in (("init", "--quiet"), ("add", "--all"), COMMIT):
            subprocess.run(["git", *command], cwd=folder, env=os.environ | COMMITTED, check=True)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def opened(new_page: Any, row: Row, asked: set[str]) -> Iterator[Page]:
    """Give a page that notes what it asks other hosts for, and gets nothing of it; close it when it is at rest."""

    def note(route: Route) -> None:
        asked.add(route.request.url)
        route.fulfill(body="")

    page: Page = new_page("about:blank")
    page.route(re.compile(r"https?://(?!127\.0\.0\.1:)"), note)
    if "misses" in row:
        page.route(re.compile(row["misses"]), lambda route: route.fulfill(body="<urlset/>", content_type="text/xml"))
    yield page
    page.wait_for_load_state("networkidle")
    page.close()


def play(page: Page, address: str, run: Run) -> None:
    """Go from the list to the exercise, mark its errors, have them checked, and read the run's page."""
    assert run.assessment
    page.goto(f"{address}exercises/index.html")
    page.locator(f"article a[href*='{TOPIC}/']").first.click()
    page.wait_for_url(f"**/exercises/{TOPIC}/**")
    expect(page.locator(".es-scenario")).to_contain_text(BRACED)
    rows = page.locator("errorspan-exercise .es-row")
    assert [text.strip("\n") for text in rows.locator("code").all_inner_texts()] == run.assessment.code.splitlines()
    for error in run.assessment.errors:
        span = run.assessment.span(error)
        assert span
        rows.nth(span.first - 1).click(position={"x": 120, "y": 10})
    page.locator("[data-action=check]").click()
    expect(page.locator(".es-result")).to_contain_text("100")
    page.goto(f"{address}runs/{TOPIC}/index.html")
    expect(page.locator("article h1").first).to_contain_text(BRACED)
    page.goto(f"{address}runs/{TOPIC}/assessment/index.html")
    expect(page.locator("article .error-span").first).to_be_visible()


def look_at_the_search(site: Path, run: Run) -> None:
    """Hold that a search finds the exercise, and no answer, here or on the web."""
    assert run.assessment
    sitemap = (site / "sitemap.xml").read_text("utf-8")
    assert f"exercises/{TOPIC}/" in sitemap
    assert f"runs/{TOPIC}/" not in sitemap
    assert f"exercises/{TOPIC}/key/" not in sitemap
    held = [*site.glob(f"**/runs/{TOPIC}*"), *site.glob(f"**/exercises/{TOPIC}/key*")]
    pages = [path for place in held for path in (place, *place.rglob("*.html")) if path.suffix == ".html"]
    assert len(pages) >= 2
    assert not [page for page in pages if "noindex" not in page.read_text("utf-8")]
    found = json.loads((site / "search/search_index.json").read_text("utf-8"))["docs"]
    places = {entry["location"] for entry in found}
    assert any(f"exercises/{TOPIC}/" in place for place in places)
    assert not [place for place in places if f"runs/{TOPIC}/" in place or "/key/" in place]
    answers = [letters(text)[:40] for error in run.assessment.errors for text in (error.hint, error.description)]
    assert not [entry for entry in found if any(answer in letters(entry["text"]) for answer in answers)]


def letters(text: str) -> str:
    """Return a text without its markup, its signs and its spaces."""
    return re.sub(r"<[^>]+>|\W", "", html.unescape(text))
