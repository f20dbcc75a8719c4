"""Play tests on one program to the end: where it hangs or ends the process, the tests behind have their turn, too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from errorspan.proof.limits import Ended, Limits
from errorspan.proof.proofs import Failed, Variant
from errorspan.text.errors import InputError

NO_FIT, BROKEN_ADAPTER = "64", "65"  # as in `inside`, which stands alone
AGAIN = 8
"""How often the tests behind one that stopped the others have another turn."""

_WHOLE = {"0", "1", "5"}  # of pytest's: all passed, some failed, none there; so every test had its turn
_SIGNALLED, _KILLED = 128, 137
_TOLD = ("input", "got", "expected", "error", "line")

Event = dict[str, str]


@dataclass
class Played:
    """What was said of one program: tests in the order in which they began, and how each ended.

    `fits` is false where an adapter has nothing for it. `broken`: the tests do not load, at this `line`. `halted`: the
    tests at which the program hung or ended the process. `lines`: where tests begin in their file.
    """

    begun: list[str] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)
    failed: dict[str, Failed] = field(default_factory=dict)
    erred: dict[str, Failed] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    halted: dict[str, str] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    stopped: str | None = None
    unloaded: str | None = None
    broken: str | None = None
    line: str = "1"
    fits: bool = True
    silent_seconds: float = 0

    def outcome(self, test: str) -> str:
        """Return how a test went."""
        return self.variant([*self.begun, test]).outcome(test)

    def variant(self, tests: Sequence[str]) -> Variant:
        """Return what a proof keeps of it, where these are all tests."""
        return Variant(
            passed=len(self.passed - self.failed.keys() - self.erred.keys()),
            failed=self.failed,
            erred={test: told for test, told in self.erred.items() if test not in self.failed},
            skipped=self.skipped,
            unplayed=[test for test in tests if test not in self.begun],
            stopped=self.stopped or self.broken,
            unloaded=self.unloaded,
        )


def play(run: Callable[[Sequence[str]], Ended], limits: Limits, place: str, *, tier: str | None = None) -> Played:
    """Run tests until each had its turn; `run` leaves out those that it is given, and `place` is their file.

    Raises:
        InputError: nothing was said at all, or an adapter fails.
    """
    played = Played()
    for _ in range(AGAIN):
        ended = run(played.begun)
        events = list(_events(ended.output))
        if not events:
            said = [] if ended.stopped else ended.complaints.strip().splitlines()
            why = (said or [_stopped(ended, limits)])[-1]
            raise InputError([f"{place}:1: does not start: {why[:300]}"])
        played.silent_seconds = max(played.silent_seconds, ended.silent_seconds)
        status = next((event["status"] for event in events if event["event"] == "end"), None)
        if tier and status == NO_FIT:
            played.fits = False
            return played
        if tier and status == BROKEN_ADAPTER:
            why = next((event["message"] for event in events if event["event"] == "left"), "")
            raise InputError([f"{place}:1: adapt({tier!r}, code) fails: {why}"])
        before = len(played.begun)
        _take_in(played, events, place)
        if status in _WHOLE or played.broken:
            return played
        why = _stopped(ended, limits) if status is None else "its tests were interrupted"
        if events[-1]["event"] == "loads":
            played.unloaded = why
        cut = [test for test in played.begun if played.outcome(test) == "passes" and test not in played.passed]
        played.failed |= {test: Failed(message=why) for test in cut}
        played.halted |= dict.fromkeys(cut, why)
        if not cut or played.unloaded or len(played.begun) == before:
            break
    else:
        why = f"{why}, again and again"
    played.stopped = why
    return played


def _take_in(played: Played, events: Sequence[Event], place: str) -> None:
    for event in events:
        test = event["test"]
        told = {name: event[name] for name in _TOLD if event.get(name)}
        match event["event"]:
            case "begins":
                played.begun.append(test)
                played.lines[test] = event.get("line", "1")
            case "passed":
                played.passed.add(test)
            case "skipped":
                played.skipped.append(test)
            case "failed":
                played.failed.setdefault(test, Failed.model_validate({"message": event["message"], **told}))
            case "erred":
                played.erred.setdefault(test, Failed.model_validate({"message": event["message"], **told}))
            case "unloaded":
                played.unloaded = event["message"]
            case "uncollected":
                played.remarks.append(f"{place}:{event.get('line', '1')}: decides nothing: {event['message']}")
            case "broken":
                played.broken, played.line = f"its tests do not load: {event['message']}", event.get("line", "1")


def _events(output: str) -> Iterator[Event]:
    for line in output.split("\n"):  # JSON may hold all other ends of lines
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and all(isinstance(value, str) for value in event.values()) and "event" in event:
            yield {"test": "", "message": "", "status": "", **event}


BOUNDED = ("not done within", "took more than")
"""How it is told that a program had too little time or memory."""


def _stopped(ended: Ended, limits: Limits) -> str:
    match ended.stopped:
        case "time":
            return f"not done within {min(limits.seconds, limits.silent_seconds):g} s"
        case "memory":
            return f"took more than {limits.memory_mb:,} MB of memory"
        case "processes":
            return f"started more than {limits.processes} processes"
        case "output":
            return f"wrote more than the {limits.output_bytes:,} bytes that are read"
        case _ if (ended.code or 0) > _SIGNALLED and ended.code != _KILLED:
            return f"crashed (signal {(ended.code or 0) - _SIGNALLED})"
        case _:
            return f"ended the process (exit code {ended.code}): it calls os._exit, process.exit or the like"
