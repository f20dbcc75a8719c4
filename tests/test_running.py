"""What the page needs to run a correction: the program around it, and tests on which a browser has a say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from errorspan.answers.outputs import Assessment
from errorspan.browser import tasks
from errorspan.browser.editor import EDITOR
from errorspan.browser.engines import PYTHON, TYPESCRIPT, Engine, Kept
from errorspan.course import Course
from errorspan.proof import agreeing, proofs
from errorspan.proof.agreeing import Agreed
from errorspan.proof.framing import framed
from errorspan.proof.proofs import Bound, Failed, Proof, Variant
from errorspan.runs.run import Run
from errorspan.site import pages, running

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def runs() -> Mapping[str, Run]:
    """Return the course's runs that have an exercise."""
    return {run.topic.id: run for run in Course.read(ROOT / "mkdocs.yml", {}).replay() if run.assessment}


def program(place: Mapping[str, str], lines: list[str]) -> str:
    """Put lines into a program, as the page's script does."""
    return place["head"] + "\n".join(place["lead"] + line if line.strip() else line for line in lines) + place["tail"]


def excerpt(lines: list[str]) -> list[str]:
    return [unescape(re.sub("<[^>]+>", "", line)) for line in lines]


def test_what_an_exercise_shows_of_an_error_stands_in_its_program_where_it_stood(runs: Mapping[str, Run]) -> None:
    tried = 0
    for run in runs.values():
        assert run.assessment
        frame = run.evidence.frame
        for told in pages.exercise(run).key["errors"]:
            error = next(one for one in run.assessment.errors if one.id == told["id"])
            if place := running.around(run.assessment, error, frame):
                tried += 1
                left = framed(proofs.left(run.assessment, error.id), frame)
                assert program(place, excerpt(told["before"])) == left, (run.topic.id, error.id)
                right = framed(run.assessment.corrected(), frame)
                mended = program(place, excerpt(told["after"]))
                assert bare(mended) == bare(right), (run.topic.id, error.id)
    assert tried > 25


def bare(code: str) -> str:
    """Leave out what indents an empty line, such as one whose code a correction deletes."""
    return re.sub(r"^[ \t]+$", "", code, flags=re.MULTILINE)


ERROR = {
    "failure": "F1", "description": "d", "hint": "h", "severity": "low", "concept": "c", "learning_value": "v",
}  # fmt: skip


def assessment(code: str, *errors: tuple[str, int, str]) -> Assessment:
    found = [
        {"id": str(n), "quote": quote, "line": line, "correction": correction} | ERROR
        for n, (quote, line, correction) in enumerate(errors, 1)
    ]
    told = {"title": "t", "learning_objective": "o", "scenario": "s", "language": "python", "estimated_minutes": [1, 2]}
    return Assessment.model_validate(told | {"code": code, "errors": found})


def test_an_error_that_shares_its_lines_or_is_spelled_out_is_not_run() -> None:
    shared = assessment("a = 1 + 2\nb = 3\n", ("1", 1, "0"), ("2", 1, "9"), ("3", 2, "4"))
    assert [bool(running.around(shared, error, None)) for error in shared.errors] == [False, False, True]
    hidden = assessment("a = '\u202e'\nb = 3\n", ("3", 2, "4"))
    assert running.around(hidden, hidden.errors[0], None) is None


def test_a_correction_goes_into_the_frame_as_deep_as_its_lines_stood() -> None:
    made = assessment("def f(x):\n    if x:\n        return 1\n    return 2\n", ("return 1", 3, "return 3"))
    frame = "class C:\n    # errorspan: exercise\n\nC()\n"
    place = running.around(made, made.errors[0], frame)
    assert place
    assert program(place, ["y = 1", "", "return y"]) == (
        "class C:\n    def f(x):\n        if x:\n            y = 1\n\n            return y\n        return 2\n\nC()\n"
    )


BOUND = Bound(exercise="e", tests="t", implementations="i")


def proof(**variants: Variant) -> Proof:
    told = {name.replace("_", "-"): variant for name, variant in variants.items()}
    tests = ["one", "two", "three", "four"]
    return Proof(
        at="2026-11-28", bound=BOUND, packages={}, sandbox="none", tests=tests, unstable=["four"], variants=told
    )


def failing(*tests: str) -> Variant:
    return Variant(passed=0, failed={test: Failed(message=f"{test} says no") for test in tests})


def test_tests_agree_where_they_end_alike_on_every_variant() -> None:
    known = proof(corrected=failing(), shown=failing("one", "two"), error_1=failing("one"), error_2=failing("two"))
    assert agreeing.played(known) == ["corrected", "shown", "error-1", "error-2"]
    seen = {"corrected": failing(), "error-1": failing("one", "three"), "error-2": failing("two")}
    same, differ = agreeing.compared(known, seen)
    assert same == ["one", "two"]
    assert differ == {
        "four": "does not end the same way each time",
        "three": "error-1: fails in the browser (three says no), passes in the sandbox",
    }


def test_an_error_is_told_by_tests_that_run_and_that_it_breaks() -> None:
    made = assessment("a = 1\nb = 3\n", ("1", 1, "0"), ("3", 2, "4"))
    known = proof(
        corrected=failing(), shown=failing("one", "two"), error_1=failing("one", "two"), error_2=failing("four", "two")
    )
    agreed = Agreed(at="2026-11-28", bound=BOUND, engine="x", browser="y", tests=["one", "two"])
    assert agreed.telling(known, made) == {"1": ["one", "two"], "2": ["two"]}
    assert agreed.telling(known.model_copy(update={"variants": {}}), made) == {}
    assert agreeing.read(Path("/nowhere"), "x") is None
    assert Agreed.model_validate(json.loads(agreeing.written(agreed))) == agreed


@pytest.fixture
def at_hand(tmp_path: Path) -> running.AtHand:
    """Return engines that are at hand, as far as a build looks at them."""
    found = {}
    for engine in (PYTHON, TYPESCRIPT, EDITOR):
        folder = tmp_path / engine.folder
        folder.mkdir()
        for name in ("0.js", "LICENCES.txt"):
            (folder / name).write_text(f"{engine.name} {name}")
        found[engine] = Kept(engine, (folder / "0.js",), 10)
    return found.get


def nothing(_: Engine) -> None:
    """Have no engine at hand."""


def test_a_page_runs_what_a_browser_has_shown_and_what_is_at_hand(
    runs: Mapping[str, Run], at_hand: running.AtHand
) -> None:
    python, script = runs["free-slots"], runs["cart-totals"]
    assert python.evidence.agreed
    made = running.of(python, at_hand)
    assert made
    assert (made["from"], made["parts"], made["size"]) == ("engines/python-314.0.7", 1, 10)
    assert running.of(python, nothing) is None
    assert "from" not in (running.of(script, nothing) or {"from": ""})
    other = python.evidence.agreed.model_copy(update={"engine": "pyodide 1"})
    few = python.evidence.agreed.model_copy(update={"tests": python.evidence.agreed.tests[:1]})
    stale = python.evidence.agreed.model_copy(update={"bound": BOUND})
    for agreed in (None, other, few, stale):
        assert running.of(replace(python, evidence=replace(python.evidence, agreed=agreed)), at_hand) is None
    names = dict(running.scripts([made.get("from")], at_hand))
    assert list(names) == [
        running.SCRIPT, tasks.RUNNER, "engines/python-314.0.7/0.js", "engines/python-314.0.7/LICENCES.txt",
    ]  # fmt: skip
    assert Path(names["engines/python-314.0.7/0.js"]).read_text() == "python 0.js"
    assert list(running.scripts([], at_hand)) == []
    written = [name for name, _ in running.scripts([], at_hand, written=True)]
    assert written == [running.WRITING, "engines/editor-6.43.15/0.js", "engines/editor-6.43.15/LICENCES.txt"]
    assert pages.exercise(python, at_hand=at_hand).key["editor"]["of"] == ".py"
    assert "editor" not in pages.exercise(python, at_hand=nothing).key
    assert list(running.scripts([], nothing, written=True)) == []
    assert pages.exercise(python).run is None  # a package for a platform has no engine beside it
