"""A course of text that means harm, under a strict Content-Security-Policy: it is shown as text, and nothing else."""

from __future__ import annotations

import functools
import html
import http.server
import json
import re
import shutil
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect
from pytest_httpserver import HTTPServer

from conftest import HOOK, ROOT, Project
from errorspan.text.errors import shown
from hostile import HARMLESS, PAYLOADS, Case, HostileAPI, Payload, cases, titles

MKDOCS = f"""\
site_name: A course
site_url: https://course.example/
theme:
  name: material
  custom_dir: {ROOT}/overrides
  font: false
  features:
    [content.code.copy, navigation.instant, navigation.tabs, navigation.footer, search.highlight, search.suggest]
nav:
  - Home: index.md
  - Exercises: exercises/index.md
  - Runs: runs/index.md
hooks: [{HOOK}, macros.py]
plugins: [search]
markdown_extensions:
  - abbr
  - admonition
  - attr_list
  - def_list
  - footnotes
  - md_in_html
  - meta
  - tables
  - toc: {{permalink: true}}
  - wikilinks
  - pymdownx.arithmatex: {{generic: true}}
  - pymdownx.betterem
  - pymdownx.caret
  - pymdownx.critic
  - pymdownx.details
  - pymdownx.emoji
  - pymdownx.highlight
  - pymdownx.inlinehilite
  - pymdownx.keys
  - pymdownx.magiclink
  - pymdownx.mark
  - pymdownx.progressbar
  - pymdownx.smartsymbols
  - pymdownx.snippets: {{base_path: [., docs], url_download: true, check_paths: false}}
  - pymdownx.superfences
  - pymdownx.tabbed: {{alternate_style: true}}
  - pymdownx.tasklist
  - pymdownx.tilde
  - pymdownx.blocks.html
extra_css: [assets/site.css]
extra:
  generator:
    models: {{author: author-model, mid: mid-model, weak: weak-model, judge: judge-model}}
    max_cost_usd: 100000
    max_calls: 8
    prices:
      author-model: {{input: 2, output: 10}}
      mid-model: {{input: 0.1, output: 0.5}}
      weak-model: {{input: 1, output: 5}}
      judge-model: {{input: 4, output: 20}}
"""
MACROS = """\
import jinja2
def on_page_markdown(markdown, page, config, files):
    return jinja2.Template(markdown).render(config=config)
"""
SECRET = "What no page may hold"
WATCH = """
window.__violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
  window.__violations.push([violatedDirective, blockedURI, sample]));
"""
ELEMENTS = """
all => all.map(element => [
  element.localName,
  [...element.attributes].map(one => one.name).filter(name => !/^(data-|aria-|tabindex$|title$)/.test(name)).sort(),
])
"""
ADDRESSES = """
all => all.flatMap(element => [...element.attributes]
  .filter(({ name }) => /^(href|src|action|formaction|srcset|poster|data|xlink:href)$/.test(name))
  .map(one => one.value))
"""


class Served:
    """A built site, served with a policy; `pages` are its addresses."""

    def __init__(self, project: Project, known: Sequence[Case], url: str = "") -> None:
        self.folder = project.folder / "site"
        self.project = project
        self.cases = known
        self.url = url

    @property
    def pages(self) -> list[str]:
        """Return the path of every page."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.html"))

    @property
    def inline(self) -> set[str]:
        """Return what the site's own inline scripts hold."""
        found = (
            re.findall(r"<script(?:\s[^>]*)?>(.+?)</script>", (self.folder / page).read_text("utf-8"), re.DOTALL)
            for page in self.pages
        )
        return {script for scripts in found for script in scripts}

    @property
    def styles(self) -> set[str]:
        """Return what the site's own inline styles hold."""
        found = (
            re.findall(r"<style>(.+?)</style>", (self.folder / page).read_text("utf-8"), re.DOTALL)
            for page in self.pages
        )
        return {style for styles in found for style in styles}


def policy(harmless: Served) -> str:
    """Allow what a site of harmless text holds, and nothing else."""

    def hashes(texts: set[str]) -> str:
        return " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in sorted(texts))

    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' {hashes(harmless.inline)}",
            f"style-src-elem 'self' {hashes(harmless.styles)}",
            "style-src-attr 'unsafe-inline'",  # the widths of bars
            "img-src 'self' data:",  # icons in Material's styles
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def built(folder: Path, payloads: Sequence[Payload], start: Callable[[Any], str]) -> Served:
    """Run every case through the pipeline, and build the site, as an author would."""
    known = list(cases(payloads))
    api = HostileAPI(known)
    api.url = start(api)
    project = Project(folder, api)
    project.write("mkdocs.yml", MKDOCS)
    project.write("macros.py", MACROS)
    project.write("secret.txt", SECRET)
    project.write("docs/secret.txt", SECRET)
    project.write("docs/index.md", "# A course\n")
    shutil.copytree(ROOT / "docs" / "assets", folder / "docs" / "assets")
    for case in known:
        project.topic(case.id, case.topic)
        note = "\n\n".join(payload.text for payload in payloads)
        project.write(f"topics/runs/{case.id}/run.json", json.dumps({"note": note}))
    for number, (title, _) in enumerate(titles(payloads)):
        project.topic(f"refused{number}", yaml.safe_dump({"title": title}))
    done = project.build()
    assert done.returncode == 0, done.stderr
    assert all(line.isprintable() for line in done.stderr.split("\n"))
    warnings = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert len(warnings) == len(titles(payloads)), warnings
    return Served(project, known)


@contextmanager
def serving(site: Served, headers: dict[str, str]) -> Iterator[str]:
    """Serve a site with headers of ours."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            for name, value in headers.items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(site.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[[Any], str]]:
    servers = []

    def serve(api: HostileAPI) -> str:
        server = HTTPServer(host="127.0.0.1", threaded=True)
        server.expect_request("/v1/messages", method="POST").respond_with_handler(api)
        server.start()
        servers.append(server)
        return str(server.url_for("")).rstrip("/")

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory, start: Callable[[Any], str]) -> Served:
    return built(tmp_path_factory.mktemp("harmless"), HARMLESS, start)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, start: Callable[[Any], str], harmless: Served) -> Iterator[Served]:
    """Serve a site of all payloads, with the policy that a harmless site needs."""
    hostile = built(tmp_path_factory.mktemp("hostile"), PAYLOADS, start)
    with serving(hostile, {"Content-Security-Policy": policy(harmless)}) as hostile.url:
        yield hostile


class Visit:
    """A visitor's browser, and all that went wrong in it."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self.complaints: list[str] = []
        self.context = browser.new_context()
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", self._requested)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda told: told.type in {"error", "warning"} and self.complaints.append(told.text))
        self.page.on("popup", lambda page: self.complaints.append(f"popup: {page.url}"))

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:image/")):
            self.complaints.append(f"request: {request.url}")

    def open(self, path: str) -> Page:
        """Open a page, with all that it folds away."""
        self.page.goto(self.url + path)
        return self.page

    def unhurt(self) -> None:
        """See that nothing was executed, loaded or blocked."""
        assert self.page.evaluate("[window.__xss ?? null, window.__violations]") == [None, []]
        assert not self.complaints


@pytest.fixture
def visit(browser: Browser, site: Served) -> Iterator[Visit]:
    visiting = Visit(browser, site.url)
    yield visiting
    visiting.context.close()


def elements(page: Page) -> set[tuple[str, tuple[str, ...]]]:
    """Return every kind of element, with its attributes' names."""
    return {(name, tuple(attributes)) for name, attributes in page.locator("*").evaluate_all(ELEMENTS)}


def addresses(visit: Visit) -> set[str]:
    """Return every address that a page names; Material makes some absolute."""
    return {
        found.removeprefix(visit.url).removeprefix("https://course.example/")
        for found in visit.page.locator("*").evaluate_all(ADDRESSES)
    }


def text(page: Page) -> str:
    """Return what a page shows, without spaces, everything unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return squeezed(page.locator("body").inner_text())


def squeezed(said: str) -> str:
    """Return a text without spaces; some headings are in capitals."""
    return "".join(said.split()).casefold()


def missing(seen: str, case: Case, *markers: str) -> list[str]:
    """Return the fields that pages should show and do not; on some pages, names are prose."""
    shown = {name: [squeezed(case.shown(name, kind)) for kind in (case.fields[name], "prose")] for name in markers}
    return [name for name, said in shown.items() if not any(one in seen for one in said)]


@pytest.fixture(scope="module")
def plain(browser: Browser, harmless: Served) -> dict[str, Any]:
    """Return the elements and the addresses of the harmless site's pages."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    named: set[str] = set()
    with serving(harmless, {}) as url:
        visiting = Visit(browser, url)
        for path in harmless.pages:
            page = visiting.open(path)
            seen |= elements(page)
            named |= addresses(visiting)
            if path.startswith("exercises/case") and "key" not in path:
                solve(page)
                seen |= elements(page)
        visiting.context.close()
    return {"elements": seen, "addresses": named}


def solve(page: Page) -> None:
    """Do an exercise, with hints, and have all answers shown."""
    page.locator(".es-guided input").check()
    for _ in range(2):
        page.locator("[data-action=hint]").click()
    page.locator(".es-gutter-number").first.click()
    page.locator("[data-action=check]").click()
    page.locator(".es-score").wait_for()
    page.locator("[data-action=uncover]").click()
    while page.locator("[data-action=explain]").count():
        page.locator("[data-action=explain]").first.click()


MARKDOWN = {("code", ()), ("em", ()), ("strong", ()), ("p", ()), ("br", ())}


OWN = re.compile(r"(\.\./)*\.?((exercises|runs)/)?((case|refused)\d+/)?([a-z-]+/)?(key\.js|index\.html)?(#[\w-]*)?")


def unhurt(visit: Visit, plain: dict[str, Any]) -> None:
    """See that a page has no element and no address that harmless text would not give it, and that nothing happened."""
    assert elements(visit.page) <= plain["elements"] | MARKDOWN, visit.page.url
    strange = addresses(visit) - plain["addresses"]
    assert not [address for address in strange if not OWN.fullmatch(address)], visit.page.url
    visit.unhurt()


@pytest.mark.heavy
def test_every_field_of_a_run_is_shown_as_text(site: Served, plain: dict[str, Any], visit: Visit) -> None:
    for case in site.cases:
        seen = ""
        for path in [path for path in site.pages if path.startswith(f"runs/{case.id}/")]:
            page = visit.open(path)
            seen += text(page)
            assert f"{case.id} " in page.title()
            unhurt(visit, plain)
        assert not missing(seen, case, *case.fields), case.id
        first = case.payloads[0]
        assert re.search(r"language:['\"]rejected", seen)
        assert squeezed(f"answered as {shown(f'served {first.text}', 100)}") in seen
        for payload in PAYLOADS:
            assert squeezed(payload.shown("prose")) in seen, payload.name  # in the note


@pytest.mark.heavy
def test_why_a_topic_was_refused_is_shown_as_text(plain: dict[str, Any], visit: Visit) -> None:
    for number, (title, payloads) in enumerate(titles(PAYLOADS)):
        page = visit.open(f"runs/refused{number}/")
        seen = text(page)
        for payload in payloads:
            assert in_topic(payload) in seen
        if title.isprintable():
            assert seen.count(squeezed(title)) >= 2
            assert page.title().startswith(f"Run: {title}")
        unhurt(visit, plain)


SHOWN = ("title", "objective", "scenario", "code1", "code2")
TOLD = ("description", "learning_value", "concept", "correction", "failure", "hint", "pattern")


def in_topic(payload: Payload) -> str:
    """Return what is seen of a payload in a topic file."""
    return squeezed(re.sub("⟨U\\+202[89]⟩", "", payload.shown("plain")))


@pytest.mark.heavy
def test_every_field_of_an_exercise_is_shown_as_text(site: Served, plain: dict[str, Any], visit: Visit) -> None:
    for case in site.cases:
        page = visit.open(f"exercises/{case.id}/")
        assert not missing(text(page), case, *(case.id + name for name in SHOWN)), case.id
        assert all(in_topic(payload) in text(page) for payload in case.payloads)  # concepts
        solve(page)
        assert not missing(text(page), case, *(f"{case.id}{name}{n}" for name in TOLD for n in range(2))), case.id
        unhurt(visit, plain)


def test_every_field_of_a_key_is_shown_as_text(site: Served, plain: dict[str, Any], visit: Visit) -> None:
    for case in site.cases:
        page = visit.open(f"exercises/{case.id}/key/")
        told = [f"{case.id}{name}{n}" for name in TOLD if name != "failure" for n in range(2)]
        assert not missing(text(page), case, *(case.id + name for name in ("title", "code1", "code2")), *told), case.id
        unhurt(visit, plain)


def test_the_watch_sees_what_happens(visit: Visit) -> None:
    page = visit.open("runs/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.__xss=1>')")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), { text: 'window.__xss = 1' }))")
    page.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.2/pixel.png' }))")
    page.wait_for_function("window.__violations.length >= 3")
    assert sorted(directive for directive, *_ in page.evaluate("window.__violations")) == [
        "img-src", "script-src-attr", "script-src-elem",
    ]  # fmt: skip
    assert page.evaluate("window.__xss ?? null") is None
    page.evaluate("window.__xss = 1")
    with pytest.raises(AssertionError):
        visit.unhurt()


@pytest.mark.heavy
def test_titles_are_text_in_lists_and_by_instant_navigation(site: Served, plain: dict[str, Any], visit: Visit) -> None:
    for path in ("", "404.html", "exercises/", "runs/"):
        page = visit.open(path)
        seen = text(page)
        for payload in PAYLOADS if path.endswith("s/") else ():
            assert in_topic(payload) in seen, payload.name
        unhurt(visit, plain)
    for case in site.cases[:2]:
        page = visit.open("exercises/")
        page.locator(f".es-card[href$='{case.id}/']").click()
        page.locator(f"errorspan-exercise[data-exercise={case.id}]").wait_for()
        assert not missing(text(page), case, *(case.id + name for name in SHOWN))
        solve(page)
        unhurt(visit, plain)


def test_the_search_finds_text(site: Served, visit: Visit) -> None:
    index = json.loads((site.folder / "search/search_index.json").read_text("utf-8"))
    assert {document["location"].partition("/")[0] for document in index["docs"]} <= {"", "exercises", "runs"}
    page = visit.open("")
    for query in ("case00title", "case01objective", "title00"):
        page.locator(".md-search__input").fill(query)
        page.locator(".md-search__input").press("End")
        found = page.locator(".md-search-result__list")
        expect(found).to_contain_text(re.compile(query, re.IGNORECASE))  # what was found before goes late
        assert "<script" in found.inner_text() or query == "case01objective"
        inside = {name for name, _ in found.locator("*").evaluate_all(ELEMENTS)}
        assert inside <= {"li", "a", "article", "div", "h1", "h2", "p", "mark", "details", "summary", "ul"}
        visit.unhurt()


@pytest.mark.heavy
def test_no_file_is_read_and_no_template_is_evaluated(site: Served) -> None:
    """Neither in this site, whose pages Markdown does not see, nor in one that another program makes of the pages."""
    project = site.project
    assert project.errorspan("render", "rendered", key=False).returncode == 0
    other = MKDOCS.replace(f"{HOOK}, ", "").replace("nav:", "docs_dir: rendered\nsite_dir: other\nnav:")
    project.write("other.yml", other.partition("extra:\n")[0])
    done = project.build("-f", "other.yml", key=False)
    assert done.returncode == 0, done.stderr
    for folder in ("site", "other"):
        for name, content in project.files(folder).items():
            assert SECRET.encode() not in content or name == "secret.txt", name
            assert b"6007" not in content or name.endswith((".svg", ".map", ".js", ".css", ".woff2")), name
    for case in site.cases:
        page = (project.folder / "other/runs" / case.id / "assessment/index.html").read_text("utf-8")
        assert html.unescape(re.sub("<[^>]*>", "", page)).count(f"{case.id}scenario") == 1


@pytest.mark.heavy
def test_the_sitemap_and_the_exports_are_whole(site: Served, tmp_path: Path, browser: Browser) -> None:
    ET.fromstring((site.folder / "sitemap.xml").read_bytes())
    ids = [case.id for case in site.cases]
    for kind in ("qti", "scorm"):
        done = site.project.errorspan("export", kind, "-o", str(tmp_path / f"{kind}.zip"), *ids, key=False)
        assert done.returncode == 0, done.stderr
        shutil.unpack_archive(tmp_path / f"{kind}.zip", tmp_path / kind)
        for path in (tmp_path / kind).rglob("*.xml"):
            root = ET.fromstring(path.read_bytes())
            assert not {element.tag.rpartition("}")[2] for element in root.iter()} & {
                "script",
                "img",
                "iframe",
                "object",
            }
    package = Served(site.project, site.cases)
    package.folder = tmp_path / "scorm"
    with serving(package, {"Content-Security-Policy": "default-src 'self'; img-src data:"}) as url:
        visiting = Visit(browser, url)
        page = visiting.open("index.html")
        seen = squeezed(page.locator("body").text_content() or "")
        for case in site.cases:
            assert all(squeezed(case.shown(case.id + name, "plain")) in seen for name in ("title", "code1", "code2"))
            assert squeezed(case.shown(f"{case.id}scenario", "prose")) in seen
        page.locator("[data-action=check]").first.wait_for()
        visiting.unhurt()
        visiting.context.close()
