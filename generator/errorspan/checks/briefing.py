"""Check what a student is told before an exercise, and which of its places look wrong and are right."""

from __future__ import annotations

import re
from collections.abc import Iterator

from errorspan.answers.outputs import Assessment
from errorspan.answers.quotes import moved, unplaced
from errorspan.checks import giveaways
from errorspan.checks.check import Outputs, Remark
from errorspan.text import syntax

_SCENARIO_WORDS, _PROMISE_WORDS, _PROMISES = 60, 40, 3


def scenario_is_short(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """What the code is and who calls it is said in 60 words: the code is on the first screen."""
    words = len(assessment.scenario.split())
    if words > _SCENARIO_WORDS:
        yield f"scenario: has {words} words; {_SCENARIO_WORDS} are the most, what the code promises goes into promises"


def promises_are_short(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """What callers may rely on is told in three to eight statements, 40 words each at the most."""
    if len(assessment.promises) < _PROMISES:
        yield f"promises: has {len(assessment.promises)} statements; {_PROMISES} to 8 are wanted"
    for place, promise in enumerate(assessment.promises, 1):
        if (words := len(promise.split())) > _PROMISE_WORDS:
            yield f"promises.{place}: has {words} words; {_PROMISE_WORDS} are the most"


def names_are_set_as_code(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """Names of the code stand between backticks where a student is told of them."""
    names = syntax.code_like(assessment.code, assessment.language)
    told = {"scenario": assessment.scenario, "not_shown": assessment.not_shown}
    told |= {f"promises.{place}": promise for place, promise in enumerate(assessment.promises, 1)}
    for place, text in told.items():
        bare = sorted(names.intersection(re.findall(r"\w+", giveaways.spoken(text))))
        if bare:
            yield f"{place}: {', '.join(bare)} must stand between backticks, as code"


def sound_places_stand_apart(assessment: Assessment, _: Outputs) -> Iterator[str]:
    """Each place that looks wrong and is right stands in the code once, and on no line of an error."""
    spans = [(error.id, span) for error in assessment.errors if (span := assessment.span(error))]
    for number, sound in enumerate(assessment.sound, 1):
        place = assessment.span(sound)
        if place is None:
            yield f"sound.{number}.quote: {unplaced(sound.quote, sound.line, assessment.code)}"
        elif place.first != sound.line:
            yield Remark(f"sound.{number}.line: {moved(place.first, sound.line)}")
        for name, span in spans:
            if place and place.first <= span.last and span.first <= place.last:
                yield f"sound.{number}.quote: shares a line with error {name}"
