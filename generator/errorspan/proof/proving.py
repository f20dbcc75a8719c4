"""Run a topic's tests on every variant of its exercise, each in the sandbox: a key is proved or refuted."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import psutil
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from errorspan.answers.outputs import Assessment, Implementation
from errorspan.authoring.topics import Topic
from errorspan.proof import proofs
from errorspan.proof.proofs import CORRECTED, TIERS, Proof, Variant
from errorspan.proof.sandbox import Ended, Limits, Sandbox
from errorspan.text.errors import InputError

INSIDE, TESTS, PROGRAM = "inside.py", "tests.py", "exercise"
NO_FIT, BROKEN_ADAPTER = 64, 65  # as in `inside`, which stands alone
AT_ONCE = 4

_WHOLE = {"0", "1", "5"}  # of pytest's: all passed, some failed, none there; so every test had its turn
_PLAIN = {name: value for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if (value := os.environ.get(name))}

_LOOK = """
import importlib.metadata, json, os, platform, sys, sysconfig
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
    "base": os.path.realpath(sys.base_prefix),
    "paths": sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
    "python": platform.python_version(),
    "packages": {dist.name: dist.version for dist in importlib.metadata.distributions() if dist.name},
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs tests: its own files, where its packages are, and their versions by normalised name."""

    named: str
    executable: str
    base: Path
    paths: tuple[Path, ...]
    python: str
    packages: Mapping[str, str]

    @classmethod
    def at(cls, executable: str) -> Interpreter:
        """Look at an interpreter.

        Raises:
            InputError: it is none, or does not start.
        """
        try:
            told = subprocess.run(  # noqa: S603 - the person named it; what lies beside it has no say
                [executable, "-I", "-c", _LOOK], capture_output=True, text=True, check=True, env=_PLAIN
            )
            seen = json.loads(told.stdout)
        except (OSError, subprocess.CalledProcessError, ValueError) as error:
            raise InputError([f"{executable}: is no Python that starts ({type(error).__name__})"]) from None
        versions: dict[str, str] = {canonicalize_name(name): version for name, version in seen["packages"].items()}
        paths = tuple(Path(path) for path in seen["paths"])
        return cls(executable, seen["executable"], Path(seen["base"]), paths, seen["python"], versions)

    def versions(self, topic: Topic) -> dict[str, str]:
        """Return the versions of pytest and of what a topic requires.

        Raises:
            InputError: something is missing, or of another version than required.
        """
        wanted = [Requirement(line) for line in ("pytest", *topic.requires)]
        here = {"python_version": ".".join(self.python.split(".")[:2]), "python_full_version": self.python}
        wanted = [one for one in wanted if one.marker is None or one.marker.evaluate(here)]
        found: dict[str, str | None] = {one.name: self.packages.get(canonicalize_name(one.name)) for one in wanted}
        lacking = [one for one in wanted if not _fits(one, found[one.name])]
        if lacking:
            raise InputError(
                f"{topic.path}:1: requires: {one} is not installed (found {found[one.name] or 'none'}); "
                f"`python3 -m pip --python {self.named} install '{one}'`, or name another Python with --python"
                for one in lacking
            )
        return {name: version for name, version in found.items() if version}


def prove(  # noqa: PLR0913 - all that a proof is bound to
    topic: Topic,
    assessment: Assessment,
    implementations: Mapping[str, Implementation],
    tests: Mapping[str, bytes],
    *,
    interpreter: Interpreter,
    sandbox: Sandbox,
    limits: Limits,
    at: str,
    listen: Callable[[str], None] = lambda _: None,
) -> Proof:
    """Run the tests on every variant of an exercise, and on the tiers' own answers where the tests adapt them.

    `implementations` and `tests` are by tier and by file name.

    Raises:
        InputError: the tests do not start.
    """
    packages = interpreter.versions(topic)
    main = f"{topic.id}.tests.py"
    laid = {TESTS: tests[main], **{name: text for name, text in tests.items() if name != main}}
    laid[INSIDE] = files("errorspan.proof").joinpath(INSIDE).read_bytes()
    program = PROGRAM + suffix(assessment.language)

    def played(code: str, tier: str | None) -> Ended:
        arguments = ["--program", program, *(["--tier", tier] if tier else []), TESTS]
        return sandbox.run(
            [interpreter.executable, "-B", INSIDE, *arguments],
            files=laid | {program: code.encode("utf-8", "replace")},
            readable=[interpreter.base, *interpreter.paths],
            limits=limits,
            environment={
                "PYTHONPATH": os.pathsep.join(map(str, interpreter.paths)),
                "PYTHONHASHSEED": "0",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            },
        )

    wanted: dict[str, tuple[str, str | None]] = {
        name: (code, None) for name, code in proofs.variants(assessment).items()
    }
    if adapts(tests[main]):
        wanted |= {tier: (implementation.code, tier) for tier, implementation in implementations.items()}
    place = f"{topic.path.rpartition('/')[0]}/{main}"
    seen: dict[str, tuple[list[str], Variant | None]] = {}
    right = wanted.pop(CORRECTED)
    ended = {right: played(*right)}
    seen[CORRECTED] = read(ended[right], limits, place)
    if faults := _undecided(*seen[CORRECTED]):
        raise InputError(f"{place}:1: decides nothing: {fault}" for fault in faults)
    listen(CORRECTED)
    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
        jobs = {one: pool.submit(played, *one) for one in dict.fromkeys(wanted.values()) if one not in ended}
        try:
            for name, one in wanted.items():
                seen[name] = read(ended.get(one) or jobs[one].result(), limits, place, tier=one[1])
                listen(name)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for running in psutil.Process().children():  # else they go on for as long as they may
                running.kill()
            raise
    names = list(dict.fromkeys([*seen[CORRECTED][0], *(name for begun, _ in seen.values() for name in begun)]))
    return Proof(
        at=at,
        bound=proofs.bound(assessment, [implementations[tier] for tier in TIERS], tests, topic.requires),
        python=interpreter.python,
        packages=packages,
        sandbox=sandbox.name,
        tests=names,
        variants={
            name: variant.model_copy(update={"unplayed": [test for test in names if test not in begun]})
            for name, (begun, variant) in seen.items()
            if variant
        },
    )


def read(ended: Ended, limits: Limits, tests: str, *, tier: str | None = None) -> tuple[list[str], Variant | None]:
    """Read what was said from inside: the tests that began, and how they went; None where the adapter had nothing.

    Raises:
        InputError: nothing was said at all.
    """
    events = list(_events(ended.output))
    said = {event["event"] for event in events}
    if not said:
        why = (ended.complaints.strip().splitlines() or [f"exit code {ended.code}"])[-1]
        raise InputError([f"{tests}:1: does not start: {why[:300]}"])
    begun = [event["test"] for event in events if event["event"] == "begins"]
    status = next((event["status"] for event in events if event["event"] == "end"), None)
    if tier and status == str(NO_FIT):
        return begun, None
    if tier and status == str(BROKEN_ADAPTER):
        why = next((event["message"] for event in events if event["event"] == "left"), "")
        raise InputError([f"{tests}:1: adapt({tier!r}, code) fails: {why}"])
    failed: dict[str, str] = {}
    for event in events:
        if event["event"] == "failed":
            failed.setdefault(event["test"], event["message"])
    skipped = [event["test"] for event in events if event["event"] == "skipped"]
    passed = {event["test"] for event in events if event["event"] == "passed"} - failed.keys()
    stopped = next(
        (f"its tests do not load: {event['message']}" for event in events if event["event"] == "broken"), None
    )
    if status not in _WHOLE:
        stopped = stopped or (_stopped(ended, limits) if status is None else "its tests were interrupted")
        failed |= {test: stopped for test in begun if test not in {*failed, *skipped, *passed}}
    return begun, Variant(passed=len(passed), failed=failed, skipped=skipped, stopped=stopped)


def _undecided(begun: list[str], right: Variant | None) -> list[str]:
    """Say why tests tell nothing of a key: on the program that should pass them all, they have no say themselves."""
    if right is None or not begun:
        return [(right and right.stopped) or "there is no test"]
    stopped = [f"{right.stopped} (--seconds and --memory give more)"] if right.stopped else []
    return [*stopped, *(f"{test} is skipped" for test in right.skipped)]


def suffix(language: str) -> str:
    """Return how the name of a program in this language ends, such as `.py`."""
    try:
        patterns = get_lexer_by_name(language).filenames
    except ClassNotFound:
        return ".txt"
    return next((pattern[1:] for pattern in patterns if pattern.startswith("*.") and pattern[2:].isalnum()), ".txt")


def adapts(tests: bytes) -> bool:
    """Tell whether tests name an adapter for the tiers' own answers: a function `adapt(tier, code)`."""
    try:
        tree = ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.FunctionDef) and node.name == "adapt" for node in tree.body)


def _events(output: str) -> Iterator[dict[str, str]]:
    for line in output.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and all(isinstance(value, str) for value in event.values()) and "event" in event:
            yield {"test": "", "message": "", "status": "", **event}


def _stopped(ended: Ended, limits: Limits) -> str:
    match ended.stopped:
        case "time":
            return f"not done within {limits.seconds:g} s"
        case "memory":
            return f"took more than {limits.memory_mb:,} MB of memory"
        case "processes":
            return f"started more than {limits.processes} processes"
        case "output":
            return "wrote too much"
        case _:
            return f"ended the process (exit code {ended.code})"


def _fits(wanted: Requirement, found: str | None) -> bool:
    return found is not None and wanted.specifier.contains(found, prereleases=True)
