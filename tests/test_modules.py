"""The learning path: what a site sets as `modules` is what students see, in every way to build it."""

from __future__ import annotations

import re
import shutil
from html import escape, unescape
from posixpath import dirname, join, normpath

import markdown
import pytest
import yaml
from lxml import html as parser
from lxml.html import HtmlElement

from conftest import ROOT, Project
from errorspan.authoring.settings import Settings
from errorspan.course import Course
from errorspan.site import learning_path
from errorspan.site.pages import render
from errorspan.text.markup import visible
from hostile import PAYLOADS
from test_plugin import MOVING, with_plugin
from test_serving import change, serving

WEBHOOKS, SEARCH, DPO = "idempotent-payment-webhooks", "async-search-box", "dpo-post-training"
TITLES = {
    WEBHOOKS: "From payment events to seller balances",
    SEARCH: "The search box on the rental counter",
    DPO: "Review the Core of a DPO Trainer",
}
MODULES = [
    {"title": "First *reviews* & <b>", "level": "beginner", "topics": [WEBHOOKS, "waiting", SEARCH]},
    {"title": "Later", "topics": ["broken"], "after": ["First *reviews* & <b>"]},
]
FRONT_ENDS = "\n---\n"
TAGS = {"div", "p", "bdi", "span", "ol", "ul", "li", "a", "errorspan-progress"}
TAG = "<errorspan-path></errorspan-path>"
DEEP = f'# Deep\n\nWrite `{TAG}`:\n\n```html\n{TAG}\n```\n\n<div class="own">{TAG}</div>\n'
PATH = [
    "First *reviews* & <b>",
    "beginner",
    "Exercises: 2",
    f"1 {TITLES[WEBHOOKS]}",
    f"3 {TITLES[SEARCH]}",
    "Later",
    "not there yet",
    "After: First *reviews* & <b>",
    "More exercises",
    TITLES[DPO],
]


def setting(project: Project, **more: object) -> None:
    """Set more of a site; `modules` is the generator's."""
    config = project.folder / "mkdocs.yml"
    values = yaml.safe_load(config.read_text("utf-8"))
    if "modules" in more:
        values["extra"]["generator"]["modules"] = more.pop("modules")
    config.write_text(yaml.safe_dump(values | more, sort_keys=False, allow_unicode=True), "utf-8")


@pytest.fixture
def course(project: Project) -> Project:
    """Return a site of three exercises, a topic that awaits its run, and one that cannot be read."""
    for topic in (WEBHOOKS, SEARCH, DPO):
        shutil.copytree(ROOT / "topics/runs" / topic, project.folder / "topics/runs" / topic)
        for path in (ROOT / "topics").glob(f"{topic}.*"):
            shutil.copy(path, project.folder / "topics")
    project.topic("waiting", "title: Waiting <i>\n")
    project.topic("broken", "titel: Broken\n")
    project.write("docs/index.md", f"# A course\n\n{TAG}\n")
    project.write("docs/guide/deep.md", DEEP)
    setting(project, modules=MODULES, nav=None)
    return project


def having(part: HtmlElement, name: str) -> list[HtmlElement]:
    """Return the elements of a class in a part of a page."""
    return part.xpath(f'.//*[contains(concat(" ", @class, " "), " {name} ")]')


def words(part: HtmlElement) -> str:
    """Return the text of a part of a page, each run of spaces as one."""
    return " ".join(part.text_content().split())


def told(path: HtmlElement) -> list[str]:
    """Return what a path says, piece by piece, exercises with their numbers."""
    pieces = path.xpath('.//*[@class="es-stage-title"] | .//p[contains(@class, "es-about")]/span | .//li')
    return [" ".join([*piece.xpath("@value"), words(piece)]) for piece in pieces]


def led(part: HtmlElement, page: str) -> list[str]:
    """Return to which pages of the site the links of a part lead from a page."""
    return [normpath(join(dirname(page), link)) for link in part.xpath(".//a/@href")]


def paths(page: str) -> list[HtmlElement]:
    """Return the learning paths in a page."""
    return having(parser.fromstring(f"<main>{page}</main>"), "es-path")


@pytest.mark.heavy
def test_the_list_is_the_path(course: Project) -> None:
    built = course.build(key=False)
    assert built.returncode == 0, built.stderr
    [page] = parser.document_fromstring(course.page("exercises")).xpath("//article")
    headings = [(found.tag, words(found).removesuffix("¶")) for found in page.xpath(".//h1 | .//h2 | .//h3")]
    assert headings == [("h1", "Exercises"), ("h2", MODULES[0]["title"]), ("h2", "Later"), ("h2", "More exercises")]
    assert not page.xpath(".//h2//b")
    first, later = having(page, "es-module")
    items = first.xpath("./ol/li")
    assert [item.get("value") for item in items] == ["1", "2", "3"]
    assert [item.xpath("./a/@href") for item in items] == [[f"{WEBHOOKS}/"], [], [f"{SEARCH}/"]]
    assert words(items[1]) == "Waiting <i>: awaiting its first run"
    assert items[1].xpath(".//a/@href") == ["../runs/waiting/"]
    assert [words(about) for about in having(page, "es-about")] == ["beginner", f"After: {MODULES[0]['title']}"]
    assert [(item.get("value"), words(item)) for item in later.xpath("./ol/li")] == [("4", "broken: not there yet")]
    assert page.xpath('./div[@class="es-cards"]/a/@href') == [f"{DPO}/"]
    assert page.xpath(".//a[strong]/errorspan-progress/@data-exercise") == [WEBHOOKS, SEARCH, DPO]
    for topic, following in ((WEBHOOKS, SEARCH), (SEARCH, DPO), (DPO, None)):
        [onward] = having(parser.document_fromstring(course.page(f"exercises/{topic}")), "es-onward")
        assert onward.xpath(".//a/@href") == [*([f"../{following}/"] if following else []), "../"]


@pytest.mark.heavy
@pytest.mark.parametrize("how", ["hook", "plugin", "plain addresses", "moved", "German", "render", "zensical"])
def test_the_path_stands_wherever_an_author_wants_it(course: Project, how: str) -> None:
    ends, above = "", ""
    match how:
        case "plugin":
            with_plugin(course)
        case "plain addresses":
            setting(course, use_directory_urls=False)
            ends = "/index.html"
        case "moved":
            course.write("moving.py", MOVING)
            setting(course, hooks=[*yaml.safe_load((course.folder / "mkdocs.yml").read_text())["hooks"], "moving.py"])
            above = "de/"
        case "German":
            setting(course, theme={"name": "material", "language": "de", "font": False})
    if how in {"render", "zensical"}:
        more = ["--zensical"] if how == "zensical" else []
        assert "titel: is no key here" in course.errorspan("render", "out", *more, key=False).stderr
        docs = course.folder / "out" / ("docs" if more else ".")
        home, deep = ((docs / name).read_text("utf-8") for name in ("index.md", "guide/deep.md"))
        assert home.startswith('# A course\n\n<div class="es-path">\n')
        assert deep.startswith(DEEP.partition("<div")[0])
    else:
        built = course.build(key=False)
        assert built.returncode == 0, built.stderr
        name = "deep.html" if ends else "deep/index.html"
        home, deep = (
            (course.folder / "site" / above / page).read_text("utf-8") for page in ("index.html", f"guide/{name}")
        )
        assert unescape(re.sub(r"<[^>]*>", "", deep)).count(TAG) == 2
    [on_home], [on_deep] = paths(home), paths(deep)
    assert on_deep.getparent().get("class") == "own"
    assert not re.search(r"<p>\s*<div", home)
    at = "guide/deep.html" if ends else f"{above}guide/deep/index.html"
    for part, page in ((on_home, f"{above}index.html"), (on_deep, at)):
        assert led(part, page) == [f"{above}exercises/{topic}{ends}" for topic in (WEBHOOKS, SEARCH, DPO)]
        if how != "German":
            assert told(part) == PATH
        assert part.xpath(".//errorspan-progress/@data-exercise") == [WEBHOOKS, SEARCH, DPO]
    if how == "German":
        assert [told(on_home)[at] for at in (1, 2, 6, 8)] == [
            "Anfänger",
            "Aufgaben: 2",
            "noch nicht da",
            "Weitere Aufgaben",
        ]


def test_without_modules_it_is_the_list_of_exercises(course: Project) -> None:
    setting(course, modules=[])
    assert course.build(key=False).returncode == 0
    [path] = paths((course.folder / "site/index.html").read_text("utf-8"))
    assert told(path) == [TITLES[topic] for topic in sorted(TITLES)]
    assert "More exercises" not in course.page("exercises")


def test_where_there_is_no_exercise_the_path_says_so(project: Project) -> None:
    project.write("docs/index.md", f"# A course\n\n{TAG}\n")
    assert project.build(key=False).returncode == 0
    [path] = paths((project.folder / "site/index.html").read_text("utf-8"))
    assert words(path) == "No exercise is published yet."


@pytest.mark.parametrize("form", ["hook", "plugin"])
def test_an_id_of_no_topic_is_told_with_its_line(course: Project, form: str) -> None:
    modules = [MODULES[0], {"title": "Later", "topics": ["broken", "brokn", "../waiting"]}]
    setting(course, modules=modules)
    if form == "plugin":
        with_plugin(course)
    lines = (course.folder / "mkdocs.yml").read_text("utf-8").splitlines()
    known = ", ".join(sorted([*TITLES, "broken", "waiting"]))
    place = "plugins.errorspan" if form == "plugin" else "extra.generator"
    for failed in (course.build(key=False), course.errorspan("status", key=False)):
        assert failed.returncode == 1
        assert "Traceback" not in failed.stderr
        for at, topic in ((2, "brokn"), (3, "../waiting")):
            [line] = [number for number, line in enumerate(lines, start=1) if line.endswith(f"- {topic}")]
            what = f"modules.2.topics.{at}: expected a topic's id; known are {known} (got {topic!r})"
            assert f"mkdocs.yml:{line}: {place}.{what}" in failed.stderr


@pytest.mark.heavy
def test_while_it_is_served_a_bad_path_says_so_where_it_would_stand(course: Project) -> None:
    assert course.build(key=False).returncode == 0
    with serving(course) as served:
        served.shows("", "From payment events")
        whole = change(course, "mkdocs.yml", {f"- {WEBHOOKS}": "- webhooks"})
        served.shows("", "modules.1.topics.1: expected a topic's id", but="From payment events")
        course.write("mkdocs.yml", whole)
        served.shows("", "From payment events", but="es-fault")


def test_titles_are_text_in_headings_of_markdown() -> None:
    runs = Course.read(ROOT / "mkdocs.yml", {}).replay([DPO])
    titles = list(dict.fromkeys(" ".join(payload.text.split())[:120].strip() for payload in PAYLOADS))
    modules = [{"title": title, "topics": [f"t{number}"]} for number, title in enumerate(titles)]
    modules += [{"title": "Z", "topics": [DPO], "after": [title]} for title in titles[:1]]
    made = {page.uri: page.content for page in render(runs, Settings.model_validate({"modules": modules}))}
    converter = markdown.Markdown(
        extensions=["toc", "attr_list", "footnotes", "abbr", "smarty", "pymdownx.magiclink", "pymdownx.betterem",
                    "pymdownx.tilde", "pymdownx.caret", "pymdownx.keys", "pymdownx.emoji", "pymdownx.critic"]
    )  # fmt: skip
    page = parser.fromstring(f"<main>{converter.convert(made['exercises/index.md'].partition(FRONT_ENDS)[2])}</main>")
    headings = page.xpath(".//h2")
    seen = [words(parser.fromstring(f"<p>{escape(visible(title))}</p>")) for title in titles]
    assert [words(heading) for heading in headings] == [*seen, "Z"]
    for heading in headings:
        assert [found.tag for found in heading.iterdescendants()] == ["bdi"], words(heading)
        assert set(heading.attrib) <= {"id"}
    [path] = paths(made[learning_path.FRAGMENT])
    assert [words(stage) for stage in having(path, "es-stage-title")] == [*seen, "Z"]
    assert {found.tag for found in path.iterdescendants()} <= TAGS
    for part in (page, path):
        assert f"After: {seen[0]}" in [words(about) for about in part.xpath('.//*[contains(@class, "es-about")]/*')]


HERE = '<div class="es-path"><a href="../../exercises/a/">A</a></div>'


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        (f"a\n\n{TAG}\n\nb\n", f"a\n\n{HERE}\n\nb\n"),
        (f"{TAG}", f"{HERE}"),
        (f"\ufeff{TAG}\r\nb\xe4\r\n", f"\ufeff{HERE}\r\nb\xe4\r\n"),
        (f"<div>{TAG}</div>\n", f"<div>{HERE}</div>\n"),
        ("<errorspan-path>\t</errorspan-path >\n", f"{HERE}\n"),
        (f"`{TAG}` and {TAG}", f"`{TAG}` and {HERE}"),
        (f"``a ` {TAG}`` {TAG} `", f"``a ` {TAG}`` {HERE} `"),
        (f"```\n{TAG}\n```\n{TAG}\n", f"```\n{TAG}\n```\n{HERE}\n"),
        (f"- a\n\n    ~~~~ html\n    {TAG}\n    ~~~\n    ```\n    {TAG}\n    ~~~~\n    {TAG}\n", None),
        (f"> ```\n> {TAG}\n> ```\n", f"> ```\n> {TAG}\n> ```\n"),
        (f"```code``` {TAG}\n{TAG}\n", f"```code``` {HERE}\n{HERE}\n"),
        (f"```\n{TAG}\n", f"```\n{TAG}\n"),
        (
            "<errorspan-paths></errorspan-paths> <errorspan-path>",
            "<errorspan-paths></errorspan-paths> <errorspan-path>",
        ),
    ],
)
def test_code_in_markdown_stays_as_it_is(written: str, filled: str | None) -> None:
    if filled is None:
        head, _, tail = written.rpartition(TAG)
        filled = f"{head}{HERE}{tail}"
    path = HERE.replace("../../exercises/", "")
    for codec in ("utf-8", "latin-1"):
        if codec == "latin-1" and "\ufeff" in written:
            continue
        data = written.encode(codec)
        found = learning_path.in_markdown(data, path, "guide/deep.md", "exercises", directory_urls=True)
        assert found == filled.encode(codec)


@pytest.mark.parametrize(
    ("page", "directory_urls", "way"),
    [
        ("index.md", True, "exercises/"), ("README.md", True, "exercises/"), ("a.md", True, "../exercises/"),
        ("a.md", False, "exercises/"), ("b/index.md", True, "../exercises/"), ("b/a.md", True, "../../exercises/"),
        ("b/a.md", False, "../exercises/"), ("exercises/a.md", True, "../"), ("exercises/a.md", False, "./"),
    ],
)  # fmt: skip
def test_links_lead_from_where_a_page_will_be(page: str, directory_urls: bool, way: str) -> None:  # noqa: FBT001
    found = learning_path.in_markdown(TAG.encode(), '<a href="x/">', page, "exercises", directory_urls=directory_urls)
    assert found.decode() == f'<a href="{way}x/">'
