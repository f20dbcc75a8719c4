"""Check what a schema cannot say.

A check is a function of an output and of the outputs that it was built on. It yields a sentence for each fault; its
docstring is the sentence that a run page shows when there is none.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, String
from pygments.util import ClassNotFound

from generator import verdicts
from generator.outputs import Assessment, Challenge, ErrorCatalog, Fence, Implementation, Judgment

Outputs = Mapping[str, Any]
Check = Callable[[Any, Outputs], Iterator[str]]

_GIVES_AWAY = re.compile(
    r"\b(wrong(ly)?|incorrect(ly)?|bugs?|buggy|errors? (here|span)|mistakes?|should (be|have|use)|instead of|flaw(ed)?|"
    r"fix ?me|naive(ly)?|oversimplif\w+|vulnerab\w+|race condition)\b",
    re.IGNORECASE,
)
_LINE = re.compile(r"\blines? \d+", re.IGNORECASE)


def names_are_unique(catalog: ErrorCatalog, _: Outputs) -> Iterator[str]:
    """Each pattern has a name of its own."""
    names = [pattern.name for pattern in catalog.patterns]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"patterns: two are named {name!r}"


def language_is_the_topics(challenge: Challenge, outputs: Outputs) -> Iterator[str]:
    """The challenge is set in the language that the topic names, if it names one."""
    wanted = outputs["topic"].language
    if wanted and _lexer(challenge.language) != _lexer(wanted):
        yield f"language: the topic asks for {wanted!r}, not {challenge.language!r}"


def language_is_known(output: Challenge | Assessment, _: Outputs) -> Iterator[str]:
    """The language is one that the highlighter knows."""
    if not _lexer(output.language):
        yield f"language: {output.language!r} is no language that the highlighter knows, such as 'python'"


def holds_code(implementation: Implementation, _: Outputs) -> Iterator[str]:
    """The answer holds a fenced block of code."""
    if not any(fence.code.strip() for fence in implementation.fences):
        yield "the answer holds no fenced block of code"


def no_pattern_is_named(challenge: Challenge, outputs: Outputs) -> Iterator[str]:
    """The challenge names no pattern of the catalog."""
    prose = (challenge.title, challenge.question_text, challenge.context, challenge.success_criteria)
    told = "\n".join((*prose, *challenge.requirements)).casefold()
    for pattern in outputs["error_catalog"].patterns:
        if pattern.name.casefold() in told:
            yield f"the challenge gives the pattern {pattern.name!r} away"


def patterns_are_in_the_catalog(judgment: Judgment, outputs: Outputs) -> Iterator[str]:
    """Each pattern that the judge names is one of the catalog's."""
    for kind, observations in (("strengths", judgment.strengths), ("failures", judgment.failures)):
        for place, observation in enumerate(observations):
            if observation.pattern is not None and not outputs["error_catalog"].named(observation.pattern):
                named = f"{kind}.{place}.pattern: {observation.pattern!r}"
                yield f"{named} is no name in the catalog; copy one, or give null"


def ids_count_up(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """The errors are numbered in the order of the code."""
    found = [error.id for error in assessment.errors]
    if found != [str(number) for number in range(1, len(found) + 1)]:
        yield f"errors: the ids are {', '.join(found)}, not 1 to {len(found)} in this order"


def quotes_stand_in_the_code(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """Each error's quote stands in the code, at one place."""
    for error in assessment.errors:
        if not assessment.span(error):
            times = assessment.code.count(error.quote)
            yield f"errors.{error.id}.quote: stands {times} times in the code, and not once on line {error.line}"


def spans_are_apart(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """No two error spans overlap, and they come in the order of their numbers."""
    placed = [(span, error) for error in assessment.errors if (span := assessment.span(error))]
    for (one, first), (other, second) in pairwise(placed):
        if other.start < one.end:
            yield f"errors.{second.id}.quote: overlaps error {first.id}, or stands before it"


def corrections_change_something(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """Each correction differs from what it corrects."""
    for error in assessment.errors:
        if _lines(error.correction) == _lines(error.quote):
            yield f"errors.{error.id}.correction: is the quote again"


def code_is_the_weak_tiers(assessment: Assessment, outputs: Outputs) -> Iterator[str]:
    """Every line of the code is the weak tier's own, in its order and with its indentation: nothing is planted."""
    lines = assessment.code.split("\n")
    placed = traced(assessment.code, outputs["weak_implementation"])
    strange = next((number for number, line in enumerate(lines, 1) if line.strip() and number not in placed), None)
    if strange:
        yield (
            f"code: line {strange} ({lines[strange - 1].strip()!r}) does not follow in the weak implementation, "
            "with this indentation, on the lines before it"
        )


def errors_were_judged(assessment: Assessment, outputs: Outputs) -> Iterator[str]:
    """Each error shows a failure that the judge proved with a quote, at a line that the quote holds."""
    weak = outputs["weak_implementation"]
    placed = traced(assessment.code, weak)
    for error in assessment.errors:
        failure, span = outputs["judgment"].failure(error.failure), assessment.span(error)
        if not failure:
            yield f"errors.{error.id}.failure: {error.failure} is none of the judged failures"
        elif span and any(line in placed for line in range(span.first, span.last + 1)):
            quoted = {
                line
                for start, end in verdicts.places(failure.quote, weak)
                for line in range(weak.text.count("\n", 0, start) + 1, weak.text.count("\n", 0, end) + 2)
            }
            if quoted.isdisjoint(placed.get(line) for line in range(span.first, span.last + 1)):
                yield f"errors.{error.id}.failure: the quote of {error.failure} holds no line of this error"


def no_comment_gives_an_error_away(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """No comment and no docstring in the code points at an error."""
    if not _GIVES_AWAY.search(assessment.code):
        return
    try:
        lexer = get_lexer_by_name(assessment.language)
    except ClassNotFound:
        return
    for kind, text in lexer.get_tokens(assessment.code):
        speaks = kind in String.Doc or (kind in Comment and kind not in Comment.Preproc)  # type: ignore[comparison-overlap]
        if speaks and (told := _GIVES_AWAY.search(text)):
            yield f"code: {text.strip()!r} gives an answer away ({told[0]!r})"


def no_hint_is_the_answer(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """No hint names a line or holds the correction."""
    for error in assessment.errors:
        if named := _LINE.search(error.hint):
            yield f"errors.{error.id}.hint: names a line ({named[0]!r})"
        if len(error.correction.strip()) > 3 and _squeezed(error.correction) in _squeezed(error.hint):
            yield f"errors.{error.id}.hint: holds the correction"


def minutes_go_up(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """The time that a student needs goes from shorter to longer."""
    shortest, longest = assessment.estimated_minutes
    if shortest > longest:
        yield f"estimated_minutes: {shortest} to {longest} goes down"


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
    bare = [line for fence in weak.fences for line in _uncommented(fence)]
    stands: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))  # by text, then by margin
    for place, uncommented in zip(numbers, [*bare, *[""] * len(numbers)], strict=False):
        for content in {lines[place - 1].strip(), uncommented.strip()}:
            stands[content][_margin(lines[place - 1])].append(place)
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
                and (len(margin) - len(kept) == dedent or not way.number or not kept)
                and (after := bisect(places, way.place)) < len(places)
            ]
            for place, shift in sorted(first):
                if shift not in longer or place < longer[shift].place:
                    longer[shift] = _Way(number, place, way)
        if not longer:
            break
        ways = longer
    return dict(next(iter(ways.values())).steps())


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


def _squeezed(text: str) -> str:
    return "".join(text.replace("`", "").split())


def _lexer(language: str) -> str | None:
    try:
        return str(get_lexer_by_name(language).name)
    except ClassNotFound:
        return None


def _lines(code: str) -> list[str]:
    return [line.rstrip() for line in code.rstrip().split("\n")]
