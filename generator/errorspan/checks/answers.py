"""Check the answers that an exercise is made of: what learners meet, mistakes, challenge, implementations, judgment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from errorspan.answers import verdicts
from errorspan.answers.outputs import Assessment, Categories, Challenge, ErrorCatalog, Implementation, Judgment
from errorspan.checks import giveaways
from errorspan.checks.check import Outputs
from errorspan.text import syntax

_HINTS = re.compile(r"\b(correctly|securely|be careful|make sure|numerically stable|thread-?safe)\b", re.IGNORECASE)
_NAMED_STEMS, _NAMED_SHARE = 3, 0.6
_COPIED_WORDS = 7
_FAILURES = 8


def subtopics_are_unique(categories: Categories, _: Outputs) -> Iterator[str]:
    """No subtopic stands twice, on one level or on two."""
    known: set[str] = set()
    for level, subtopics in categories:
        for place, subtopic in enumerate(subtopics, 1):
            name = " ".join(subtopic.casefold().split())
            if name in known:
                yield f"{level}.{place}: {name!r} is a subtopic twice"
            known.add(name)


def names_are_unique(catalog: ErrorCatalog, _: Outputs) -> Iterator[str]:
    """Each pattern has a name of its own."""
    names = [pattern.name for pattern in catalog.patterns]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield f"patterns.{place + 1}.name: two are named {name!r}"


def likelihoods_are_sane(catalog: ErrorCatalog, _: Outputs) -> Iterator[str]:
    """Weak engineers make each mistake more often than strong ones, and not all mistakes equally often."""
    for place, pattern in enumerate(catalog.patterns, 1):
        strong_makes = 1 - pattern.strong_avoids
        if pattern.weak_makes <= strong_makes + 1e-9:
            yield (
                f"patterns.{place}.weak_makes: {pattern.weak_makes:g} is no more than the {strong_makes:g} "
                "that strong_avoids leaves to strong engineers"
            )
    if len({(pattern.strong_avoids, pattern.weak_makes) for pattern in catalog.patterns}) == 1:
        yield "patterns: all have the same two likelihoods; estimate each on its own"


def language_is_the_topics(challenge: Challenge, outputs: Outputs) -> Iterator[str]:
    """The challenge is set in the language that the topic names, if it names one."""
    wanted = outputs["topic"].language
    if wanted and syntax.lexer(challenge.language) != syntax.lexer(wanted):
        yield f"language: the topic asks for {wanted!r}, not {challenge.language!r}"


def language_is_known(output: Challenge | Assessment, _: Outputs) -> Iterator[str]:
    """The language is one that the highlighter knows."""
    if not syntax.lexer(output.language):
        yield f"language: {output.language!r} is no language that the highlighter knows, such as 'python'"


def no_pattern_is_named(challenge: Challenge, outputs: Outputs) -> Iterator[str]:
    """The challenge names no pattern of the catalog."""
    for pattern in outputs["error_catalog"].patterns:
        for place, text in _prose(challenge):
            if pattern.name.casefold() in text.casefold():
                yield f"{place}: gives the pattern {pattern.name!r} away"
                break


def no_pattern_is_hinted_at(challenge: Challenge, outputs: Outputs) -> Iterator[str]:
    """No sentence of the challenge has most words of a pattern's name, a run of its explanation, or a word that warns.

    In the challenges of this course a sentence shares at most two words, 40 %, with a name, and five in a row with an
    explanation.
    """
    sentences = [
        (place, sentence, giveaways.stems(sentence), giveaways.runs(sentence, _COPIED_WORDS))
        for place, text in _prose(challenge)
        for sentence in re.split(r"(?<=[.!?;])\s+|\n{2,}", giveaways.spoken(text))
    ]
    for place, sentence, _, _ in sentences:
        if told := _HINTS.search(sentence):
            yield f"{place}: {told[0]!r} is a hint"
    for pattern in outputs["error_catalog"].patterns:
        named = giveaways.stems(pattern.name)
        explained = giveaways.runs(pattern.why_wrong, _COPIED_WORDS) | giveaways.runs(pattern.impact, _COPIED_WORDS)
        for place, sentence, words, copied in sentences:
            shared = len(words & named)
            if pattern.name.casefold() in sentence.casefold():
                continue
            if (shared >= _NAMED_STEMS and shared >= _NAMED_SHARE * len(named)) or copied & explained:
                yield f"{place}: {sentence.strip()!r} hints at the pattern {pattern.name!r}"


def holds_code(implementation: Implementation, _: Outputs) -> Iterator[str]:
    """The answer holds a fenced block of code."""
    if not any(fence.code.strip() for fence in implementation.fences):
        yield "text: holds no fenced block of code"


def patterns_are_in_the_catalog(judgment: Judgment, outputs: Outputs) -> Iterator[str]:
    """Each pattern that the judge names is one of the catalog's."""
    for kind, observations in (("strengths", judgment.strengths), ("failures", judgment.failures)):
        for place, observation in enumerate(observations, 1):
            if observation.pattern is not None and not outputs["error_catalog"].named(observation.pattern):
                named = f"{kind}.{place}.pattern: {observation.pattern!r}"
                yield f"{named} is no name in the catalog; copy one, or give null"


def quotes_are_of_what_they_tell(judgment: Judgment, outputs: Outputs) -> Iterator[str]:
    """What is quoted of A stands in A, and what is quoted of B in B: this is no answer to the other order."""
    given = {"A": outputs["mid_implementation"], "B": outputs["weak_implementation"]}
    if outputs["order"] == verdicts.WEAK_FIRST:
        given["A"], given["B"] = given["B"], given["A"]
    better, worse = given.pop(judgment.better), *given.values()
    told = [(seen.quote, better, worse) for seen in judgment.strengths]
    told += [(seen.quote, worse, better) for seen in judgment.failures]
    if any(verdicts.place(quote, said) for quote, said, _ in told):
        return
    swapped = sum(verdicts.place(quote, other) is not None for quote, _, other in told)
    if swapped > 1:
        yield (
            f"better: is {judgment.better}, but none of the quotes stands where it should, and {swapped} in the other "
            "implementation; A and B are taken for each other, or this answers the judgment in the other order"
        )


def failures_are_few(judgment: Judgment, _: Outputs) -> Iterator[str]:
    """At most eight failures are named: the gravest ones."""
    if len(judgment.failures) > _FAILURES:
        yield f"failures: has {len(judgment.failures)}; {_FAILURES} are the most, the gravest; one cause is one failure"


def what_settles_is_told(judgment: Judgment, outputs: Outputs) -> Iterator[str]:
    """What makes a failure one stands in the challenge, word for word, unless it is a rule of the craft."""
    told = " ".join(" ".join(text for _, text in _prose(outputs["challenge"])).split()).casefold()
    for place, failure in enumerate(judgment.failures, 1):
        words = " ".join((failure.settles or "").split()).strip("“”\"'.").casefold()
        if failure.settled_by in {"requirement", "interface"} and words not in told:
            yield (
                f"failures.{place}.settles: {failure.settles!r} does not stand in the challenge; copy its words, "
                "name a rule of the craft (settled_by: craft), or leave out what nothing settles"
            )


def _prose(challenge: Challenge) -> Iterator[tuple[str, str]]:
    for name in ("title", "question_text", "context", "success_criteria"):
        yield name, getattr(challenge, name)
    for place, requirement in enumerate(challenge.requirements, 1):
        yield f"requirements.{place}", requirement
