"""Find where a quote stands in a text, and say what stands there where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from errorspan.text.expected import described

_LIKE = 0.4
_LONGEST, _NEAR = 80, 100
"""Characters of lines that are compared, and how many lines before and behind: what compares them is slow."""


def occurrences(quote: str, text: str, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Yield where a quote starts in a text, also where it overlaps itself: from `start` on, and before `end`."""
    at = text.find(quote, start)
    while at >= 0 and (end is None or at < end):
        yield at
        at = text.find(quote, at + 1)


def moved(stands: int, said: int) -> str:
    """Say of a quote that has one place that its line was miscounted."""
    return f"expected {stands}, where the quote stands (got {said}); the quote decides"


def unplaced(quote: str, line: int, code: str) -> str:
    """Say why a quote has no place in a program: where it stands instead, or the line that is most like it."""
    if places := [code.count("\n", 0, at) + 1 for at in occurrences(quote, code)]:
        known = ", ".join(map(str, dict.fromkeys(places[:9])))
        return f"stands {len(places)} times in the code, on lines {known}, and not once on line {line}"
    rows = code.split("\n")
    strange = next((one for one in quote.split("\n") if one.strip() and not any(one in row for row in rows)), None)
    if strange is None:
        return "stands 0 times in the code: each of its lines does, but not together; blanks and blank lines count"
    first = min(max(line - _NEAR, 0), max(len(rows) - 2 * _NEAR, 0))
    around = list(enumerate(rows, 1))[first : first + 2 * _NEAR]
    like = {row.strip()[:_LONGEST]: number for number, row in reversed(around)}
    if near := get_close_matches(strange.strip()[:_LONGEST], like, 1, _LIKE):
        number = like[near[0]]
        nearest = f"nearest is line {number}, {described(rows[number - 1])}"
    else:
        nearest = "no line is like it"
    return f"stands 0 times in the code: {described(strange)} does not; {nearest}"
