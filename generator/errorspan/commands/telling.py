"""Tell a person what happened: errors without a traceback, tables as wide as there is room."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from errorspan.runs.progress import STOPPED
from errorspan.text.errors import GeneratorError


class Failure(click.ClickException):
    """An error that is told without a traceback."""

    def show(self, file: Any = None) -> None:
        """Print the message, line by line as it is."""
        click.echo(self.message, err=True, file=file)


@contextmanager
def told() -> Iterator[None]:
    """Tell what a person can mend in words, and Ctrl-C as a stop."""
    try:
        yield
    except GeneratorError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"{error.filename or 'the output'}: cannot be written ({error.strerror or error})") from None
    except KeyboardInterrupt:
        raise Failure(STOPPED) from None


def show(table: Table) -> None:
    """Print a table, as wide as the terminal; wide enough for its rows where there is none."""
    Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False).print(table)
