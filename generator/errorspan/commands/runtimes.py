"""`errorspan runtimes`: what runs programs in students' browsers."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from errorspan.browser import engines
from errorspan.browser.engines import PYTHON, TYPESCRIPT
from errorspan.commands.configuration import settings_of
from errorspan.commands.options import config_option
from errorspan.commands.telling import show

OF = {"python": PYTHON, "sql": PYTHON, "typescript": TYPESCRIPT}
"""The engine that runs programs of a language; JavaScript is a browser's own."""


@click.group("runtimes", invoke_without_command=True)
@config_option
@click.pass_context
def runtimes(context: click.Context, config_file: Path) -> None:
    """Show which engines are at hand, with which students run their corrections in the page."""
    context.obj = _root(config_file)
    if context.invoked_subcommand:
        return
    table = Table("runs", "by", "to fetch, for a student", "is", box=None)
    for language, engine in OF.items():
        kept = engines.kept(context.obj, engine)
        by = ", ".join(f"{one.name} {one.version}" for one in engine.packages[:1])
        table.add_row(language, by, _size(kept.size) if kept else "", "at hand" if kept else "not here")
    table.add_row("javascript", "the browser itself", "nothing", "at hand")
    show(table)


@runtimes.command("add")
@click.argument("languages", type=click.Choice(list(OF)), nargs=-1, required=True, metavar="python|sql|typescript")
@click.pass_obj
def add(root: Path, languages: tuple[str, ...]) -> None:
    """Fetch the engines of these languages from their npm packages, once, and keep them beside the cache.

    Builds copy them into the site from there, where an exercise needs them, and fetch nothing.
    """
    for language in languages:
        kept = engines.add(root, OF[language])
        click.echo(f"{language}: {root / engines.FOLDER / kept.engine.folder} ({_size(kept.size)} for a student)")


def _root(config_file: Path) -> Path:
    settings_of(config_file)
    return config_file.resolve().parent


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
