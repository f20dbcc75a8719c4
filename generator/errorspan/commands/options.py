"""Options and arguments that commands share."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import click


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


config_option = click.option(
    "-f",
    "--config-file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("mkdocs.yml"),
    show_default=True,
    help="The site's configuration.",
)
topics_argument = click.argument("topics", nargs=-1, metavar="[TOPIC]...")
