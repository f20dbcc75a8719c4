"""Keep prompts and their answers in a folder: those that a person, or another program, asks by hand."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from errorspan.commands.reporting import Told, handed_in, one_text, reported, runs, say_next, say_recorded, user
from errorspan.commands.telling import Failure, left_out
from errorspan.course import Course
from errorspan.record.manifest import Reply
from errorspan.runs.run import Open, Run
from errorspan.site import folder
from errorspan.text import disk
from errorspan.text.errors import InputError, shown
from errorspan.text.source import decoded, parsed

PROMPT, ANSWER = ".prompt.md", ".answer.md"
_FENCE = "---"
_ABOVE = re.compile(rf"{_FENCE}[ \t]*\r?\n(.*?)^{_FENCE}[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)


def write(course: Course, directory: Path) -> None:
    """Write what is open into a folder; what stands there by another's hand stays."""
    files: dict[str, folder.Content] = {
        f"{run.topic.id}/{waiting.file}{PROMPT}": _written(waiting) for run in runs(course) for waiting in run.open
    }
    written = folder.write(directory, files, [course.root / course.settings.topics], by="prompt")
    click.echo(f"{written.files} prompts in {directory}: {written.changed} new, {written.removed} taken away")
    if files:
        click.echo(f"Put each answer beside its prompt, its name ending in {ANSWER}.", err=True)
        click.echo(f"Then: errorspan answer --all {shlex.quote(str(directory))} --model WHOM", err=True)
    if failed := left_out(course, ()):
        raise Failure("\n".join(failed))


def _written(waiting: Open) -> bytes:
    return f"{one_text(waiting)}\n".encode()


def take(course: Course, directory: Path, told: Told) -> None:
    """Take the answers of a folder, each where it stands beside what is asked now; go on where one does not count."""
    if not directory.is_dir():
        raise InputError([f"{directory}:1: is no folder; `errorspan prompt --all` writes one"])
    there = {path for path in directory.rglob(f"*{ANSWER}") if not path.is_symlink() and path.is_file()}
    failed = [fault for run in runs(course) for fault in _take_of(course, run, directory, told, there)]
    for path in sorted(there):
        click.echo(shown(f"{path}: nothing is open that it could answer"), err=True)
    failed += left_out(course, ())
    if failed:
        raise Failure("\n\n".join(failed))


def _take_of(course: Course, run: Run, directory: Path, told: Told, there: set[Path]) -> Iterator[str]:
    """Take the answers to one topic's open prompts, out of those that are there; yield what is wrong with some."""
    recorded = False
    for waiting in run.open:
        path = directory / run.topic.id / f"{waiting.file}{ANSWER}"
        there.discard(path)
        if not os.path.lexists(path):
            continue
        try:
            disk.below(directory, path, str(path))
            reply = _of_file(path, waiting, told, course.root)
            run, complaint = handed_in(course, run.topic, waiting, reply)
        except (InputError, Failure) as error:
            yield str(error)
            continue
        if complaint:
            yield f"{path}:1: is not recorded; send this back:\n\n{complaint}"
            continue
        say_recorded(run, waiting, reply)
        recorded = True
    if recorded:
        say_next(run)


def _of_file(path: Path, waiting: Open, told: Told, root: Path) -> Reply:
    """Read an answer, and what is told of it above: what that leaves open, the command says.

    Raises:
        InputError: it cannot be read, or does not stand beside what is asked now.
    """
    beside = path.with_name(path.name.removesuffix(ANSWER) + PROMPT)
    with disk.reading(path):
        if not beside.is_file() or beside.read_bytes() != _written(waiting):
            what = (
                "stands beside another prompt than what is asked now" if beside.exists() else "has no prompt beside it"
            )
            raise InputError([f"{path}:1: {what}; `errorspan prompt --all` writes it"])
        text = decoded(path.read_bytes(), str(path))
    found = _ABOVE.match(text)
    if found:
        told = _filled(parsed(f"\n{found[1]}", str(path)).validated(Told), told)
        text = text[found.end() :]
    elif text.startswith(_FENCE):
        raise InputError([f"{path}:1: expected a second line of {_FENCE}, below whom, how and by"])
    if not told.whom:
        raise InputError([f"{path}:1: whom: is missing; say whom you asked, above the answer or by --model"])
    if not text.strip():
        raise InputError([f"{path}:1: holds no answer"])
    return reported(text, _filled(told, Told.model_construct(by=told.by or user(root))), {})


def _filled(told: Told, other: Told) -> Told:
    """Return what is told, and what another tells of what that leaves open."""
    return Told.model_construct(whom=told.whom or other.whom, how=told.how or other.how, by=told.by or other.by)
