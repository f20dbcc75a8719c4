"""Have strangers' code read by the highlighter's lexers, in a process of its own that is ended where it takes too long.

Lexers are regular expressions that nobody wrote for hostile text: a thousand blanks behind a word hold Python's up for
a moment, C's for a second, and Lilypond's for hours. No list of languages would be safe, so time is: what a text may
take grows with its length, and one that takes longer is plain. This file is also what that process runs, and stands
alone there.
"""

from __future__ import annotations

import atexit
import faulthandler
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import Any

from pygments.lexers import get_lexer_by_name
from pygments.token import string_to_tokentype

LONGEST = 50_000
"""Characters; a longer text is plain."""

PATIENCE, PER_CHARACTER = 0.2, 0.0002
"""Seconds of the processor: ordinary code takes a fortieth of this."""

_WAITS = 10
"""How many times as long it may take on the clock, where the system does not end a process by its processor's time."""

Lexed = tuple[tuple[int, Any, str], ...]


def lexed(text: str, language: str) -> Lexed | None:
    """Return the tokens of a text, whose last line has an end: where each starts, its kind, and what it is.

    None where the language has no lexer, where that fails, and where it takes too long.
    """
    return _lexed(ended(text), language)


def ended(text: str) -> str:
    """Return the text as it is lexed: many lexers know a comment, say, by the end of its line."""
    return text if text.endswith("\n") else f"{text}\n"


@lru_cache(maxsize=32)  # the same code is checked, stands on two pages, and in the key many times
def _lexed(text: str, language: str) -> Lexed | None:
    if len(text) > LONGEST:
        return None
    told = _LEXER.ask([language, text, PATIENCE + PER_CHARACTER * len(text)])
    if told is None:
        return None
    kinds, tokens = told
    named = [string_to_tokentype(kind) for kind in kinds]
    return tuple((start, named[kind], part) for start, kind, part in tokens)


class _Lexer:
    """The process that lexes. It is started when it is needed first, and anew where it was ended."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def ask(self, request: Any) -> Any:
        """Return its answer; None where it was ended before it had one."""
        with self._lock:
            try:
                process = self._started()
                process.stdin.write(json.dumps(request).encode() + b"\n")  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
                answer: bytes = process.stdout.readline()  # type: ignore[union-attr]
            except OSError:
                answer = b""
            if not answer.endswith(b"\n"):
                self.end()
                return None
        return json.loads(answer)

    def end(self) -> None:
        """Let the process end, if it is this one's and not that of the process this was forked from."""
        process, self._process = self._process, None
        if process and self._pid == os.getpid():
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    stream.close()  # type: ignore[union-attr]
            process.kill()
            process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process and (self._pid != os.getpid() or self._process.poll() is not None):
            self.end()
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - this file
                [sys.executable, "-P", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._pid = os.getpid()
        return self._process


_LEXER = _Lexer()
atexit.register(_LEXER.end)


def _serve() -> None:
    """Answer each line with a line, until there is none; end where one takes too long.

    Ctrl-C is for who asks: answers that come after it are paid for, and are checked like all others.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        language, text, seconds = json.loads(line)
        try:
            lexer = get_lexer_by_name(language)
            _allow(seconds)
            kinds: dict[Any, int] = {}
            tokens = [
                (start, kinds.setdefault(kind, len(kinds)), part)
                for start, kind, part in lexer.get_tokens_unprocessed(text)
            ]
            told = [str(kind)[6:] for kind in kinds], tokens
        except Exception:  # noqa: BLE001 - there is none, or it has any fault
            told = None
        _allow(0)
        sys.stdout.buffer.write(json.dumps(told).encode() + b"\n")
        sys.stdout.buffer.flush()


def _allow(seconds: float) -> None:
    """Have the system end this process after so much of the processor's time; never, where that is none."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
    elif seconds:
        faulthandler.dump_traceback_later(_WAITS * seconds, exit=True)
    else:
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    _serve()
