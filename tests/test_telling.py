"""Whatever ends a command is told once, in the same words for all of them."""

from __future__ import annotations

import errno
import io
import os
import re

import click
import pytest
from rich.table import Table

from errorspan.commands.cli import main
from errorspan.commands.telling import say, show
from errorspan.runs.progress import STOPPED
from errorspan.text.errors import DiskError, InputError

AGAIN = "then start the same command again"
COMMANDS = [
    "accept x --by y",
    "adopt x",
    "answer x",
    "check",
    "diff x",
    "estimate",
    "export qti x -o y",
    "export scorm x -o y",
    "grade x",
    "import x y --reported a b c",
    "init x",
    "new x",
    "open x",
    "prompt x",
    "prune",
    "render x",
    "report",
    "review x --by y",
    "run",
    "runtimes",
    "solve",
    "status",
    "verify",
]


def denied(name: str | None) -> OSError:
    return OSError(errno.EACCES, os.strerror(errno.EACCES), name)


ENDS: dict[str, tuple[BaseException, str]] = {
    "Ctrl-C": (KeyboardInterrupt(), f"\n{STOPPED}\n"),
    "input": (
        InputError(["a\x1b.yml:1: is empty", "b.yml:2: is empty"]),
        "a\\x1b.yml:1: is empty\nb.yml:2: is empty\n",
    ),
    "a file that is written": (
        DiskError("a\x1b.md", denied(None)),  # type: ignore[arg-type]
        f"a\\x1b.md: cannot be written (Permission denied); make it writable for this user, {AGAIN}\n",
    ),
    "any file": (denied("a\x1b.md"), "a\\x1b.md: cannot be used (Permission denied)\n"),
    "the output": (denied(None), "the output: cannot be written (Permission denied)\n"),
}


@pytest.mark.parametrize(("ends", "said"), ENDS.values(), ids=ENDS)
def test_every_command_ends_in_the_same_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ends: BaseException, said: str
) -> None:
    assert {command.split()[0] for command in COMMANDS} == {*main.commands}

    def ending(_command: click.Command, _context: click.Context) -> None:
        raise ends

    monkeypatch.setattr(click.Command, "invoke", ending)
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main(command.split())
        assert (command, ended.value.code, capsys.readouterr().err) == (command, 1, said)


class Terminal(io.StringIO):
    """An output that a person looks at."""

    def isatty(self) -> bool:
        return True


def test_what_strangers_wrote_commands_no_terminal_and_stays_exact_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A title's window, a clipboard that is written to, a line that is painted over, and letters that turn round."""
    wrote = "a\tb\n\x1b]0;title\x07 \x1b]52;c;ZXZpbA==\x07 \x9b2J \r\x1b[A\x1b[2Kpaid \u202eegap é ✓\n"
    seen = {}
    for name, err, stream in (("out", False, Terminal()), ("err", True, Terminal()), ("file", False, io.StringIO())):
        monkeypatch.setattr("sys.stderr" if err else "sys.stdout", stream)
        say(wrote, err=err)
        seen[name] = stream.getvalue().removesuffix("\n")
    assert seen["file"] == wrote
    assert seen["out"] == seen["err"]
    assert seen["out"].startswith("a\tb\n\\x1b]0;title\\x07 ")
    assert seen["out"].endswith("paid \\u202eegap é ✓\n")
    assert not re.search(r"[^\n\t\x20-\x7e\xa1-\u2028\u2030-\uffff]", seen["out"])


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "cp932", "cp949", "utf-8"])
def test_no_command_ends_for_an_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """Each one prints what only Unicode has; each is asked for its help, too."""

    def printing(_command: click.Command, _context: click.Context) -> None:
        click.echo("30–50 %… “é” 語 \udcff")
        show(Table("topic – “é”", "…", box=None))
        raise InputError(["a.yml:1: title: expected “é” – 語"])

    for command in COMMANDS:
        written = [io.BytesIO(), io.BytesIO()]
        out, err = (io.TextIOWrapper(one, encoding=encoding, write_through=True) for one in written)
        with monkeypatch.context() as patched:
            patched.setattr("sys.stdout", out)
            patched.setattr("sys.stderr", err)
            with pytest.raises(SystemExit) as ended:
                main([command.split()[0], "--help"])
            assert ended.value.code == 0
            patched.setattr(click.Command, "invoke", printing)
            with pytest.raises(SystemExit) as ended:
                main(command.split())
            assert ended.value.code == 1
        said, told = (one.getvalue().decode("utf-8" if encoding == "ascii" else encoding) for one in written)  # click's
        assert re.search("30[–-]50 %", said)
        assert re.search("topic [–-] ", said)
        assert "a.yml:1: title: expected" in told
