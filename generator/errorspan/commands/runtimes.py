"""`errorspan runtimes`: what runs programs in students' browsers."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from errorspan.browser import engines
from errorspan.browser.editor import EDITOR
from errorspan.browser.engines import PYTHON, TYPESCRIPT
from errorspan.commands.opening import course_of, settings_of
from errorspan.commands.options import config_option
from errorspan.commands.telling import show
from errorspan.site import running

OF = {"python": PYTHON, "sql": PYTHON, "typescript": TYPESCRIPT, "editor": EDITOR}
"""The engine that runs programs of a language; JavaScript is a browser's own. The editor runs none."""


@click.group("runtimes", invoke_without_command=True)
@config_option
@click.pass_context
def runtimes(context: click.Context, config_file: Path) -> None:
    """Show which engines are at hand, with which students write and run their corrections in the page."""
    settings_of(config_file)
    context.obj = config_file
    if context.invoked_subcommand:
        return
    root = config_file.resolve().parent
    table = Table("for", "by", "to fetch, for a student", "is", box=None)
    for language, engine in OF.items():
        kept = engines.kept(root, engine)
        by = ", ".join(f"{one.name} {one.version}" for one in engine.packages[:1])
        table.add_row(language, by, _size(kept.size) if kept else "", "at hand" if kept else "not here")
    table.add_row("javascript", "the browser itself", "nothing", "at hand")
    show(table)


@runtimes.command("add")
@click.argument("languages", type=click.Choice(list(OF)), nargs=-1, metavar="[python|sql|typescript|editor]...")
@click.pass_obj
def add(config_file: Path, languages: tuple[str, ...]) -> None:
    """Fetch the engines of these languages from their npm packages, once, and keep them beside the cache.

    The editor is what corrections are written in, in any language. Without an argument, those that the course's
    exercises need, and with them the editor. Builds copy them into the site from there, where an exercise needs them,
    and fetch nothing.
    """
    root = config_file.resolve().parent
    needed = [OF[language] for language in languages]
    if not languages:
        found = [one for run in course_of(config_file).replay() if (one := running.engine(run))]
        needed = [*found, EDITOR] if found else []
    for engine in dict.fromkeys(needed):
        kept = engines.add(root, engine)
        click.echo(f"{engine.name}: {root / engines.FOLDER / engine.folder} ({_size(kept.size)} for a student)")
    if not needed:
        click.echo("No exercise needs one: no browser has shown that it runs one's tests (errorspan verify --browser).")


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
