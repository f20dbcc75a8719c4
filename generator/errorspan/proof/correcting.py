"""Lay a review over the assessment that it is of: what it corrects, adds and leaves undecided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from pydantic import ValidationError

from errorspan.answers.outputs import Assessment, Error, Finding, Span
from errorspan.answers.quotes import unplaced
from errorspan.proof.reviews import TEXTS, Review
from errorspan.text.errors import InputError
from errorspan.text.expected import Place, misfits, place_of, sentence

MOST = 9
"""Errors that an exercise may have: they are numbered with one digit."""


class Added(Error):
    """An error that a reviewer added: it may show no judged failure."""

    failure: str = ""


class _Part(NamedTuple):
    """An error as a review leaves it, and where its text stands: in the review, or under `errors` of the record."""

    error: Error
    place: Place


def corrected(assessment: Assessment, review: Review) -> Assessment:
    """Return the assessment with what a review corrects.

    Raises:
        InputError: a correction is about an error that is not there, or leaves no assessment.
    """
    known, faults = {error.id for error in assessment.errors}, []
    for number, one in enumerate(review.corrections):
        if str(one.error) not in known:
            faults.append(review.fault(("corrections", number, "error"), f"there is no error {one.error}"))
        if any(one.error == before.error for before in review.corrections[:number]):
            faults.append(review.fault(("corrections", number, "error"), f"error {one.error} has an entry already"))
    if faults:
        raise InputError(faults)
    shown, parts = _parts(assessment, review)
    if not 1 <= len(parts) <= MOST:
        place = ("add",) if len(parts) > MOST else ("corrections",)
        raise InputError([review.fault(place, f"expected to leave 1 to {MOST} errors (got {len(parts)})")])
    if lost := next((part for part in parts if isinstance(part.error, Added) and not shown.span(part.error)), None):
        why = unplaced(lost.error.quote, lost.error.line, shown.code)
        raise InputError([review.fault((*lost.place, "quote"), why)])
    numbered = [part.error.model_copy(update={"id": str(number)}) for number, part in enumerate(parts, 1)]
    return shown.model_copy(update={"errors": numbered})


def _parts(assessment: Assessment, review: Review) -> tuple[Assessment, list[_Part]]:
    """Return the assessment with a review's texts, and its errors with the review's, in their order."""
    by_id = {str(one.error): (number, one) for number, one in enumerate(review.corrections)}
    texts = {field: text for field in TEXTS if (text := getattr(review, field)) is not None}
    parts = []
    with _misfitting(review, ()):
        shown = Assessment.model_validate(assessment.model_dump() | texts)
    for place, error in enumerate(assessment.errors):
        number, said = by_id.get(error.id, (None, None))
        if said is None or number is None:
            parts.append(_Part(error, ("errors", place)))
        elif not said.removes:
            with _misfitting(review, ("corrections", number)):
                parts.append(_Part(Error.model_validate(error.model_dump() | said.changes), ("corrections", number)))
    for number, one in enumerate(review.add):
        with _misfitting(review, ("add", number)):
            added = Added.model_validate({"id": "1"} | one.model_dump(exclude_none=True))
            parts.append(_Part(added, ("add", number)))
    if review.add:
        parts.sort(key=lambda part: shown.span(part.error) or Span(len(shown.code), 0, 0, 0))
    return shown, parts


@contextmanager
def _misfitting(review: Review, place: Place) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        faults = misfits(error)
        raise InputError(review.fault((*place, *place_of(fault)), sentence(fault)) for fault in faults) from None


def origin(assessment: Assessment, review: Review, place: Place) -> Place:
    """Return where a text of the corrected assessment stands: in the review, or in the record, as it is there.

    Which of both, `is_of` tells.
    """
    if place[:1] == ("errors",) and len(place) > 1 and isinstance(place[1], int):
        _, parts = _parts(assessment, review)
        return (*parts[place[1]].place, *place[2:]) if place[1] < len(parts) else place
    if place == ("errors",) and (review.add or review.corrections):
        return ("add",) if review.add else ("corrections",)
    return place


class _Stretch(NamedTuple):
    """A stretch that a review leaves undecided, wherever it stands."""

    quote: str
    line: int
    reason: str
    span: Span | None


def is_of(review: Review, place: Place) -> bool:
    """Tell whether a place is one of the review: else it is one of the record."""
    first = str(place[0]) if place else ""
    return first in {"corrections", "add", "undecided"} or (first in TEXTS and getattr(review, first) is not None)


class Aside(NamedTuple):
    """A stretch of the code that counts neither way, and why."""

    quote: str
    reason: str
    span: Span


def asides(assessment: Assessment, shown: Assessment, review: Review) -> tuple[Aside, ...]:
    """Return the stretches of a recorded assessment that a review leaves undecided, in the order of the code.

    `shown` is the assessment with what the review corrects.

    Raises:
        InputError: one does not stand in the code, or in an error that stays one.
    """
    by_id = {error.id: error for error in assessment.errors}
    placed: list[tuple[Place, _Stretch]] = []
    for number, one in enumerate(review.corrections):
        if one.undecided and (error := by_id[str(one.error)]):
            place: Place = ("corrections", number, "undecided")
            placed.append((place, _Stretch(error.quote, error.line, one.undecided, assessment.span(error))))
    for number, stretch in enumerate(review.undecided):
        quoted = Finding(quote=stretch.quote, line=stretch.line, description=stretch.reason)
        span = assessment.span(quoted)
        placed.append((("undecided", number), _Stretch(stretch.quote, stretch.line, stretch.reason, span)))
    errors = [(error.id, span) for error in shown.errors if (span := shown.span(error))]
    faults = []
    for place, aside in placed:
        if aside.span is None:
            faults.append(review.fault((*place, "quote"), unplaced(aside.quote, aside.line, assessment.code)))
            continue
        faults += [
            review.fault((*place, "quote"), f"is within error {number}; say `undecided` of that error")
            for number, span in errors
            if aside.span.start < span.end and span.start < aside.span.end
        ]
    if faults:
        raise InputError(faults)
    found = [Aside(one.quote, one.reason, one.span) for _, one in placed if one.span]
    return tuple(sorted(found, key=lambda aside: aside.span))


class Change(NamedTuple):
    """What a review changed at one place: `after` is empty where an error is removed."""

    where: str
    before: str
    after: str
    code: bool = False


def changes(original: Assessment, shown: Assessment, review: Review) -> Iterator[Change]:
    """Yield what a review changed, in the order in which a reader meets it."""
    for field in TEXTS:
        if getattr(original, field) != getattr(shown, field):
            before, after = (_text(getattr(one, field)) for one in (original, shown))
            yield Change(field.replace("_", " "), before, after)
    for said in review.corrections:
        error = next(error for error in original.errors if error.id == str(said.error))
        if said.removes:
            yield Change(
                f"error {error.id}", error.description, f"Undecided: {said.undecided}" if said.undecided else ""
            )
        for field, value in said.changes.items():
            if getattr(error, field) != value:
                where = f"error {error.id}, {field.replace('_', ' ')}"
                yield Change(where, str(getattr(error, field)), str(value), field in {"quote", "correction"})
    for one in review.add:
        yield Change(f"an error on line {one.line}, added", "Nothing.", one.description)
    for stretch in review.undecided:
        yield Change(f"undecided, line {stretch.line}", "Nothing.", stretch.reason)


def _text(said: str | list[str]) -> str:
    return said if isinstance(said, str) else "\n".join(f"- {one}" for one in said)
