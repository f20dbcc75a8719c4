"""What `errorspan verify --browser` does: a browser plays the variants, and what ends alike there students can run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from errorspan.authoring.topics import Topic
from errorspan.browser import engines, tasks, trying
from errorspan.browser.engines import Kept
from errorspan.course import Course
from errorspan.proof import agreeing, framing, proofs
from errorspan.proof.proofs import Proof
from errorspan.runs.run import Run
from errorspan.text import disk, source
from errorspan.text.errors import InputError

SECONDS = 8
"""For how long a test may say nothing in a browser while it is verified; a student's machine may be slower."""


def agree(run: Run, course: Course, proof: Proof, browser: str, *, check: bool) -> list[str]:
    """Play the variants that decide in a browser, too, and keep which tests end alike.

    With `check`, nothing is kept; what differs from what is recorded is returned.

    Raises:
        InputError: what runs them is not at hand, or the browser says nothing.
    """
    if run.assessment is None:
        raise ValueError(f"{run.topic.id} has no exercise")
    tests, language = course.tests(run.topic), run.assessment.language
    task, engine = tasks.task(run.topic, language, tests), tasks.engine(run.topic, tests)
    if task is None:
        click.echo(f"{run.topic.id}: no browser runs its tests")
        return []
    kept = engines.kept(course.root, engine) if engine else None
    if engine and kept is None:
        mend = f"`errorspan runtimes add {engine.name}` fetches what runs them"
        raise InputError([f"{run.topic.path}:1: its tests cannot run in a browser yet; {mend}"])
    codes = proofs.variants(run.assessment)
    if trial := tasks.trial(run.topic, task):
        right = tasks.whole(task, kept, framing.framed(codes["corrected"], run.evidence.frame), seconds=SECONDS)
        _try(run.topic, course, {one: tasks.called(right, trial, one) for one in trial["examples"]}, browser, kept)
    played = {
        name: tasks.whole(task, kept, framing.framed(codes[name], run.evidence.frame), seconds=SECONDS)
        for name in agreeing.played(proof)
        if name in codes
    }
    seen = {}
    with click.progressbar(length=len(played), label=f"{run.topic.id} in a browser", file=sys.stderr) as bar:
        for name, variant in trying.play(browser, played, kept, proof.tests, run.topic.path):
            seen[name] = variant
            bar.update(1)
    same, differ = agreeing.compared(proof, seen)
    agreed = agreeing.Agreed(
        at=datetime.now(UTC).date().isoformat(),
        bound=proof.bound,
        engine=engine.title if engine else "JavaScript",
        browser=trying.version(browser),
        tests=same,
        differ=differ,
    )
    known = run.evidence.agreed
    differs = known is None or not agreed.repeats(known)
    if differs and not check:
        record = course.record(run.topic)
        with record.locked():
            disk.put(record.own(agreeing.FILE), agreeing.written(agreed))
    telling = agreed.telling(proof, run.assessment)
    told = sum(bool(tests) for tests in telling.values())
    click.echo(
        f"{run.topic.id}: {len(same)} of {len(proof.tests)} tests end alike in {agreed.browser}; "
        f"{told} of {len(run.assessment.errors)} errors break one of them"
    )
    for test, why in differ.items():
        click.echo(f"not run for students: {test}: {why}", err=True)
    mend = f"is not what comes out here; `errorspan verify --browser {run.topic.id}` writes that"
    return [f"{run.folder}/{agreeing.FILE}:1: {mend}"] if check and differs and known else []


def _try(
    topic: Topic, course: Course, examples: Mapping[str, Mapping[str, Any]], browser: str, kept: Kept | None
) -> None:
    """Call the corrected program with each example that students are shown.

    Raises:
        InputError: it cannot be called so.
    """
    faults = []
    for number, (_, said) in enumerate(trying.play(browser, examples, kept, (), topic.path)):
        if wrong := next(iter(said.erred.values()), None):
            place = ("try", "examples", number)
            written = source.read(course.root / topic.path, topic.path)
            faults.append(written.fault(place, f"the corrected program cannot be called so ({wrong.message})"))
    if faults:
        raise InputError(faults)
