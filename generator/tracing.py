"""Find where an excerpt's lines were written."""

from __future__ import annotations

from bisect import bisect
from functools import cache, lru_cache

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment
from pygments.util import ClassNotFound

from generator.outputs import Fence, Implementation


@lru_cache(maxsize=16)
def traced(code: str, weak: Implementation) -> dict[int, int]:
    """Say on which line of the weak implementation's text each line of an excerpt was written (both from 1).

    The excerpt's lines must follow one another there, inside its fences. They may all be dedented by the same number of
    columns, which may change where the excerpt starts a new block at its margin. A comment at the end of a line may be
    gone. Lines behind the first that has no place are left out, and blank ones always.
    """
    text = weak.recorded()
    numbers = [
        number
        for start, end in weak.fenced
        for number in range(text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 1)
    ]
    lines = text.split("\n")
    written = {number: lines[number - 1] for number in numbers}

    @cache
    def bare() -> dict[int, str]:
        return dict(zip(numbers, (line for fence in weak.fences for line in _uncommented(fence)), strict=False))

    ways: dict[int, list[tuple[int, int]]] = {-1: []}  # by dedent, the earliest place of each line so far
    for number, line in enumerate(code.split("\n"), start=1):
        if not line.strip():
            continue
        longer: dict[int, list[tuple[int, int]]] = {}
        for dedent, way in ways.items():
            for place in numbers[bisect(numbers, way[-1][1]) if way else 0 :]:
                told, whole = line.strip(), written[place].strip()
                if told != whole and not (whole.startswith(told) and told == bare().get(place, "").strip()):
                    continue
                margin, kept = _margin(written[place]), _margin(line)
                shift = len(margin) - len(kept)
                fits = margin.endswith(kept) and (shift == dedent or not way or not kept)
                if fits and (shift not in longer or place < longer[shift][-1][1]):
                    longer[shift] = [*way, (number, place)]
        if not longer:
            break
        ways = longer
    return dict(next(iter(ways.values())))


def _uncommented(fence: Fence) -> list[str]:
    """Return the lines of a fenced block without their comments, as its language has them."""
    try:
        tokens = get_lexer_by_name(fence.language, stripnl=False, ensurenl=False).get_tokens(fence.code)
    except ClassNotFound:
        return fence.code.split("\n")[:-1]
    kept = "".join("\n" * text.count("\n") if kind in Comment else text for kind, text in tokens)  # type: ignore[comparison-overlap]
    return kept.split("\n")[: fence.code.count("\n")]


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
