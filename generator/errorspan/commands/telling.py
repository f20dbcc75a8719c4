"""Tell a person what happened: errors without a traceback, tables as wide as there is room."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import IO, Any

import click
from rich.console import Console
from rich.table import Table

from errorspan.authoring.topics import named_by
from errorspan.course import Course
from errorspan.runs.progress import STOPPED
from errorspan.text.errors import GeneratorError, shown, spelled

PLAIN = "errorspan.plain"
"""How an output's errors of encoding are handled."""

_SPELLED = dict(zip("\u2013\u2014\u2018\u2019\u201c\u201d\u00a0\u202f\u00d7", "--''\"\"  x", strict=True)) | {
    "…": "..."
}


class Failure(click.ClickException):
    """An error that is told without a traceback."""

    def show(self, file: Any = None) -> None:
        """Print the message, line by line as it is."""
        say(self.message, err=True, file=file)


def say(text: str, *, err: bool = False, file: IO[str] | None = None) -> None:
    """Print strangers' text as it is, for programs and files; on a terminal, without what would command it."""
    stream = file or (sys.stderr if err else sys.stdout)
    told = spelled(text, but="\n\t") if stream and stream.isatty() else text
    click.echo(told, err=err, file=file, color=True)  # click takes escapes out of what is piped, else


@contextmanager
def in_words() -> Iterator[None]:
    """Tell what a person can mend in words."""
    try:
        yield
    except GeneratorError as error:
        raise Failure(str(error)) from None
    except BrokenPipeError:  # whoever reads has read enough
        raise
    except OSError as error:  # what is read and written elsewhere is told where it is
        said = f"{error.filename}: cannot be used" if error.filename else "the output: cannot be written"
        raise Failure(shown(f"{said} ({error.strerror or error})")) from None


def left_out(course: Course, named: Collection[str]) -> list[str]:
    """Tell the faults of topics that a command goes on without; return what it has to fail with at its end.

    A command that was given topics is about no other.
    """
    wanted = {named_by(name) for name in named}
    broken = [topic for name, topic in sorted(course.broken.items()) if not named or name in wanted]
    for fault in (fault for topic in broken for fault in topic.faults):
        click.echo(fault, err=True)
    return [shown(f"Left out until that is mended: {', '.join(topic.id for topic in broken)}")] if broken else []


class Commands(click.Group):
    """A group that tells what goes wrong in any of its commands, to the last flush of what was printed."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run as click does, and translate errors, here alone."""
        _speak_any_encoding()
        try:
            with in_words():
                code = super().main(*args, **options | {"standalone_mode": False})
                if sys.stdout:  # there is none where it was closed
                    sys.stdout.flush()
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except click.Abort:  # Ctrl-C
            click.echo(STOPPED, err=True)
            code = 1
        except BrokenPipeError:
            code = 1
        finally:
            _let_go()
        sys.exit(code or 0)


def _speak_any_encoding() -> None:
    """Spell what an output's encoding lacks in signs that every one has: nothing told is lost for a dash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=PLAIN)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """Spell what cannot be encoded: typography in plain signs, all else by its number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_SPELLED.get(sign) or ascii(sign)[1:-1] for sign in lost), error.end


codecs.register_error(PLAIN, _plainly)


def _let_go() -> None:
    """Let go of what cannot be written: the interpreter would try again as it ends, and say so in its own way."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def show(table: Table) -> None:
    """Print a table, as wide as the terminal; wide enough for its rows where there is none."""
    Console(width=None if sys.stdout and sys.stdout.isatty() else 160, markup=False, highlight=False).print(table)
