"""Options and arguments that commands share."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

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
topics_argument = click.argument("topics", nargs=-1, metavar="[TOPIC]...")
