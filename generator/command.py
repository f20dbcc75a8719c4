"""What every command shares: its options, and errors that are told without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import yaml
from mkdocs.exceptions import ConfigurationError
from mkdocs.utils.yaml import yaml_load
from rich.console import Console
from rich.table import Table

from generator.course import Course
from generator.errors import GeneratorError
from generator.progress import STOPPED


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


class Failure(click.ClickException):
    """An error that is told without a traceback."""

    def show(self, file: Any = None) -> None:
        """Print the message, line by line as it is."""
        click.echo(self.message, err=True, file=file)


def course_of(config_file: Path) -> Course:
    """Read the course that a configuration names."""
    extra = configuration(config_file).get("extra")
    return Course.read(config_file.resolve(), extra if isinstance(extra, dict) else {})


def configuration(config_file: Path) -> dict[str, Any]:
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
