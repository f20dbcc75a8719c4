"""`errorspan estimate`: tokens and price of what is missing, before anything is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table

from errorspan.authoring.prices import AS_OF, total
from errorspan.commands.opening import course_of
from errorspan.commands.options import Shard, config_option, shard_option, topics_argument
from errorspan.commands.telling import Failure, left_out, show
from errorspan.runs import budget
from errorspan.runs.estimate import Estimate, estimates, typical
from errorspan.runs.progress import money


@click.command()
@topics_argument
@click.option("--refresh", is_flag=True, help="As if `errorspan run --refresh` asked again for what is stale.")
@click.option("--solve", is_flag=True, help="What `errorspan solve` would ask, in place of what a run would.")
@click.option("--batch", is_flag=True, help="In batches, as `errorspan run --batch` asks: at half the price.")
@click.option("--json", "as_json", is_flag=True, help="Print the same for a program.")
@shard_option
@config_option
def estimate(  # noqa: PLR0913 - click passes each option
    topics: tuple[str, ...],
    *,
    refresh: bool,
    solve: bool,
    batch: bool,
    as_json: bool,
    shard: Shard | None,
    config_file: Path,
) -> None:
    """Say what a run would cost, likely and at the most, by topic and step. Asks nothing.

    Likely: the next attempt separates the models, no answer is sent back, and each is as long as those that are
    recorded are in the middle. At the most: every answer is as long as it may be, every repair is needed, and every
    attempt fails but the last. What is recorded is not asked for again, and does not count.
    """
    course = course_of(config_file, shard)
    known = typical(course.replay())
    runs = course.replay(topics, refresh=refresh, leave_out=True)
    failed = left_out(course, topics)
    wanted = budget.unsolved if solve else budget.missing
    found = list(estimates(runs, course.settings, known, wanted, batch=batch))
    if as_json:
        listed = [one._asdict() | {"likely": _plain(one.likely), "most": _plain(one.most)} for one in found]
        click.echo(json.dumps(listed, indent=2))
    elif found:
        _show(found, batch=batch)
    else:
        click.echo("Nothing is missing.")
    if failed:
        raise Failure("\n".join(failed))


def _plain(price: object) -> float | None:
    return None if price is None else float(str(price))


def _show(found: Sequence[Estimate], *, batch: bool) -> None:
    table = Table("topic", "step", "model", "calls", "tokens", "price", "at most: calls", "tokens", "price", box=None)
    for topic in dict.fromkeys(one.topic for one in found):
        rows = [one for one in found if one.topic == topic]
        for one in rows:
            table.add_row(topic, one.step, one.models, *_cells([one]))
        if len(rows) > 1:
            table.add_row(topic, "all", "", *_cells(rows))
    if len({one.topic for one in found}) > 1:
        table.add_row("all", "", "", *_cells(found))
    show(table)
    half = ", half of them in batches" if batch else ""
    click.echo(f"\nPrices as of {AS_OF}, or the site's own{half}. Likely is a guess, at most a bound.")


def _cells(rows: Sequence[Estimate]) -> list[str]:
    return [
        str(sum(one.likely_calls for one in rows)),
        f"{sum(one.likely_tokens for one in rows):,}",
        money(total(one.likely for one in rows)),
        str(sum(one.most_calls for one in rows)),
        f"{sum(one.most_tokens for one in rows):,}",
        money(total(one.most for one in rows)),
    ]
