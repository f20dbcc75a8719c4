"""The `errorspan` command."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import click

from errorspan.commands import asking
from errorspan.commands.check import check, status
from errorspan.commands.estimate import estimate
from errorspan.commands.evidence import review, verify
from errorspan.commands.export import export_commands
from errorspan.commands.grade import grade
from errorspan.commands.hand import answer, prompt
from errorspan.commands.importing import import_
from errorspan.commands.init import init
from errorspan.commands.keeping import accept, diff, prune
from errorspan.commands.new import new
from errorspan.commands.opening import course_of
from errorspan.commands.options import Shard, config_option, shard_option, topics_argument
from errorspan.commands.render import render
from errorspan.commands.runtimes import runtimes
from errorspan.commands.solve import report, solve
from errorspan.commands.telling import Commands, Failure, left_out
from errorspan.commands.visiting import open_
from errorspan.record import manifest
from errorspan.runs.progress import KEPT
from errorspan.runs.run import Run
from errorspan.runs.standing import state


@click.group(cls=Commands)
@click.version_option(version("errorspan"), prog_name="errorspan")
def main() -> None:
    """Make a course of topics: models solve a challenge, their mistakes become exercises."""


for command in (
    accept,
    answer,
    check,
    diff,
    estimate,
    export_commands,
    grade,
    import_,
    init,
    new,
    open_,
    prompt,
    prune,
    render,
    report,
    review,
    runtimes,
    solve,
    status,
    verify,
):
    main.add_command(command)


@main.command()
@topics_argument
@click.option("--refresh", is_flag=True, help="Ask again where a prompt, a model or the topic changed since.")
@asking.batch_option
@asking.dry_run_option
@asking.max_cost_option
@click.option(
    "--max-calls",
    type=click.IntRange(1),
    metavar="N",
    help="Stop after so many calls; the same command goes on from there.",
)
@shard_option
@config_option
def run(  # noqa: PLR0913 - click passes each option
    topics: tuple[str, ...],
    *,
    refresh: bool,
    batch: bool,
    dry_run: bool,
    max_cost: Decimal | None,
    max_calls: int | None,
    shard: Shard | None,
    config_file: Path,
) -> None:
    """Ask models for every answer that is missing."""
    course = course_of(config_file, shard)
    open_runs = [run for run in course.replay(topics, refresh=refresh, leave_out=True) if not run.finished]
    failed = left_out(course, topics)
    finished: list[Run] = []
    if not open_runs:
        if batch and not dry_run:
            asking.asked(course, [], refresh=refresh, batch=True)  # what was paid for, and nothing waits for any more
        click.echo("Nothing else is missing." if failed else "Nothing is missing.")
    elif asking.offered(course, open_runs, max_cost, dry_run=dry_run, batch=batch):
        finished = asking.asked(course, open_runs, refresh=refresh, batch=batch, max_calls=max_calls)
    for run in finished:
        click.echo(f"{run.topic.id}: {state(run)}", err=True)
    if problems := [run.problem for run in finished if run.problem]:
        failed += [*problems, KEPT]
    if failed:
        raise Failure("\n".join(failed))


@main.command()
@topics_argument
@click.option("--note", help="A remark for the top of the run's page.")
@config_option
def adopt(topics: tuple[str, ...], note: str | None, config_file: Path) -> None:
    """Take answers that a person wrote or edited into the record, as authored."""
    if not topics:
        raise click.UsageError("Name the topics whose answers a person wrote.")
    today = datetime.now(UTC).date().isoformat()
    course = course_of(config_file)
    for topic in course.chosen(topics):
        kept = course.record(topic)
        with kept.locked():
            replayed = course.replay([topic.id])[0]
            if faults := [*replayed.faults, *replayed.solution_faults]:
                raise Failure("\n".join(faults))
            adopted = 0
            for found in (*replayed.answers, *replayed.solutions):
                known = kept.manifest.answers.get(found.file)
                if found.entry.origin == "authored" and (
                    known is None or known.digest != found.entry.digest or known.origin != "authored"
                ):
                    kept.declare(found.file, manifest.authored(found.recorded, at=today, pipeline=version("errorspan")))
                    click.echo(f"{kept.name}/{found.file}: authored")
                    adopted += 1
            if not adopted:
                looked = len(replayed.answers) + len(replayed.solutions)
                held = f"{looked} answers, each as it was recorded" if looked else "no answer that is due"
                click.echo(f"{topic.id}: nothing to adopt; {kept.name}/ holds {held}{_due(replayed)}")
            if note is not None:
                kept.annotate(note or None)


def _due(run: Run) -> str:
    """Name the files that would be looked at next, where a run goes on."""
    return f"; {', '.join(waiting.file for waiting in run.open)} would be next" if run.open else ""


if __name__ == "__main__":
    main()
