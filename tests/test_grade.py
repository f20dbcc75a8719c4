"""What students hand in is graded from the record; what is wrong with a file is told, and breaks nothing else."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

import answers
from conftest import Project
from errorspan.answers.outputs import Assessment
from errorspan.export import qti
from errorspan.grading import forms, rules
from errorspan.grading.gradebook import Grading
from errorspan.grading.handins import MAX_BYTES
from errorspan.site.exercise import RULE, Exercise
from errorspan.site.words import HOME

WORDS = Exercise("words", "Words", "beginner", (), Assessment.model_validate(answers.ASSESSMENT), (), "")
EXAM = WORDS.as_exam()
WRONG, SORTED, FLOORED = (error["line"] for error in answers.ASSESSMENT["errors"])


def handin(**fields: Any) -> dict[str, Any]:
    """Return what an exam's page saves."""
    told = {"exercise": "words", "digest": EXAM.digest, "who": "Zoë", "marks": [WRONG], "unsure": [], "answers": []}
    return {"errorspan": 1, "handin": told | fields}


def progress(state: dict[str, Any], exercise: str = "words", digest: str = WORDS.digest) -> dict[str, Any]:
    """Return what the list of exercises saves."""
    return {"errorspan": 1, "progress": {exercise: {digest: state}}}


@pytest.fixture
def graded(tmp_path: Path) -> Any:
    """Return a function that grades contents of files, in their order."""

    def grade(*contents: object) -> Grading:
        grading = Grading({"words": WORDS})
        for number, content in enumerate(contents, 1):
            path = tmp_path / f"{number}.json"
            path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
            grading.take(path)
        return grading

    return grade


def rows(grading: Grading) -> list[Any]:
    """Return what was graded."""
    return list(grading.graded.values())


def test_marks_are_worth_what_the_rule_says(graded) -> None:
    (row,) = rows(graded(handin(marks=[WRONG, SORTED, 1], unsure=[1, 2], began="2026-01-01T09:00:00.5Z", handed="2026-01-01T09:30:00Z")))  # fmt: skip  # noqa: E501
    assert (row.who, row.exam, row.grade) == ("Zoë", True, rules.Grade(("1", "2"), ("3",), (1,), 44))
    assert (row.unsure, row.minutes) == ((1,), 30.0)


FIXES: dict[str, tuple[int, int, str, set[str]]] = {
    "the answer": (WRONG, WRONG, "        totals[word] = totals.get(word, 0) + 1", {"1"}),
    "spaced otherwise": (WRONG, WRONG, "        totals[ word ]=totals.get(word,0)+1  ", {"1"}),
    "with lines around": (WRONG - 1, WRONG + 1, "    for word in words:\n        totals[word] = totals.get(word, 0) + 1\n    return totals", {"1"}),  # noqa: E501
    "indented otherwise": (WRONG, WRONG, "    totals[word] = totals.get(word, 0) + 1", set()),
    "as it was": (WRONG, WRONG, "        totals[word] = 1", set()),
    "another place": (SORTED, SORTED, "        totals[word] = totals.get(word, 0) + 1", set()),
    "nothing": (WRONG, WRONG, "", set()),
}  # fmt: skip


@pytest.mark.parametrize(("first", "to", "fix", "right"), FIXES.values(), ids=FIXES)
def test_a_correction_is_compared_with_the_answer_spacing_aside(first: int, to: int, fix: str, right: set[str]) -> None:
    assert rules.mended(WORDS, first, to, fix) == right


def test_of_a_place_with_several_errors_each_may_be_put_right() -> None:
    lines = answers.CODE.split("\n")
    fixed = [*lines[WRONG - 1 : FLOORED]]
    fixed[0] = "        totals[word] = totals.get(word, 0) + 1"
    assert rules.mended(WORDS, WRONG, FLOORED, "\n".join(fixed)) == {"1"}
    fixed[-1] = "    return sum(values) / len(values)"
    assert rules.mended(WORDS, WRONG, FLOORED, "\n".join(fixed)) == {"1", "3"}


def test_no_text_takes_long_to_compare() -> None:
    for text in ('"' + "\\" * 4000, " " * 4000 + "x", "'\\'" * 1300, "\n" * 4000 + "x", ("\t" * 10 + "\n") * 400):
        rules.bare(text)


STRANGE: dict[str, tuple[object, str]] = {
    "no JSON": (b"{", "1.json:1: is no JSON: "),
    "garbage": (bytes(range(256)), "1.json:2: expected UTF-8 (got the byte 0x80)"),
    "nothing": (b"", "1.json:1: is no JSON"),
    "a list": ([], "1.json:1: expected keys and values (got [])"),
    "depth": (b"[" * 100_000, "1.json:1: "),
    "too big": (b" " * (MAX_BYTES + 1), "1.json:1: expected at most 1,048,576 bytes (got more); have it handed"),
    "another version": ({**handin(), "errorspan": 2}, "1.json:1: errorspan: expected 1 (got 2)"),
    "another key": (handin(score=100), "1.json:1: handin.score: is no key here; known are exercise, digest, who,"),
    "no name": (handin(who="  "), "1.json:1: handin.who: expected text that is not blank (got '  ')"),
    "a long name": (handin(who="x" * 101), "1.json:1: handin.who: expected at most 100 characters (got 101: 'xxx"),
    "text for a line": (handin(marks=["1"]), "1.json:1: handin.marks.1: expected a whole number (got '1')"),
    "a line that is none": (handin(marks=[WRONG, 99]), "1.json:1: handin.marks.2: expected a line of the code that"),
    "a huge line": (handin(marks=[10**400]), "1.json:1: handin.marks.1: expected "),
    "a blank line": (handin(marks=[6]), "1.json:1: handin.marks.1: expected a line of the code that is not blank"),
    "places that overlap": (
        handin(answers=[{"from": 1, "to": 4}, {"from": 4, "to": 5}]),
        "1.json:1: handin.answers.2: expected lines of the code behind those of the answer before",
    ),
    "no such exercise": (
        handin(exercise="other", digest="0" * 12),
        "1.json:1: handin.exercise: expected one of words (got 'other')",
    ),
    "another code": (handin(digest="0" * 12), f"1.json:1: handin.digest: expected {EXAM.digest}, the code of words"),
    "a key twice": (json.dumps(handin()).replace('"who"', '"marks": [], "who"').encode(), "handin.marks: is given"),
    "half a character": (handin(who="\ud800"), "1.json:1: "),
    "progress that is none": (progress({"attempts": 5}), "1.json:1: progress.words."),
    "suspend data that is none": ({"version": 1, "states": []}, "1.json:1: states: expected keys and values"),
    "of another version": ({"version": 9, "states": {}}, "1.json:1: version: expected 1 (got 9)"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), STRANGE.values(), ids=STRANGE)
def test_what_is_wrong_with_a_file_is_told_and_breaks_only_that(graded, content: object, said: str) -> None:
    grading = graded(content, handin(who="Bob"))
    assert [row.who for row in rows(grading)] == ["Bob"]
    (fault, *_) = grading.faults
    assert said in fault
    assert len(fault) < 700
    assert fault.isprintable()


def test_the_same_student_and_exercise_is_graded_once(graded) -> None:
    grading = graded(handin(), handin(who=" ZOË", marks=[1]), handin(who="Zoe"))
    assert [(row.who, row.marks) for row in rows(grading)] == [("Zoë", (WRONG,)), ("Zoe", (WRONG,))]
    (fault,) = grading.faults
    assert re.search(r"2\.json:1: who: 'Zoë' is in \S*1\.json too, for words; that one is graded", fault)


def test_no_file_that_waits_or_links_nowhere_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    grading = Grading({"words": WORDS})
    for name in ("pipe", "link", "none", "."):
        grading.take(tmp_path / name)
    told = [fault.partition(":1: ")[2] for fault in grading.faults]
    absent = "cannot be read (No such file or directory)"
    assert told == ["cannot be read (it is no file)", absent, absent, "is a folder; name the files in it"]


ATTEMPTS = [{"score": 40, "hints": 0, "revealed": False}, {"score": 90, "uncovered": True}, {"score": 100}]


def test_progress_tells_first_and_best_scores_and_what_is_marked(graded) -> None:
    work = {
        "1": {"fix": "totals[word]=totals.get(word, 0) + 1", "shown": True},
        "2": {"fix": "return sorted(totals)[:n]", "shown": True},
        "3": {"fix": "whatever", "ran": {"fix": "whatever", "verdict": "right"}},
    }
    kept = {"marks": [WRONG, 1], "hints": ["2"], "ended": "checked", "attempts": ATTEMPTS, "work": work, "later": {}}
    grading = graded(progress(kept), progress(kept, digest="0" * 12), progress(kept, "other", "1" * 12), progress({}))
    (row,) = rows(grading)
    assert (row.who, row.exam, row.first, row.best, row.attempts) == ("1", False, 40, 90, 3)
    assert (row.right, row.tried) == (2, 2)
    assert row.grade.score == 12  # a third of a half, less a hint
    assert not grading.faults
    assert "2.json: words has changed since: its progress (version 000000000000) is left out" in grading.notes[0]


def test_suspend_data_of_a_package_is_a_hand_in_too(graded) -> None:
    """A platform's text, in which lists of the same keys are tables; the exercise goes by its digest."""
    table = {"#": ["from", "to", "name"], "rows": [[WRONG, WRONG, "one"], [SORTED, SORTED, "two"]]}
    state = {"marks": [WRONG, SORTED], "attempts": [], "who": "7", "handed": "2026-01-01T09:30:00.1Z", "answers": table}
    hidden = {
        "who": "8",
        "handed": "2026-01-01T09:30:00Z",
        "attempts": [],
        "answers": [{"from": 1, "to": 99, "hidden": True}],
    }
    data = {"version": 1, "first": {}, "states": {EXAM.digest: state}}
    grading = graded(data, data | {"states": {EXAM.digest: hidden}}, data | {"states": {EXAM.digest: {"marks": [1]}}})
    assert [(row.who, row.grade.score, len(row.texts)) for row in rows(grading)] == [("7", 67, 2), ("8", 0, 0)]
    assert not grading.faults


@pytest.mark.parametrize(
    "said", ["=1+1", "+1", "-1", "@x", " =1", '"=1', "\t=1", "\r=1", "\n=1", "\ufeff=1", "＝1", "|x", "%0A=1", "'=1"]
)
def test_no_cell_is_a_formula(said: str) -> None:
    assert forms.cell(said)[0] in "'\\"  # spelled out, it is text too
    assert forms.cell(f"a {said}").startswith("a ")
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", forms.cell(said))


def test_the_rule_is_the_same_in_words_wherever_it_is_told() -> None:
    for name in ("exercise.html.j2", "exam.html.j2"):
        assert RULE in (HOME / "templates" / name).read_text("utf-8")
    assert qti.RULE is RULE
    assert forms.RULE is RULE
    first, _, last = RULE.partition("An error")[0], None, RULE.rpartition("; each")[2].strip()
    key = (HOME / "templates" / "key.md.j2").read_text("utf-8")
    assert first.strip().removeprefix("Score ") in key
    assert last.split(" is ")[1] in key


def test_the_command_grades_files_and_writes_what_a_teacher_needs(recorded: Project) -> None:
    hostile = handin(who="=HYPERLINK(1)", marks=[WRONG, 1], answers=[{"from": WRONG, "to": WRONG, "name": "<script>alert(1)</script>"}])  # fmt: skip  # noqa: E501
    files = {"a.json": handin(marks=[WRONG, SORTED, FLOORED]), "b.json": hostile, "c.json": {"handin": 1}}
    for name, content in files.items():
        recorded.write(name, json.dumps(content))
    done = recorded.errorspan("grade", *files, "--csv", "grades.csv", "--page", "class.html", key=False)
    assert done.returncode == 1
    assert "c.json:1: " in done.stderr
    assert done.stderr.endswith("2 grades of 3 files; 2 faults\n")
    assert re.search(r"Zoë +words +exam +100 +3 of 3 +0", done.stdout)
    table = list(csv.DictReader(io.StringIO((recorded.folder / "grades.csv").read_text("utf-8-sig"))))
    assert [(row["who"], row["score"], row["marked lines"]) for row in table] == [
        ("'=HYPERLINK(1)", "17", f"1 {WRONG}"),
        ("Zoë", "100", f"{WRONG} {SORTED} {FLOORED}"),
    ]
    page = (recorded.folder / "class.html").read_text("utf-8")
    assert "2 students, mean score 58 of 100." in page
    assert "HYPERLINK" not in page
    assert "<script" not in page
    for name in ("a.json", "docs/index.md"):
        before = (recorded.folder / name).read_bytes()
        refused = recorded.errorspan("grade", "a.json", "--csv", name, key=False)
        assert f"{name}:1: is there already, and `errorspan grade` did not write it" in refused.stderr
        assert (recorded.folder / name).read_bytes() == before
    kept = json.dumps(progress({"attempts": ATTEMPTS[:1]}))
    for student in ("Ann", "Bo"):  # as platforms hand out files that all have the same name
        recorded.write(f"all/{student}/errorspan-progress.json", kept)
    class_ = recorded.errorspan("grade", *(f"all/{who}/errorspan-progress.json" for who in ("Ann", "Bo")), key=False)
    assert class_.returncode == 0, class_.stderr
    assert re.findall(r"(\w+)/errorspan-progress +words +practice +40 +40", class_.stdout) == ["Ann", "Bo"]
    again = recorded.errorspan("grade", "a.json", "--csv", "grades.csv", "--page", "class.html", key=False)
    assert (again.returncode, again.stderr) == (0, "1 grade of 1 file\n")
