"""Check what a schema cannot say.

A check is a function of an output and of the outputs that it was built on. It yields a sentence for each fault; its
docstring is the sentence that a run page shows when there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment
from pygments.util import ClassNotFound

from generator.outputs import Assessment, Challenge, ErrorCatalog, Implementation, Judgment

Outputs = Mapping[str, Any]
Check = Callable[[Any, Outputs], Iterator[str]]

_GIVES_AWAY = re.compile(
    r"\b(wrong(ly)?|incorrect(ly)?|bugs?|buggy|errors? (here|span)|mistakes?|should (be|have|use)|instead of|flaw(ed)?|"
    r"fix ?me|todo|naive(ly)?|oversimplif\w+|correct(ed|ion)?|vulnerab\w+|race condition)\b",
    re.IGNORECASE,
)


def names_are_unique(catalog: ErrorCatalog, _: Outputs) -> Iterator[str]:
    """Each pattern has a name of its own."""
    names = [pattern.name for pattern in catalog.patterns]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"patterns: two are named {name!r}"


def language_is_the_topics(challenge: Challenge, outputs: Outputs) -> Iterator[str]:
    """The challenge is set in the language that the topic names, if it names one."""
    wanted = outputs["topic"].language
    if wanted and challenge.language.casefold() != wanted.casefold():
        yield f"language: the topic asks for {wanted!r}, not {challenge.language!r}"


def language_is_known(output: Challenge | Assessment, _: Outputs) -> Iterator[str]:
    """The language is one that the highlighter knows."""
    try:
        get_lexer_by_name(output.language)
    except ClassNotFound:
        yield f"language: {output.language!r} is no language that the highlighter knows"


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


def errors_were_judged(assessment: Assessment, outputs: Outputs) -> Iterator[str]:
    """Each error shows a failure that the judge proved with a quote."""
    for error in assessment.errors:
        if not outputs["judgment"].failure(error.failure):
            yield f"errors.{error.id}.failure: {error.failure} is none of the judged failures"


def errors_were_made(assessment: Assessment, outputs: Outputs) -> Iterator[str]:
    """Each line of each error was written by the weak tier, spacing aside: nothing is planted."""
    for error in assessment.errors:
        for line in error.quote.splitlines():
            if line.strip() and made_on_line(line, outputs["weak_implementation"]) is None:
                yield f"errors.{error.id}.quote: {line.strip()!r} stands nowhere in the weak implementation"


def no_comment_gives_an_error_away(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """No comment in the code points at an error."""
    try:
        lexer = get_lexer_by_name(assessment.language)
    except ClassNotFound:
        return
    for kind, text in lexer.get_tokens(assessment.code):
        if kind in Comment and (told := _GIVES_AWAY.search(text)):  # type: ignore[comparison-overlap]
            yield f"code: the comment {text.strip()!r} gives an answer away ({told[0]!r})"


def minutes_go_up(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """The time that a student needs goes from shorter to longer."""
    shortest, longest = assessment.estimated_minutes
    if shortest > longest:
        yield f"estimated_minutes: {shortest} to {longest} goes down"


def made_on_line(line: str, implementation: Implementation) -> int | None:
    """Return the line (from 1) of the implementation's text that holds this line of code, spacing aside."""
    wanted = "".join(line.split())
    for number, written in enumerate(implementation.text.split("\n"), start=1):
        if wanted in "".join(written.split()):
            return number
    return None


def _lines(code: str) -> list[str]:
    return [line.rstrip() for line in code.rstrip().split("\n")]
