"""Tell when words give an answer away.

The words were chosen on the modules of Python's standard library, whose comments and names give no answer away: of a
module's stretches of 60 lines, one in twenty holds a comment that would have to go, and next to none a name.
"""

from __future__ import annotations

import re

_SAID = re.compile(
    r"\b(wrong(ly)?|incorrect(ly)?|(?<!see )bugs?(?! ?#|\.|-?\s?(reports?|tracker)\b)|buggy|errors? (here|span)|"
    r"mistakes?|flaw(ed)?|fix ?me|naive(ly)?(?! (utc|local|date|time)\w*)|oversimplif\w+|vulnerab\w+|"
    r"insecure(ly)?|race condition|not (thread-?safe|atomic|secure))\b"
    r"|(?:^|[.;:#/*-])\s*(?:(?:this|that|it) )?should (?:be|have|use)\b",
    re.IGNORECASE | re.MULTILINE,
)
_CODE = re.compile(r"(`+).+?\1", re.DOTALL)
_COMMENTED = re.compile(r"\binstead of\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_OF_NAMES = {"buggy", "flawed", "vulnerable", "erroneous"}
_OF_DEFINITIONS = {"wrong", "incorrect", "broken", "naive", "insecure", "racy", "leaky"}
_QUESTIONS = {"is", "has", "was", "are", "if"}
_RAISED = {"error", "exception", "warning"}
_LETTERS = 5
_SMALL = re.compile(
    r"about|after|also|another|been|before|does|each|either|every|from|have|into|many|more|most|must|once|only|other|"
    r"over|same|such|than|that|their|them|then|there|these|they|this|those|what|when|where|which|while|will|with"
)


def spoken(text: str) -> str:
    """Return the text without what is set as code: an interface has the names that it has."""
    return _CODE.sub(" ", text)


def told_by_docstring(text: str) -> str | None:
    """Return the words of a docstring that give an answer away; what happens "instead of" what is a docstring's job."""
    found = _SAID.search(text)
    return found[0].strip(" \n.;:#/*-") if found else None


def told_by_comment(text: str) -> str | None:
    """Return the words of a comment that give an answer away."""
    found = _COMMENTED.search(text)
    return told_by_docstring(text) or (found[0] if found else None)


def told_by_name(name: str, *, defined: bool) -> str | None:
    """Return the word of a name that gives an answer away.

    Programs count wrong guesses and ask whether a link is broken, so most words tell something only as the first or the
    last of what is defined, a function or a class, and that no error to be raised.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if len(words) < 2:
        return None
    told = next((word for word in words if word in _OF_NAMES), None)
    if told or not defined or words[0] in _QUESTIONS or words[-1] in _RAISED:
        return told
    return next((word for word in (words[0], words[-1]) if word in _OF_DEFINITIONS), None)


def stems(text: str) -> frozenset[str]:
    """Return the words that carry a text's meaning, cut to five letters, which does for a stem in many languages."""
    words = re.findall(r"[^\W\d_]{4,}", text.casefold())
    return frozenset(word[:_LETTERS] for word in words if not _SMALL.fullmatch(word))


def alike(one: str, other: str) -> float:
    """Return how many of the words of two texts both have, from 0 to 1."""
    first, second = stems(one), stems(other)
    return len(first & second) / len(first | second) if first | second else float(one.split() == other.split())


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    """Return all runs of so many words that stand in a text one after another."""
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}
