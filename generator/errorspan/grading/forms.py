"""Tell a gradebook in a table for spreadsheets, and in a page of which lines a class marked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import ChoiceLoader, PackageLoader
from markupsafe import Markup

from errorspan.grading.gradebook import Gradebook, Graded, marked
from errorspan.grading.rules import lines_of
from errorspan.site.exercise import RULE, Exercise
from errorspan.site.filling import templates
from errorspan.text import disk
from errorspan.text.errors import InputError, spelled

HEAD = (
    "who", "exercise", "kind", "score", "found", "missed", "false alarms", "marked lines", "unsure lines",
    "put right", "corrections", "minutes", "handed in", "first score", "best score", "attempts", "answers", "file",
)  # fmt: skip
PAGE_SAYS = '<meta name="generator" content="errorspan grade">'
"""What tells a page that the command wrote."""

_FORMULA = re.compile(r"[\s\x00-\x1f\"'\ufeff\u200b-\u200f\u2060]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]")
"""How a cell begins that a spreadsheet may take for a formula, or would after it has left something out."""


def table(book: Gradebook) -> bytes:
    """Return a gradebook as CSV: a row for each student and exercise, in UTF-8 that spreadsheets recognise."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(HEAD)
    writer.writerows([cell(value) for value in _row(row)] for row in book.rows)
    return text.getvalue().encode("utf-8-sig")


def cell(value: object) -> str:
    """Return what a cell holds: strangers' words are text to a spreadsheet, whatever they begin with."""
    if value is None or isinstance(value, int | float):
        return "" if value is None else str(value)
    told = spelled(str(value), but="\n")
    return "'" + told if _FORMULA.match(told) or told[:1] in {"\n", "'"} else told


def _row(row: Graded) -> Iterator[object]:
    grade = row.grade
    yield from (row.who, row.exercise, "exam" if row.exam else "practice", grade.score if grade else None)
    yield from (len(grade.found), len(grade.missed), len(grade.alarms)) if grade else (None, None, None)
    yield from (" ".join(map(str, row.marks)), " ".join(map(str, row.unsure)), row.right, row.tried)
    yield from (row.minutes, row.handed, row.first, row.best, row.attempts)
    yield "\n".join(f"{place}: {' | '.join(text for text in (name, fix) if text)}" for place, name, fix in row.texts)
    yield Path(row.file).name


def page(book: Gradebook) -> bytes:
    """Return a page of which lines the class marked, exercise by exercise; it tells the answers, and no names."""
    environment = templates().overlay()
    environment.loader = ChoiceLoader([PackageLoader("errorspan.grading"), PackageLoader("errorspan.site")])
    told = [_told(book, book.exercises[name]) for name in dict.fromkeys(row.exercise for row in book.rows)]
    html = environment.get_template("class.html.j2").render(told=told, rule=RULE, says=Markup(PAGE_SAYS))
    return html.encode()


def _told(book: Gradebook, exercise: Exercise) -> dict[str, object]:
    rows = list(marked(book.rows, exercise.id))
    by_line = {
        line: [id_ for id_, spans in exercise.spans.items() if line in lines_of(spans)] for line in _lines(exercise)
    }
    aside = {line for stretch in exercise.aside for line in lines_of(stretch)}
    scores = [row.grade.score for row in rows if row.grade]
    return {
        "exercise": exercise,
        "students": len(rows),
        "mean": round(sum(scores) / len(scores)) if scores else None,
        "found": {id_: sum(id_ in row.grade.found for row in rows if row.grade) for id_ in exercise.spans},
        "lines": [
            {
                "number": line,
                "code": exercise.lines[line - 1],
                "marked": sum(line in row.marks for row in rows),
                "unsure": sum(line in row.unsure for row in rows),
                "errors": by_line[line],
                "aside": line in aside,
            }
            for line in _lines(exercise)
        ],
    }


def _lines(exercise: Exercise) -> range:
    return range(1, len(exercise.lines) + 1)


def put(path: Path, content: bytes, begins: str) -> None:
    """Write a file in place of none, or of one that the command wrote: that holds what it `begins` with.

    Raises:
        InputError: something else stands there, or there is no such folder.
        DiskError: it cannot be written.
    """
    if path.is_symlink() or path.exists():
        with disk.reading(path):
            ours = path.is_file() and not path.is_symlink() and begins.encode() in path.read_bytes()[:4096]
        if not ours:
            raise InputError([f"{path}:1: is there already, and `errorspan grade` did not write it; name another file"])
    elif not path.parent.is_dir():
        raise InputError([f"{path}:1: cannot be written (there is no folder {path.parent})"])
    disk.put(path, content)
