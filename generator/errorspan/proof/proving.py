"""Run a topic's tests on every variant of its exercise, each in the sandbox: a key is proved or refuted."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import psutil
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from errorspan.answers.outputs import Assessment, Implementation
from errorspan.authoring.topics import Topic
from errorspan.proof import proofs
from errorspan.proof.deciding import decided, deciding, meaningless, paired, says_just_that
from errorspan.proof.framing import frame, framed, suffix
from errorspan.proof.playing import Played, play
from errorspan.proof.proofs import CORRECTED, SHOWN, TIERS, Proof, Variant
from errorspan.proof.sandbox import Ended, Limits, Sandbox
from errorspan.text.errors import InputError

INSIDE, TESTS, PROGRAM = "inside.py", "tests.py", "exercise"
AT_ONCE = 4

PATIENCE, SLOWER = 10, 20
"""A variant may say nothing for this many seconds, or for so many times as long as the corrected program did."""

_PLAIN = {name: value for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if (value := os.environ.get(name))}

_LOOK = """
import importlib.metadata, json, os, platform, sys, sysconfig
dists = [dist for dist in importlib.metadata.distributions() if dist.name]
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
    "base": os.path.realpath(sys.base_prefix),
    "paths": sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
    "python": platform.python_version(),
    "packages": {dist.name: dist.version for dist in dists},
    "editable": [dist.name for dist in dists if '"editable": true' in (dist.read_text("direct_url.json") or "")],
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
    editable: frozenset[str] = frozenset()

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
        editable = frozenset(map(canonicalize_name, seen["editable"]))
        return cls(executable, seen["executable"], Path(seen["base"]), paths, seen["python"], versions, editable)

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
        if unseen := [one for one in wanted if canonicalize_name(one.name) in self.editable]:
            raise InputError(
                f"{topic.path}:1: requires: {one.name} is installed in editable mode, so its files lie where the "
                f"sandbox sees none; `python3 -m pip --python {self.named} install` it without -e"
                for one in unseen
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

    What decides runs twice: tests that do not end the same way each time decide nothing. `implementations` and `tests`
    are by tier and by file name.

    Raises:
        InputError: the tests do not start, or have no say on the corrected program.
    """
    packages = interpreter.versions(topic)
    main = f"{topic.id}.tests.py"
    laid = {TESTS: tests[main], **{name: text for name, text in tests.items() if name != main}}
    laid[INSIDE] = files("errorspan.proof").joinpath(INSIDE).read_bytes()
    program = PROGRAM + suffix(assessment.language)
    place = f"{topic.path.rpartition('/')[0]}/{main}"

    def played(code: str, tier: str | None = None, limits: Limits = limits) -> Played:
        def run(had: Sequence[str]) -> Ended:
            chosen = [*(["--tier", tier] if tier else []), *(f"--leave-out={test}" for test in had)]
            return sandbox.run(
                [interpreter.executable, "-B", INSIDE, "--program", program, *chosen, TESTS],
                files=laid | {program: code.encode("utf-8", "replace")},
                readable=[interpreter.base, *interpreter.paths],
                limits=limits,
                environment={
                    "PYTHONPATH": os.pathsep.join(map(str, interpreter.paths)),
                    "PYTHONHASHSEED": "0",
                    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                },
            )

        return play(run, limits, place, tier=tier)

    around = frame(topic.id, assessment.language, tests, topic.path.rpartition("/")[0])
    wanted: dict[str, tuple[str, str | None]] = {
        name: (framed(code, around), None) for name, code in proofs.variants(assessment).items()
    }
    if adapts(tests[main]):
        wanted |= {tier: (implementation.code, tier) for tier, implementation in implementations.items()}
    right = played(wanted[CORRECTED][0])
    if faults := list(_silent(right, place)):
        raise InputError(faults)
    listen(CORRECTED)
    quick = replace(limits, silent_seconds=min(limits.seconds, max(PATIENCE, SLOWER * right.silent_seconds)))
    seen: dict[str, Played] = {}
    again: dict[str, Played] = {}
    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
        first = {one: pool.submit(played, *one, quick) for one in dict.fromkeys(wanted.values())}  # the corrected too
        deciding = {name: one for name, one in wanted.items() if name == SHOWN or name.startswith("error-")}
        second = {one: pool.submit(played, *one, quick) for one in dict.fromkeys(deciding.values())}
        try:
            for name, one in wanted.items():
                again[name] = right if name == CORRECTED else first[one].result()
                seen[name] = first[one].result()
                listen(name)
            again |= {name: second[one].result() for name, one in deciding.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for running in psutil.Process().children():  # else they go on for as long as they may
                running.kill()
            raise
    names = list(dict.fromkeys([*right.begun, *(name for one in seen.values() for name in one.begun)]))
    unstable = [test for test in names if any(again[name].outcome(test) != seen[name].outcome(test) for name in seen)]
    remarks = [
        f"{place}:{right.lines.get(test, '1')}: decides nothing: {test} does not end the same way each time"
        for test in unstable
    ]
    proof = Proof(
        at=at,
        bound=proofs.bound(assessment, [implementations[tier] for tier in TIERS], tests, topic.requires),
        python=interpreter.python,
        packages=packages,
        sandbox=sandbox.name,
        tests=names,
        unstable=unstable,
        remarks=[*right.remarks, *remarks],
        variants={name: one.variant(names) for name, one in seen.items() if one.fits},
    )
    return _in_groups(proof, assessment, lambda code: played(framed(code, around), None, quick).variant(names))


def _in_groups(proof: Proof, assessment: Assessment, played: Callable[[str], Variant]) -> Proof:
    """Try errors that keep the program from running by themselves with one other left in, until a test tells them."""
    added: dict[str, Variant] = {}
    for error in assessment.errors:
        same = meaningless(proof.variants[f"error-{error.id}"], deciding(proof))
        if same is None or says_just_that(error, same):
            continue
        for other in assessment.errors:
            name = paired(error.id, other.id)
            if other is not error and name not in added:
                added[name] = played(proofs.left(assessment, error.id, other.id))
            proof = proof.model_copy(update={"variants": proof.variants | added})
            if decided(proof, assessment).outcomes[error.id].verdict == "proved":
                break
    return proof


def _silent(right: Played, place: str) -> Iterator[str]:
    """Say why tests tell nothing of a key: on the program that should pass them all, they have no say themselves."""
    variant = right.variant(right.begun)
    if variant.unloaded:
        yield (
            f"{place}:1: decides nothing: the corrected program does not load ({variant.unloaded}); "
            "give what the exercise leaves out in a frame beside the tests"
        )
    elif not right.begun or right.broken:
        yield f"{place}:{right.line}: decides nothing: {right.broken or 'there is no test'}"
    else:
        for test, why in right.halted.items():
            yield f"{place}:{right.lines[test]}: decides nothing: {test}: {why} (--seconds and --memory give more)"
        if variant.stopped and not right.halted:
            yield f"{place}:1: decides nothing: {variant.stopped} (--seconds and --memory give more)"
        yield from (f"{place}:{right.lines[test]}: decides nothing: {test} is skipped" for test in variant.skipped)
        for test, failed in variant.erred.items():
            yield f"{place}:{failed.line or right.lines[test]}: decides nothing: {test} errs itself: {failed.message}"


def adapts(tests: bytes) -> bool:
    """Tell whether tests name an adapter for the tiers' own answers: a function `adapt(tier, code)`."""
    try:
        tree = ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.FunctionDef) and node.name == "adapt" for node in tree.body)


def _fits(wanted: Requirement, found: str | None) -> bool:
    return found is not None and wanted.specifier.contains(found, prereleases=True)
