"""What is broken while people write breaks only itself: a real server, a build, and every command."""

from __future__ import annotations

import os
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

import errorspan
from conftest import HOOK, Project
from errorspan.course import MAX_TESTS
from served import serving

PLAIN = {
    "name: material\n  font: false\n  features: [navigation.instant]": "name: mkdocs",
    "plugins: [search]": "plugins: []",
}
"""Makes a site build in a moment."""


@pytest.fixture
def quick(recorded: Project) -> Project:
    """Return a project with a run, and a topic that awaits its own."""
    change(recorded, "mkdocs.yml", PLAIN)
    shutil.rmtree(recorded.folder / "site")
    recorded.topic("waiting", "title: Waiting\n")
    return recorded


def change(project: Project, name: str, words: dict[str, str]) -> str:
    """Replace words in a file of the project; return what it was."""
    path = project.folder / name
    text = before = path.read_text("utf-8")
    for old, new in words.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return before


def copied(project: Project, name: str) -> Path:
    """Give a topic the recorded run."""
    project.topic(name)
    shutil.copytree(project.folder / "topics/runs/words", project.folder / f"topics/runs/{name}")
    return project.folder / f"topics/runs/{name}"


def alone(make: Callable[[Path], None], suffix: str = ".yml") -> Callable[[Project, str], None]:
    """Make a file of a topic, and nothing else."""
    return lambda project, name: make(project.folder / f"topics/{name}{suffix}")


def beside(suffix: str, make: Callable[[Path], None]) -> Callable[[Project, str], None]:
    """Make a file beside that of a topic with a run."""

    def break_it(project: Project, name: str) -> None:
        copied(project, name)
        make(project.folder / f"topics/{name}{suffix}")

    return break_it


def recorded_as(file: str, make: Callable[[Path], None]) -> Callable[[Project, str], None]:
    """Make a file of a record."""
    return lambda project, name: make(copied(project, name) / file)


def topic_of(content: str | bytes) -> Callable[[Project, str], None]:
    """Write a topic's file."""
    return alone(text_of(content))


def text_of(content: str | bytes) -> Callable[[Path], None]:
    """Write a file."""

    def write(path: Path) -> None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def twice(project: Project, name: str) -> None:
    project.topic(name)
    project.write(f"topics/{name}.yaml", "title: Another\n")


def a_pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def too_large(path: Path) -> None:
    path.write_bytes(b"#" * (MAX_TESTS + 1))


def a_folder(path: Path) -> None:
    path.mkdir()


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


KINDS: dict[str, tuple[Callable[[Project, str], None], str]] = {
    "no-yaml": (topic_of("title: [\n"), "topics/no-yaml.yml:1: title: expected ] that closes"),
    "wrong-key": (topic_of("titel: Words\n"), "topics/wrong-key.yml:1: titel: is no key here; known are title, "),
    "not-utf8": (topic_of(b"title: W\xf6rter\n"), "topics/not-utf8.yml:1: expected UTF-8 (got the byte 0xf6)"),
    "markup": (topic_of("title: T\n<b>: x\n"), "topics/markup.yml:2: <b>: is no key here"),
    "a-link": (alone(a_dangling_link), "topics/a-link.yml:1: cannot be read (No such file or directory)"),
    "a-folder": (alone(a_folder), "topics/a-folder.yml:1: cannot be read (Is a directory)"),
    "a-pipe": (alone(a_pipe), "topics/a-pipe.yml:1: cannot be read (it is no file)"),
    "twice": (twice, "topics/twice.yml:1: the id 'twice' is topics/twice.yaml's already"),
    "gone": (alone(text_of("by: me\n"), ".review.yml"), "topics/gone.review.yml:1: belongs to no topic"),
    "review": (beside(".review.yml", text_of("verdict: yes\n")), "topics/review.review.yml:1: verdict: expected "),
    "large-tests": (beside(".tests.py", too_large), f"topics/large-tests.tests.py:1: expected at most {MAX_TESTS:,} "),
    "linked-tests": (beside(".tests.py", a_dangling_link), "topics/linked-tests.tests.py:1: is no file of this folder"),
    "manifest": (recorded_as("run.json", text_of("{")), "topics/runs/manifest/run.json:1: "),
    "answer": (recorded_as("assessment.json", text_of("{")), "topics/runs/answer/assessment.json:1: "),
    "piped": (recorded_as("assessment.json", a_pipe), "topics/runs/piped/assessment.json:1: cannot be read (it is no "),
    "proof": (recorded_as("proof.json", text_of("{}")), "topics/runs/proof/proof.json:1: "),
}
"""How each topic is broken, and what is told of it."""


def broken(project: Project) -> None:
    """Break a topic in each way, and one that can have no page."""
    for name, (break_it, _) in KINDS.items():
        break_it(project, name)
    project.topic("Words")


def mended(project: Project) -> None:
    """Mend all of them."""
    for name in ("Words", *KINDS):
        for path in (project.folder / "topics").glob(f"{name}.*"):
            path.rmdir() if path.is_dir() else path.unlink()
    for name in KINDS:
        shutil.rmtree(project.folder / f"topics/runs/{name}", ignore_errors=True)
        project.topic(name, "title: As it should be\n")


def test_a_broken_topic_is_shown_on_its_pages_and_in_the_lists_until_it_is_mended(quick: Project) -> None:
    broken(quick)
    with serving(quick) as served:
        assert "Find what is wrong with the word report" in served.get("exercises/words/")
        assert "Awaiting its first run" in served.get("runs/waiting/")
        lists = {"../runs/": served.get("exercises/"), "": served.get("runs/")}
        for name, (_, fault) in KINDS.items():
            for page in (f"runs/{name}/", f"exercises/{name}/", f"exercises/{name}/key/"):
                assert fault in served.get(page)
            for way, listed in lists.items():
                assert fault in listed
                assert f'href="{way}{name}/"' in listed
        assert all("topics/Words.yml:1: expected a name of a-z" in listed for listed in lists.values())
        assert b"&lt;b&gt;" in urllib.request.urlopen(f"{served.url}runs/markup/").read()
        mended(quick)
        for name in KINDS:
            served.shows(f"runs/{name}/", "As it should be", but="left out")
        assert "Left out" not in served.get("exercises/")


def test_a_build_leaves_broken_topics_out_and_says_so(quick: Project) -> None:
    broken(quick)
    built = quick.build(key=False)
    assert built.returncode == 0, built.stderr
    for _, fault in KINDS.values():
        assert fault in built.stderr
    assert "Left out until that is mended: Words, a-folder" in built.stderr
    assert "Traceback" not in built.stderr
    pages = {path.parent.name for path in (quick.folder / "site").glob("*/*/index.html")}
    assert pages == {"words", "waiting"}
    assert "left out" not in (quick.page("exercises") + quick.page("runs")).lower()
    assert quick.build("--strict", key=False).returncode == 1


@pytest.mark.heavy
def test_every_command_goes_on_without_broken_topics_and_fails_at_its_end(quick: Project) -> None:
    broken(quick)
    (quick.folder / "topics/waiting.yml").unlink()
    goes_on = {
        ("report",): "1 model runs", ("report", "--json"): '"model": 1',
        ("run",): "Nothing else is missing.", ("solve", "--dry-run"): "words", ("render", "pages"): "files in pages",
        ("verify",): "No topic has tests and an exercise.",
    }  # fmt: skip
    for words, said in goes_on.items():
        done = quick.errorspan(*words)
        assert done.returncode == 1, words
        assert said in done.stdout, words
        for _, fault in KINDS.values():
            assert fault in done.stderr, words
        assert "Traceback" not in done.stderr
    assert not [name for name in quick.files("pages") if name.split("/")[-2:-1] in ([kind] for kind in KINDS)]
    for words in (("status", "words"), ("export", "scorm", "words", "-o", "words.zip")):
        done = quick.errorspan(*words)
        assert (done.returncode, done.stderr) == (0, "")
    named = {
        "wrong-key": (("verify",), ("solve",)),
        "answer": (("run",), ("review", "--by", "me"), ("adopt",), ("export", "qti", "-o", "none.zip")),
    }
    for name, commands in named.items():
        for words in commands:
            done = quick.errorspan(*words, name)
            assert done.returncode == 1, words
            assert KINDS[name][1] in done.stderr, words
            assert "Traceback" not in done.stderr
    assert not (quick.folder / "none.zip").exists()


@pytest.mark.heavy
@pytest.mark.parametrize("how", ["clean", "dirty"])
def test_nothing_stays_of_a_topic_that_was_published_before(quick: Project, how: str) -> None:
    quick.write("docs/exercises/words/more.md", "# More\n")
    assert quick.build(key=False).returncode == 0
    before = {name for name in quick.files("site") if "/words/" in name}
    assert {"runs/words/index.html", "exercises/words/key.js", "exercises/words/key/index.html"} <= before
    quick.topic("words", "titel: Words\n")
    assert quick.build(f"--{how}", key=False).returncode == 0
    assert {name for name in quick.files("site") if "/words/" in name} == {"exercises/words/more/index.html"}
    for name, content in quick.files("site").items():
        assert b"word report" not in content, name


@pytest.mark.heavy
def test_what_concerns_all_is_shown_on_every_page_until_it_is_mended(quick: Project) -> None:
    wrong = {"max_retries: 1": "max_retrys: 1"}
    whole = change(quick, "mkdocs.yml", wrong)
    built = quick.build(key=False)
    fault = "extra.generator.max_retrys: is no key here; known are"
    assert built.returncode == 1
    assert fault in built.stderr
    with serving(quick) as served:
        for page in ("exercises/", "runs/", "runs/words/", "exercises/words/", "exercises/words/key/", "runs/waiting/"):
            assert fault in served.get(page)
        assert "Find what is wrong" not in served.get("exercises/words/")
        quick.write("mkdocs.yml", whole)
        served.shows("exercises/words/", "Find what is wrong", but=fault)
        folder = quick.folder / "topics"
        change(quick, "mkdocs.yml", {"max_retries: 1": "topics: elsewhere"})
        for page in ("runs/", "runs/words/", "exercises/words/key/"):  # what a browser is at says so, too
            served.shows(page, "elsewhere:1: is no folder")
        folder.rename(quick.folder / "elsewhere")
        change(quick, "mkdocs.yml", {"topics: elsewhere": "topics: elsewhere "})
        served.shows("runs/words/", "Complete run")
        quick.write("elsewhere/words.yml", "title: Counting other words\n")  # a folder that was not there at the start
        served.shows("runs/words/", "Counting other words")


@pytest.mark.heavy
def test_where_the_site_cannot_be_built_every_page_says_why_until_it_can(quick: Project) -> None:
    change(quick, "mkdocs.yml", {"name: mkdocs": "name: mkdocs\n  custom_dir: overrides"})
    quick.write("parent.yml", "extra: {said: nothing}\n")
    change(quick, "mkdocs.yml", {"site_name": "INHERIT: parent.yml\nsite_name"})
    override = quick.write("overrides/main.html", '{% extends "base.html" %}')
    config = quick.folder / "mkdocs.yml"
    with serving(quick) as served:
        for path, text, why in (
            (config, "site_name: [\n", "while parsing a flow node"),
            (config, "site_name: A course\ntheme: none-such\n", "Unrecognised theme name: 'none-such'"),
            (quick.folder / "parent.yml", "extra: [\n", "while parsing a flow node"),
            (
                override,
                "\n{% nonsense %}",
                "overrides/main.html:2: TemplateSyntaxError: Encountered unknown tag 'nonsense'",
            ),
            (override, "{{ nothing.at.all }}", "overrides/main.html:1: UndefinedError: 'nothing' is undefined"),
            (quick.folder / "docs/runs/index.md", "# Mine", "runs/index.md is generated"),
        ):
            whole = path.read_text("utf-8") if path.exists() else None
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
            for page in ("", "exercises/words/"):
                served.shows(page, why)
            path.unlink() if whole is None else path.write_text(whole, "utf-8")
            served.shows("exercises/words/", "Find what is wrong", but=why)
        assert "A course" in served.get("")


@pytest.mark.heavy
def test_an_override_that_is_edited_is_shown(quick: Project) -> None:
    change(quick, "mkdocs.yml", {"name: mkdocs": "name: mkdocs\n  custom_dir: overrides"})
    quick.write("overrides/main.html", '{% extends "base.html" %}')
    with serving(quick) as served:
        quick.write(
            "overrides/main.html", '{% extends "base.html" %}{% block footer %}A footer of its own{% endblock %}'
        )
        served.shows("exercises/words/", "A footer of its own")


@pytest.mark.heavy
def test_no_page_is_built_by_old_code(quick: Project, tmp_path: Path) -> None:
    package = tmp_path / "generator" / "errorspan"
    shutil.copytree(Path(errorspan.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    hook = Path(shutil.copy(HOOK, package.parent))
    change(quick, "mkdocs.yml", {str(HOOK): str(hook), "name: mkdocs": "name: mkdocs\n  locale: de"})
    template, prompt = package / "site/templates/exercises.md.j2", package / "steps/prompts/categories.md.j2"
    with serving(quick, within=package.parent) as served:
        assert ">stale<" not in served.get("runs/words/")
        template.write_text(template.read_text("utf-8") + "\n<div>All of them</div>\n", "utf-8")
        served.shows("exercises/", "All of them")
        for name, old, new, page in (
            ("templates/words.de.json", "Aufgaben", "Zu lösen", "exercises/"),
            ("assets/errorspan.de.js", "Prüfen", "Nachsehen", "exercises/words/"),
        ):
            words = package / "site" / name
            words.write_text(words.read_text("utf-8").replace(f'"{old}"', f'"{new}"'), "utf-8")
            served.shows(page, new)
        prompt.write_text(prompt.read_text("utf-8").replace("{% endblock %}", "Be brief.\n{% endblock %}"), "utf-8")
        served.shows("runs/words/", "stale")
        for code in (package / "text/markup.py", hook):
            whole = code.read_text("utf-8")
            code.write_text(f"{whole}\n# edited\n", "utf-8")
            told = served.shows("runs/words/", "was changed after `mkdocs serve` had loaded it")
            assert f"generator/{code.relative_to(package.parent)}:1: was changed" in told
            assert "was changed after" in served.get("exercises/")
            assert '<div lang="en" dir="ltr" class="es-notice' in told
            code.write_text(whole, "utf-8")
            served.shows("runs/words/", "Counting words", but="was changed after")
