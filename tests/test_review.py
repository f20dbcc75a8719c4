"""A person's word on an exercise: `topics/<id>.review.yml`, and which exercises a site publishes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import answers
from conftest import Project
from errorspan.answers.outputs import Assessment
from errorspan.checks.exercise import code_parses
from errorspan.course import Course
from errorspan.proof import correcting, reviews
from errorspan.proof.evidence import Evidence
from errorspan.proof.reviews import Review
from errorspan.record.manifest import Entry, Recorded
from errorspan.runs.answer import Answer
from errorspan.runs.places import said_at
from errorspan.runs.publishing import unearned
from errorspan.steps.table import ASSESS, Pass
from errorspan.text.errors import InputError
from errorspan.text.objects import lines


@pytest.fixture
def course(recorded: Project) -> Project:
    """Return a project whose one topic has a run."""
    return recorded


def reviewed(course: Project, **more: Any) -> None:
    """Approve the exercise, with more in the review."""
    path = course.folder / "topics/words.review.yml"
    path.unlink(missing_ok=True)
    done = course.errorspan("review", "words", "--by", "Ada Example", key=False)
    assert done.returncode == 0, done.stderr
    written = yaml.safe_load(path.read_text("utf-8"))
    path.write_text(yaml.safe_dump(written | more), "utf-8")


def publish(course: Project, level: str) -> None:
    """Set what the site publishes."""
    path = course.folder / "mkdocs.yml"
    path.write_text(path.read_text("utf-8").replace("  generator:\n", f"  generator:\n    publish: {level}\n"), "utf-8")


def built(course: Project) -> str:
    """Build without a key, and return the run's page as text."""
    done = course.build(key=False)
    assert done.returncode == 0, done.stderr
    return " ".join(re.sub(r"<[^>]+>", " ", course.run_pages("words")).split())


def published(course: Project) -> bool:
    """Tell whether the built site has the exercise."""
    return (course.folder / "site/exercises/words/index.html").exists()


def test_an_approval_is_shown(course: Project) -> None:
    reviewed(course, note="Read it *twice*.")
    page = built(course)
    assert re.search(r"Approved by Ada Example on \d{4}-\d\d-\d\d", page)
    assert "Read it twice ." in page
    assert "Reviewed by Ada Example." in re.sub(r"<[^>]+>", "", course.page("exercises/words"))


def test_a_review_corrects_without_touching_the_record(course: Project) -> None:
    before = course.files("topics/runs")
    reviewed(
        course,
        title="Find what the report gets wrong",
        corrections=[
            {
                "error": 1,
                "description": "The count is set to one.",
                "correction": "totals[word] = totals.get(word, 0) + 1",
            },
            {"error": 3, "quote": "//", "correction": "/", "line": 13},
        ],
    )
    page = built(course)
    assert "with corrections" in page
    assert "error 1, description Gives a wrong number (1). Each word is counted once. The count is set to one." in page
    assert "error 3, quote sum ( values ) / / len ( values ) / /" in page
    assert "error 1, correction" not in page
    assert "Find what the report gets wrong" in course.page("exercises/words")
    key = (course.folder / "site/exercises/words/key.js").read_text("utf-8")
    assert "The count is set to one." in key
    assert "Gives a wrong number (1)." not in key
    assert course.files("topics/runs") == before


def test_what_is_no_error_can_be_removed(course: Project) -> None:
    reviewed(course, corrections=[{"error": 2, "remove": True}])
    page = built(course)
    assert "error 2 Gives a wrong number (2). What comes first by name leads. Removed: this is no error." in page
    key = (course.folder / "site/exercises/words/key.js").read_text("utf-8")
    assert '"id":"2"' in key
    assert '"id":"3"' not in key


ADDED = {
    "quote": "totals = {}",
    "line": 2,
    "correction": "totals = dict()",
    "description": "A dictionary is made by a display, which nobody can search for.",
    "hint": "How is it made?",
    "severity": "low",
    "concept": "Making dictionaries",
    "learning_value": "Say what you make.",
}
ASIDE = {"quote": "def top(totals, n):", "line": 8, "reason": "Nobody says whether `n` may be *negative*."}


def test_a_review_adds_an_error_where_it_stands(course: Project) -> None:
    reviewed(course, add=[ADDED])
    publish(course, "all")  # its spans are more than a third of so few lines
    page = built(course)
    assert "an error on line 2, added Nothing. A dictionary is made by a display" in page
    assert "Error 1: Making dictionaries" in page
    key = json.loads("[" + (course.folder / "site/exercises/words/key.js").read_text("utf-8")[13:-3] + "]")[1]
    assert [(error["id"], error["concept"], error["failure"]) for error in key["errors"]][:2] == [
        ("1", "Making dictionaries", None),
        ("2", "Counting idea 1", "<p>Gives wrong numbers.</p>\n"),
    ]
    assert published(course)


@pytest.mark.heavy
@pytest.mark.sandbox
def test_an_added_error_is_proved_like_any_other(course: Project) -> None:
    reviewed(course, add=[ADDED])
    course.write("topics/words.tests.py", "def test_count(exercise):\n    assert exercise.count('aa') == {'a': 2}\n")
    done = course.errorspan("verify", key=False)
    assert "words: 1 of 4 errors proved by execution" in done.stdout
    assert "error 1, left in alone, fails no test" in done.stderr


def test_what_a_review_leaves_undecided_counts_neither_way(course: Project) -> None:
    reviewed(course, undecided=[ASIDE], corrections=[{"error": 2, "undecided": "The order is open."}])
    page = built(course)
    assert "Undecided: line 8 def top(totals, n): Nobody says whether n may be negative ." in page
    assert "error 2 Gives a wrong number (2). What comes first by name leads. Undecided: The order is open." in page
    key = json.loads("[" + (course.folder / "site/exercises/words/key.js").read_text("utf-8")[13:-3] + "]")[1]
    assert [error["concept"] for error in key["errors"]] == ["Counting idea 1", "Counting idea 3"]
    assert [[segment[0] for segment in one["segments"]] for one in key["undecided"]] == [[8], [9]]
    assert "not counted, neither way" in course.page("exercises/words/key")


def test_corrections_are_checked_like_an_answer(course: Project) -> None:
    reviewed(course, corrections=[{"error": 1, "quote": "totals[word] = 2"}])
    done = course.build(key=False)
    assert done.returncode == 0
    assert re.search(r"topics/words.review.yml:\d+: corrections.1.quote: stands 0 times in the code", done.stderr)
    assert not published(course)


def test_a_review_can_mend_what_a_check_found(course: Project) -> None:
    path = course.folder / "topics/runs/words/assessment.json"
    path.write_text(
        path.read_text("utf-8").replace('"quote": "totals[word] = 1"', '"quote": "totals[word] = 9"'), "utf-8"
    )
    built(course)
    assert not published(course)
    reviewed(course, corrections=[{"error": 1, "quote": "totals[word] = 1"}])
    built(course)
    assert published(course)


ASSESSED = Assessment.model_validate(answers.ASSESSMENT)
HEAD = f"verdict: approved\nby: Ada Example\ndate: 2026-01-31\nassessment: {'a' * 64}\n"
NEW = "description: d, hint: h, severity: low, concept: c, learning_value: l"
NINE = "expected to leave 1 to 9 errors"
FAULTS: dict[str, tuple[str, list[str]]] = {
    "an error twice": (
        "corrections:\n- error: 2\n  remove: true\n- error: 2\n  hint: Count.",
        ["8: corrections.2.error: error 2 has an entry already"],
    ),
    "no such error": ("corrections:\n- error: 7", ["6: corrections.1.error: there is no error 7"]),
    "nothing is left": (
        "corrections:\n- {error: 1, remove: true}\n- {error: 2, remove: true}\n- {error: 3, remove: true}",
        [f"5: corrections: {NINE} (got 0)"],
    ),
    "too many": (
        "add:\n" + f"- {{quote: top, line: 8, correction: x, {NEW}}}\n" * 7,
        [f"5: add: {NINE} (got 10)"],
    ),
    "a quote that is not there": (
        f"add:\n- quote: sorted(total)\n  line: 9\n  correction: x\n  {NEW.replace(', ', chr(10) + '  ')}",
        [
            (
                "6: add.1.quote: stands 0 times in the code: 'sorted(total)' does not; nearest is line 9, "
                "'    return sorted(totals)[:n]'"
            )
        ],
    ),
    "a key that lacks": (
        "add:\n- quote: n\n  line: 2",
        [f"6: add.1.{key}: is missing" for key in ("correction", *re.findall(r"(\w+):", NEW))],
    ),
    "a blank quote": (
        "title: T\ncorrections:\n- error: 3\n  quote: ''",
        ["8: corrections.1.quote: expected text that is not blank (got '')"],
    ),
    "undecided, and nowhere": (
        "undecided:\n- quote: total\n  line: 1\n  reason: r",
        ["6: undecided.1.quote: stands 5 times in the code, on lines 2, 4, 5, 8, 9, and not once on line 1"],
    ),
    "undecided, and an error": (
        "undecided:\n- quote: sorted(totals)[:n]\n  line: 9\n  reason: r",
        ["6: undecided.1.quote: is within error 2; say `undecided` of that error"],
    ),
    "no verdict": ("verdict: fine", ["5: verdict: is given twice"]),
    "a key that is none": ("aproved: true", ["5: aproved: is no key here; known are verdict, by, date, "]),
}


def laid(text: str, folder: Path) -> Assessment:
    """Return the assessment with a review of this text laid over it."""
    (folder / "words.review.yml").write_text(HEAD + text, "utf-8")
    review = reviews.read(folder / "words.review.yml", "topics/words.review.yml")
    assert review
    shown = correcting.corrected(ASSESSED, review)
    correcting.asides(ASSESSED, shown, review)
    return shown


@pytest.mark.parametrize(("text", "told"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_review_is_told_where_its_text_stands(text: str, told: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        laid(text, tmp_path)
    found = [fault.removeprefix("topics/words.review.yml:") for fault in raised.value.faults]
    assert [one[: len(wanted)] for one, wanted in zip(found, told, strict=True)] == told


def test_values_of_a_review_are_told_in_our_words(tmp_path: Path) -> None:
    text = HEAD.replace("approved", "fine").replace("2026-01-31", "tomorrow").replace("a" * 64, "'123'")
    (tmp_path / "x.review.yml").write_text(text.replace("Ada Example", "''"), "utf-8")
    with pytest.raises(InputError) as raised:
        reviews.read(tmp_path / "x.review.yml", "x.review.yml")
    assert raised.value.faults == (
        "x.review.yml:1: verdict: expected 'approved' or 'rejected' (got 'fine')",
        "x.review.yml:2: by: expected text that is not blank (got '')",
        "x.review.yml:3: date: expected a day, such as 2026-01-31 (got 'tomorrow')",
        "x.review.yml:4: assessment: expected a SHA-256: 64 digits of 0-9 and a-f (got '123')",
    )


REVIEWED: dict[str, tuple[str, str, str]] = {
    "what it corrects": (
        "corrections:\n- error: 2\n  hint: h\n",
        "errors.2.hint: holds the correction",
        "topics/words.review.yml:7: corrections.1.hint: holds the correction",
    ),
    "what it leaves of an error": (
        "corrections:\n- error: 2\n  correction: x\n",
        "errors.2.hint: holds the correction",
        "topics/words.review.yml:6: corrections.1.hint: holds the correction",
    ),
    "what it adds": (
        (
            "add:\n- {quote: 'totals = {}', line: 2, correction: x,\n   hint: h, description: d, severity: low, "
            "concept: c, learning_value: l}\n"
        ),
        "errors.1.hint: holds the correction",
        "topics/words.review.yml:7: add.1.hint: holds the correction",
    ),
    "what it leaves, under another number": (
        "corrections:\n- error: 1\n  remove: true\n",
        "errors.1.hint: holds the correction",
        "topics/runs/words/assessment.json:{} errors.2.hint: holds the correction",
    ),
    "its title": ("title: T\n", "title: tells too much", "topics/words.review.yml:5: title: tells too much"),
    "another text": (
        "title: T\n",
        "scenario: tells too much",
        "topics/runs/words/assessment.json:{} scenario: tells too much",
    ),
    "its errors": (
        "corrections:\n- error: 1\n  quote: x\n",
        "errors: their quotes cover too much",
        "topics/words.review.yml:5: corrections: their quotes cover too much",
    ),
}


@pytest.mark.parametrize(("text", "said", "told"), REVIEWED.values(), ids=REVIEWED)
def test_what_a_check_finds_is_told_where_a_person_must_change_it(
    text: str, said: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "words.review.yml").write_text(HEAD + text, "utf-8")
    review = reviews.read(tmp_path / "words.review.yml", "topics/words.review.yml")
    assert review
    shown, recorded = correcting.corrected(ASSESSED, review), ASSESSED.recorded()
    entry = Entry(origin="authored", digest="0" * 64)
    answer = Answer(Pass(ASSESS[-1]), Recorded("assessment.json", recorded, entry), shown)
    evidence = Evidence(review=review, original=ASSESSED)
    place = ("scenario",) if "scenario" in said else ("errors", 1, "hint")
    line = lines(recorded)[place]
    assert said_at("topics/runs/words", answer, said, evidence) == told.replace("{}", f"{line}:")


def test_a_review_with_faults_leaves_its_topic_out(course: Project) -> None:
    reviewed(course, corrections=[{"error": 7}])
    done = course.build("--strict", key=False)
    assert done.returncode == 1
    assert re.search(r"topics/words.review.yml:\d+: corrections.1.error: there is no error 7", done.stderr)
    assert "Traceback" not in done.stderr


def test_a_review_of_another_version_counts_no_more(course: Project) -> None:
    reviewed(course, title="Another title")
    path = course.folder / "topics/runs/words/assessment.json"
    path.write_text(path.read_text("utf-8").replace("Read counting code", "Read the counting code"), "utf-8")
    page = built(course)
    assert "Stale: Ada Example reviewed another version" in page
    assert "Another title" not in course.page("exercises/words")
    assert "Reviewed by" not in course.page("exercises/words")


def test_a_rejected_exercise_is_published_at_no_level(course: Project) -> None:
    reviewed(course, verdict="rejected")
    for level in ("checked", "all"):
        if level == "all":
            publish(course, level)
        assert "not published: Ada Example rejected it" in built(course)
        assert not published(course)


def test_what_was_rejected_stays_withheld_until_it_is_reviewed_anew(course: Project) -> None:
    reviewed(course, verdict="rejected")
    path = course.folder / "topics/runs/words/assessment.json"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    assert "not published: Ada Example rejected an earlier version of it" in built(course)
    assert not published(course)
    reviewed(course)
    built(course)
    assert published(course)


@pytest.mark.heavy
@pytest.mark.parametrize("level", ["reviewed", pytest.param("proved", marks=pytest.mark.sandbox)])
def test_what_lacks_evidence_is_withheld_where_the_site_wants_it(course: Project, level: str) -> None:
    publish(course, level)
    page = built(course)
    assert {"reviewed": "not published: nobody has approved it", "proved": "not published: it is not proved"}[
        level
    ] in page
    assert not published(course)
    refused = course.errorspan("export", "qti", "words", "-o", "x.zip", key=False)
    assert refused.returncode == 1
    assert "topics/words.yml:1: has no exercise to export" in refused.stderr
    if level == "reviewed":
        reviewed(course)
    else:
        course.write(
            "topics/words.tests.py",
            "def test_count(exercise):\n    assert exercise.count('aa') == {'a': 2}\n"
            "def test_top(exercise):\n    assert exercise.top({'a': 1, 'b': 2}, 1) == ['b']\n"
            "def test_mean(exercise):\n    assert exercise.mean([1, 2]) == 1.5\n",
        )
        assert course.errorspan("verify", key=False).returncode == 0
    built(course)
    assert published(course)


def test_all_means_whatever_can_be_graded(course: Project) -> None:
    path = course.folder / "topics/runs/words/assessment.json"
    path.write_text(path.read_text("utf-8").replace("What comes out", "See line 4: what comes out"), "utf-8")
    built(course)
    assert not published(course)
    publish(course, "all")
    built(course)
    assert published(course)


def test_an_unknown_level_is_told_with_its_line(course: Project) -> None:
    publish(course, "some")
    done = course.build(key=False)
    assert done.returncode == 1
    assert re.search(
        r"mkdocs.yml:\d+: extra.generator.publish: expected 'all', 'checked', 'proved' or 'reviewed'", done.stderr
    )


def test_a_review_is_not_overwritten(course: Project) -> None:
    reviewed(course, note="Mine.")
    done = course.errorspan("review", "words", "--by", "Bob", key=False)
    assert done.returncode == 1
    assert "topics/words.review.yml:1: is there already" in done.stderr
    assert "Mine." in (course.folder / "topics/words.review.yml").read_text("utf-8")


def test_drafts_are_seen_while_serving(course: Project) -> None:
    publish(course, "reviewed")
    site = course.folder / "served"
    script = (
        "import sys; from mkdocs.commands.build import build; from mkdocs.config import load_config;"
        f"config = load_config('mkdocs.yml', site_dir={str(site)!r});"
        "config.plugins.on_startup(command='serve', dirty=False); build(config)"
    )
    course.write("serve.py", script)
    assert course.run("serve", key=False).returncode == 0
    page = (site / "exercises/words/index.html").read_text("utf-8")
    assert "A draft, not published:" in page
    assert "nobody has approved it" in page


def test_a_gold_standard_is_earned(course: Project) -> None:
    """Every step answered, every check passed, every error proved or reviewed; or the page says what lacks."""
    read = Course.read(
        course.folder / "mkdocs.yml", yaml.safe_load((course.folder / "mkdocs.yml").read_text())["extra"]
    )
    [run] = read.replay(["words"])
    lacks = "errors 1, 2 and 3 are neither proved nor reviewed"
    assert unearned(run, "all") == [lacks]
    review = Review.model_validate(yaml.safe_load(HEAD))
    approved = replace(run, evidence=Evidence(review=review))
    assert unearned(approved, "all") == []
    assert unearned(approved, "proved") == ["it is withheld: it is not proved"]
    rejected = replace(run, evidence=Evidence(review=review.model_copy(update={"verdict": "rejected"})))
    assert unearned(rejected, "all") == [lacks]
    [*others, last] = run.answers
    faulty = replace(last, findings={code_parses: ("code: does not parse",)})
    assert unearned(replace(approved, answers=(*others, faulty)), "all") == ["a check fails"]
    stale = replace(last, changed="0" * 64)
    assert unearned(replace(approved, answers=(*others, stale)), "all") == ["some answers are stale"]
    assert unearned(replace(run, problem="words: no key"), "all") == ["not every step is answered"]


def test_a_broken_record_concerns_its_topic_alone(course: Project) -> None:
    """Named or not: the others go on, and the command fails at its end."""
    course.topic("broken")
    course.write("topics/runs/broken/categories.json", "{")
    course.topic("unread", "title: [\n")
    config = course.folder / "mkdocs.yml"
    extra = yaml.safe_load(config.read_text("utf-8"))["extra"]
    for named in ((), ("words", "broken", "topics/unread.yml")):
        read = Course.read(config, extra)
        assert [run.topic.id for run in read.replay(named, leave_out=True)] == ["words"]
        assert sorted(read.broken) == ["broken", "unread"]
    with pytest.raises(InputError, match="there is no topic 'nothing'"):
        Course.read(config, extra).replay(["words", "nothing"], leave_out=True)
    with pytest.raises(InputError, match=r"runs/broken/categories\.json:1: is no JSON"):
        Course.read(config, extra).replay(["words", "broken"])
    done = course.errorspan("estimate", "words", "broken", key=False)
    assert done.returncode == 1
    assert done.stdout == "Nothing is missing.\n"
    assert "topics/runs/broken/categories.json:1: is no JSON: " in done.stderr
    assert "Left out until that is mended: broken\n" in done.stderr
    assert "unread" not in done.stdout + done.stderr
