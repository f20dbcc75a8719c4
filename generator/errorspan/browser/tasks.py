"""Say what a page needs to run a topic's tests on a program, and with which script it does."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from errorspan.authoring.topics import Topic
from errorspan.browser.engines import PYTHON, TYPESCRIPT, Engine, Kept
from errorspan.proof import harnesses
from errorspan.proof.framing import suffix
from errorspan.proof.harnesses import PROGRAM, TESTS
from errorspan.proof.interpreters import NODE_WHEELS

ENGINES = (PYTHON, TYPESCRIPT)
FOLDER = "engines"
"""Where engines stand, beside the runner."""
RUNNER = "errorspan.runner.js"
INSIDE = ("inside.py", "inside_sql.py", "inside.mjs")


class _Way(NamedTuple):
    """How tests run in a browser: by which worker, with which engine, and what need not be installed for them there."""

    worker: str
    engine: Engine | None = None
    needless: tuple[str, ...] = ()


_WAYS = {
    ".py": _Way("python", PYTHON, ("pytest",)),
    ".sql": _Way("python", PYTHON),
    ".mjs": _Way("javascript", None, NODE_WHEELS),
    ".ts": _Way("javascript", TYPESCRIPT, NODE_WHEELS),
}
"""By the ending of the file of tests."""

_INPUT = "\0"  # stands for what a student types
_IN_PYTHON = f"""\
import pytest

def test_input(exercise, record_property):
    globals().update({{name: value for name, value in vars(exercise).items() if name != "pytest"}})
    got = exercise.CALL(
        {_INPUT}
    )
    record_property("got", repr(got))
    pytest.fail("")
"""
_IN_JAVASCRIPT = f"""\
test('input', async (exercise) => assert.equal(await exercise.CALL(
  {_INPUT}
), Symbol('nothing')));
"""
_TRIALS = {".py": _IN_PYTHON, ".mjs": _IN_JAVASCRIPT, ".ts": _IN_JAVASCRIPT}
"""Tests that call a program with one input, and fail with what came out, by the ending of the file of tests."""


def runner() -> str:
    """Return the script that plays tasks in a page: the page's side, and the texts that a worker is made of."""
    here, proof = files("errorspan.browser"), files("errorspan.proof")
    texts = {name: proof.joinpath(name).read_text("utf-8") for name in INSIDE}
    texts["worker.js"] = here.joinpath("worker.js").read_text("utf-8")
    return f"{here.joinpath('runner.js').read_text('utf-8')}errorspanInside({json.dumps(texts)});\n"


def engine(topic: Topic, tests: Collection[str]) -> Engine | None:
    """Return the engine that a topic's tests need; None where a browser is one."""
    harness = harnesses.of(topic.id, tests)
    return _WAYS[harness.ending].engine if harness and harness.ending in _WAYS else None


def task(topic: Topic, language: str, tests: Mapping[str, bytes]) -> dict[str, Any] | None:
    """Return what a page needs to run a topic's tests, but for the program; None where no browser runs such."""
    harness = harnesses.of(topic.id, tests)
    program = suffix(language)
    if harness is None or harness.ending not in _WAYS or program not in harness.languages:
        return None
    way = _WAYS[harness.ending]
    if any(canonicalize_name(Requirement(one).name) not in way.needless for one in topic.requires):
        return None  # a browser has none of Python's packages
    main = harnesses.tests(topic.id, harness)
    named = {TESTS + harness.ending: tests[main], **{name: text for name, text in tests.items() if name != main}}
    try:
        laid = {name: text.decode().replace("\r\n", "\n") for name, text in named.items()}
    except UnicodeDecodeError:
        return None
    made: dict[str, Any] = {"engine": way.worker, "inside": harness.inside, "laid": laid}
    made |= {"program": PROGRAM + program, "tests": TESTS + harness.ending}
    return made


def trial(topic: Topic, task: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a page needs to call a program with a student's input: the call, examples, and tests around them."""
    tests = _TRIALS.get(Path(task["tests"]).suffix)
    if topic.trial is None or tests is None:
        return None
    around = tests.replace("CALL", topic.trial.call).split(_INPUT)
    return {"call": topic.trial.call, "examples": topic.trial.examples, "around": around}


def called(task: Mapping[str, Any], trial: Mapping[str, Any], given: str) -> dict[str, Any]:
    """Return a task that calls the program with an input in place of running its tests."""
    return {**task, "laid": {**task["laid"], task["tests"]: given.join(trial["around"])}}


def whole(task: Mapping[str, Any], kept: Kept | None, program: str, **more: Any) -> dict[str, Any]:
    """Return a task with its program, and where its engine is fetched from."""
    laid = {**task["laid"], task["program"]: program}
    return {**task, **fetching(kept), "laid": laid, **more}


def fetching(kept: Kept | None) -> dict[str, Any]:
    """Return from where a page fetches an engine, beside the runner: in so many scripts, of so many bytes."""
    if kept is None:
        return {}
    return {"from": f"{FOLDER}/{kept.engine.folder}", "parts": len(kept.scripts), "size": kept.size}
