"""Run a topic's tests in SQL on one program, in SQLite, and say how each ends, in the lines that `inside` says.

It stands alone in the sandbox, beside the tests, and needs Python's standard library only:

    python3 inside_sql.py --program my.sql topics/<id>.tests.sql

What stands before the first `-- test: name` runs in each test, first of all; then the program; then the test's own
statements. `-- exercise` within a test says that the program runs there. The statement behind `-- expected`, such as
`VALUES ('club', 2)`, gives the rows that the one before it should; `-- expected in any order` does not look at their
order, and `-- expected error: words` says that the one before it must be refused with these words. `-- answers: as they
are` says that the tests fit the tiers' own answers; `-- answers: mid` or `weak`, that they fit one of them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

MESSAGE, VALUE, NAME, NO_FIT = 300, 500, 200, "64"

_MARK = re.compile(
    r"^--[ \t]*(?:(?P<test>test:)|(?P<exercise>exercise\b)|(?P<expected>expected\b)|(?P<answers>answers:))(?P<rest>.*)$"
)
_REFUSED = re.compile(r"\s*error\s*:?\s*(?P<words>.*)")


class Broken(Exception):
    """The tests are none, at a line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass
class Statement:
    """A statement of the tests, or the place of the program in them; and what should come of it, where that is said.

    `rows`: the statement that gives the expected rows. `words`: those of the expected error.
    """

    line: int
    text: str = ""
    exercise: bool = False
    rows: str | None = None
    sorts: bool = False
    words: str | None = None


@dataclass
class Test:
    """A test by its name."""

    name: str
    line: int
    statements: list[Statement] = field(default_factory=list)


@dataclass
class Tests:
    """A file of tests: what stands before them, and which answers they fit."""

    setup: list[Statement] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    answers: str = ""


class Failing(Exception):
    """What a test says of the program."""

    def __init__(self, message: str, **told: str) -> None:
        super().__init__(message)
        self.told = told


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield statements, and marks that stand between them, with their lines."""
    held, begins = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not held.strip() and _MARK.match(line):
            yield number, line
        elif held.strip() or (line.strip() and not line.lstrip().startswith("--")):
            begins = begins if held else number
            held += line + "\n"
            if sqlite3.complete_statement(held):
                yield begins, held.strip()
                held = ""
    if held.strip():
        yield begins, held.strip()


def read(text: str) -> Tests:
    """Read a file of tests."""
    found = Tests()
    into, awaits = found.setup, None
    for line, said in statements(text):
        mark = _MARK.match(said)
        if mark is None and awaits:
            awaits.rows, awaits = said, None
        elif awaits:
            break
        elif mark is None:
            into.append(Statement(line, said))
        elif mark["test"]:
            found.tests.append(Test(mark["rest"].strip(), line))
            into = found.tests[-1].statements
        elif mark["answers"]:
            found.answers = mark["rest"].strip()
        elif mark["exercise"]:
            into.append(Statement(line, exercise=True))
        else:
            awaits = _expecting(line, into, mark["rest"])
    if awaits:
        raise Broken(awaits.line, "`-- expected` has no statement behind it that gives the rows")
    _look_through(found.tests)
    return found


def _expecting(line: int, into: list[Statement], rest: str) -> Statement | None:
    """Take in what should come of the last statement; return it where its rows are still to be given."""
    if not into or into[-1].exercise:
        raise Broken(line, "`-- expected` has no statement before it")
    if refused := _REFUSED.fullmatch(rest):
        into[-1].words = refused["words"].strip()
        return None
    into[-1].sorts = "any order" in rest
    return into[-1]


def _look_through(tests: list[Test]) -> None:
    names: set[str] = set()
    for test in tests:
        if not 0 < len(test.name) <= NAME or not test.name.isprintable() or test.name in names:
            raise Broken(test.line, f"expected a name of its own, of at most {NAME} characters (got {test.name!r})")
        if all(one.rows is None and one.words is None for one in test.statements):
            raise Broken(test.line, f"the test {test.name!r} expects nothing")
        names.add(test.name)


class Session:
    """Tests on one program, each in a database of its own."""

    def __init__(self, tests: Tests, program: str, round_: int = 0) -> None:
        self.tests, self.program, self.round = tests, program, round_
        self.unloaded: list[sqlite3.Error] = []

    def run(self, had: set[str]) -> int:
        """Run the tests that have not had their turn, an odd time from last to first; return whether one failed."""
        turns = [test for test in self.tests.tests if test.name not in had][:: -1 if self.round % 2 else 1]
        failed = 0
        for test in turns:
            say("begins", test=test.name, line=str(test.line))
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
                try:
                    self._play(test, database)
                except Failing as failing:
                    failed = 1
                    say("failed", test=test.name, message=clipped(str(failing)), **failing.told)
                except sqlite3.Error as error:
                    failed = 1
                    say("erred", test=test.name, message=named(error), error=kind(error), **self._where)
                else:
                    say("passed", test=test.name)
        if turns and len(self.unloaded) == len(turns):
            say("unloaded", message=named(self.unloaded[0]), error=kind(self.unloaded[0]))
        return failed

    def _play(self, test: Test, database: sqlite3.Connection) -> None:
        draws = Random(self.round)  # noqa: S311 - every program is to draw the same
        database.create_function("random", 0, lambda: draws.getrandbits(64) - (1 << 63))
        for statement in self.tests.setup:
            self._where = {"line": str(statement.line)}
            database.execute(statement.text)
        before = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if not any(statement.exercise for statement in test.statements):
            self._load(database)
        for statement in test.statements:
            self._where = {"line": str(statement.line)}
            if statement.exercise:
                self._load(database)
            else:
                self._look(statement, database, before)

    def _load(self, database: sqlite3.Connection) -> None:
        say("loads")
        try:
            for _, statement in statements(self.program):
                database.execute(statement).fetchall()
        except sqlite3.Error as error:
            self.unloaded.append(error)
            raise Failing(named(error), error=kind(error), got=named(error)) from None
        say("loaded")

    def _look(self, statement: Statement, database: sqlite3.Connection, before: set[str]) -> None:
        """Run a test's own statement, and compare what came of it with what should."""
        told = {**self._where, "input": clipped(" ".join(statement.text.split()), VALUE)}
        try:
            rows = database.execute(statement.text).fetchall()
        except sqlite3.Error as error:
            if statement.words is not None and statement.words.lower() in str(error).lower():
                return
            if (
                statement.words is None
                and not isinstance(error, sqlite3.IntegrityError)
                and not _sick(database, before)
            ):
                raise
            told |= {"got": named(error), "error": kind(error)}
            raise Failing(named(error), **told, **_wanted(statement, database)) from None
        if statement.words is None and statement.rows is None:
            return
        wanted = _wanted(statement, database)["expected"]
        expected = None if statement.rows is None else database.execute(statement.rows).fetchall()
        if rows == expected or (statement.sorts and sorted(rows, key=repr) == sorted(expected or [], key=repr)):
            return
        got = written(rows)
        raise Failing(f"expected {wanted}, got {got}", **told, got=got, expected=wanted)


def _wanted(statement: Statement, database: sqlite3.Connection) -> dict[str, str]:
    if statement.words is not None:
        return {"expected": f"an error: {statement.words}" if statement.words else "an error"}
    if statement.rows is None:
        return {}
    return {"expected": written(database.execute(statement.rows).fetchall())}


def _sick(database: sqlite3.Connection, before: set[str]) -> bool:
    """Tell whether a view that the program made cannot be read: SQLite looks at its query only when somebody does."""
    for name, sort in database.execute("SELECT name, type FROM sqlite_master").fetchall():
        if sort == "view" and name not in before:
            quoted = name.replace('"', '""')
            try:
                database.execute(f'SELECT * FROM "{quoted}" LIMIT 0')  # noqa: S608 - quoted, and in a database of its own
            except sqlite3.Error:
                return True
    return False


def written(rows: list[tuple[object, ...]]) -> str:
    """Return rows as SQL writes them."""
    with closing(sqlite3.connect(":memory:")) as any_:
        told = [[any_.execute("SELECT quote(?)", (value,)).fetchone()[0] for value in row] for row in rows[:VALUE]]
    return clipped(", ".join(f"({', '.join(row)})" for row in told) or "no rows", VALUE)


def kind(error: sqlite3.Error) -> str:
    """Return the class of an error; one of syntax has no class of its own in SQLite."""
    return "SyntaxError" if re.search(r"syntax error|incomplete input", str(error)) else type(error).__name__


def named(error: sqlite3.Error) -> str:
    """Return an error as a reader sees it."""
    return clipped(f"{kind(error)}: {error}")


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
    parser.add_argument("--leave-out", action="append", default=[])
    parser.add_argument("--round", type=int, default=0)
    parser.add_argument("tests", type=Path)
    given = parser.parse_args()
    try:
        tests = read(given.tests.read_text("utf-8-sig"))
    except Broken as broken:
        say("broken", message=clipped(str(broken)), line=str(broken.line))
        say("end", status="2")
        return 2
    if given.tier and tests.answers not in {"as they are", given.tier}:
        say("end", status=NO_FIT)
        return 0
    status = Session(tests, given.program.read_text("utf-8"), given.round).run({*given.leave_out})
    say("end", status=str(status))
    return status


if __name__ == "__main__":
    sys.exit(main())
