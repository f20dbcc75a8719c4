"""Run a topic's tests on one program, and say how each ends: the only module that runs inside the sandbox.

It stands alone there, beside the tests, so it imports nothing of this package. It is a pytest plugin too, for whoever
writes tests: `pytest -p errorspan.proof.inside --program my.py topics/<id>.tests.py`.

What it says is a line of JSON for each event, written as it happens, so that a program that hangs or ends the process
is caught at the test that it did it in.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

MESSAGE = 300
NO_FIT = 64
"""Ends a session whose adapter has nothing for the tier; pytest's own codes are below."""
BROKEN_ADAPTER = 65

_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the program under test, and the tier that wrote it where it is a whole implementation."""
    parser.addoption("--program", type=Path, default=None, help="the file of the program under test")
    parser.addoption("--tier", default=None, help="mid or weak: the program is that tier's whole answer, to be adapted")


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the program under test; the tests' own `adapt(tier, code)` has made a tier's answer fit."""
    given: Path | None = request.config.getoption("--program")
    if given is None:
        raise pytest.UsageError("name the program under test: --program FILE")
    tier = request.config.getoption("--tier")
    if tier is None:
        return given.resolve()
    try:
        adapted = _adapt(request, tier, given)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, no test says anything of the tier
        pytest.exit(f"{type(error).__name__}: {error}", returncode=BROKEN_ADAPTER)
    if adapted is None:
        pytest.exit("the adapter has nothing for this tier", returncode=NO_FIT)
    path = tmp_path_factory.mktemp(tier) / given.name
    path.write_text(adapted, "utf-8")
    return path


@pytest.fixture(scope="session")
def exercise(program: Path) -> ModuleType:
    """Return the program under test as a module; for those in Python."""
    spec = importlib.util.spec_from_file_location("exercise", program)
    if spec is None or spec.loader is None:
        raise pytest.UsageError(f"{program.name} is no Python; use the fixture `program`")
    module = importlib.util.module_from_spec(spec)
    sys.modules["exercise"] = module
    spec.loader.exec_module(module)
    return module


class Witness:
    """Say what happens, test by test."""

    def __init__(self, say: Callable[..., None]) -> None:
        self._say = say

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Say that a file of tests cannot be loaded."""
        if report.failed:
            self._say("broken", message=_short(str(report.longrepr).strip().splitlines()[-1:]))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Say that a test begins."""
        self._say("begins", test=_name(item.nodeid))
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Say how a part of a test ended, where that tells how the test did."""
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            said = crash.message if crash else str(report.longrepr).strip()
            self._say("failed", test=_name(report.nodeid), message=_short(said.splitlines()[:1]))
        elif report.skipped:
            self._say("skipped", test=_name(report.nodeid))
        elif report.when == "call":
            self._say("passed", test=_name(report.nodeid))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Say why the session is left."""
        self._say("left", message=_short(str(excinfo.value).splitlines()[:1]))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Say how the session ended: not every one that ends has given all tests their turn."""
        self._say("end", status=str(int(exitstatus)))


def _adapt(request: pytest.FixtureRequest, tier: str, given: Path) -> str | None:
    tests = request.session.items[0].getparent(pytest.Module)
    adapted: str | None = tests.obj.adapt(tier, given.read_text("utf-8")) if tests else None
    return adapted


def _name(nodeid: str) -> str:
    return nodeid.partition("::")[2]


def _short(lines: list[str]) -> str:
    text = _ADDRESS.sub("0x…", "".join(lines)) or "no message"
    return text if len(text) <= MESSAGE else f"{text[:MESSAGE]}…"


def main() -> int:
    """Run the tests that the command line names; what they print is dropped."""
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def say(event: str, **more: str) -> None:
        told.write(json.dumps({"event": event, **more}) + "\n")
        told.flush()

    arguments = ["-p", "no:terminal", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir=.", *sys.argv[1:]]
    return int(pytest.main(arguments, plugins=[sys.modules[__name__], Witness(say)]))


if __name__ == "__main__":
    sys.exit(main())
