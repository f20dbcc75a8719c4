"""Read a person's word on an exercise: `topics/<id>.review.yml`, which approves or rejects it, and may correct it.

A review is of one assessment, by its digest: when the assessment changes, the review is stale and counts no more. The
recorded answer stays as it is; what a review corrects is laid over it.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, PrivateAttr, StringConstraints

from errorspan.answers.outputs import Severity
from errorspan.answers.shape import TextOrNone
from errorspan.authoring.topics import Line, LongLine, Paragraphs, Strict
from errorspan.text import source
from errorspan.text.expected import Place
from errorspan.text.source import Source

SUFFIX = ".review.yml"
SUFFIXES = (SUFFIX, ".review.yaml")
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

    _source: Source = PrivateAttr(Source("review", {}, {}))

    @property
    def file(self) -> str:
        """Return its file, as messages name it."""
        return self._source.name

    def fault(self, place: Place, what: str) -> str:
        """Say a fault of it at its line."""
        return self._source.fault(place, what)

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


def named(root: Path, topic: str) -> str:
    """Return the name of a topic's review, from the root, with the ending that it has; `topic` is named without one."""
    return next((topic + one for one in SUFFIXES if (root / (topic + one)).exists()), topic + SUFFIX)


def read(path: Path, name: str) -> Review | None:
    """Return a topic's review, if there is one.

    Raises:
        InputError: with every fault of the file.
    """
    if not path.is_file():
        return None
    found = source.read(path, name)
    review = found.validated(Review)
    review._source = found  # noqa: SLF001 - its own
    return review


def skeleton(*, verdict: str, by: str, day: str, digest: str, note: str | None) -> str:
    """Return the text of a new review."""
    values = {"verdict": verdict, "by": by, "date": dt.date.fromisoformat(day), "assessment": digest}
    return yaml.safe_dump(values | ({"note": note} if note else {}), sort_keys=False, allow_unicode=True)
