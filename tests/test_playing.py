"""Tests are played on a program until each had its turn, and what decides is played twice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import answers
from errorspan.answers.outputs import Assessment, Implementation
from errorspan.authoring.topics import Topic
from errorspan.proof import inside_sql, proving
from errorspan.proof.deciding import decided
from errorspan.proof.interpreters import Interpreter
from errorspan.proof.proofs import Proof
from errorspan.proof.sandbox import Ended, Limits
from errorspan.text.errors import InputError, shown

MARKS = {"counts": "totals.get(word", "top": "reverse=True", "mean": ") / len"}
"""Each test passes where the program holds this."""


SAID = "wrong: 'a\u2028b\u2029c\x85d'"
"""What each says that fails: it holds what ends a line elsewhere."""


@dataclass
class Played:
    """A sandbox in which nothing runs: what each test says follows from the program's text."""

    flaky: str = ""
    unbuilt: bool = False
    """Whether the program does not run where the second error alone is left in."""
    flaky_together: bool = False
    """Whether its test then fails in one round only where it is left in with another."""
    hangs: tuple[str, ...] = ()
    exits: bool = False
    """Whether it ends the process where it would hang."""
    name: str = "none"
    silent: list[float] = field(default_factory=list)
    runs: dict[str, int] = field(default_factory=dict)
    rounds: list[tuple[str, str, str]] = field(default_factory=list)

    def run(
        self,
        command: Sequence[str],
        *,
        files: Mapping[str, str | bytes],
        readable: Sequence[Path],  # noqa: ARG002
        limits: Limits,
        environment: Mapping[str, str] = {},
    ) -> Ended:
        """Say what the tests would."""
        [number] = [word.removeprefix("--round=") for word in command if word.startswith("--round=")]
        self.rounds.append((number, environment["PYTHONHASHSEED"], bytes(files["exercise.py"]).decode()))
        self.silent.append(limits.silent_seconds)
        code, had = bytes(files["exercise.py"]).decode(), {word.partition("=")[2] for word in command}
        self.runs[code] = self.runs.get(code, 0) + 1
        events = [{"event": "loads"}, {"event": "loaded"}]
        if self.unbuilt and [mark for mark in MARKS.values() if mark not in code] == [MARKS["top"]]:
            said = {"message": "NameError: name 'n' is not defined", "error": "NameError"}
            events = [{"event": "loads"}, {"event": "unloaded", **said}]
            events += [{"event": event, "test": test, **said} for test in MARKS for event in ("begins", "failed")]
            return Ended(0, None, "\n".join(map(json.dumps, [*events, {"event": "end", "status": "1"}])), "")
        for test, mark in MARKS.items():
            if test in had:
                continue
            events.append({"event": "begins", "test": test, "line": "7"})
            right = self.runs[code] == 1 if test == self.flaky else mark in code
            if self.flaky_together and test == "top" and sum(one in code for one in MARKS.values()) == 1:
                right = number == "1"
            if not right and test in self.hangs:
                ended = (3, None) if self.exits else (None, "time")
                return Ended(*ended, "\n".join(map(json.dumps, events)), "")
            events.append({"event": "passed" if right else "failed", "test": test, "message": SAID})
        events.append({"event": "end", "status": "0"})
        said = (json.dumps(event, ensure_ascii=False) for event in events)  # as JavaScript writes it
        return Ended(0, None, "\n".join(said), "", silent_seconds=2)


def proved(sandbox: Played) -> Proof:
    """Prove the key of the topic that tests use."""
    return proving.prove(
        Topic(id="words", path="topics/words.yml", title="Counting words"),
        Assessment.model_validate(answers.ASSESSMENT),
        {"mid": Implementation(text=answers.MID), "weak": Implementation(text=answers.WEAK)},
        {"words.tests.py": b""},
        interpreter=Interpreter("python", "python", Path("/"), (), "3.11.0", {"pytest": "9.0"}),
        sandbox=sandbox,
        limits=Limits(seconds=90),
        at="2026-01-31",
    )


def verdicts(proof: Proof) -> list[str]:
    """Return what is decided of each error."""
    return [one.verdict for one in decided(proof, Assessment.model_validate(answers.ASSESSMENT)).outcomes.values()]


def test_what_decides_is_played_in_both_rounds_whose_seeds_are_recorded() -> None:
    sandbox = Played()
    assert proved(sandbox).conditions["seeds"] == "0, 1"
    decides = {code for number, _, code in sandbox.rounds if number == "1"}
    assert all(number == seed for number, seed, _ in sandbox.rounds)
    assert {(number, code) for number, _, code in sandbox.rounds} >= {("0", code) for code in decides}
    assert (len(decides), len({code for _, _, code in sandbox.rounds}), len(sandbox.rounds)) == (5, 8, 13)


def test_what_does_not_end_the_same_way_each_time_decides_nothing() -> None:
    proof = proved(Played(flaky="top"))
    assert proof.unstable == ["top"]
    assert verdicts(proof) == ["proved", "undecided", "proved"]
    assert proof.remarks == ["topics/words.tests.py:7: decides nothing: top does not end the same way each time"]


def test_what_is_tried_together_is_played_in_both_rounds_too() -> None:
    assert verdicts(proved(Played(unbuilt=True))) == ["proved"] * 3
    proof = proved(Played(unbuilt=True, flaky_together=True))
    assert proof.unstable == ["top"]
    assert verdicts(proof) == ["proved", "undecided", "proved"]


def test_what_ends_a_line_elsewhere_ends_none_here() -> None:
    proof = proved(Played())
    assert verdicts(proof) == ["proved"] * 3
    assert proof.variants["error-1"].failed["counts"].message == shown(SAID, 300)
    told = "SELECT 'a\u2028b\x85c\x0cd';\n-- test: one\n"
    assert list(inside_sql.statements(told)) == [(1, told.partition("\n")[0]), (2, "-- test: one")]


@pytest.mark.parametrize("hangs", [("counts",), ("top",), ("counts", "top", "mean")])
def test_tests_behind_one_that_hangs_have_their_turn(hangs: tuple[str, ...]) -> None:
    proof = proved(Played(hangs=hangs))
    assert verdicts(proof) == ["proved"] * 3
    assert not any(variant.unplayed for variant in proof.variants.values())
    assert {proof.variants["shown"].failed[test].message for test in hangs} == {"not done within 40 s"}


def test_a_variant_may_be_slower_than_the_corrected_program_and_not_for_ever() -> None:
    sandbox = Played()
    proved(sandbox)
    assert sandbox.silent[0] == float("inf")
    assert {*sandbox.silent[1:]} == {40}


def test_what_hangs_on_the_corrected_program_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MARKS, "top", "no such words")
    more = " (--seconds and --memory give more)"
    for exits, why in ((False, f"not done within 90 s{more}"), (True, "ended the process (exit code 3)")):
        with pytest.raises(InputError) as raised:
            proved(Played(hangs=("top",), exits=exits))
        [fault] = raised.value.faults
        assert fault.startswith(f"topics/words.tests.py:7: decides nothing: top: {why}")
        assert fault.endswith(more) is not exits
