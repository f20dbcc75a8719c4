"""Find where an excerpt's lines were written."""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from errorspan.answers.outputs import Implementation
from errorspan.text import syntax


class _Way(NamedTuple):
    """The last line of an excerpt that has a place so far, and the way there."""

    number: int
    place: int
    before: _Way | None

    def steps(self) -> list[tuple[int, int]]:
        """Return the lines and their places, the first one first."""
        way: _Way | None = self
        found = []
        while way and way.number:
            found.append((way.number, way.place))
            way = way.before
        return found[::-1]

    def places(self) -> set[int]:
        """Return the places of all lines so far."""
        return {place for _, place in self.steps()}


@lru_cache(maxsize=16)
def traced(code: str, weak: Implementation) -> dict[int, int]:
    """Say on which line of the weak implementation's text each line of an excerpt was written (both from 1).

    The excerpt's lines must follow one another there, inside its fences. They may all be dedented by the same number of
    columns, which may change where the excerpt starts a new block at its margin, unless the excerpt also holds what the
    block stands within: a line must not leave its loop. A comment at the end of a line may be gone, where not all lines
    stand there as they are. Lines behind the first that has no place are left out, and blank ones always.
    """
    text = weak.plain
    lines = text.split("\n")
    written = [
        (number, lines[number - 1])
        for start, end in weak.fenced
        for number in range(text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 1)
    ]
    placed = _placed(code, lines, written)
    if len(placed) == sum(bool(line.strip()) for line in code.split("\n")):
        return placed  # of most excerpts: to find comments takes longer than all the rest
    bare = [
        line
        for fence in weak.fences
        for line in syntax.bare(fence.code, fence.language).split("\n")[: fence.code.count("\n")]
    ]
    uncommented = zip((number for number, _ in written), bare, strict=False)
    return _placed(code, lines, sorted({*written, *uncommented}))


def _placed(code: str, lines: list[str], told: Iterable[tuple[int, str]]) -> dict[int, int]:
    """Say on which of the lines each line of an excerpt was written, by what each is told to hold, in their order."""
    stands: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))  # by text, then by margin
    for place, text in told:
        stands[text.strip()][_margin(lines[place - 1])].append(place)
    ways: dict[int, _Way] = {-1: _Way(0, 0, None)}  # by dedent, the earliest place of each line so far
    for number, line in enumerate(code.split("\n"), start=1):
        if not line.strip():
            continue
        longer: dict[int, _Way] = {}
        kept = _margin(line)
        for dedent, way in ways.items():
            first = [
                (places[after], len(margin) - len(kept))
                for margin, places in stands.get(line.strip(), {}).items()
                if margin.endswith(kept)
                and (after := bisect(places, way.place)) < len(places)
                and (
                    len(margin) - len(kept) == dedent
                    or not way.number
                    or (not kept and way.places().isdisjoint(_enclosing(lines, places[after])))
                )
            ]
            for place, shift in sorted(first):
                if shift not in longer or place < longer[shift].place:
                    longer[shift] = _Way(number, place, way)
        if not longer:
            break
        ways = longer
    return dict(next(iter(ways.values())).steps())


def _enclosing(lines: list[str], place: int) -> Iterator[int]:
    """Yield the lines before one that it stands within: each is indented less than all between."""
    depth = len(_margin(lines[place - 1]))
    for number in range(place - 1, 0, -1):
        line = lines[number - 1]
        if line.strip() and len(_margin(line)) < depth:
            depth = len(_margin(line))
            yield number


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
