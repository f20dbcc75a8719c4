"""Ask models from a command: tell the price before, and how it goes on."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from errorspan import batching
from errorspan.commands.board import Board
from errorspan.commands.options import Dollars
from errorspan.commands.telling import Failure, show
from errorspan.course import Course
from errorspan.models.client import Client
from errorspan.runs import budget
from errorspan.runs.progress import STOPPING, Tally, money
from errorspan.runs.run import Run
from errorspan.steps.table import STEPS, Step

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be asked, and ask nothing. Deprecated: errorspan estimate."
)
batch_option = click.option(
    "--batch",
    is_flag=True,
    help="Ask in Message Batches: at half the price, and answered within a day. The same command goes on, days later "
    "too. Models at servers of your own are asked singly.",
)
max_cost_option = click.option(
    "--max-cost", type=Dollars(), metavar="USD", help="A limit for this run in place of max_cost_usd."
)


def offered(  # noqa: PLR0913 - what is asked, of whom, and at which price
    course: Course,
    runs: Sequence[Run],
    max_cost: Decimal | None,
    *,
    dry_run: bool,
    batch: bool = False,
    wanted: budget.Wanted = budget.missing,
    steps: Sequence[Step] = STEPS,
) -> bool:
    """Tell what asking these runs for what is missing can cost; return whether to go on and ask.

    Raises:
        Failure: there is no key.
        BudgetError: the worst case is above the limit.
    """
    limit = course.settings.max_cost_usd if max_cost is None else max_cost
    if dry_run:
        click.echo("warning: --dry-run goes with the next release; `errorspan estimate` tells more", err=True)
        _tell_missing(course, runs, wanted, batch=batch)
        click.echo(f"Worst case: {money(budget.within(runs, course.settings, limit, wanted, batch=batch))}")
        return False
    without = budget.without_key(budget.asked(runs, course.settings, wanted))
    told = "; and ".join(f"{' or '.join(keys)} (for {', '.join(models)})" for keys, models in without.items())
    if budget.locked(runs, course.settings, wanted):
        raise Failure(f"No key: set {told}.")
    if told:
        click.echo(f"No key: what needs {told} stays open; `errorspan prompt` prints it.", err=True)
        wanted = budget.reached(wanted)
    worst = budget.within(runs, course.settings, limit, wanted, batch=batch)
    asked = [run.topic for run in runs]
    for line in course.deprecations(asked, steps):
        click.echo(f"warning: {line}", err=True)
    click.echo(f"Asking models for {', '.join(topic.id for topic in asked)}: at most {money(worst)}.", err=True)
    return True


def asked(  # noqa: PLR0913 - what is asked, and how
    course: Course,
    runs: Sequence[Run],
    *,
    steps: Sequence[Step] = STEPS,
    refresh: bool,
    batch: bool = False,
    max_calls: int | None = None,
) -> list[Run]:
    """Return the runs with what models were asked for, telling each call: on a terminal as a table, else in lines."""
    topics = [run.topic for run in runs]
    client, console = Client(course.settings, max_calls), Console(stderr=True)
    say = partial(console.print, markup=False, highlight=False) if sys.stderr.isatty() else _say
    ask = partial(batching.ask, course, topics, client, say=say) if batch else partial(course.ask, topics, client)
    ask = partial(ask, steps=steps, refresh=refresh, stopping=partial(_say, STOPPING))
    with _terminable():
        if not sys.stderr.isatty():
            return ask(listen=Tally(course.settings, _say))
        board = Board(topics_of=[topic.id for topic in topics], tally=Tally(course.settings, lambda _: None))
        with Live(get_renderable=board.table, console=console, refresh_per_second=4):
            return ask(listen=board)


@contextmanager
def _terminable() -> Iterator[None]:
    """Have what ends a process in the background stop as Ctrl-C does: what was asked for is kept."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_missing(course: Course, runs: Sequence[Run], wanted: budget.Wanted, *, batch: bool) -> None:
    table = Table("topic", "step", "attempt", "pass", "model", "at most", box=None)
    later = False
    for run in runs:
        for one in wanted(run, course.settings):
            later = later or one.attempt > 1
            table.add_row(
                run.topic.id,
                one.step.title,
                str(one.attempt or ""),
                one.title,
                str(course.settings.model(one.step.asks(one.order), run.topic)),
                money(budget.worst_price(one, run, course.settings, batch=batch)),
            )
    show(table)
    if later:
        click.echo("Later attempts are asked only where earlier ones fail the judgment.")


def _say(line: str) -> None:
    click.echo(line, err=True)
