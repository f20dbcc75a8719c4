"""Answers that somebody asked a model for by hand: marked as such everywhere, and bound to what they answer."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import answers
from conftest import Project
from errorspan.commands.opening import course_of
from errorspan.record.manifest import Entry
from errorspan.steps import prompting
from messages_api import MessagesAPI, message
from test_report import rates, shown
from test_run import manifest

WHOM, HOW, BY = "Claude <b>, version not recorded", "first draft & nothing else", "Ada & Bo"
WHOM_SHOWN, HOW_SHOWN, BY_SHOWN = (
    "Claude &lt;b&gt;, version not recorded",
    "first draft &amp; nothing else",
    "Ada &amp; Bo",
)
WEAK = "attempt-1/weak_implementation.md"


def report(project: Project, *files: str) -> None:
    """Have these answers of the one run reported, all where none is named."""
    course = course_of(project.folder / "mkdocs.yml")
    [run] = course.replay()
    record = course.record(run.topic)
    for answer in (*run.answers, *run.solutions):
        if not files or answer.file in files:
            told = {"whom": WHOM, "how": HOW, "by": BY, "at": "2026-01-02T03:04:05Z"}
            basis = prompting.basis(answer.step, run.outputs_of(answer.attempt))
            record.declare(answer.file, Entry(origin="reported", digest=answer.entry.digest, basis=basis, **told))


def built(project: Project) -> None:
    done = project.build("--strict", key=False)
    assert done.returncode == 0, done.stderr


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", page).split())


def test_every_page_says_that_answers_are_reported_and_invents_nothing(recorded: Project) -> None:
    report(recorded)
    built(recorded)
    exercise, key, listing, runs = map(recorded.page, ("exercises/words", "exercises/words/key", "exercises", "runs"))
    run = recorded.run_pages("words")
    assert run.count(f"reported: {WHOM_SHOWN}") == 2 * 8  # with each answer, and among the record's files
    assert run.count(f"how: {HOW_SHOWN}") == 8
    assert "All answers of this run are reported." in words(run)
    assert f"rests on the word of {BY_SHOWN}" in run
    assert "Not known: models were asked by hand" in run
    assert "All models of this run are of one family (Claude)" in run
    for invented in ("stopped:", "Model time", "es-timeline", "model’s place", "gold standard"):
        assert invented not in run, invented
    sentence = f"a model’s own ({WHOM_SHOWN}), as reported by {BY_SHOWN}; its mistakes are real."
    assert sentence in words(exercise)
    assert sentence in words(key)
    assert "a model’s mistakes, as reported" in listing
    assert "a model’s mistakes, as reported" in recorded.page("exercises/words").partition("<errorspan-exercise")[0]
    assert "1 run with reported answers" in words(runs)
    assert "Authored runs" not in runs
    assert "reported" in recorded.errorspan("status", key=False).stdout
    for form in ("qti", "scorm"):
        assert recorded.errorspan("export", form, "words", "-o", f"{form}.zip", key=False).returncode == 0
        assert sentence in words((recorded.folder / f"{form}.zip").read_bytes().decode("utf-8", "replace"))


def test_some_answers_are_a_models_some_reported(recorded: Project) -> None:
    report(recorded, WEAK)
    built(recorded)
    run = words(recorded.run_pages("words"))
    assert "Answers of this run are reported." in run
    assert "7,000 in, 700 out without those of reported answers" in run
    assert "author-model" in run
    said = shown(recorded)
    assert said["runs"] == {"model": 0, "reported": 1, "authored": 0, "unfinished": 0}
    assert {rate["of"] for rate in said["rates"].values()} == {0}
    counted = {key: (rate["count"], rate["of"]) for key, rate in said["rates_reported"].items()}
    assert (counted["attempt_1"], counted["sent_back"]) == ((1, 1), (0, 8))
    assert said["all"]["calls"] == 7
    assert "Weak implementation" not in said["steps"]
    table = recorded.errorspan("report", key=False).stdout
    assert re.search(r"separated in attempt 1 +– \(0 of 0\) +100 % \(1 of 1\)", table)


def test_what_a_person_wrote_is_in_no_rate_though_the_rest_is_reported(recorded: Project) -> None:
    report(recorded)
    path = recorded.folder / "topics/runs/words/categories.json"
    path.write_text(path.read_text().replace("Reading a file", "Reading one file"))
    assert recorded.errorspan("adopt", "words", key=False).returncode == 0
    entry = manifest(recorded)["categories.json"]
    assert (entry["origin"], entry["whom"], entry["how"], entry["by"]) == ("authored", WHOM, HOW, BY)
    assert entry["edited"]
    built(recorded)
    assert f"edited by a person after {WHOM_SHOWN}, as reported" in recorded.run_pages("words")
    said = shown(recorded)
    assert said["runs"] == {"model": 0, "reported": 0, "authored": 1, "unfinished": 0}
    assert {rate["of"] for rate in (*said["rates"].values(), *said["rates_reported"].values())} == {0}


def test_edited_code_keeps_whom(recorded: Project) -> None:
    report(recorded)
    path = recorded.folder / "topics/runs/words" / WEAK
    path.write_text(path.read_text().replace("Sure! This does it", "This does it"))
    assert recorded.build(key=False).returncode == 0
    assert f"written by a model ({WHOM_SHOWN}), as reported by {BY_SHOWN}, and edited by a person." in words(
        recorded.page("exercises/words")
    )


STALE = {
    "other models": ("models: {author: new, mid: new, weak: new, judge: new}\n", set()),
    "how it is run": ("max_attempts: 2\n", set()),
    "the topic": (
        "focus: Something else\n",
        {"categories.json", "error_catalog.json", "attempt-1/challenge.json", "assessment.json"},
    ),
}


@pytest.mark.parametrize("change", STALE)
def test_a_reported_answer_is_stale_only_where_what_it_answers_changed(recorded: Project, change: str) -> None:
    report(recorded)
    more, stale = STALE[change]
    recorded.topic("words", f"title: Counting words\nlanguage: python\n{more}")
    [run] = course_of(recorded.folder / "mkdocs.yml").replay()
    assert {answer.file for answer in run.answers if answer.stale} == stale


def test_a_new_challenge_makes_what_was_built_on_it_stale(recorded: Project) -> None:
    report(recorded)
    path = recorded.folder / "topics/runs/words/attempt-1/challenge.json"
    path.write_text(json.dumps(json.loads(path.read_text())))  # only laid out otherwise
    [run] = course_of(recorded.folder / "mkdocs.yml").replay()
    assert not run.stale
    path.write_text(path.read_text().replace("A library wants", "A small library wants"))
    [run] = course_of(recorded.folder / "mkdocs.yml").replay()
    fresh = {"categories.json", "error_catalog.json", "attempt-1/challenge.json"}
    assert {answer.file for answer in run.answers if not answer.stale} == fresh


@pytest.mark.parametrize(
    ("field", "stale"),
    [("learning_objective", False), ("estimated_minutes", False), ("title", True), ("scenario", True)],
)
def test_a_reported_solution_is_stale_when_title_scenario_or_code_changed(
    recorded: Project,
    messages_api: MessagesAPI,
    field: str,
    stale: bool,  # noqa: FBT001
) -> None:
    messages_api.script("blind_solve", *[message(json.dumps(answers.solution(*answers.ERRORS)))] * 2)
    assert recorded.errorspan("solve").returncode == 0
    report(recorded)
    path = recorded.folder / "topics/runs/words/assessment.json"
    changed = json.loads(path.read_text())
    changed[field] = [1, 2] if field == "estimated_minutes" else f"{changed[field]} Or so."
    path.write_text(json.dumps(changed))
    [run] = course_of(recorded.folder / "mkdocs.yml").replay()
    assert [answer.stale for answer in run.solutions] == [stale, stale]


def test_a_stale_reported_answer_is_replaced_by_a_refresh_and_kept_in_mind(
    recorded: Project, messages_api: MessagesAPI
) -> None:
    report(recorded, "categories.json")
    recorded.topic("words", "title: Counting words\nlanguage: python\nfocus: Something else\n")
    assert "stale, reported" in recorded.errorspan("status", key=False).stdout
    assert recorded.errorspan("run", "--refresh").returncode == 0
    assert "categories" in messages_api.steps
    assert manifest(recorded)["categories.json"]["origin"] == "model"
    record: Any = json.loads((recorded.folder / "topics/runs/words/run.json").read_text())
    [old] = [one for one in record["discarded"] if one["file"] == "categories.json"]
    assert old == {
        "file": "categories.json", "at": "2026-01-02T03:04:05Z", "whom": WHOM, "how": HOW, "by": BY,
        "faults": ["superseded by a later answer"],
    }  # fmt: skip
    assert rates(shown(recorded))["attempt_1"] == (1, 1)
    built(recorded)
    assert f"{WHOM_SHOWN} (reported by {BY_SHOWN})" in recorded.run_pages("words")


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"whom": None, "by": None, "how": None}, "says whom somebody asked"),
        ({"by": None}, "`whom` somebody asked, and `by` whom"),
        ({"basis": None}, "has a basis"),
        ({"at": "2026-01-02"}, "by whom and when"),
        ({"seconds": 1.0}, "has no model, stop reason, usage, seconds or batch"),
        ({"model": "claude"}, "has no model"),
        ({"whom": "two\nlines"}, "whom"),
        ({"whom": "x" * 121}, "whom"),
        ({"how": "\u001b[2J"}, "holds U+001B"),
    ],
)
def test_a_reported_entry_says_what_is_known_and_no_more(more: dict[str, Any], fault: str) -> None:
    told = {"origin": "reported", "digest": "0" * 64, "at": "2026-01-02T03:04:05Z", "basis": "0" * 64}
    told |= {"whom": WHOM, "how": HOW, "by": BY}
    Entry.model_validate(told)
    with pytest.raises(ValueError, match=re.escape(fault)):
        Entry.model_validate(told | more)
