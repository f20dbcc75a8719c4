"""Run a topic's tests on every variant of its exercise, each in the sandbox: a key is proved or refuted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from threading import Event

import psutil

from errorspan.answers.outputs import Assessment, Implementation
from errorspan.authoring.topics import Topic
from errorspan.proof import harnesses, proofs
from errorspan.proof.deciding import decided, deciding, meaningless, paired, says_just_that
from errorspan.proof.framing import frame, framed, suffix
from errorspan.proof.harnesses import PROGRAM, TESTS
from errorspan.proof.interpreters import Interpreter
from errorspan.proof.playing import BOUNDED, Played, play
from errorspan.proof.proofs import CORRECTED, SHOWN, TIERS, Proof, Variant
from errorspan.proof.sandbox import FIXED, Ended, Limits, Sandbox
from errorspan.text.errors import InputError

AT_ONCE = 4

ROUNDS = (0, 1)
"""What decides runs once in each: what it draws at random is seeded with the number, and the odd go backwards."""

PATIENCE, SLOWER = 10, 20
"""A variant may say nothing for this many seconds, or for so many times as long as the corrected program did."""


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

    What decides runs in both rounds: tests that do not end the same way in each decide nothing. `implementations` and
    `tests` are by tier and by file name.

    Raises:
        InputError: the tests do not start, or have no say on the corrected program.
    """
    harness = harnesses.of(topic.id, tests)
    if harness is None:
        raise ValueError(f"{topic.id} has no tests")
    texts = [text.decode("utf-8", "replace") for text in tests.values()]
    codes = [one.code for one in implementations.values()]
    runtime = harness.runtime(topic, interpreter, [*texts, assessment.code, *codes])
    main = harnesses.tests(topic.id, harness)
    named = TESTS + harness.ending
    laid = {named: tests[main], **{name: text for name, text in tests.items() if name != main}}
    laid[harness.inside] = files("errorspan.proof").joinpath(harness.inside).read_bytes()
    program = PROGRAM + suffix(assessment.language)
    place = f"{topic.path.rpartition('/')[0]}/{main}"

    given_up = Event()

    def played(code: str, tier: str | None = None, limits: Limits = limits, number: int = ROUNDS[0]) -> Played:
        def run(had: Sequence[str]) -> Ended:
            if given_up.is_set():
                raise CancelledError
            chosen = [*(["--tier", tier] if tier else []), *(f"--leave-out={test}" for test in had)]
            seed = {harness.seed: str(number)} if harness.seed else {}
            return sandbox.run(
                [*runtime.command, harness.inside, "--program", program, f"--round={number}", *chosen, named],
                files=laid | {program: code.encode("utf-8", "replace")},
                readable=runtime.readable,
                limits=limits,
                environment={**runtime.environment, **seed},
            )

        return play(run, limits, place, tier=tier)

    began = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    around = frame(topic.id, assessment.language, tests, topic.path.rpartition("/")[0])
    wanted: dict[str, tuple[str, str | None]] = {
        name: (framed(code, around), None) for name, code in proofs.variants(assessment).items()
    }
    if harness.adapts(tests[main]):
        wanted |= {tier: (implementation.code, tier) for tier, implementation in implementations.items()}
    right = played(*(corrected := wanted[CORRECTED]))
    if faults := list(_silent(right, place)):
        raise InputError(faults)
    listen(CORRECTED)
    quick = replace(limits, silent_seconds=min(limits.seconds, max(PATIENCE, SLOWER * right.silent_seconds)))
    seen: dict[str, Played] = {}
    again: dict[str, Played] = {}
    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
        first = {one: pool.submit(played, *one, quick) for one in dict.fromkeys(wanted.values()) if one != corrected}
        deciding = {
            name: one for name, one in wanted.items() if name in {CORRECTED, SHOWN} or name.startswith("error-")
        }
        second = {one: pool.submit(played, *one, quick, ROUNDS[1]) for one in dict.fromkeys(deciding.values())}
        try:
            for name, one in wanted.items():
                seen[name] = right if one == corrected else first[one].result()
                listen(name)
            again |= {name: second[one].result() for name, one in deciding.items()}
        except BaseException:
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            _stop([*first.values(), *second.values()])
            raise
    names = list(dict.fromkeys([*right.begun, *(name for one in seen.values() for name in one.begun)]))
    unstable = [
        test for test in names if any(one.outcome(test) != seen[name].outcome(test) for name, one in again.items())
    ]
    remarks = [
        f"{place}:{right.lines.get(test, '1')}: decides nothing: {test} does not end the same way each time"
        for test in unstable
    ]
    proof = Proof(
        at=at,
        bound=proofs.bound(assessment, [implementations[tier] for tier in TIERS], tests, topic.requires),
        python=runtime.python,
        packages=dict(runtime.versions),
        conditions=FIXED | {"seeds": ", ".join(map(str, ROUNDS)), "clock": began},
        sandbox=sandbox.name,
        tests=names,
        unstable=unstable,
        remarks=[*right.remarks, *remarks],
        variants={name: one.variant(names) for name, one in seen.items() if one.fits},
    )

    def tried(code: str) -> list[Variant]:
        return [played(framed(code, around), None, quick, number).variant(names) for number in ROUNDS]

    return _in_groups(proof, assessment, tried)


def _stop(plays: Sequence[Future[Played]]) -> None:
    """Kill what runs, and what still starts: else they go on for as long as they may."""
    while not all(play.done() for play in plays):
        for running in psutil.Process().children():
            running.kill()
        time.sleep(0.01)


def _in_groups(proof: Proof, assessment: Assessment, tried: Callable[[str], list[Variant]]) -> Proof:
    """Try errors that keep the program from running by themselves with one other left in, until a test tells them."""
    added: dict[str, Variant] = {}
    for error in assessment.errors:
        same = meaningless(proof.variants[f"error-{error.id}"], deciding(proof))
        if same is None or says_just_that(error, same):
            continue
        for other in assessment.errors:
            name = paired(error.id, other.id)
            if other is not error and name not in added:
                added[name], again = tried(proofs.left(assessment, error.id, other.id))
                differ = [test for test in proof.tests if again.outcome(test) != added[name].outcome(test)]
                unstable = list(dict.fromkeys([*proof.unstable, *differ]))
                proof = proof.model_copy(update={"variants": proof.variants | added, "unstable": unstable})
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
            more = " (--seconds and --memory give more)" if why.startswith(BOUNDED) else ""
            yield f"{place}:{right.lines[test]}: decides nothing: {test}: {why}{more}"
        if variant.stopped and not right.halted:
            yield f"{place}:1: decides nothing: {variant.stopped} (--seconds and --memory give more)"
        yield from (f"{place}:{right.lines[test]}: decides nothing: {test} is skipped" for test in variant.skipped)
        for test, failed in variant.erred.items():
            yield f"{place}:{failed.line or right.lines[test]}: decides nothing: {test} errs itself: {failed.message}"
