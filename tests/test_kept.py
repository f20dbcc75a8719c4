"""A topic's pages are made once, and again as soon as anything that reaches them changes."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import readers
from conftest import Project
from errorspan.authoring.settings import Settings
from errorspan.course import Course
from errorspan.record import shelf
from errorspan.record.shelf import FOLDER, Shelf
from errorspan.site import inputs
from errorspan.site.contributing import Contributing, Contribution
from errorspan.site.inputs import Inputs
from errorspan.site.pages import Making

TOPIC = "words"
RECORD = "topics/runs/words"
HOOK = "def on_page_markdown(markdown, **_):\n    return markdown\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a course of one topic, with a whole run, a test and a review that is stale."""
    readers.project(tmp_path)
    (tmp_path / "topics/words.tests.py").write_text("def test_one(): ...\n")
    return tmp_path


def key(folder: Path, markdown: object = None, settings: Settings | None = None, **making: Any) -> str | None:
    """Return the key of the topic as it is now."""
    course = Course.read(folder / "mkdocs.yml", {})
    if settings:
        course.settings = settings
    return Inputs(course, Making(course.settings, **making), markdown).key(TOPIC)


def put(name: str, text: str) -> Callable[[Path], object]:
    """Return what writes a file."""
    return lambda folder: (folder / name).write_text(text)


CHANGES: dict[str, Callable[[Path], object]] = {
    "topic": put("topics/words.yml", "title: Counting others\nlanguage: python\n"),
    "tests": put("topics/words.tests.py", "def test_two(): ...\n"),
    "frame": put("topics/words.tests.frame.py", "# more\n"),
    "review": put("topics/words.review.yml", "verdict: approved\n"),
    "answer": put(f"{RECORD}/attempt-1/weak_implementation.md", "Other code\n"),
    "manifest": put(f"{RECORD}/run.json", "{}"),
    "proof": put(f"{RECORD}/proof.json", "{}"),
    "file that is gone": lambda folder: (folder / RECORD / "assessment.json").unlink(),
    "file by another name": lambda folder: (folder / "topics/words.tests.py").rename(folder / "topics/words.tests.js"),
}
"""What is among a topic's own files."""

MADE: dict[str, dict[str, Any]] = {
    "settings": {"settings": Settings(publish="all")},
    "prices": {"settings": Settings.model_validate({"prices": {"m": {"input": 1, "output": 1}}})},
    "language": {"language": "de"},
    "addresses": {"index": "index.html"},
    "drafts": {"drafts": True},
    "Markdown": {"markdown": {"extensions": ["toc"], "options": {}}},
}
"""What is said by a site."""

AROUND: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "generator": lambda patch: patch.setattr(inputs, "generator", lambda: "another"),
    "package": lambda patch: patch.setattr(inputs, "installed", lambda: ["Pygments-99.dist-info"]),
    "Python": lambda patch: patch.setattr(inputs.sys, "version", "4.0"),
    "format": lambda patch: patch.setattr(inputs, "FORMAT", 0),
    "pull request": lambda patch: patch.setenv("GITHUB_EVENT_NAME", "pull_request"),
}
"""What is around."""


@pytest.mark.parametrize("change", CHANGES)
def test_each_of_a_topics_own_files_reaches_its_pages(folder: Path, change: str) -> None:
    before = key(folder)
    CHANGES[change](folder)
    assert before != key(folder) is not None


@pytest.mark.parametrize("change", MADE)
def test_what_a_site_says_reaches_pages(folder: Path, change: str) -> None:
    assert key(folder) != key(folder, **MADE[change]) is not None


@pytest.mark.parametrize("change", AROUND)
def test_what_makes_pages_reaches_them(folder: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    before = key(folder)
    AROUND[change](monkeypatch)
    assert before != key(folder) is not None


def test_the_generators_own_files_are_in_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "PACKAGE", tmp_path)
    seen = {inputs.generator()}
    for name, text in (("a.py", ""), ("a.py", "1"), ("templates/b.j2", ""), ("templates/c.j2", "")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        seen.add(inputs.generator())
    assert len(seen) == 5
    assert any(name.startswith("markdown_it_py") for name in inputs.installed())


def test_what_reaches_no_page_of_a_topic_does_not_make_it_anew(folder: Path) -> None:
    before = key(folder)
    os.utime(folder / "topics/words.yml", (0, 0))
    (folder / "topics/others.yml").write_text("title: Others\n")
    (folder / "topics/runs/others").mkdir()
    (folder / "topics/words.yml~").write_text("what an editor left")
    modules = Settings.model_validate({"modules": [{"title": "First", "topics": [TOPIC]}]})
    assert before == key(folder) == key(folder, settings=modules)


def test_nothing_is_kept_where_replies_wait_or_files_are_no_plain_files(folder: Path) -> None:
    journal = folder / ".cache/errorspan/words"
    (journal / "rejected").mkdir(parents=True)
    assert key(folder)
    (journal / "0.json").write_text("{}")
    assert key(folder) is None
    (journal / "0.json").unlink()
    (folder / RECORD / "proof.json").symlink_to(folder / "topics/words.yml")
    assert key(folder) is None
    (folder / RECORD / "proof.json").unlink()
    os.mkfifo(folder / RECORD / "proof.json")
    assert key(folder) is None


def contributing(folder: Path, course: Course | None = None) -> tuple[Contributing, Course]:
    """Return what keeps a course's pages."""
    course = course or Course.read(folder / "mkdocs.yml", {})
    return Contributing(course, Making(course.settings)), course


def made(folder: Path) -> Contribution:
    """Make the topic's pages, and return them."""
    all_, course = contributing(folder)
    [run] = course.replay([TOPIC])
    return all_.made(run, "new")


def found(folder: Path) -> Contribution | str:
    """Return what is kept of the topic, or why it is not used."""
    all_, course = contributing(folder)
    return all_.kept(course.topics[TOPIC])


def the_file(folder: Path) -> Path:
    """Return the file in which it is kept."""
    [path] = (folder / FOLDER / TOPIC).iterdir()
    return path


def forged(folder: Path, head: bytes, body: bytes) -> None:
    """Write something in place of what is kept, as whole as can be."""
    path = the_file(folder)
    assert Shelf(folder).put(TOPIC, path.name, head, body)


def test_what_is_kept_is_what_was_made(folder: Path) -> None:
    assert found(folder) == "new"
    new = made(folder)
    kept = found(folder)
    assert isinstance(kept, Contribution)
    assert (new.why, kept.why) == ("new", None)
    assert kept.head == new.head
    assert list(kept.sheets()) == list(new.sheets())
    assert [page.uri for page in kept.pages] == [sheet.uri for sheet in kept.sheets()]
    CHANGES["topic"](folder)
    assert found(folder) == "changed"


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda data: data[:-1],
    "empty": lambda _: b"",
    "short": lambda data: data[:20],
    "flipped": lambda data: data[:90] + bytes([data[90] ^ 1]) + data[91:],
    "longer": lambda data: data + b"x",
    "foreign": lambda _: b"SQLite format 3\0" * 100,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_counts_as_not_there(folder: Path, damage: str) -> None:
    made(folder)
    path = the_file(folder)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert found(folder) == "changed"
    assert isinstance(made(folder), Contribution)
    assert isinstance(found(folder), Contribution)


def test_what_was_kept_under_another_name_counts_as_not_there(folder: Path) -> None:
    made(folder)
    path = the_file(folder)
    other = path.with_name("0" * 64)
    path.rename(other)
    assert Shelf(folder).head(TOPIC, other.name) is None
    other.rename(path)
    path.parent.rename(path.parent.with_name("others"))
    assert Shelf(folder).head("others", path.name) is None


HOSTILE: dict[str, bytes] = {
    "no JSON": b"\x80\x04pickled",
    "nested": b"[" * 100_000,
    "of another shape": b'{"summary": 1}',
    "empty": b"",
    "no text": b'"\xff\xfe"',
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_values_are_made_anew(folder: Path, hostile: str) -> None:
    """Whoever can write there can write pages; but nobody reaches further, and nothing else breaks."""
    new = made(folder)
    forged(folder, HOSTILE[hostile], HOSTILE[hostile])
    assert found(folder) == "what was kept cannot be read"
    forged(folder, new.head.model_dump_json().encode(), HOSTILE[hostile])
    kept = found(folder)
    assert isinstance(kept, Contribution)
    assert list(kept.sheets()) == list(replace(new).sheets()) != []


@pytest.mark.parametrize(
    "uri", ["../../etc/index.md", "exercises/words/../../index.md", "exercises/others/index.md", "index.md"]
)
def test_no_page_stands_where_none_of_the_topics_does(folder: Path, uri: str) -> None:
    new = json.loads(made(folder).head.model_dump_json())
    new["pages"][0][0] = uri
    forged(folder, json.dumps(new).encode(), b"[]")
    assert found(folder) == "what was kept is another topic's"


def test_too_much_is_not_unpacked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "LARGEST", 100_000)
    keeping = Shelf(folder)
    assert keeping.put(TOPIC, "0" * 64, b"a" * 99_999, b"b" * 200_000)
    assert keeping.head(TOPIC, "0" * 64)
    assert keeping.body(TOPIC, "0" * 64) is None
    assert len(zlib.compress(b"b" * 200_000)) < 1000


def test_three_of_a_topic_are_kept_and_what_is_gone_for_long_is_not(folder: Path) -> None:
    keeping = Shelf(folder)
    for number in range(5):
        keeping.put(TOPIC, f"{number}" * 64, b"", b"")
        os.utime(folder / FOLDER / TOPIC / (f"{number}" * 64), (number, number))
    assert keeping.keys(TOPIC) == ["2" * 64, "3" * 64, "4" * 64]
    os.utime(folder / FOLDER / TOPIC, (0, 0))
    keeping.put("others", "0" * 64, b"", b"")
    keeping.forget({TOPIC})
    assert keeping.keys(TOPIC)
    keeping.forget(())
    assert not keeping.keys(TOPIC)
    assert keeping.keys("others")


def test_nothing_is_kept_behind_a_link_or_where_nothing_can_be_written(folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (folder / ".cache").symlink_to(elsewhere)
    assert not Shelf(folder).put(TOPIC, "0" * 64, b"", b"")
    (folder / ".cache").unlink()
    (folder / ".cache/errorspan").mkdir(parents=True)
    (folder / FOLDER).symlink_to(elsewhere)
    assert not Shelf(folder).put(TOPIC, "0" * 64, b"", b"")
    (folder / FOLDER).unlink()
    (folder / FOLDER).write_text("a file")
    assert not Shelf(folder).put(TOPIC, "0" * 64, b"", b"")
    assert not list(elsewhere.iterdir())
    new = made(folder)
    assert [sheet.uri for sheet in new.sheets()] == [page.uri for page in new.pages] != []


def test_what_is_changed_while_pages_are_made_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    all_, course = contributing(folder)
    [run] = course.replay([TOPIC])
    work = all_._worked_out

    def meanwhile(run: Any) -> Any:
        (folder / "topics/words.yml").write_text("title: Saved meanwhile\nlanguage: python\n")
        return work(run)

    monkeypatch.setattr(all_, "_worked_out", meanwhile)
    all_.made(run, "new")
    assert found(folder) == "new"


def built(project: Project, *more: str) -> dict[str, bytes]:
    """Build the site, and return its files."""
    done = project.build(*more)
    assert done.returncode == 0, done.stderr
    return site(project)


def site(project: Project) -> dict[str, bytes]:
    """Return the files of the site, what a search finds in one order, and without paragraphs that hold nothing."""
    files = project.files("site")
    del files["sitemap.xml.gz"]  # says when it was packed
    index = json.loads(files["search/search_index.json"])
    index["docs"] = sorted(
        ({**entry, "text": re.sub(r"(\s*<p></p>)+$", "", entry["text"])} for entry in index["docs"]),
        key=lambda entry: entry["location"],
    )
    return files | {"search/search_index.json": json.dumps(index).encode()}


def cold(project: Project) -> dict[str, bytes]:
    """Build the site as if nothing were kept."""
    for path in sorted((project.folder / FOLDER).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    return built(project)


@pytest.mark.heavy
def test_a_site_is_the_same_as_it_was_kept_as_it_is_made_and_as_mkdocs_makes_it(recorded: Project) -> None:
    config = recorded.folder / "mkdocs.yml"
    new = cold(recorded)
    done = recorded.build("-v")
    assert "Topics whose pages are as they were kept: 1 of 1" in done.stderr
    assert site(recorded) == new
    recorded.topic("words", "title: Counting <b>words</b> & 'more'\nlanguage: python\nlevel: beginner\n")
    changed = built(recorded)
    assert changed == cold(recorded) != new
    recorded.write("real.py", HOOK)
    config.write_text(config.read_text().replace("hooks: [", "hooks: [real.py, "))
    done = recorded.build()
    assert (
        "MkDocs makes every page of a topic by itself: real.py takes part in pages or in the navigation" in done.stderr
    )
    assert site(recorded) == changed
