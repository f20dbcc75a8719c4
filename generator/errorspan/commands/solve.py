"""`errorspan solve` and `errorspan report`: whether answer keys hold, and what all runs show together."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import click
from rich.table import Table

from errorspan.commands import asking
from errorspan.commands.opening import course_of
from errorspan.commands.options import Shard, config_option, shard_option, topics_argument
from errorspan.commands.telling import Failure, left_out, show
from errorspan.runs import budget
from errorspan.runs.counting import Rate
from errorspan.runs.progress import KEPT, money
from errorspan.runs.publishing import needs_review
from errorspan.runs.report import Report, Spent, of
from errorspan.runs.run import Run
from errorspan.steps.table import SOLVE


@click.command()
@topics_argument
@asking.dry_run_option
@asking.max_cost_option
@shard_option
@config_option
def solve(
    topics: tuple[str, ...], *, dry_run: bool, max_cost: Decimal | None, shard: Shard | None, config_file: Path
) -> None:
    """Have two models solve each exercise without its key, and say where they disagree with it.

    What was solved already is asked again only where the exercise changed since.
    """
    course = course_of(config_file, shard)
    runs = course.replay(topics, leave_out=True)
    if topics and (without := [run.topic.id for run in runs if not run.assessment]):
        raise Failure("\n".join(f"{topic}: there is no exercise to solve yet" for topic in without))
    for fault in (fault for run in runs for fault in (*run.faults, *run.solution_faults)):
        click.echo(fault, err=True)
    failed = left_out(course, topics)
    unsolved = [run for run in runs if budget.unsolved(run, course.settings)]
    solved: list[Run] = []
    if not unsolved:
        click.echo("Nothing else is missing." if failed else "Nothing is missing.")
    elif asking.offered(course, unsolved, max_cost, dry_run=dry_run, wanted=budget.unsolved, steps=SOLVE):
        solved = asking.asked(course, unsolved, steps=SOLVE, refresh=True)
    for run in solved:
        _say_solved(run)
    if problems := [reason for run in solved if (reason := run.unsolved or run.problem)]:
        failed += [*problems, KEPT]
    if failed:
        raise Failure("\n".join(failed))


@click.command()
@topics_argument
@click.option("--json", "as_json", is_flag=True, help="Print the same for a program.")
@config_option
def report(topics: tuple[str, ...], *, as_json: bool, config_file: Path) -> None:
    """Show what all runs add up to: rates, each with its counts, and cost.

    Only runs in which models gave every answer count: in one column those that the pipeline asked for, in another those
    in which somebody asked for some by hand. Tokens and cost are those of the pipeline's calls.
    """
    course = course_of(config_file)
    made = of(course.replay(topics, leave_out=True), course.settings)
    if as_json:
        click.echo(json.dumps(made.as_json(), indent=2))
    else:
        _show(made)
    if failed := left_out(course, topics):
        raise Failure("\n".join(failed))


def _say_solved(run: Run) -> None:
    for answer in run.solutions:
        if run.solve and (grade := run.solve.grades.get(answer.order)):
            by = answer.step.pass_title(answer.order)
            rates = f"found {Rate(*grade.recall)}, right in {Rate(*grade.precision)}"
            click.echo(f"{run.topic.id}: {by} {rates}", err=True)
    for reason in needs_review(run):
        click.echo(f"{run.topic.id}: needs review: {reason}", err=True)


def _show(made: Report[Run]) -> None:
    apart = f"{len(made.written)} authored, {len(made.unfinished)} not finished"
    reported = f"{len(made.reported.runs)} with reported answers; " if made.reported.runs else ""
    click.echo(f"{len(made.modelled.runs)} model runs; {reported}apart: {apart}\n")
    columns = ["all by the pipeline", "some reported"] if made.reported.runs else ["rate"]
    rates = Table("", *columns, box=None)
    for line, reports in made.rows():
        rates.add_row(line.title, *map(str, (line.rate, reports)[: len(columns)]))
    show(rates)
    for kind, rows in (("step", made.steps), ("tier", made.tiers)):
        if rows:
            click.echo()
            show(_spent(kind, (*rows, made.all)))


def _spent(kind: str, rows: tuple[Spent, ...]) -> Table:
    batched = ["in batches"] if any(row.batched for row in rows) else []
    table = Table(kind, "calls", *batched, "did not count", "tokens in", "tokens out", "cost", box=None)
    for row in rows:
        tokens = (f"{count:,}" for count in (row.usage.prompt_tokens, row.usage.output_tokens))
        told = [str(row.batched)] if batched else []
        table.add_row(row.name, str(row.sent_back.of), *told, str(row.sent_back), *tokens, money(row.cost))
    return table
