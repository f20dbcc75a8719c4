"""The `errorspan` command."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import click
from rich.table import Table

from errorspan.commands import asking
from errorspan.commands.configuration import course_of
from errorspan.commands.evidence import review, verify
from errorspan.commands.export import export_commands
from errorspan.commands.hand import answer, prompt
from errorspan.commands.importing import import_
from errorspan.commands.init import init
from errorspan.commands.options import config_option, topics_argument
from errorspan.commands.render import render
from errorspan.commands.runtimes import runtimes
from errorspan.commands.solve import report, solve
from errorspan.commands.telling import Commands, Failure, left_out, show
from errorspan.course import Course
from errorspan.record import manifest
from errorspan.runs import budget
from errorspan.runs.progress import KEPT, money
from errorspan.runs.publishing import withheld
from errorspan.runs.run import Run
from errorspan.text.errors import shown


@click.group(cls=Commands)
@click.version_option(version("errorspan"), prog_name="errorspan")
def main() -> None:
    """Make a course of topics: models solve a challenge, their mistakes become exercises."""


for command in (answer, export_commands, import_, init, prompt, render, report, review, runtimes, solve, verify):
    main.add_command(command)


@main.command()
@topics_argument
@config_option
def status(topics: tuple[str, ...], config_file: Path) -> None:
    """Show how far each topic's run is, without asking anything."""
    course = course_of(config_file)
    runs = course.replay(topics, leave_out=True)
    table = Table(
        "topic", "state", "answers", "attempts", "score", "tokens", "cost", "to finish, at most", "exercise", box=None
    )
    for run in runs:
        worst = budget.worst_case(run, course.settings)
        table.add_row(
            run.topic.id,
            _state(run),
            str(len(run.answers)),
            str(len(run.attempts)) if run.answers else "",
            f"{run.verdict.quality_score}/10" if run.verdict and run.verdict.quality_score else "",
            f"{run.usage.tokens:,}" if run.usage.tokens else "",
            money(run.cost(course.settings)) if run.usage.tokens else "",
            money(worst) if worst is None or worst else "",
            _exercise(run, course),
        )
    for name in () if topics else sorted(course.broken):
        table.add_row(shown(name), "left out")
    show(table)
    for run in runs:
        for fault in (*run.faults, *run.solution_faults):
            click.echo(fault, err=True)
        for said in run.remarks:
            click.echo(f"warning: {said}", err=True)
    for folder in course.abandoned:
        click.echo(f"{folder}:1: belongs to no topic file", err=True)
    if failed := left_out(course, topics):
        raise Failure("\n".join(failed))


@main.command()
@topics_argument
@click.option("--refresh", is_flag=True, help="Ask again where a prompt, a model or the topic changed since.")
@asking.dry_run_option
@asking.max_cost_option
@config_option
def run(topics: tuple[str, ...], *, refresh: bool, dry_run: bool, max_cost: Decimal | None, config_file: Path) -> None:
    """Ask models for every answer that is missing."""
    course = course_of(config_file)
    open_runs = [run for run in course.replay(topics, refresh=refresh, leave_out=True) if not run.finished]
    failed = left_out(course, topics)
    finished: list[Run] = []
    if not open_runs:
        click.echo("Nothing else is missing." if failed else "Nothing is missing.")
    elif asking.offered(course, open_runs, max_cost, dry_run=dry_run):
        finished = asking.asked(course, open_runs, refresh=refresh)
    for run in finished:
        click.echo(f"{run.topic.id}: {_state(run)}", err=True)
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


def _state(run: Run) -> str:
    marks = ["stale"] if run.stale else []
    marks += [f"{len(run.faults)} {'fault' if len(run.faults) == 1 else 'faults'}"] if run.faults else []
    marks += run.marks
    return f"{run.state} ({', '.join(marks)})" if marks else str(run.state)


def _exercise(run: Run, course: Course) -> str:
    if run.assessment is None:
        return ""
    reasons = withheld(run, course.settings.publish)
    return shown(f"not published: {'; '.join(reasons)}") if reasons else "published"


if __name__ == "__main__":
    main()
