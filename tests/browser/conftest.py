"""Show exercises to a real browser, from the file system and from a server."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import material
import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect, sync_playwright

import find
from errorspan.authoring.settings import Settings
from errorspan.runs import publishing
from errorspan.site import exercise, learning_path
from errorspan.site.exercise import Exercise
from errorspan.site.filling import templates
from errorspan.site.links import Links

expect.set_options(timeout=30_000)  # as long as Playwright waits for everything else; machines are busy

http.server.ThreadingHTTPServer.request_queue_size = 128  # a busy machine accepts late, and resets what is too much
HOME = Path(exercise.__file__).parent
ASSETS = HOME / "assets"
PAGE = """\
<!doctype html>
<html lang="{lang}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Exercise</title>
<link rel="icon" href="data:,">
{sheets}
</head>
<body data-md-color-scheme="{scheme}" data-md-color-primary="indigo" data-md-color-accent="indigo">
<div class="md-container"><main class="md-main"><div class="md-main__inner md-grid"><div class="md-content">
<article class="md-content__inner md-typeset"><h1>Exercise</h1>
{body}
</article></div></div></main></div>
<script src="../../assets/errorspan.js"></script>
</body>
</html>
"""
MATERIAL = Path(material.__file__).parent / "templates" / "assets" / "stylesheets"


class Site:
    """A few pages around exercises, as a site would have them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ASSETS, root / "assets")
        for sheet in MATERIAL.glob("*.css"):
            shutil.copy(sheet, root / "assets" / (sheet.name.partition(".")[0] + ".css"))
        self.templates = templates()
        self.template = self.templates.get_template("exercise.html.j2")

    def exercise(self, exercise: Exercise, known: Mapping[str, Any] = MappingProxyType({}), **page: str) -> Path:
        """Write the page of an exercise, and a key beside it, but for an exam; `known`: what its template knows."""
        folder = self.root / "exercises" / exercise.id
        template = self.templates.get_template("exam.html.j2") if exercise.exam else self.template
        written = self.page(folder, template.render(exercise=exercise, **known), **page)
        if not exercise.exam:
            (folder / "key.js").write_text(exercise.key_script, "utf-8")
        return written

    def list(self, *exercises: Exercise, known: Mapping[str, Any] = MappingProxyType({}), **page: str) -> Path:
        """Write a page with the progress of the course and of its exercises."""
        topics = {e.id: SimpleNamespace(id=e.id, title=e.title, exercise=_posed(e)) for e in exercises}
        source = self.templates.get_template("exercises.md.j2").render(
            topics=list(topics.values()),
            posed=topics,
            broken=(),
            brief=publishing.brief,
            settings=known.get("settings", Settings()),
            stages=learning_path.stages((), topics),
            known=topics,
            links=Links(Settings(), "index.html", "exercises"),
        )
        body = source.partition("# Exercises")[2].replace('href="', 'href="../')
        return self.page(self.root / "exercises" / "all", body, **page)

    @staticmethod
    def page(folder: Path, body: str, lang: str = "en", direction: str = "ltr", scheme: str = "default") -> Path:
        """Write a page with the style and the script of a site."""
        folder.mkdir(parents=True, exist_ok=True)
        sheets = "".join(f'<link rel="stylesheet" href="../../assets/{name}.css">' for name in ("main", "palette", "errorspan", "exercise"))  # fmt: skip  # noqa: E501
        html = PAGE.format(lang=lang, direction=direction, scheme=scheme, sheets=sheets, body=body)
        (folder / "index.html").write_text(html, "utf-8")
        return folder / "index.html"

    def url(self, page: Path) -> str:
        """Return the address of a page."""
        return page.as_uri()


def _posed(exercise: Exercise) -> SimpleNamespace:
    """Return what a list tells of an exercise."""
    told = {name: getattr(exercise, name) for name in ("id", "title", "level", "concepts", "minutes", "digest", "exam")}
    return SimpleNamespace(**told, language=exercise.assessment.language, written_by="model")


class ServedSite(Site):
    """The same over HTTP."""

    port = 0

    def url(self, page: Path) -> str:
        """Return the address of a page, as a folder."""
        return f"http://127.0.0.1:{self.port}/{page.parent.relative_to(self.root).as_posix()}/"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files without a word."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def browser():
    """Return a real Chromium; a run without one has tested nothing, so it fails."""
    with sync_playwright() as playwright:
        found = find.browser(playwright)
        if not found:
            pytest.fail(
                "no Chromium: run `playwright install chromium`, or put `chromium-headless-shell` on the PATH",
                pytrace=False,
            )
        quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
        try:
            chromium = playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage", *quiet]
            )
        except PlaywrightError as cause:
            pytest.fail(f"Chromium does not start: {cause}", pytrace=False)
        yield chromium
        chromium.close()


@pytest.fixture(params=["file", "http"])
def site(request, tmp_path):
    """Return a site under both kinds of address."""
    if request.param == "file":
        yield Site(tmp_path)
        return
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        served = ServedSite(tmp_path)
        served.port = server.server_address[1]
        yield served
        server.shutdown()


@pytest.fixture
def local(tmp_path):
    """Return a site on the file system, for what does not depend on the address."""
    return Site(tmp_path)


@pytest.fixture
def new_page(browser):
    """Return a function that opens a page in a fresh profile and fails the test at any complaint of the browser."""
    contexts, complaints = [], []

    def open_page(url: str, init: str = "", **settings: object):
        context = browser.new_context(**settings)
        contexts.append(context)
        if init:
            context.add_init_script(init)
        page = context.new_page()
        page.on("console", lambda message: message.type in {"error", "warning"} and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
