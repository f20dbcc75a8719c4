"""Run a topic's tests in Go on one program, and say how each ends, in the lines that `inside` says.

It stands alone in the sandbox, beside the tests, and needs Python's standard library, `go` on the `PATH`, and in
`GOCACHE` what Go has compiled of its own library:

    python3 inside_go.py --program my.go topics/<id>.tests.go

Program and tests are one package, as Go's own tests are, and are built once. Each test runs in a process of its own.
One that calls `t.Run` is told by its subtests. Where a frame stands around the program, its package clause holds.
`t.Attr("input", "…")` says what a test looks at, and so do `got` and `expected`; `Count(words) = 1, want 2`, the way in
which Go's tests tell it, says all three. A comment `// answers: as they are` says that the tests fit the tiers' own
answers; `// answers: mid` or `weak`, that they fit one of them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

MESSAGE, VALUE = 300, 500
NO_FIT, UNBUILT = "64", "BuildError"
PULSE, WAIT, KEPT = 0.5, 5, 400
"""Seconds between two words of life while Go builds; those until a test without subtests is told; lines of a dump."""
PACKAGE, PROGRAM, TESTS = "package", "exercise.go", "exercise_test.go"

_ANSWERS = re.compile(r"^//[ \t]*answers:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_TEST = re.compile(r"^func (Test(?:[^a-z(\W]\w*)?)\(\s*(\w+)\s+\*testing\.T\)", re.MULTILINE)
_CLAUSE = re.compile(r"^package[ \t]+\w+.*$", re.MULTILINE)
_VERSION = re.compile(r"go(\d+\.\d+(?:\.\d+)?)")
_FAULT = re.compile(r"^(?:\./)?([\w./-]+\.go):(\d+)(?::\d+)?: (.*)$", re.MULTILINE)
_BEGAN = re.compile(r"=== RUN\s+(.*)")
_TOLD = re.compile(r"=== ATTR\s+(\S+) (\S+) (.*)")
_ENDED = re.compile(r"--- (PASS|FAIL|SKIP): (.*) \(\d+\.\d+s\)")
_SAID = re.compile(rf"\s*{re.escape(TESTS)}:(\d+): (.*)")
_CRASH = re.compile(r"(panic|fatal error): (.*)")
_FRAME = re.compile(rf"^\t(?:.*/{PACKAGE}/)({PROGRAM}|{TESTS}):(\d+)".replace(".go", r"\.go"), re.MULTILINE)
_COMPARED = re.compile(
    r"(?:(?P<input>.+?) = |(?:.*\b)?got:? )(?P<got>.+?)[,;:]? (?:want|wanted|expected):? (?P<expected>.+)"
)


class Unbuilt(Exception):
    """The program cannot be built, or the tests, at a line."""

    def __init__(self, message: str, line: str = "") -> None:
        super().__init__(message)
        self.line = line


@dataclass
class Test:
    """A test by its name: its line, and how it ended.

    `parts`: whether its subtests tell it. `said`: whether it only logs that, at which line, and what.
    """

    name: str
    line: int
    parts: bool = False
    begun: bool = False
    ended: str = ""
    told: dict[str, str] = field(default_factory=dict)
    said: list[tuple[bool, int, str]] = field(default_factory=list)

    @property
    def message(self) -> tuple[int, str] | None:
        """Return the first message of an error, or of a log where none is known to be one."""
        return min(self.said, key=lambda one: one[0])[1:] if self.said else None


def tests_of(text: str) -> list[Test]:
    """Return the tests of a file in their order."""
    functions = [one.start() for one in re.finditer(r"^func ", text, re.MULTILINE)]
    found = []
    for one in _TEST.finditer(text):
        ends = next((start for start in functions if start > one.start()), len(text))
        parts = re.search(rf"\b{one[2]}\.Run\(", text[one.end() : ends])
        found.append(Test(one[1], text.count("\n", 0, one.start()) + 1, parts=bool(parts)))
    return found


def build(program: str, tests: str) -> Path:
    """Build program and tests, and return what runs them.

    Raises:
        Unbuilt: one of them cannot be built.
    """
    folder = Path(tempfile.mkdtemp(), PACKAGE)
    folder.mkdir()
    clauses = [one.start() for one in _CLAUSE.finditer(program)]
    for start in reversed(clauses[1:]):
        program = f"{program[:start]}// {program[start:]}"
    (folder / PROGRAM).write_text(program, "utf-8")
    (folder / TESTS).write_text(tests, "utf-8")
    version = _VERSION.findall(_go(["env", "GOVERSION"], folder)[0])[0]
    (folder / "go.mod").write_text(f"module exercise\n\ngo {version}\n", "utf-8")
    made, cache = folder.with_name("exercise.test"), folder.with_name("cache")
    seed = os.environ.get("GOCACHE", "")  # what nobody can write to
    for given in Path(seed).glob("??/*") if seed else ():
        (cache / given.parent.name).mkdir(parents=True, exist_ok=True)
        (cache / given.parent.name / given.name).symlink_to(given)
    told, code = _go(["test", "-c", "-vet=off", "-ldflags=-s -w", f"-o={made}"], folder, cache if seed else None)
    if code == 0:
        return made
    faults = _FAULT.findall(told)
    if wrong := [message for name, _, message in faults if name == PROGRAM]:
        raise Unbuilt(wrong[0])
    said = [line for line in told.splitlines() if not line.startswith("#")] or [f"go ends with exit code {code}"]
    _, line, message = next((fault for fault in faults if fault[0] == TESTS), ("", "1", said[0]))
    raise Unbuilt(message, line)


def _go(arguments: list[str], folder: Path, cache: Path | None = None) -> tuple[str, int]:
    """Return what Go says, and its exit code; that it takes its time is no silence."""
    with subprocess.Popen(  # noqa: S603 - the sandbox is around it
        ["go", *arguments],  # noqa: S607
        cwd=folder,
        env={**os.environ, "GOCACHE": str(cache)} if cache else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        while True:
            try:
                return process.communicate(timeout=PULSE)[0], process.returncode
            except subprocess.TimeoutExpired:
                say("loads")


class Turn:
    """One test in a process of its own, with its subtests."""

    def __init__(self, test: Test) -> None:
        self.first, self.seen = test, {test.name: test}
        self.current = test
        self.failing: list[Test] = []
        self.failed: dict[str, str] = {}
        self.dump: list[str] = []
        self.waits = threading.Timer(WAIT, lambda: None)

    def play(self, binary: Path, had: set[str]) -> bool:
        """Play it without subtests that had their turn, again for those behind one that stops it; say if one fails."""
        self.had = [name for name in had if name.startswith(f"{self.first.name}/")]
        skips = ["/".join(f"^{re.escape(part)}$" for part in name.split("/")) for name in self.had]
        command = [str(binary), "-test.v=test2json", "-test.paniconexit0", f"-test.run=^{self.first.name}$"]
        command += [f"-test.skip={'|'.join(skips)}"] if skips else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:  # noqa: S603
            for line in iter(lambda: process.stdout.readline(1 << 16), b""):  # type: ignore[union-attr]
                text, mark, event = line.decode("utf-8", "replace").rstrip("\n").partition("\x16")
                if text:
                    self._print(text)
                if mark:
                    self._hear(event)
        self._end(process.returncode)
        if process.returncode in {0, 1} or self.first.begun:
            return bool(self.failed)
        begun = {name for name, one in self.seen.items() if one.begun}
        return Turn(Test(self.first.name, self.first.line, parts=True)).play(binary, had | begun) or True

    def _hear(self, event: str) -> None:
        """Take in what Go's own frame of tests says."""
        if began := _BEGAN.fullmatch(event):
            self._settle()
            self.waits.cancel()
            self.current = self.seen.setdefault(began[1], Test(began[1], self.first.line))
            if self.current.parts:  # where it hangs before its first subtest, it is told itself
                self.waits = threading.Timer(WAIT, self._begin, [self.current])
                self.waits.start()
            else:
                self._begin(self.current)
        elif (told := _TOLD.fullmatch(event)) and told[1] in self.seen and told[2] in {"input", "got", "expected"}:
            self.seen[told[1]].told[told[2]] = clipped(told[3], VALUE)
        elif (ended := _ENDED.fullmatch(event.strip())) and ended[2] in self.seen:
            (test := self.seen[ended[2]]).ended = ended[1]
            inner = any(name.startswith(f"{test.name}/") for name in self.seen)
            if test.ended == "FAIL":
                self.failing.append(test)
            elif test.begun or test.ended == "SKIP" or not (inner or self.had):
                self._begin(test)
                say({"PASS": "passed", "SKIP": "skipped"}[test.ended], test=test.name)

    def _begin(self, test: Test) -> None:
        if not test.begun:
            test.begun = True
            say("begins", test=test.name, line=str(test.line))

    def _print(self, text: str) -> None:
        """Keep what was printed, and what of it is a message of the test."""
        plain = text.replace("\x0f", "").replace("\x0e", "")
        if found := _SAID.fullmatch(plain):
            self.current.said.append((not text.startswith("\x0f"), int(found[1]), found[2]))
        if _CRASH.match(plain):
            self.dump = [plain]
        elif self.dump and len(self.dump) < KEPT:
            self.dump.append(plain)

    def _end(self, code: int) -> None:
        """Say what is left to say, once the process has ended."""
        self.waits.cancel()
        left = [test for test in self.seen.values() if test.begun and not test.ended]
        if code and self.dump:
            told = [test for test in self.failing if not test.parts]
            self._crashed([*left[-1:], *told, self.current][0], "\n".join(self.dump))
        elif left or code not in {0, 1}:
            how = f"ended the process (exit code {code})" if code >= 0 else f"crashed (signal {-code})"
            self._fail([*left[-1:], self.current][0], "failed", how)
        self._settle()

    def _crashed(self, test: Test, dump: str) -> None:
        """Say of a test that Go stopped, and whether the program was at fault, or the test itself."""
        name, why = _CRASH.match(dump).groups()  # type: ignore[union-attr]
        why = why.partition(" [recovered")[0]
        everybody = name == "fatal error" or why.startswith("deadlock")
        frames = _FRAME.findall(dump if everybody else dump.split("\n\n")[1] if "\n\n" in dump else dump)
        own = [line for file, line in frames if file == TESTS]
        raised, said = any(file == PROGRAM for file, _ in frames), clipped(f"{name}: {why}")
        more = {"error": name} | ({"got": said} if raised else {}) | ({"line": own[-1]} if own else {})
        self._fail(test, "failed" if raised else "erred", said, **more)

    def _settle(self) -> None:
        """Say which tests failed; nobody who failed first can tell any more."""
        for test in self.failing:
            inner = [name for name in self.failed if name.startswith(f"{test.name}/")]
            if test.begun or test.message or not inner:
                event = self.failed[inner[0]] if inner and not test.message else "failed"
                usual = f"{inner[0]} fails" if inner else "fails without a message"
                self._fail(test, event, test.message[1] if test.message else usual)
        self.failing = []

    def _fail(self, test: Test, event: str, message: str, **more: str) -> None:
        if test.name in self.failed:
            return
        self._begin(test)
        line = {"line": str(test.message[0])} if test.message else {}
        compared = _COMPARED.fullmatch(message)
        told = (
            {name: clipped(value, VALUE) for name, value in compared.groupdict().items() if value} if compared else {}
        )
        say(event, test=test.name, message=clipped(message), **line | told | more | test.told)
        self.failed[test.name] = event


def clipped(text: str, length: int = MESSAGE) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= length else f"{text[:length]}…"


def say(event: str, **more: str) -> None:
    """Say what happens."""
    os.write(1, f"{json.dumps({'event': event, **more})}\n".encode())


def main() -> int:
    """Run the tests that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=Path)
    parser.add_argument("--tier")
    parser.add_argument("--round", type=int, default=0)  # the odd go backwards
    parser.add_argument("--leave-out", action="append", default=[])
    parser.add_argument("tests", type=Path)
    given = parser.parse_args()
    text, had = given.tests.read_text("utf-8"), {*given.leave_out}
    fits = _ANSWERS.search(text)
    if given.tier and (fits is None or fits[1] not in {"as they are", given.tier}):
        say("end", status=NO_FIT)
        return 0
    turns = [test for test in tests_of(text)[:: -1 if given.round % 2 else 1] if test.name not in had]
    say("loads")
    try:
        binary = build(given.program.read_text("utf-8"), text)
    except Unbuilt as unbuilt:
        if unbuilt.line:
            say("broken", message=clipped(str(unbuilt)), line=unbuilt.line)
            say("end", status="2")
            return 2
        why = clipped(f"{UNBUILT}: {unbuilt}")
        for test in (test for test in turns if not test.parts):
            say("begins", test=test.name, line=str(test.line))
            say("failed", test=test.name, message=why, error=UNBUILT, got=why)
        say("unloaded", message=why, error=UNBUILT)
        say("end", status="1")
        return 1
    say("loaded")
    status = max((int(Turn(test).play(binary, had)) for test in turns), default=0)
    say("end", status=str(status))
    return status


if __name__ == "__main__":
    sys.exit(main())
