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

from errorspan.answers.outputs import Assessment, Severity
from errorspan.answers.shape import TextOrNone
from errorspan.answers.shape import faults as faults_of
from errorspan.authoring.topics import Line, LongLine, Paragraphs, Strict
from errorspan.text import source
from errorspan.text.errors import InputError

SUFFIX = ".review.yml"
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

    @property
    def changes(self) -> dict[str, Any]:
        """Return the fields that it changes."""
        return self.model_dump(exclude={"error", "remove"}, exclude_none=True)


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

    def applies(self, digest: str) -> bool:
        """Tell whether it is about the assessment with this digest."""
        return digest == self.assessment

    @property
    def corrects(self) -> bool:
        """Tell whether it changes anything."""
        return bool(self.corrections) or any(getattr(self, field) is not None for field in TEXTS)

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
    errors: list[dict[str, Any]] = []
    for error in assessment.errors:
        said = by_id.get(error.id)
        if not (said and said.remove):
            changes = said.changes if said else {}
            errors.append(error.model_dump() | changes | {"id": str(len(errors) + 1)})
    texts = {field: text for field in TEXTS if (text := getattr(review, field)) is not None}
    try:
        return Assessment.model_validate(assessment.model_dump() | texts | {"errors": errors})
    except ValidationError as error:
        raise InputError(f"{name}:1: what is left is no assessment: {fault}" for fault in faults_of(error)) from None


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
        if said.remove:
            yield Change(f"error {error.id}", error.description, "")
        for field, value in said.changes.items():
            if getattr(error, field) != value:
                where = f"error {error.id}, {field.replace('_', ' ')}"
                yield Change(where, str(getattr(error, field)), str(value), field in {"quote", "correction"})


def _text(said: str | list[str]) -> str:
    return said if isinstance(said, str) else "\n".join(f"- {one}" for one in said)


def skeleton(*, verdict: str, by: str, day: str, digest: str, note: str | None) -> str:
    """Return the text of a new review."""
    values = {"verdict": verdict, "by": by, "date": dt.date.fromisoformat(day), "assessment": digest}
    return yaml.safe_dump(values | ({"note": note} if note else {}), sort_keys=False, allow_unicode=True)
