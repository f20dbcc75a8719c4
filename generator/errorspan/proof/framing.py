"""Give an excerpt a way in: what it leaves out, such as imports, helpers or the rest of a class, stands around it.

A frame is a program in the exercise's language, beside the tests, in which one line says where the exercise goes. It is
the same for all variants, and the run page shows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from errorspan.text.errors import InputError

_HERE = re.compile(r"^(?P<margin>[ \t]*)\S*[ \t]*errorspan: exercise\b.*$", re.MULTILINE)


def suffix(language: str) -> str:
    """Return how the name of a program in this language ends, such as `.py`."""
    try:
        patterns = get_lexer_by_name(language).filenames
    except ClassNotFound:
        return ".txt"
    return next((pattern[1:] for pattern in patterns if pattern.startswith("*.") and pattern[2:].isalnum()), ".txt")


def frame(topic: str, language: str, tests: Mapping[str, bytes], folder: str) -> str | None:
    """Return the frame among a topic's test files, if there is one.

    Raises:
        InputError: it does not say once where the exercise goes, or is no text.
    """
    name = f"{topic}.tests.frame{suffix(language)}"
    if name not in tests:
        return None
    try:
        text = tests[name].decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise InputError([f"{folder}/{name}:1: expected UTF-8"]) from None
    found = list(_HERE.finditer(text))
    if len(found) != 1:
        line = text.count("\n", 0, found[1].start()) + 1 if found else 1
        said = "expected one line with a comment `errorspan: exercise`, where the exercise goes"
        raise InputError([f"{folder}/{name}:{line}: {said} (got {len(found)})"])
    return text


def framed(code: str, around: str | None) -> str:
    """Return a program in its frame, indented as the line that it replaces."""
    if around is None:
        return code
    lines = code.rstrip("\n").split("\n")
    return _HERE.sub(
        lambda found: "\n".join(f"{found['margin']}{line}" if line.strip() else line for line in lines), around
    )
