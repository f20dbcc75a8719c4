"""Grade marks and corrections as the exercise's script does: `grade`, `bare` and `mended` there say the same.

A test gives both the same answers, and compares.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, combinations
from typing import NamedTuple

from errorspan.answers.outputs import Error
from errorspan.site.exercise import Exercise, Segment
from errorspan.text.markup import visible

HINT_COST = 5
_SPACE = "\t\v\f \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\ufeff"
_END = "\n\r\u2028\u2029"
_SPACES = re.compile(f"[{_SPACE}{_END}]+")  # as scripts have them, and not as Python has
_LINE = re.compile(f"[^{_END}]+")


class Grade(NamedTuple):
    """What marks are worth: the errors they find and miss, by id, the lines of false alarms, and the score of 100."""

    found: tuple[str, ...]
    missed: tuple[str, ...]
    alarms: tuple[int, ...]
    score: int


def graded(exercise: Exercise, marks: Collection[int], hints: int = 0) -> Grade:
    """Return what marked lines are worth, after so many hints."""
    lines = {id_: lines_of(spans) for id_, spans in exercise.spans.items()}
    wrong = set(chain.from_iterable(lines.values()))
    aside = set(chain.from_iterable(map(lines_of, exercise.aside)))
    found = tuple(id_ for id_ in lines if lines[id_].intersection(marks))
    alarms = tuple(sorted(set(marks) - wrong - aside))
    raw = _rounded(100 * len(found) ** 2, len(lines) * (len(found) + len(alarms))) if found else 0
    missed = tuple(id_ for id_ in lines if id_ not in found)
    return Grade(found, missed, alarms, max(0, raw - HINT_COST * hints))


def mended(exercise: Exercise, first: int, last: int, fix: str) -> set[str]:
    """Return the errors that a text puts right in place of these lines, as far as a comparison with the answer tells.

    With it the program is the one in which some of the errors of these lines are corrected, spacing aside.
    """
    assessment = exercise.assessment
    lines = visible(assessment.code).split("\n")
    written = bare("\n".join([*lines[: first - 1], fix, *lines[last:]]))
    here = [id_ for id_, spans in exercise.spans.items() if lines_of(spans) & set(range(first, last + 1))]
    return next((set(some) for some in _some(here) if bare(visible(assessment.corrected(*some))) == written), set())


def is_answer(exercise: Exercise, error: Error, fix: str) -> bool | None:
    """Tell whether a text is the answer to an error, spacing aside; None where it is what stood there."""
    told = next(one for one in exercise.key["errors"] if one["id"] == error.id)
    before, after = (bare("\n".join(map(_text, told[name]))) for name in ("before", "after"))
    written = bare(fix)
    return None if written == before else written == after


def lines_of(spans: Iterable[Segment]) -> set[int]:
    """Return the lines that a stretch stands on."""
    return {segment.line for segment in spans}


def bare(text: str) -> str:
    """Leave out blanks that do not matter: those that indent, part words or stand in a string do."""
    return _LINE.sub(lambda line: _unspaced(line[0]), _SPACES.sub(_without_blank_ends, text))


def _without_blank_ends(spaces: re.Match[str]) -> str:
    """Return what of a run of blanks stands at no line's end: the last end of a line, and what is behind it."""
    run = spaces[0]
    last = max(run.rfind(end) for end in _END)
    return "" if spaces.end() == len(spaces.string) else run[max(last, 0) :]


def _unspaced(line: str) -> str:
    closings: dict[str, list[int]] = {}
    kept, at = [], 0
    while at < len(line):
        sign, behind = line[at], at + 1
        if sign in "\"'`" and (end := closings.setdefault(sign, _closings(line, sign))[behind]):
            kept.append(line[at:end])
            at = end
        elif sign in " \t" and at and line[at - 1] not in _SPACE:
            at += len(line[at:]) - len(line[at:].lstrip(" \t"))
            kept.append(" " if _in_word(line[behind - 2]) and _in_word(line[at : at + 1]) else "")
        else:
            kept.append(sign)
            at = behind
    return "".join(kept)


def _closings(line: str, quote: str) -> list[int]:
    """Return for each place of a line where a string that goes on there ends, 0 where it does not.

    What stands behind a backslash does not end it, unless nothing else does: so the script's expression has it.
    """
    ends = [0] * (len(line) + 2)
    for at in range(len(line) - 1, -1, -1):
        escaped = ends[at + 2] if line[at] == "\\" and at + 1 < len(line) else 0
        plain = 0 if line[at] == quote else ends[at + 1]
        ends[at] = escaped or plain or (at + 1 if line[at] == quote else 0)
    return ends


def _in_word(sign: str) -> bool:
    return "" < sign <= "\uffff" and (sign.isalpha() or (sign.isascii() and (sign.isdigit() or sign == "_")))


def _some(ids: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return chain.from_iterable(combinations(ids, count) for count in range(len(ids), 0, -1))


def _rounded(number: int, by: int) -> int:
    return (2 * number + by) // (2 * by)


def _text(line: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", line))
