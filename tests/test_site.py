"""How the pages take part in a MkDocs site."""

from __future__ import annotations

import errno
import gzip
import re
import socket

import pytest
import yaml
from material.plugins.search.plugin import Parser
from mkdocs.exceptions import PluginError

from conftest import Project
from errorspan.course import Course
from errorspan.site.pages import render
from errorspan.site.parts import PARTS
from errorspan.site.serving import hold_free
from errorspan.steps.table import STEPS
from messages_api import MessagesAPI
from served import serving


@pytest.mark.heavy
def test_serve_asks_nothing_and_shows_a_changed_topic(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    with serving(project) as served:
        served.shows("runs/words/", "Awaiting its first run")
        project.topic("words", "title: Counting other words\n")
        served.shows("runs/words/", "Counting other words")
    assert not messages_api.calls


@pytest.mark.heavy
def test_serve_asks_nothing_however_it_is_told_to_build(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    project.topic("broken", "titel: Words\n")
    config = project.folder / "mkdocs.yml"
    whole = config.read_text()
    config.write_text(whole.replace("max_retries: 1", "max_retrys: 1"))
    with serving(project, "--clean") as served:
        assert "max_retrys: is no key here" in served.get("runs/")
        config.write_text(whole)
        served.shows("runs/words/", "Awaiting its first run")
        assert "titel: is no key here" in served.get("exercises/broken/")
    assert not messages_api.calls


@pytest.mark.parametrize("more", [(), ("--no-livereload",), ("--clean",)])
def test_an_address_that_is_taken_is_told_in_a_line(project: Project, more: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = project.run("mkdocs", "serve", "-a", f"127.0.0.1:{port}", *more, key=False)
    assert done.returncode == 1
    told = f"nothing can be served at 127.0.0.1:{port} (Address already in use); `mkdocs serve -a 127.0.0.1:{port + 1}`"
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("host", "port", "fault", "said"),
    [
        ("::1", 8000, OSError(errno.EADDRINUSE, "In use"), "[::1]:8000 (In use); `mkdocs serve -a [::1]:8001` tries"),
        ("::1", 65535, OSError(errno.EADDRINUSE, "In use"), "[::1]:65535 (In use); `mkdocs serve -a ADDRESS:PORT`"),
        ("127.0.0.1", 80, OSError(errno.EACCES, "Denied"), "127.0.0.1:80 (Denied); `mkdocs serve -a ADDRESS:PORT`"),
        ("127.0.0.1", 70000, OverflowError("port must be 0-65535"), "127.0.0.1:70000 (port must be 0-65535); "),
    ],
)
def test_what_to_do_fits_why_an_address_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch, host: str, port: int, fault: Exception, said: str
) -> None:
    def bind(*_: object) -> None:
        raise fault

    monkeypatch.setattr(socket.socket, "bind", bind)
    with pytest.raises(PluginError) as error:
        hold_free(host, port)
    assert f"nothing can be served at {said}" in str(error.value)


def test_an_offline_build_asks_nothing(project: Project, messages_api: MessagesAPI) -> None:
    project.topic("words")
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text().replace("max_retries: 1", "offline: true"))
    assert project.build().returncode == 0
    assert not messages_api.calls


def test_a_deprecated_model_gets_a_warning_with_its_last_day(project: Project) -> None:
    project.topic("words", "title: Words\nmodels: {weak: claude-sonnet-4-5}\n")
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text() + "      claude-sonnet-4-5: {input: 3, output: 15}\n")
    built = project.build()
    assert re.search(r"WARNING.*weak: claude-sonnet-4-5 is deprecated; its last day is \w+ \d+", built.stderr)


def test_a_page_of_the_sites_own_is_not_silently_replaced(project: Project) -> None:
    project.write("docs/runs/index.md", "# My runs\n")
    built = project.build()
    assert built.returncode != 0
    assert "runs/index.md is generated" in built.stderr


def test_settings_with_faults_are_told_with_their_line(project: Project) -> None:
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text().replace("max_retries: 1", "max_retrys: 1"))
    for failed in (project.build(), project.errorspan("status")):
        assert failed.returncode == 1
        assert "mkdocs.yml:16: extra.generator.max_retrys: is no key here; known are topics, models" in failed.stderr
        assert "Traceback" not in failed.stderr


def test_links_name_index_html_where_no_server_adds_it(project: Project) -> None:
    project.topic("words")
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text() + "use_directory_urls: false\n")
    assert project.build("--strict").returncode == 0
    assert 'href="../../runs/words/index.html"' in project.page("exercises/words")
    assert 'href="words/index.html"' in project.page("exercises")


def test_the_tab_of_a_list_is_active_on_the_pages_below_it(project: Project) -> None:
    project.topic("words")
    config = project.folder / "mkdocs.yml"
    config.write_text(config.read_text().replace("features: [", "features: [navigation.tabs, "))
    assert project.build("--strict").returncode == 0
    for name, title in (
        ("exercises", "Exercises"), ("exercises/words", "Exercises"), ("exercises/words/key", "Exercises"),
        ("runs", "Runs"), ("runs/words", "Runs"), ("", "Home"),
    ):  # fmt: skip
        active = re.findall(r'md-tabs__item--active">\s*<a [^>]*>\s*(\w+)', project.page(name))
        assert active == [title], name


SITEMAP = "{% for file in pages %}{{ file.page.canonical_url }}\n{% endfor %}"


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("<!DOCTYPE html><html><HEAD><title>x</title></HEAD ><body>{{ page.content }}</body></html>", True),
        ("<!doctype html><title>x</title><body class=x>{{ page.content }}", True),
        ("<!doctype html><title>x</title>{{ page.content }}", False),
    ],
)
def test_in_any_theme_no_search_is_led_to_answers(recorded: Project, page: str, told: bool) -> None:  # noqa: FBT001
    recorded.write("bare/main.html", page)
    recorded.write("bare/sitemap.xml", SITEMAP)
    config = recorded.folder / "mkdocs.yml"
    theme = "theme: {name: null, custom_dir: bare, static_templates: [sitemap.xml]}\nnav:"
    config.write_text(re.sub(r"(?s)theme:.*nav:", theme, config.read_text()))
    built = recorded.build(key=False)
    assert built.returncode == 0, built.stderr
    for name in ("exercises", "exercises/words", "exercises/words/key", "runs", "runs/words"):
        answers = name in {"exercises/words/key", "runs/words"}
        head = recorded.page(name).partition("<body")[0]
        assert ('<meta name="robots" content="noindex">' in head) == (answers and told), name
        assert (f"{name}/index.md holds answers, and no </head>" in built.stderr) == (answers and not told), name
        assert (f"https://course.example/sub/{name}/\n" in recorded.files("site")["sitemap.xml"].decode()) != answers


def test_the_themes_of_mkdocs_lead_no_search_to_answers(recorded: Project) -> None:
    config = recorded.folder / "mkdocs.yml"
    config.write_text(re.sub(r"(?s)theme:.*nav:", "theme: readthedocs\nnav:", config.read_text()))
    assert recorded.build("--strict", key=False).returncode == 0
    site = recorded.files("site")
    listed = re.findall("<loc>https://course.example/sub/(.*)</loc>", gzip.decompress(site["sitemap.xml.gz"]).decode())
    assert sorted(listed) == ["", "exercises/", "exercises/words/", "runs/"]
    unlisted = {name for name, page in site.items() if b'content="noindex"></head>' in page}
    below = {f"runs/words/{part.folder}/index.html" for part in PARTS}
    assert unlisted == {"exercises/words/key/index.html", "runs/words/index.html", *below}


@pytest.mark.parametrize("docs", ["docs", "content/docs"])
def test_the_edit_link_leads_to_the_topic(project: Project, docs: str) -> None:
    project.topic("words")
    project.write(f"{docs}/index.md", "# A course\n")
    config = project.folder / "mkdocs.yml"
    config.write_text(
        config.read_text().replace("features: [", "features: [content.action.edit, ")
        + f"docs_dir: {docs}\nrepo_url: https://code.example/course\nedit_uri: edit/main/{docs}/\n"
    )
    assert project.build(key=False).returncode == 0
    assert 'href="https://code.example/course/edit/main/topics/words.yml"' in project.run_pages("words")


def test_each_step_of_a_run_has_a_page_in_order() -> None:
    assert [part.name for part in PARTS if part.number] == [step.name for step in STEPS]
    assert [part.number for part in PARTS] == [*range(1, len(STEPS) + 1), 0, 0]


def test_a_course_may_lie_beside_the_folder_of_styles(project: Project) -> None:
    project.topic("words")
    config = project.folder / "mkdocs.yml"
    text = config.read_text().replace("max_retries: 1", "exercises_folder: assets/errorspan-course")
    config.write_text(text.replace("exercises/index.md", "assets/errorspan-course/index.md"))
    built = project.build("--strict")
    assert built.returncode == 0, built.stderr
    assert "<errorspan-exercise" in project.page("assets/errorspan-course/words")


def test_titles_are_text_wherever_the_theme_shows_them(project: Project) -> None:
    project.topic("words", "title: '<b>Bold</b> & <img src=x onerror=alert(1)> `code` {{ x }}'\n")
    assert project.build(key=False).returncode == 0
    for name in ("runs/words", "runs", "exercises"):
        page = project.page(name)
        assert "<img src=x" not in page
        assert "<b>Bold</b>" not in page
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp;" in project.run_pages("words")


def test_the_search_holds_what_a_person_would_search_for(recorded: Project) -> None:
    """What the exercise is about, and nothing of the frame that every exercise has; read as Material does."""
    config = recorded.folder / "mkdocs.yml"
    course = Course.read(config, yaml.safe_load(config.read_text("utf-8"))["extra"])
    content = {page.uri: str(page.content) for page in render(course.replay(), course.settings)}
    for uri in ("exercises/words/index.md", "exercises/index.md"):
        parser = Parser()
        parser.feed(content[uri].split("\n---\n", 1)[1])
        said = " ".join(" ".join(["".join(part.title), "".join(part.text)]) for part in parser.data)
        text = " ".join(re.sub(r"<[^>]+>", "", said).split())
        assert "Find what is wrong with the word report" in text
        frame = "Line|Guide|Mark them|Keyboard|Score|Check|Hint|Reset|answers|minutes|Exercises /|written by|Next|Save"
        assert not re.findall(rf"\b(?:{frame})\b", text), text
        if "words" in uri:
            assert text.startswith("Counting words Find what is wrong with the word report python")
            assert "def top" not in text
            assert not re.search(r"\b(?:12|13)\b", text), text
