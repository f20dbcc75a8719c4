"""Tell where the text stands that a person must change: in a record, in a review, or in a topic's tests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from errorspan.answers.outputs import Assessment
from errorspan.answers.shape import bare_json, line_at
from errorspan.proof import correcting, proofs
from errorspan.proof.deciding import Decided
from errorspan.proof.evidence import Evidence
from errorspan.runs.answer import Answer
from errorspan.text import objects
from errorspan.text.expected import Place

_KEY = re.compile(r"(?P<key>[a-z_]+(?:\.\w+)*): (?P<what>.*)", re.DOTALL)
_NAME = re.compile(r"(?:.*::)?(?P<name>[^\[]+)")


def said_at(folder: str, answer: Answer, sentence: str, evidence: Evidence) -> str:
    """Return what a check says of an answer as `file:line: key: what`."""
    found = _KEY.fullmatch(sentence)
    if found is None:
        return f"{folder}/{answer.file}:1: {sentence}"
    place = _place(found["key"], answer.output)
    review, original = evidence.review, evidence.original
    if review is None or original is None or not isinstance(answer.output, Assessment):
        return f"{folder}/{answer.file}:{_line(answer.recorded.text, place)}: {sentence}"
    place = correcting.origin(original, review, place)
    if correcting.is_of(review, place):
        return review.fault(place, found["what"])
    return f"{folder}/{answer.file}:{_line(answer.recorded.text, place)}: {_named(place, original)}: {found['what']}"


def against(folder: str, answer: Answer | None, decided: Decided, evidence: Evidence) -> Iterator[str]:
    """Yield what execution has against a key: at the error that is wrong, or at the test that the program fails."""
    for flaw in decided.against:
        if flaw.error and answer:
            yield said_at(folder, answer, f"errors.{flaw.error}: {flaw.what}", evidence)
        elif flaw.test and evidence.tests:
            name, text = evidence.tests
            yield f"{name}:{line_of_test(flaw.test, text)}: {flaw.what}"
        elif evidence.tests:
            yield f"{evidence.tests[0]}:1: {flaw.what}"
        else:
            yield f"{folder}/{proofs.FILE}:1: {flaw.what}"


def line_of_test(test: str, text: str) -> int:
    """Return the line on which a test begins, by its name as a harness tells it; 1 where it is not found."""
    found = _NAME.match(test)
    name = re.escape(found["name"]) if found else ""
    for begins in (rf"^.*\b(?:def|test|it)\b.*{name}", rf"^.*{name}"):
        if name and (at := re.search(begins, text, re.MULTILINE)):
            return text.count("\n", 0, at.start()) + 1
    return 1


def _place(key: str, output: object) -> Place:
    """Return the place that a check names: errors by their ids, all else by its number from 1."""
    place: list[str | int] = []
    for part in key.split("."):
        if not part.isdigit():
            place.append(part)
        elif place == ["errors"] and isinstance(output, Assessment):
            ids = [error.id for error in output.errors]
            place.append(ids.index(part) if part in ids else int(part) - 1)
        else:
            place.append(int(part) - 1)
    return tuple(place)


def _named(place: Place, original: Assessment) -> str:
    parts = [str(part + 1) if isinstance(part, int) else part for part in place]
    if place[:1] == ("errors",) and len(place) > 1 and isinstance(place[1], int):
        parts[1] = original.errors[place[1]].id
    return ".".join(parts)


def _line(text: str, place: Place) -> int:
    if place == ("text",):  # of Markdown, which is all text
        return 1
    json_text = bare_json(text)
    return text.count("\n", 0, max(text.find(json_text), 0)) + line_at(place, objects.lines(json_text))
