"""What is published of an exam tells nothing of its key, wherever one looks."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from conftest import ROOT, Project
from errorspan.course import Course
from errorspan.runs.run import Run
from errorspan.site import pages

LEAST = 12
"""Characters of a text that is looked for: shorter ones stand anywhere."""
ASSETS = {page.uri for page in pages.assets()}
"""What every site has, whatever its topics are."""
CODE = ("correction", "corrected", "weak", "mid")


def plain(text: str) -> str:
    """Return a text as a reader has it, of a page, of a script or of the key: without tags, escapes and Markdown."""
    text = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    text = html.unescape(re.sub(r"<[^>\n]*>", "", text)).replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"[\s`*_\\\"']+", " ", text).casefold()


def parts(text: str, kind: str) -> Iterator[str]:
    """Yield what of a text is long enough to be found by itself: sentences, of code lines."""
    cut = r"\n" if kind in CODE else r"(?<=[.!?:;])\s|\n"
    yield from (one for part in re.split(cut, text) if len(one := plain(part).strip()) >= LEAST)


def secrets(run: Run) -> dict[str, list[str]]:
    """Return what a key, and what it was made of, says beyond what a student is shown, by what it is."""
    shown, verdict, last = run.assessment, run.verdict, run.last
    assert shown
    assert verdict
    assert last
    own = [run.topic.title, shown.title, shown.scenario, *shown.promises, shown.not_shown, shown.code]
    sheet = plain("\n".join(own))
    kinds = ("description", "hint", "learning_value", "concept")
    told = {kind: [getattr(error, kind) for error in shown.errors] for kind in kinds}
    told |= {
        "correction": [error.correction for error in shown.errors],
        "corrected": [shown.corrected()],
        "objective": [shown.learning_objective],
        "sound": [one.reason for one in shown.sound],
        "undecided": [one.reason for one in run.evidence.undecided],
        "failure": [text for one in verdict.failures for text in (one.description, one.pattern or "", one.quote)],
        "catalog": [one.name for one in run.outputs["error_catalog"].patterns],
        "topic": run.topic.concepts,
    }
    for tier in ("weak", "mid"):
        told[tier] = [last.outputs[f"{tier}_implementation"].recorded()]
    return {
        kind: [one for text in texts for one in parts(text, kind) if one not in sheet] for kind, texts in told.items()
    }


def leaks(run: Run, published: Mapping[str, str], others: Sequence[Run] = ()) -> list[str]:
    """Return where what is published says something of a key, but for lines of code that exercises of others hold."""
    texts = {name: plain(text) for name, text in published.items() if name not in ASSETS}
    anyway = plain("\n".join(other.assessment.code for other in others if other is not run and other.assessment))
    found = {
        kind: [one for one in all_ if kind not in CODE or one not in anyway] for kind, all_ in secrets(run).items()
    }
    assert sum(map(len, found.values())) > 20
    return [
        f"{uri}: {kind}: {one}" for kind, all_ in found.items() for one in all_ for uri in texts if one in texts[uri]
    ]


@pytest.fixture(scope="module")
def shipped() -> tuple[Course, list[Run]]:
    """Return the course that comes with Errorspan, whose runs have all that a run can have."""
    course = Course.read(ROOT / "mkdocs.yml", {})
    return course, course.replay()


def test_no_page_of_an_exam_says_anything_of_its_key(shipped: tuple[Course, list[Run]]) -> None:
    course, runs = shipped
    settings = course.settings.model_copy(update={"mode": "exam"})
    published = {page.uri: page.content for page in pages.render(runs, settings, at_hand=course.at_hand)}
    posed = [run for run in runs if f"exercises/{run.topic.id}/index.md" in published]
    assert len(posed) > 10
    assert [leak for run in posed for leak in leaks(run, published, runs)] == []
    assert not {uri for uri in published if re.match(r"runs/.+/|exercises/.+/key|assets/errorspan/errorspan\.run", uri)}
    for run in posed:
        page = published[f"exercises/{run.topic.id}/index.md"]
        assert f"runs/{run.topic.id}" not in "".join(published.values())
        assert ("data-errors" in page) == (run.topic.level == "beginner")
        attributes = set(re.findall(r"\bdata-[a-z-]+", page))
        assert attributes <= {
            "data-action", "data-digest", "data-errors", "data-exam", "data-exercise", "data-level",
            "data-search-exclude", "data-text",
        }  # fmt: skip


HELD = ("runs/rate-limiting/", "exercises/rate-limiting/key.js")


def test_what_is_looked_for_is_found_where_it_is_published(shipped: tuple[Course, list[Run]]) -> None:
    course, runs = shipped
    run = next(run for run in runs if run.topic.id == "rate-limiting")
    published = {page.uri: page.content for page in pages.render([run], course.settings)}
    told = {tuple(leak.split(": ")[:2]) for leak in leaks(run, published)}
    for kind in (
        "description",
        "hint",
        "learning_value",
        "concept",
        "correction",
        "corrected",
        "failure",
        "weak",
        "mid",
    ):
        assert any(where.startswith(HELD) and what == kind for where, what in told), kind
    assert ("exercises/rate-limiting/index.md", "objective") in told


def test_no_guess_at_a_key_can_be_tried_against_what_an_exam_shows(shipped: tuple[Course, list[Run]]) -> None:
    _, runs = shipped
    practice = pages.exercise(next(run for run in runs if run.topic.id == "rate-limiting"))
    first, *others = practice.assessment.errors
    other = practice.assessment.model_copy(update={"errors": [first.model_copy(update={"correction": "x"}), *others]})
    rekeyed = replace(practice, assessment=other)
    assert practice.digest != rekeyed.digest
    assert practice.as_exam().digest == rekeyed.as_exam().digest
    changed = replace(practice, assessment=other.model_copy(update={"code": f"{other.code}\n"}))
    assert changed.as_exam().digest != practice.as_exam().digest
    assert practice.as_exam().digest not in {practice.digest, rekeyed.digest}


@pytest.fixture
def exam(recorded: Project) -> Project:
    """Return a project whose one topic was practice when its site was built, and is an exam now."""
    recorded.topic("words", "title: Counting words\nlanguage: python\nmode: exam\n")
    return recorded


def test_an_exam_takes_its_answers_from_everything_that_is_made(exam: Project) -> None:
    assert "exercises/words/key.js" in exam.files("site")
    built = exam.build("--dirty", key=False)
    assert built.returncode == 0, built.stderr
    assert "Exams, of which neither run nor key is published: words" in built.stderr
    (run,) = Course.read(exam.folder / "mkdocs.yml", {}).replay()
    assert exam.errorspan("render", "plain", key=False).returncode == 0
    assert exam.errorspan("render", "zensical", "--zensical", key=False).returncode == 0
    done = exam.errorspan("export", "scorm", "words", "-o", "exam.zip", key=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(exam.folder / "exam.zip") as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    for made in (*map(exam.files, ("site", "plain", "zensical")), packed):
        texts = {name: data.decode("utf-8", "replace") for name, data in made.items()}
        assert leaks(run, texts) == []
        assert not any(re.search(r"runs/words|words/key", name) for name in made)
        assert not any("runs/words" in text for text in texts.values())
    assert packed["key.js"] == b""


def test_no_item_is_made_that_would_hold_the_key_of_an_exam(exam: Project) -> None:
    done = exam.errorspan("export", "qti", "words", "-o", "items.zip", key=False)
    assert done.returncode == 1
    assert done.stderr.startswith("topics/words.yml:1: mode: expected practice, because a QTI item scores by the key")
    assert not (exam.folder / "items.zip").exists()
    exam.topic("words", "title: Counting words\nlanguage: python\nmode: practice\n")
    config = exam.folder / "mkdocs.yml"
    config.write_text(config.read_text().replace("max_retries: 1", "mode: exam"))
    assert exam.errorspan("export", "qti", "words", "-o", "items.zip", key=False).returncode == 0  # its own word counts


def test_the_author_who_is_served_an_exam_sees_its_run_and_key(shipped: tuple[Course, list[Run]]) -> None:
    course, runs = shipped
    settings = course.settings.model_copy(update={"mode": "exam"})
    uris = {page.uri for page in pages.render(runs[:3], settings, drafts=True)}
    topic = runs[0].topic.id
    assert {f"runs/{topic}/index.md", f"exercises/{topic}/key/index.md"} <= uris
    assert not {uri for uri in uris if uri.endswith("key.js")}


def test_the_mode_is_no_matter_of_those_who_answer(shipped: tuple[Course, list[Run]]) -> None:
    _, runs = shipped
    topic = runs[0].topic
    assert topic.model_copy(update={"mode": "exam"}).told == topic.told
