"""The `errorspan` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from generator import budget, manifest
from generator.board import Board
from generator.command import Dollars, Failure, config_option, configuration, course_of, show, told, topics_argument
from generator.course import Course
from generator.evidence_commands import review, verify
from generator.export_commands import export_commands
from generator.folder import write
from generator.progress import STOPPING, Tally, money
from generator.runs import Run, State
from generator.settings import KEY_VARIABLES, has_key


@click.group()
@click.version_option(version("errorspan"), prog_name="errorspan")
def main() -> None:
    """Make a course of topics: models solve a challenge, their mistakes become exercises."""


for command in (export_commands, verify, review):
    main.add_command(command)


@main.command()
@topics_argument
@config_option
def status(topics: tuple[str, ...], config_file: Path) -> None:
    """Show how far each topic's run is, without asking anything."""
    with told():
        course = course_of(config_file)
        runs = course.replay(course.chosen(topics))
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
    show(table)
    for run in runs:
        for fault in run.faults:
            click.echo(fault, err=True)
    for folder in course.abandoned:
        click.echo(f"{folder}:1: belongs to no topic file", err=True)


@main.command()
@topics_argument
@click.option("--refresh", is_flag=True, help="Ask again where a prompt, a model or the topic changed since.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked and its worst-case price, and ask nothing.")
@click.option("--max-cost", type=Dollars(), metavar="USD", help="A limit for this run in place of max_cost_usd.")
@config_option
def run(topics: tuple[str, ...], *, refresh: bool, dry_run: bool, max_cost: Decimal | None, config_file: Path) -> None:
    """Ask models for every answer that is missing."""
    with told():
        course = course_of(config_file)
        limit = course.settings.max_cost_usd if max_cost is None else max_cost
        open_runs = [
            run
            for run in course.replay(course.chosen(topics), refresh=refresh)
            if run.state in {State.AWAITING, State.UNFINISHED}
        ]
        if not open_runs:
            click.echo("Nothing is missing.")
            return
        if dry_run:
            _tell_missing(open_runs, course, limit)
            return
        if not has_key():
            raise Failure(f"No key: set {' or '.join(KEY_VARIABLES)}.")
        worst = budget.within(open_runs, course.settings, limit)
        asked = [run.topic for run in open_runs]
        for line in course.deprecations(asked):
            click.echo(f"warning: {line}", err=True)
        click.echo(f"Asking models for {', '.join(topic.id for topic in asked)}: at most {money(worst)}.", err=True)
        finished = _ask(course, open_runs, refresh=refresh)
    failed = [run.problem for run in finished if run.problem]
    for run in finished:
        click.echo(f"{run.topic.id}: {_state(run)}", err=True)
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
    with told():
        course = course_of(config_file)
        for topic in course.chosen(topics):
            kept = course.record(topic)
            with kept.locked():
                replayed = course.replay([topic])[0]
                if replayed.faults:
                    raise Failure("\n".join(replayed.faults))
                adopted = 0
                for answer in replayed.answers:
                    known = kept.manifest.answers.get(answer.file)
                    if answer.entry.origin == "authored" and (
                        known is None or known.digest != answer.entry.digest or known.origin != "authored"
                    ):
                        kept.declare(
                            answer.file, manifest.authored(answer.recorded, at=today, pipeline=version("errorspan"))
                        )
                        click.echo(f"{kept.name}/{answer.file}: authored")
                        adopted += 1
                if not adopted:
                    click.echo(f"{topic.id}: nothing to adopt")
                if note is not None:
                    kept.annotate(note or None)


@main.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@config_option
def render(directory: Path, config_file: Path) -> None:
    """Write every page of the course into a folder, as Markdown and assets.

    Another site generator can build them: the folder holds the site's own docs, the generated pages, and the styles and
    the script that they need.
    """
    with told():
        course = course_of(config_file)
        count = write(course, configuration(config_file), directory)
    click.echo(f"{count} files in {directory}")


def _state(run: Run) -> str:
    marks = ["stale"] if run.stale else []
    marks += [f"{len(run.faults)} faults"] if run.faults else []
    marks += ["authored"] if run.answers and not run.from_models else []
    return f"{run.state} ({', '.join(marks)})" if marks else str(run.state)


def _exercise(run: Run, course: Course) -> str:
    if run.assessment is None:
        return ""
    withheld = run.withheld(course.settings.publish)
    return f"not published: {'; '.join(withheld)}" if withheld else "published"


def _tell_missing(runs: Sequence[Run], course: Course, limit: Decimal) -> None:
    table = Table("topic", "step", "attempt", "order", "model", "at most", box=None)
    for run in runs:
        for step, attempt, order in budget.missing(run, course.settings):
            table.add_row(
                run.topic.id,
                step.title,
                str(attempt or ""),
                order.upper(),
                course.settings.model(step.tier, run.topic),
                money(budget.worst_price(step, attempt, run, course.settings)),
            )
    show(table)
    click.echo("Later attempts are asked only where earlier ones fail the judgment.")
    click.echo(f"Worst case: {money(budget.within(runs, course.settings, limit))}")


def _say(line: str) -> None:
    click.echo(line, err=True)


def _ask(course: Course, runs: Sequence[Run], *, refresh: bool) -> list[Run]:
    topics, stopping = [run.topic for run in runs], partial(_say, STOPPING)
    if not sys.stderr.isatty():
        return course.ask(topics, refresh=refresh, listen=Tally(course.settings, _say), stopping=stopping)
    board = Board(topics_of=[topic.id for topic in topics], tally=Tally(course.settings, lambda _: None))
    with Live(get_renderable=board.table, console=Console(stderr=True), refresh_per_second=4):
        return course.ask(topics, refresh=refresh, listen=board, stopping=stopping)


if __name__ == "__main__":
    main()
