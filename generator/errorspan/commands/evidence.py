"""`errorspan verify` and `errorspan review`: what speaks for a key beside the run's own answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from errorspan.browser import trying
from errorspan.commands.agree import agree
from errorspan.commands.opening import course_of
from errorspan.commands.options import Shard, config_option, shard_option, topics_argument
from errorspan.commands.telling import Failure, left_out
from errorspan.course import Course
from errorspan.proof import framing, harnesses, proofs, proving, reviews, sandbox, witnessed
from errorspan.proof.deciding import decided
from errorspan.proof.interpreters import Interpreter
from errorspan.proof.proofs import Proof
from errorspan.proof.sandbox import Limits
from errorspan.runs.places import against
from errorspan.runs.publishing import withheld
from errorspan.runs.run import Run
from errorspan.site import folder
from errorspan.text import disk
from errorspan.text.errors import DiskError, InputError


@click.command()
@topics_argument
@click.option("--python", default=sys.executable, metavar="PATH", help="The Python that has what the tests require.")
@click.option(
    "--seconds",
    type=click.IntRange(1, 3600),
    default=120,
    show_default=True,
    help="How long the tests of one variant may take.",
)
@click.option(
    "--memory",
    type=click.IntRange(64, 1 << 20),
    default=4096,
    show_default=True,
    metavar="MB",
    help="How much memory they may take.",
)
@click.option(
    "--write",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the programs that would be tried into a folder, and run nothing.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing, and fail where a proof that is recorded is not what comes out."
)
@click.option("--browser", is_flag=True, help="Run them in a Chromium, too: what ends alike there, students can run.")
@click.option("--no-sandbox", is_flag=True, help="Run a model's code with your own rights where there is no sandbox.")
@shard_option
@config_option
def verify(  # noqa: PLR0913 - click passes each option
    topics: tuple[str, ...],
    *,
    python: str,
    seconds: int,
    memory: int,
    directory: Path | None,
    check: bool,
    browser: bool,
    no_sandbox: bool,
    shard: Shard | None,
    config_file: Path,
) -> None:
    """Prove answer keys by running the topics' tests, in a sandbox.

    Every error left in alone must fail a test, and the corrected program none. What was seen is kept beside the run.
    """
    course = course_of(config_file, shard)
    runs = course.replay(topics, leave_out=True)
    failed = left_out(course, topics)
    if directory:
        files = {name: text for run in runs for name, text in _programs(run, course, named=bool(topics))}
        written = folder.write(directory, files, [course.root / course.settings.topics], by="verify")
        click.echo(f"{written.files} programs in {directory}")
        if failed:
            raise Failure("\n".join(failed))
        return
    tested = [run for run in runs if _testable(run, course, named=bool(topics))]
    if tested:
        place, limits = sandbox.find(unsandboxed=no_sandbox), Limits(seconds=seconds, memory_mb=memory)
        if place.name == "none":
            click.echo("warning: there is no sandbox; a model's code runs with your own rights", err=True)
        chromium = trying.find() if browser else None
        if chromium and trying.AS_ROOT:
            click.echo("warning: as root, Chromium has no sandbox; a page's frame alone holds a model's code", err=True)
        prove = partial(proving.prove, interpreter=Interpreter.at(python), sandbox=place, limits=limits)
        failed += _refuted(tested, course, prove, check=check, browser=chromium)
    else:
        click.echo("No topic has tests and an exercise.")
    if failed:
        raise Failure("\n".join(failed))


@click.command()
@click.argument("topic")
@click.option("--by", required=True, metavar="NAME", help="Who reviewed the exercise.")
@click.option("--reject", is_flag=True, help="Reject it in place of approving it.")
@click.option("--note", help="What the reviewer wants to say.")
@config_option
def review(topic: str, *, by: str, reject: bool, note: str | None, config_file: Path) -> None:
    """Write a review of a topic's exercise, as it stands now, to be committed.

    Corrections are added to the file by hand.
    """
    course = course_of(config_file)
    [run] = course.replay([topic])
    recorded = run.recorded_assessment
    if recorded is None:
        why = run.declined or f"its run is {run.state}"
        raise InputError([f"{run.topic.path}:1: has no exercise to review ({why})"])
    if not by.strip() or not by.isprintable():
        raise Failure("--by: expected the name of a person, on one line")
    path = course.root / reviews.named(course.root, str(Path(run.topic.path).with_suffix("")))
    if path.exists() or path.is_symlink():
        raise InputError([f"{path}:1: is there already; edit it, or remove it first"])
    verdict = "rejected" if reject else "approved"
    today = datetime.now(UTC).date().isoformat()
    text = reviews.skeleton(verdict=verdict, by=by, day=today, digest=recorded.entry.digest, note=note)
    disk.put(path, text)
    click.echo(f"{path}: {verdict}")
    if not run.graded:
        click.echo("warning: its errors cannot be placed in its code; correct them in the review", err=True)


def _programs(run: Run, course: Course, *, named: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the programs of a topic with their files' names: its variants, and the tiers' own answers."""
    if run.assessment is None or not run.graded:
        if named:
            raise InputError([_without_exercise(run)])
        return
    tiers = {tier: run.outputs[step].code for tier, step in proofs.TIERS.items()}
    language = run.assessment.language
    around = framing.frame(run.topic.id, language, course.tests(run.topic), course.settings.topics)
    variants = {name: framing.framed(code, around) for name, code in proofs.variants(run.assessment).items()}
    for name, code in {**variants, **tiers}.items():
        yield f"{run.topic.id}/{name}{framing.suffix(language)}", code.encode("utf-8", "replace")


def _without_exercise(run: Run) -> str:
    return f"{run.topic.path}:1: has no exercise to verify ({withheld(run, 'all')[0]})"


def _testable(run: Run, course: Course, *, named: bool) -> bool:
    if run.assessment is None or not run.graded:
        why = _without_exercise(run)
    elif run.evidence.bound is None:
        tests = harnesses.tests(run.topic.id, harnesses.usual(run.assessment.language))
        why = f"{course.settings.topics}/{tests}:1: is not there; it would hold the tests of the topic"
    else:
        return True
    if named:
        raise InputError([why])
    return False


def _refuted(
    runs: Sequence[Run], course: Course, prove: Callable[..., Proof], *, check: bool, browser: str | None
) -> list[str]:
    """Prove keys, and return what execution has against them, and what is wrong with tests."""
    refuted: list[str] = []
    for run in runs:
        try:
            proof, found = _verified(run, course, prove, check=check)
            refuted += found
            if browser:
                refuted += agree(run, course, proof, browser, check=check)
        except InputError as error:
            refuted += error.faults
    return refuted


def _verified(run: Run, course: Course, prove: Callable[..., Proof], *, check: bool) -> tuple[Proof, list[str]]:
    """Prove one key, keep what was seen, and return it with what it has against the key, and what of tests is none.

    With `check`, nothing is kept but that it was seen here; what differs from what is recorded is returned, too.
    """
    if run.assessment is None:
        raise ValueError(f"{run.topic.id} has no exercise")
    with click.progressbar(length=len(proofs.variants(run.assessment)) + 2, label=run.topic.id, file=sys.stderr) as bar:
        proof = prove(
            run.topic,
            run.assessment,
            {tier: run.outputs[step] for tier, step in proofs.TIERS.items()},
            course.tests(run.topic),
            at=datetime.now(UTC).date().isoformat(),
            listen=lambda _: bar.update(1),
        )
    known = run.evidence.proof
    differs = known is None or not proof.repeats(known)
    if differs and not check:
        record = course.record(run.topic)
        with record.locked():
            disk.put(record.own(proofs.FILE), proofs.written(proof))
    with suppress(DiskError):
        witnessed.note(proof if differs or known is None else known)
    mend = f"is not what comes out here; `errorspan verify {run.topic.id}` writes that"
    said = decided(proof, run.assessment)
    proved = f"{len(said.proved)} of {len(said.outcomes)} errors proved by execution"
    click.echo(f"{run.topic.id}: {proved} ({len(proof.tests)} tests, {proof.runtime}, {_place(proof.sandbox)})")
    for outcome in said.outcomes.values():
        if outcome.verdict == "undecided":
            click.echo(f"undecided: {outcome.why}", err=True)
    forged = [f"{run.folder}/{proofs.FILE}:1: {mend}"] if check and differs and known else []
    return proof, [*forged, *proof.remarks, *against(run.folder, run.recorded_assessment, said, run.evidence)]


def _place(name: str) -> str:
    return "without a sandbox" if name == "none" else name
