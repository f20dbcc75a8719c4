"""Check an exercise: its code, its answer key, and what is told before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, pairwise

from pygments.token import Keyword, Name, String, Whitespace

from errorspan.answers import verdicts
from errorspan.answers.outputs import Assessment
from errorspan.answers.quotes import moved, unplaced
from errorspan.authoring.topics import LONGEST, SHORTEST
from errorspan.checks import giveaways
from errorspan.checks.check import Outputs, Remark, Undecided
from errorspan.checks.tracing import traced
from errorspan.text import syntax

_LINE = re.compile(r"\blines? \d+", re.IGNORECASE)
_COUNTED = re.compile(
    r"\b(two|three|four|five|[2-5])\s+(?:[\w-]+\s+){0,2}?(errors?|bugs?|mistakes?|faults?|flaws?|problems?|defects?|issues?|vulnerabilit\w+)\b",
    re.IGNORECASE,
)
_LINES_A_MINUTE = 10
_LONGEST_MINUTES = 90
_SAME_WORDS = 0.6
_COMMENTED_LETTERS = 8


def code_is_of_a_size(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """The code has 8 to 150 lines, and error spans are at most a third of them: to mark every line must not pay.

    In fewer lines an error is found by its place. The most is below the 200 lines up to which reviewers found defects
    best in SmartBear's study at Cisco (2006): here each line has to be traced.
    """
    lines = _written_lines(assessment.code)
    if not SHORTEST <= lines <= LONGEST:
        yield f"code: has {lines} lines that are not blank; {SHORTEST} to {LONGEST} are an exercise"
    spans = [span for error in assessment.errors if (span := assessment.span(error))]
    wrong = sum(span.last - span.first + 1 for span in spans)
    if wrong * 3 > lines:
        yield f"errors: their quotes cover {wrong} of {lines} lines; a third is the most"


def code_is_no_longer_than_asked(assessment: Assessment, outputs: Outputs) -> Iterator[str]:
    """The code has no more lines than the topic asks for, blank ones and comments aside, and a quarter above that."""
    lines, (_, most) = _written_lines(syntax.bare(assessment.code, assessment.language)), outputs["topic"].size
    if lines * 4 > most * 5:
        yield f"code: has {lines} lines that are neither blank nor comments; {most} are the most; leave functions out"


def code_parses(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """The code parses in its language."""
    code, language = assessment.code, assessment.language
    if why := syntax.unknown(code, language):
        yield Undecided(f"whether the code parses: {why}")
    elif line := syntax.broken(code, language):
        said = f"code: does not parse as {language}, at line {line} ({code.split(chr(10))[line - 1].strip()!r})"
        yield said if syntax.is_exact(language) else Undecided(f"{said}; macros can be why")


def corrections_parse(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """The code still parses with each correction alone, and with all of them."""
    language = assessment.language
    if why := syntax.unknown(max(assessment.code, assessment.corrected(), key=len), language):
        yield Undecided(f"whether the corrections parse: {why}")
    elif syntax.broken(assessment.code, language):
        yield Undecided("whether the corrections parse: the code without them does not")
    else:
        alone = [error.id for error in assessment.errors if syntax.broken(assessment.corrected(error.id), language)]
        for number in alone:
            line = syntax.broken(assessment.corrected(number), language)
            yield f"errors.{number}.correction: with it the code does not parse as {language}, at line {line}"
        if not alone and (line := syntax.broken(assessment.corrected(), language)):
            yield f"errors: with all corrections the code does not parse as {language}, at line {line}"


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


def ids_count_up(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """The errors are numbered in the order of the code."""
    found = [error.id for error in assessment.errors]
    if found != [str(number) for number in range(1, len(found) + 1)]:
        yield f"errors: the ids are {', '.join(found)}, not 1 to {len(found)} in this order"


def quotes_stand_in_the_code(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """Each error's quote stands in the code, at one place.

    Models miscount lines, and no reader sees `line`: while the quote alone tells the place, a wrong one is no fault.
    """
    for error in assessment.errors:
        span = assessment.span(error)
        if span is None:
            yield f"errors.{error.id}.quote: {unplaced(error.quote, error.line, assessment.code)}"
        elif span.first != error.line:
            yield Remark(f"errors.{error.id}.line: {moved(span.first, error.line)}")


def spans_hold_code(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """Each span begins and ends with code: not with a blank line, and not with a comment."""
    code = syntax.bare(assessment.code, assessment.language)
    for error in assessment.errors:
        span = assessment.span(error)
        quoted = code[span.start : span.end].removesuffix("\n").split("\n") if span else ["nowhere"]
        for edge, line in {"begins": quoted[0], "ends": quoted[-1]}.items():
            if not line.strip():
                yield f"errors.{error.id}.quote: {edge} with a blank line, or one that holds nothing but a comment"


def spans_are_apart(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """No two error spans overlap, and they come in the order of their numbers."""
    placed = [(span, error) for error in assessment.errors if (span := assessment.span(error))]
    for (one, first), (other, second) in pairwise(placed):
        if other.start < one.end:
            yield f"errors.{second.id}.quote: overlaps error {first.id}, or stands before it"


def errors_were_judged(assessment: Assessment, outputs: Outputs) -> Iterator[str]:
    """Each error shows a failure that the judge proved with a quote, at a line that the quote holds."""
    weak = outputs["weak_implementation"]
    placed = traced(assessment.code, weak)
    for error in assessment.errors:
        failure, span = outputs["judgment"].failure(error.failure), assessment.span(error)
        if not error.failure:
            continue  # a reviewer added it
        if not failure:
            known = ", ".join(one.id for one in outputs["judgment"].failures) or "none"
            yield f"errors.{error.id}.failure: {error.failure} is none of the judged failures, which are {known}"
        elif span and any(line in placed for line in range(span.first, span.last + 1)):
            quoted = {
                line
                for start, end in verdicts.places(failure.quote, weak)
                for line in range(weak.plain.count("\n", 0, start) + 1, weak.plain.count("\n", 0, end) + 2)
            }
            if quoted.isdisjoint(placed.get(line) for line in range(span.first, span.last + 1)):
                yield f"errors.{error.id}.failure: the quote of {error.failure} holds no line of this error"


def errors_stand_in_one_place(assessment: Assessment, outputs: Outputs) -> Iterator[str]:
    """Each error shows a failure that a change in one place mends."""
    for error in assessment.errors:
        failure = outputs["judgment"].failure(error.failure)
        if failure and not failure.local:
            yield f"errors.{error.id}.failure: no single stretch mends {error.failure}; make no error of it"


def errors_differ(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """No two errors show the same failure, or tell the same in other places.

    Descriptions of different errors share at most 29 % of their words in this course.
    """
    for first, second in combinations(assessment.errors, 2):
        named = f"errors.{second.id}"
        if first.failure and first.failure == second.failure:
            yield f"{named}.failure: error {first.id} shows {first.failure} already"
        elif giveaways.alike(first.description, second.description) >= _SAME_WORDS:
            yield f"{named}.description: tells the same as that of error {first.id}"
        elif (_lines(first.quote), _lines(first.correction)) == (_lines(second.quote), _lines(second.correction)):
            yield f"{named}.correction: is the same change as that of error {first.id}"


def corrections_change_something(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """Each correction differs from what it corrects."""
    for error in assessment.errors:
        if _lines(error.correction) == _lines(error.quote):
            yield f"errors.{error.id}.correction: is the quote again"


def no_comment_gives_an_error_away(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """No comment and no docstring in the code points at an error or holds a line of a correction."""
    corrected = {
        squeezed
        for error in assessment.errors
        for line in set(_lines(error.correction)) - set(_lines(error.quote))
        if len(squeezed := _squeezed(line)) >= _COMMENTED_LETTERS
    }
    code, language = assessment.code, assessment.language
    for comment in syntax.comments(code, language):
        holds = any(line in _squeezed(comment.text) for line in corrected)
        if told := giveaways.told_by_comment(comment.text) or ("a correction" if holds else None):
            yield f"code: {comment.text.strip()!r} gives an answer away ({told!r})"
    for token in syntax.tokens(code, language):
        if token.kind in String.Doc and (told := giveaways.told_by_docstring(token.text)):
            yield f"code: {token.text.strip()!r} gives an answer away ({told!r})"


def no_name_gives_an_error_away(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """No name in the code says that something is wrong with what it names."""
    before, told = "", set()
    for token in syntax.tokens(assessment.code, assessment.language):
        if token.kind in Name:
            defined = token.kind in Name.Function or token.kind in Name.Class or before in {"function", "class"}
            if token.text not in told and (word := giveaways.told_by_name(token.text, defined=defined)):
                told.add(token.text)
                yield f"code: the name {token.text!r} gives an answer away ({word!r}); leave out what it names"
        if token.kind not in Whitespace and token.text.strip():
            before = token.text if token.kind in Keyword else ""


def no_hint_is_the_answer(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """No hint names a line or holds the correction."""
    for error in assessment.errors:
        if named := _LINE.search(error.hint):
            yield f"errors.{error.id}.hint: names a line ({named[0]!r})"
        if len(error.correction.strip()) > 3 and _squeezed(error.correction) in _squeezed(error.hint):
            yield f"errors.{error.id}.hint: holds the correction"


def nothing_tells_how_many(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """Nothing that a student is told before says how many errors there are, or on which line."""
    told = {name: getattr(assessment, name) for name in ("title", "scenario", "learning_objective", "not_shown")}
    told |= {f"promises.{place}": promise for place, promise in enumerate(assessment.promises, 1)}
    for name, text in told.items():
        if found := _COUNTED.search(text) or _LINE.search(text):
            yield f"{name}: tells too much ({found[0]!r})"


def minutes_are_plausible(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """The time goes from shorter to longer, and a learner can read the code in it: 10 lines a minute at most.

    The same study found that reviewers who read more than 500 lines an hour find far fewer defects; this is 600.
    """
    shortest, longest = assessment.estimated_minutes
    lines = _written_lines(assessment.code)
    if shortest > longest:
        yield f"estimated_minutes: {shortest} to {longest} goes down"
    elif longest * _LINES_A_MINUTE < lines:
        yield f"estimated_minutes: {lines} lines take longer than {longest} to read with care"
    if longest > _LONGEST_MINUTES:
        yield f"estimated_minutes: {longest} is too long for one exercise; {_LONGEST_MINUTES} is the most"


def _squeezed(text: str) -> str:
    return "".join(text.replace("`", "").split())


def _written_lines(code: str) -> int:
    return sum(bool(line.strip()) for line in code.split("\n"))


def _lines(code: str) -> list[str]:
    return [line.rstrip() for line in code.rstrip().split("\n")]
