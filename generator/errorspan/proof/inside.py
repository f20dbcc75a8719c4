"""Run a topic's tests on one program, and say how each ends: the only module that runs inside the sandbox.

It stands alone there, beside the tests, so it imports nothing of this package. It is a pytest plugin too, for whoever
writes tests: `pytest -p errorspan.proof.inside --program my.py topics/<id>.tests.py`.

What it says is a line of JSON for each event, written as it happens, so that a program that hangs or ends the process
is caught at the test that it did it in. A test `failed` where it says that something is wrong, or the program raised;
it `erred` where the tests themselves did, and then says nothing of the program.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import random
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MESSAGE = 300
VALUE = 500
NO_FIT = 64
"""Ends a session whose adapter has nothing for the tier; pytest's own codes are below."""
BROKEN_ADAPTER = 65
ARGUMENTS = ("-p", "no:terminal", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir=.")
"""How pytest runs, whatever it runs."""

_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
_HERE = Path(__file__).resolve().parent
_PROGRAM = pytest.StashKey[Path]()
_SAY = pytest.StashKey[Callable[..., None]]()
_UNCOLLECTED = (pytest.PytestCollectionWarning, *filter(None, [getattr(pytest, "PytestReturnNotNoneWarning", None)]))
_TOLD = ("input", "got", "expected")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the program under test, the tier that wrote it where it is a whole implementation, and what had its turn."""
    parser.addoption("--program", type=Path, default=None, help="the file of the program under test")
    parser.addoption("--tier", default=None, help="mid or weak: the program is that tier's whole answer, to be adapted")
    parser.addoption("--leave-out", action="append", default=[], help="the name of a test that has had its turn")
    parser.addoption("--round", type=int, default=0, help="what draws are seeded with; the odd go from last to first")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that have had their turn; go from the last to the first in an odd round."""
    had = {*config.getoption("--leave-out")}
    turns = -1 if config.getoption("--round") % 2 else 1
    items[:] = [item for item in items if _name(item.nodeid) not in had][::turns]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let every program draw the same in a test: no draw is to decide between two."""
    random.seed(item.config.getoption("--round"))
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(item.config.getoption("--round"))


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the program under test; the tests' own `adapt(tier, code)` has made a tier's answer fit."""
    given: Path | None = request.config.getoption("--program")
    if given is None:
        raise pytest.UsageError("name the program under test: --program FILE")
    tier = request.config.getoption("--tier")
    path = given.resolve()
    if tier is not None:
        try:
            adapted = _adapt(request, tier, given)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, no test says anything of the tier
            pytest.exit(f"{type(error).__name__}: {error}", returncode=BROKEN_ADAPTER)
        if adapted is None:
            pytest.exit("the adapter has nothing for this tier", returncode=NO_FIT)
        path = tmp_path_factory.mktemp(tier) / given.name
        path.write_text(adapted, "utf-8")
    request.config.stash[_PROGRAM] = path
    return path


@pytest.fixture(scope="session")
def exercise(program: Path, pytestconfig: pytest.Config) -> ModuleType:
    """Return the program under test as a module; for those in Python."""
    spec = importlib.util.spec_from_file_location("exercise", program)
    if spec is None or spec.loader is None:
        raise pytest.UsageError(f"{program.name} is no Python; use the fixture `program`")
    module = importlib.util.module_from_spec(spec)
    sys.modules["exercise"] = module
    say = pytestconfig.stash.get(_SAY, lambda *_, **__: None)
    say("loads")
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        say("unloaded", message=_short(_last_line(error)), error=type(error).__name__)
        raise
    say("loaded")
    return module


class Witness:
    """Say what happens, test by test."""

    def __init__(self, say: Callable[..., None]) -> None:
        self.say = say
        self._compared: tuple[int, dict[str, str]] = (0, {})

    def pytest_configure(self, config: pytest.Config) -> None:
        """Let fixtures say what happens, too."""
        config.stash[_SAY] = self.say

    def pytest_exception_interact(self, call: pytest.CallInfo[Any], report: object) -> None:
        """Say that a file of tests cannot be loaded, and at which line."""
        if isinstance(report, pytest.CollectReport) and call.excinfo:
            error = call.excinfo.value.__cause__ or call.excinfo.value
            lines = [
                frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if _beside(frame.filename)
            ]
            line = (error.lineno if isinstance(error, SyntaxError) else None) or (lines or [1])[-1]
            self.say("broken", message=_short(_last_line(error)), line=str(line))

    def pytest_warning_recorded(self, warning_message: Any, nodeid: str) -> None:
        """Say what pytest does not take for a test, or not for a whole one."""
        if issubclass(warning_message.category, _UNCOLLECTED):
            said = _short(str(warning_message.message))
            if test := _name(nodeid):
                self.say("erred", test=test, message=said)
            else:
                self.say("uncollected", message=said, line=str(warning_message.lineno))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Say that a test begins."""
        self.say("begins", test=_name(item.nodeid), line=str((item.location[1] or 0) + 1))
        self._compared = (0, {})
        return (yield)

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Remember what a failing assertion compares, and on which line."""
        frame = sys._getframe()  # noqa: SLF001 - the assertion's own, some calls up
        while frame.f_back and not _beside(frame.f_code.co_filename):
            frame = frame.f_back
        expected = _value(right) if op in {"==", "is"} else f"{op} {_value(right)}"
        self._compared = (frame.f_lineno, {"got": _value(left), "expected": expected})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Say how a part of a test ended, where that tells how the test did."""
        report: pytest.TestReport = yield  # type: ignore[assignment]
        test = _name(item.nodeid)
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            said = crash.message if crash else str(report.longrepr).strip()
            told = self._told(item, call, report.when) if call.excinfo else {"event": "failed"}
            self.say(**{"test": test, "message": _short(said.partition("\n")[0]), **told})
        elif report.skipped:
            self.say("skipped", test=test)
        elif report.when == "call":
            self.say("passed", test=test)
        return report  # type: ignore[return-value]

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Say why the session is left."""
        self.say("left", message=_short(str(excinfo.value).partition("\n")[0]))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Say how the session ended: not every one that ends has given all tests their turn."""
        self.say("end", status=str(int(exitstatus)))

    def _told(self, item: pytest.Item, call: pytest.CallInfo[None], when: str | None) -> dict[str, str]:
        """Return whether an exception says something of the program, where, and what a reader wants to know of it."""
        error = call.excinfo.value if call.excinfo else None
        frames = traceback.extract_tb(error.__traceback__ if error else None)
        path = str(item.config.stash.get(_PROGRAM, ""))
        asserts = isinstance(error, AssertionError | pytest.fail.Exception)
        raised = any(frame.filename == path for frame in frames)
        own = any(frame.filename != path and _beside(frame.filename) for frame in frames)
        lines = [frame.lineno or 0 for frame in frames if frame.filename == str(item.path)]
        told = {"event": "failed" if raised or (asserts and own and when == "call") else "erred"}
        told |= {"line": str(lines[-1])} if lines else {}
        if error and not asserts:
            told |= {"error": type(error).__name__} | ({"got": _short(_last_line(error))} if raised else {})
        if told["event"] == "failed":
            line, compared = self._compared
            told |= _looked_at(item, lines, compared if asserts and line in lines[-1:] else {})
        return told | {name: _value(value, str) for name, value in item.user_properties if name in _TOLD}


def _looked_at(item: pytest.Item, lines: list[int], compared: dict[str, str]) -> dict[str, str]:
    """Return what an assertion looks at, from the test's source, and what came and should have come of it."""
    try:
        statements = [node for node in ast.walk(ast.parse(Path(item.path).read_bytes())) if isinstance(node, ast.stmt)]
    except (OSError, SyntaxError, ValueError):
        return compared
    told = compared
    for line in reversed(lines):
        around = [node for node in statements if node.lineno <= line <= (node.end_lineno or 0)]
        looked = next((node.test for node in around if isinstance(node, ast.Assert)), None)
        if looked is None:
            looked = next((node.value for node in around if isinstance(node, ast.Expr | ast.Assign)), None)
        if isinstance(looked, ast.Compare) and len(looked.ops) == 1:
            sides = [looked.left, *looked.comparators]
            if isinstance(looked.ops[0], ast.Eq) and not _named(sides[0]) and _named(sides[1]):
                sides.reverse()
                told = {"got": told["expected"], "expected": told["got"]} if told else told
            looked = sides[0]
            if (
                not compared
                and line == lines[-1]
                and isinstance(sides[1], ast.Constant | ast.List | ast.Dict | ast.Tuple)
            ):
                told = {"expected": _value(ast.unparse(sides[1]), str)}
        if isinstance(looked, ast.Name):
            looked = _set_before(looked, line, around) or looked
        if looked and any(isinstance(node, ast.Call) for node in ast.walk(looked)):
            given = getattr(getattr(item, "callspec", None), "params", {})
            where = [f"{name} = {_value(value)}" for name, value in given.items() if name in _named(looked)]
            return told | {"input": _value(", ".join([ast.unparse(looked), *where]), str)}
    return told


def _named(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _set_before(name: ast.Name, line: int, around: list[ast.stmt]) -> ast.expr | None:
    """Return what a name was last set to, in what is around a line."""
    values = [
        (node.lineno, node.value)
        for scope in around
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign) and node.lineno < line
        if any(isinstance(target, ast.Name) and target.id == name.id for target in node.targets)
    ]
    return max(values, key=lambda pair: pair[0])[1] if values else None


def _adapt(request: pytest.FixtureRequest, tier: str, given: Path) -> str | None:
    tests = request.session.items[0].getparent(pytest.Module)
    adapted: str | None = tests.obj.adapt(tier, given.read_text("utf-8")) if tests else None
    return adapted


def _beside(file: str) -> bool:
    """Tell whether a file lies where the tests do."""
    path = Path(file).resolve()
    return path.parent == _HERE and path != Path(__file__).resolve()


def _name(nodeid: str) -> str:
    return nodeid.partition("::")[2]


def _last_line(error: BaseException) -> str:
    said = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _value(value: object, say: Callable[[Any], str] = repr) -> str:
    try:
        text = _ADDRESS.sub("0x…", say(value))
    except Exception as error:  # noqa: BLE001 - a stranger's own __repr__
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= VALUE else f"{text[:VALUE]}…"


def _short(said: str) -> str:
    text = _ADDRESS.sub("0x…", said) or "no message"
    return text if len(text) <= MESSAGE else f"{text[:MESSAGE]}…"


def main() -> int:
    """Run the tests that the command line names; what they print is dropped."""
    told = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def say(event: str, **more: str) -> None:
        told.write(json.dumps({"event": event, **more}) + "\n")
        told.flush()

    return int(pytest.main([*ARGUMENTS, *sys.argv[1:]], plugins=[sys.modules[__name__], Witness(say)]))


if __name__ == "__main__":
    sys.exit(main())
