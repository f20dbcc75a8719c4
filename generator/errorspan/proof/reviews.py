"""Read a person's word on an exercise: `topics/<id>.review.yml`, which approves or rejects it, and may correct it.

A review is of one assessment, by its digest: when the assessment changes, the review is stale and counts no more. The
recorded answer stays as it is; what a review corrects is laid over it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import Field, StringConstraints, ValidationError

from errorspan.answers.outputs import Assessment, Error, Finding, Severity, Span
from errorspan.answers.shape import TextOrNone
from errorspan.answers.shape import faults as faults_of
from errorspan.authoring.topics import Line, LongLine, Paragraphs, Strict
from errorspan.text import source
from errorspan.text.errors import InputError

SUFFIX = ".review.yml"
MOST = 9
"""Errors that an exercise may have: they are numbered with one digit."""
TEXTS = ("title", "learning_objective", "scenario", "promises", "not_shown")


class Correction(Strict):
    """What a reviewer says of one error, in place of what its author wrote."""

    error: Annotated[int, Field(ge=1, le=9)] = Field(description="the number of the error, as recorded")
    remove: Literal[True] | None = Field(None, description="`true`: this is no error; those behind it move up")
    quote: TextOrNone | None = Field(None, description="the wrong stretch, as it stands in the code")
    line: Annotated[int, Field(ge=1)] | None = Field(None, description="the line on which the quote starts")
    correction: TextOrNone | None = Field(None, description="what replaces the quote; `''` deletes it")
    description: Paragraphs | None = Field(None, description="what is wrong and why")
    hint: LongLine | None = Field(None, description="the nudge that a student may ask for")
    severity: Severity | None = Field(None, description="`high`, `medium` or `low`")
    concept: Line | None = Field(None, description="the idea behind it, in a few words")
    learning_value: Paragraphs | None = Field(None, description="what to take away")

    undecided: Paragraphs | None = Field(
        None, description="why it is not settled whether this is an error: it counts neither way; those behind move up"
    )

    @property
    def changes(self) -> dict[str, Any]:
        """Return the fields that it changes."""
        return self.model_dump(exclude={"error", "remove", "undecided"}, exclude_none=True)

    @property
    def removes(self) -> bool:
        """Tell whether the error goes."""
        return bool(self.remove or self.undecided)


class Addition(Strict):
    """An error that the key lacks, as a reviewer found it; it is proved like any other."""

    quote: TextOrNone = Field(description="the wrong stretch, as it stands in the code")
    line: Annotated[int, Field(ge=1)] = Field(description="the line on which the quote starts")
    correction: TextOrNone = Field(description="what replaces the quote; `''` deletes it")
    description: Paragraphs = Field(description="what is wrong and why")
    hint: LongLine = Field(description="the nudge that a student may ask for")
    severity: Severity = Field(description="`high`, `medium` or `low`")
    concept: Line = Field(description="the idea behind it, in a few words")
    learning_value: Paragraphs = Field(description="what to take away")
    failure: Annotated[str, StringConstraints(pattern=r"^F[1-9][0-9]?$")] | None = Field(
        None, description="the judged failure that it shows, such as `F2`, if one does"
    )


class Unsettled(Strict):
    """A stretch of the code of which a reviewer cannot tell whether it is wrong."""

    quote: TextOrNone = Field(description="the stretch, as it stands in the code")
    line: Annotated[int, Field(ge=1)] = Field(description="the line on which the quote starts")
    reason: Paragraphs = Field(description="why it is not settled, shown to students after they check")


class Added(Error):
    """An error that a reviewer added: it may show no judged failure."""

    failure: str = ""


class Review(Strict):
    """A person's word on an exercise."""

    verdict: Literal["approved", "rejected"] = Field(description="`approved` or `rejected`")
    by: Line = Field(description="who reviewed it")
    date: dt.date = Field(description="when, as `2026-01-31`")
    assessment: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="the SHA-256 of `assessment.json`, as `errorspan review` writes it: what was reviewed"
    )
    note: Paragraphs | None = Field(None, description="what the reviewer wants to say, shown on the run page")
    title: Line | None = Field(None, description="a corrected title")
    learning_objective: Paragraphs | None = Field(None, description="a corrected learning objective")
    scenario: Paragraphs | None = Field(None, description="a corrected scenario")
    promises: Annotated[list[Paragraphs], Field(max_length=8)] | None = Field(
        None, description="what callers may rely on, a statement each; with them, the scenario is told in short"
    )
    not_shown: Paragraphs | None = Field(None, description="what the code uses and does not show")
    corrections: list[Correction] = Field([], description="one entry for each error that is corrected or removed")
    add: list[Addition] = Field([], description="errors that the key lacks")
    undecided: list[Unsettled] = Field(
        [], description="stretches that may be wrong or right: to mark one scores nothing, and is no false alarm"
    )

    def applies(self, digest: str) -> bool:
        """Tell whether it is about the assessment with this digest."""
        return digest == self.assessment

    @property
    def corrects(self) -> bool:
        """Tell whether it changes anything."""
        return bool(self.corrections or self.add or self.undecided) or any(
            getattr(self, field) is not None for field in TEXTS
        )

    @property
    def approves(self) -> bool:
        """Tell whether the exercise may be published, as far as this reviewer goes."""
        return self.verdict == "approved"


def read(path: Path, name: str) -> Review | None:
    """Return a topic's review, if there is one.

    Raises:
        InputError: with every fault of the file.
    """
    return source.read(path, name).validated(Review) if path.is_file() else None


def corrected(assessment: Assessment, review: Review, name: str) -> Assessment:
    """Return the assessment with what a review corrects.

    Raises:
        InputError: a correction is about an error that is not there, or leaves no assessment.
    """
    by_id = {str(one.error): one for one in review.corrections}
    if len(by_id) < len(review.corrections):
        raise InputError([f"{name}:1: corrections: expected one entry for each error"])
    unknown = sorted(by_id.keys() - {error.id for error in assessment.errors})
    if unknown:
        raise InputError(f"{name}:1: corrections: there is no error {number}" for number in unknown)
    texts = {field: text for field in TEXTS if (text := getattr(review, field)) is not None}
    kept = [
        error.model_dump() | (said.changes if (said := by_id.get(error.id)) else {})
        for error in assessment.errors
        if not (error.id in by_id and by_id[error.id].removes)
    ]
    added = [one.model_dump(exclude_none=True) for one in review.add]
    if not 1 <= len(kept) + len(added) <= MOST:
        raise InputError(
            [f"{name}:1: what is left is no assessment: errors: expected 1 to {MOST} (got {len(kept + added)})"]
        )
    try:
        shown = Assessment.model_validate(assessment.model_dump() | texts)
        errors = [Error.model_validate(one) for one in kept] + [
            Added.model_validate({"id": "1"} | one) for one in added
        ]
    except ValidationError as error:
        raise InputError(f"{name}:1: what is left is no assessment: {fault}" for fault in faults_of(error)) from None
    places = [shown.span(error) for error in errors]
    if lost := next(
        (error for error, place in zip(errors, places, strict=True) if not place and isinstance(error, Added)), None
    ):
        raise InputError([f"{name}:1: add: {lost.quote!r} does not stand in the code once"])
    if added:
        errors.sort(key=lambda error: shown.span(error) or Span(len(shown.code), 0, 0, 0))
    numbered = [error.model_copy(update={"id": str(number)}) for number, error in enumerate(errors, 1)]
    return shown.model_copy(update={"errors": numbered})


class Aside(NamedTuple):
    """A stretch of the code that counts neither way, and why."""

    quote: str
    reason: str
    span: Span


def asides(assessment: Assessment, shown: Assessment, review: Review, name: str) -> tuple[Aside, ...]:
    """Return the stretches of a recorded assessment that a review leaves undecided, in the order of the code.

    `shown` is the assessment with what the review corrects.

    Raises:
        InputError: one does not stand in the code, or in an error that stays one.
    """
    by_id = {error.id: error for error in assessment.errors}
    placed = [
        (error.quote, one.undecided, assessment.span(error))
        for one in review.corrections
        if one.undecided and (error := by_id[str(one.error)])
    ]
    for stretch in review.undecided:
        place = Finding(quote=stretch.quote, line=stretch.line, description=stretch.reason)
        placed.append((stretch.quote, stretch.reason, assessment.span(place)))
    if lost := [quote for quote, _, span in placed if span is None]:
        raise InputError(f"{name}:1: undecided: {quote!r} does not stand in the code once" for quote in lost)
    found = [Aside(quote, reason, span) for quote, reason, span in placed if span]
    errors = [(error.id, span) for error in shown.errors if (span := shown.span(error))]
    if within := [
        f"{name}:1: undecided: {aside.quote!r} is within error {number}; say `undecided` of that error"
        for aside in found
        for number, span in errors
        if aside.span.start < span.end and span.start < aside.span.end
    ]:
        raise InputError(within)
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


def skeleton(*, verdict: str, by: str, day: str, digest: str, note: str | None) -> str:
    """Return the text of a new review."""
    values = {"verdict": verdict, "by": by, "date": dt.date.fromisoformat(day), "assessment": digest}
    return yaml.safe_dump(values | ({"note": note} if note else {}), sort_keys=False, allow_unicode=True)
