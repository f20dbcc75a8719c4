"""`errorspan grade`: what students handed in, graded from the record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table

from errorspan.commands.opening import course_of
from errorspan.commands.options import config_option
from errorspan.commands.telling import Failure, left_out, show
from errorspan.grading import forms
from errorspan.grading.gradebook import Graded, graded
from errorspan.text.errors import shown


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILES...")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the grades there, for a spreadsheet.",
)
@click.option(
    "--page",
    "page_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page of HTML there: which lines the class marked.",
)
@config_option
def grade(files: tuple[Path, ...], *, csv_file: Path | None, page_file: Path | None, config_file: Path) -> None:
    """Grade what students handed in of exams, or saved of their progress, from the record. Asks nothing.

    A file that is wrong is told, and breaks only itself; then the command exits with 1.
    """
    course = course_of(config_file)
    left_out(course, ())
    book = graded(course, dict.fromkeys(files))
    for line in (*book.notes, *book.faults):
        click.echo(line, err=True)
    if csv_file:
        forms.put(csv_file, forms.table(book), ",".join(f'"{name}"' for name in forms.HEAD))
    if page_file:
        forms.put(page_file, forms.page(book), forms.PAGE_SAYS)
    if book.rows:
        show(_table(book.rows))
    wrong = f"; {_counted(len(book.faults), 'fault')}" if book.faults else ""
    told = f"{_counted(len(book.rows), 'grade')} of {_counted(len(dict.fromkeys(files)), 'file')}{wrong}"
    if book.faults:
        raise Failure(told)
    click.echo(told, err=True)


def _table(rows: Sequence[Graded]) -> Table:
    table = Table(
        "who", "exercise", "kind", "score", "found", "false alarms", "put right", "first", "best", "minutes", box=None
    )
    for row in rows:
        grade = row.grade
        found = f"{len(grade.found)} of {len(grade.found) + len(grade.missed)}" if grade else ""
        values = (grade.score if grade else "", found, len(grade.alarms) if grade else "")
        right = f"{row.right} of {row.tried}" if row.tried else ""
        rest = ("" if one is None else one for one in (row.first, row.best, row.minutes))
        table.add_row(
            shown(row.who), row.exercise, "exam" if row.exam else "practice", *map(str, (*values, right, *rest))
        )
    return table


def _counted(number: int, name: str) -> str:
    return f"{number} {name if number == 1 else f'{name}s'}"
