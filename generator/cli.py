"""The `errorspan` command."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import yaml
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from generator import budget, record
from generator.course import Course
from generator.errors import GeneratorError
from generator.folder import write
from generator.pipeline import Progress
from generator.progress import Tally, money, name
from generator.runs import Run, State
from generator.settings import KEY_VARIABLES, has_key

config_option = click.option(
    "-f",
    "--config-file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("mkdocs.yml"),
    show_default=True,
    help="The site's configuration.",
)
topics_argument = click.argument("topics", nargs=-1, metavar="[TOPIC]...")


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
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for run in runs:
        for fault in run.faults:
            click.echo(fault, err=True)


@main.command()
@topics_argument
@click.option("--refresh", is_flag=True, help="Ask again where a prompt, a model or the topic changed since.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked and its worst-case price, and ask nothing.")
@click.option("--max-cost", type=Decimal, metavar="USD", help="A limit for this run in place of max_cost_usd.")
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
    with _told():
        course = _course(config_file)
        for topic in course.chosen(topics):
            kept = course.record(topic)
            with kept.locked():
                replayed = course.replay([topic])[0]
                if replayed.faults:
                    raise Failure("\n".join(replayed.faults))
                for answer in replayed.answers:
                    known = kept.manifest.answers.get(answer.file)
                    if answer.entry.origin == "authored" and (
                        known is None or known.digest != answer.entry.digest or known.origin != "authored"
                    ):
                        kept.declare(
                            answer.file, record.authored(answer.recorded, at=today, pipeline=version("errorspan"))
                        )
                        click.echo(f"{kept.name}/{answer.file}: authored")
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


def _course(config_file: Path) -> Course:
    return Course.read(config_file.resolve(), _configuration(config_file).get("extra") or {})


class _Loader(yaml.SafeLoader):
    """Read mkdocs.yml as far as the generator needs it, whatever tags its plugins use."""


_Loader.add_multi_constructor("", lambda loader, suffix, node: None)  # noqa: ARG005


def _configuration(config_file: Path) -> dict[str, Any]:
    try:
        loaded = yaml.load(config_file.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise Failure(f"{config_file}:1: cannot be read ({error.strerror})") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Failure(f"{config_file}:{line}: is no YAML: {error.problem}") from None
    if not isinstance(loaded, dict):
        raise Failure(f"{config_file}:1: expected keys and values")
    return loaded


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except GeneratorError as error:
        raise Failure(str(error)) from None
    except KeyboardInterrupt:
        raise Failure("Stopped. What was answered is kept; the same command goes on from there.") from None


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
                money(budget.worst_price(step, run.topic, course.settings)),
            )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    click.echo("Later attempts are asked only where earlier ones fail the judgment.")
    click.echo(f"Worst case: {money(budget.within(runs, course.settings, limit))}")


def _ask(course: Course, runs: Sequence[Run], *, refresh: bool) -> list[Run]:
    topics = [run.topic for run in runs]
    if not sys.stderr.isatty():
        return course.ask(
            topics, refresh=refresh, listen=Tally(course.settings, lambda line: click.echo(line, err=True))
        )
    board = Board(topics_of=[topic.id for topic in topics], tally=Tally(course.settings, lambda _: None))
    with Live(get_renderable=board.table, console=Console(stderr=True), refresh_per_second=4):
        return course.ask(topics, refresh=refresh, listen=board)


class Board:
    """Show what is asked at the moment, a row for each topic."""

    def __init__(self, topics_of: Sequence[str], tally: Tally) -> None:
        self._tally = tally
        self._asked: dict[str, list[str]] = {topic: [] for topic in topics_of}
        self._answered = dict.fromkeys(topics_of, 0)
        self._told = dict.fromkeys(topics_of, "")

    def __call__(self, progress: Progress) -> None:
        """Take note of a call that was sent, or of its reply."""
        self._tally(progress)
        called = name(progress)
        if progress.reply is None:
            self._asked[progress.topic].append(called)
            return
        if called in self._asked[progress.topic]:
            self._asked[progress.topic].remove(called)
        self._answered[progress.topic] += not progress.faults
        self._told[progress.topic] = f"sent back: {progress.faults[0][:80]}" if progress.faults else ""

    def table(self) -> Group:
        """Return the board as it is now."""
        table = Table("topic", "answers", "asking", "", box=None)
        for topic, asked in self._asked.items():
            table.add_row(topic, str(self._answered[topic]), ", ".join(asked), self._told[topic])
        return Group(table, f" so far {self._tally.total}")


if __name__ == "__main__":
    main()
