"""The `errorspan` command."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import yaml
from mkdocs.exceptions import ConfigurationError
from mkdocs.utils.yaml import yaml_load
from rich.console import Console
from rich.live import Live
from rich.table import Table

from generator import budget, export, manifest, qti, scorm
from generator.board import Board
from generator.course import Course
from generator.errors import GeneratorError
from generator.folder import write
from generator.progress import KEPT, STOPPED, STOPPING, Tally, money
from generator.runs import Run, State
from generator.settings import KEY_VARIABLES, has_key


class _Dollars(click.ParamType[Decimal]):
    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(value)
        except ArithmeticError:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            self.fail(f"expected an amount in dollars, such as 2.50 (got {value!r})", param, ctx)
        return amount


config_option = click.option(
    "-f",
    "--config-file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("mkdocs.yml"),
    show_default=True,
    help="The site's configuration.",
)
topics_argument = click.argument("topics", nargs=-1, metavar="[TOPIC]...")
exported_argument = click.argument("topics", nargs=-1, required=True, metavar="TOPIC...")
output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The package to write."
)


class Failure(click.ClickException):
    """An error that is told without a traceback."""

    def show(self, file: Any = None) -> None:
        """Print the message, line by line as it is."""
        click.echo(self.message, err=True, file=file)


@click.group()
@click.version_option(version("errorspan"), prog_name="errorspan")
def main() -> None:
    """Make a course of topics: models solve a challenge, their mistakes become exercises."""


@main.command()
@topics_argument
@config_option
def status(topics: tuple[str, ...], config_file: Path) -> None:
    """Show how far each topic's run is, without asking anything."""
    with _told():
        course = _course(config_file)
        runs = course.replay(course.chosen(topics))
    table = Table("topic", "state", "answers", "attempts", "score", "tokens", "cost", "to finish, at most", box=None)
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
        )
    with _told():
        Console(width=None if sys.stdout.isatty() else 160).print(table)
        for run in runs:
            for fault in run.faults:
                click.echo(fault, err=True)


@main.command()
@topics_argument
@click.option("--refresh", is_flag=True, help="Ask again where a prompt, a model or the topic changed since.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked and its worst-case price, and ask nothing.")
@click.option("--max-cost", type=_Dollars(), metavar="USD", help="A limit for this run in place of max_cost_usd.")
@config_option
def run(topics: tuple[str, ...], *, refresh: bool, dry_run: bool, max_cost: Decimal | None, config_file: Path) -> None:
    """Ask models for every answer that is missing."""
    with _told():
        course = _course(config_file)
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
        raise Failure("\n".join([*failed, KEPT]))


@main.command()
@topics_argument
@click.option("--note", help="A remark for the top of the run's page.")
@config_option
def adopt(topics: tuple[str, ...], note: str | None, config_file: Path) -> None:
    """Take answers that a person wrote or edited into the record, as authored."""
    if not topics:
        raise click.UsageError("Name the topics whose answers a person wrote.")
    today = datetime.now(UTC).date().isoformat()
    with _told():
        course = _course(config_file)
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
    with _told():
        course = _course(config_file)
        count = write(course, _configuration(config_file), directory)
    click.echo(f"{count} files in {directory}")


@main.group("export")
def export_group() -> None:
    """Make a package of exercises for a learning platform."""


@export_group.command("scorm")
@exported_argument
@output_option
@config_option
def export_scorm(topics: tuple[str, ...], output: Path, config_file: Path) -> None:
    """Write a SCORM 1.2 package: one object that holds the exercises of these topics."""
    _export(scorm.package, topics, output, config_file)


@export_group.command("qti")
@exported_argument
@output_option
@config_option
def export_qti(topics: tuple[str, ...], output: Path, config_file: Path) -> None:
    """Write a QTI 2.1 package: a multiple response item for each topic, its lines of code as choices."""
    _export(qti.package, topics, output, config_file)


def _export(package: export.Packer, topics: tuple[str, ...], output: Path, config_file: Path) -> None:
    with _told():
        parcel = export.parcel(_course(config_file), _configuration(config_file), topics)
        size = export.write(output, package(parcel))
    click.echo(f"{output}: {', '.join(item.exercise.id for item in parcel.items)} ({size:,} bytes)")


def _course(config_file: Path) -> Course:
    extra = _configuration(config_file).get("extra")
    return Course.read(config_file.resolve(), extra if isinstance(extra, dict) else {})


def _configuration(config_file: Path) -> dict[str, Any]:
    """Read mkdocs.yml as MkDocs does, with what it inherits and takes from the environment."""
    try:
        with config_file.open(encoding="utf-8") as file:
            loaded = yaml_load(file)
    except OSError as error:
        raise Failure(f"{config_file}:1: cannot be read ({error.strerror})") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Failure(f"{config_file}:{line}: is no YAML: {error.problem}") from None
    except (ValueError, yaml.YAMLError, ConfigurationError) as error:
        raise Failure(f"{config_file}:1: is no configuration of MkDocs: {error}") from None
    if not isinstance(loaded, dict):
        raise Failure(f"{config_file}:1: expected keys and values")
    return loaded


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except GeneratorError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"{error.filename or 'the output'}: cannot be written ({error.strerror or error})") from None
    except KeyboardInterrupt:
        raise Failure(STOPPED) from None


def _state(run: Run) -> str:
    marks = ["stale"] if run.stale else []
    marks += [f"{len(run.faults)} faults"] if run.faults else []
    marks += ["authored"] if run.answers and not run.from_models else []
    return f"{run.state} ({', '.join(marks)})" if marks else str(run.state)


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
    Console(width=None if sys.stdout.isatty() else 160).print(table)
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
