"""Options and arguments that commands share."""

from __future__ import annotations

import re
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import click

NAMES = ("mkdocs.yml", "mkdocs.yaml")


class Dollars(click.ParamType[Decimal]):
    """An amount in dollars."""

    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Read an amount, or say what was expected."""
        try:
            amount = Decimal(value)
        except ArithmeticError:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            self.fail(f"expected an amount in dollars, such as 2.50 (got {value!r})", param, ctx)
        return amount


class Shard(NamedTuple):
    """One of so many parts of a course's topics; which one a topic is in goes by its id, whatever the others are."""

    number: int
    of: int

    def holds(self, topic: str) -> bool:
        """Tell whether a topic is in it."""
        return int(sha256(topic.encode()).hexdigest(), 16) % self.of == self.number - 1


class _Shard(click.ParamType[Shard]):
    """A shard, as K/N."""

    name = "K/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """Read a shard, or say what was expected."""
        found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", value)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            self.fail(f"expected a shard, such as 3/8: 1/8 to 8/8 are all topics (got {value!r})", param, ctx)
        return Shard(int(found[1]), int(found[2]))


def _found() -> Path:
    """Return the configuration that MkDocs finds too."""
    return next(filter(Path.exists, map(Path, NAMES)), Path(NAMES[0]))


config_option = click.option(
    "-f",
    "--config-file",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=lambda _context, _option, named: named or _found(),
    help="The site's configuration: mkdocs.yml, or mkdocs.yaml, if not given.",
)
shard_option = click.option(
    "--shard",
    type=_Shard(),
    metavar="K/N",
    help="Only the Kth of N parts of the topics: machines that take a part each are never in each other's way.",
)
topics_argument = click.argument("topics", nargs=-1, metavar="[TOPIC]...")
