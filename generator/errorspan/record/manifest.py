"""Say of each file of a record where it came from: what run.json holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from errorspan.answers.shape import FORMAT
from errorspan.authoring.prices import Usage
from errorspan.authoring.tiers import Options
from errorspan.steps.prompting import Request

SUPERSEDED = "superseded by a later answer"


def _real(at: str) -> str:
    """Refuse a day that no month has."""
    datetime.fromisoformat(at)
    return at


Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_real)]
Instant = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
    AfterValidator(_real),
]
"""UTC, ISO 8601, to the second."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256. A key is a part of file names in the journal, so nothing else may stand there."""

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Reply(BaseModel):
    """What came back for one request, word for word."""

    model_config = ConfigDict(frozen=True)

    text: str
    model: str
    stop_reason: str | None
    stop_detail: str | None = None
    usage: Usage
    asked_at: Instant
    seconds: Seconds


class Rejected(BaseModel):
    """A reply that was paid for and does not count, and why; its words stay in the journal's folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(description="the file of the record that it was asked for")
    model: str
    stop_reason: str | None = None
    usage: Usage
    at: Instant
    seconds: Seconds
    faults: list[str]
    free: bool | None = None

    @property
    def superseded(self) -> bool:
        """Tell whether it counted once, until a later answer took its place."""
        return self.faults == [SUPERSEDED]


class Entry(BaseModel):
    """What run.json says of one answer.

    An authored one has no model, no key and no tokens, unless a person edited what a model wrote: `edited` has the day,
    and the rest is the model's. `served` is the model's name in the reply, where it is another than the one asked.
    `format` is that in which it was asked for: of the first it is not said.
    `options` say how the model was asked, where that was not as every other one, and `free` that its server was one of
    the site's own, which takes no key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Literal["model", "authored"]
    digest: Digest
    format: Annotated[int, Field(ge=1, le=FORMAT)] | None = None
    at: Day | Instant | None = None
    edited: Day | None = None
    key: Digest | None = None
    model: str | None = None
    served: str | None = None
    seconds: Seconds | None = None
    usage: Usage | None = None
    stop_reason: str | None = None
    pipeline: str | None = None
    options: Options | None = None
    free: bool | None = None
    rejected: list[Rejected] = []

    @property
    def asked_in(self) -> int:
        """Return the format in which it was asked for."""
        return self.format or 1

    @model_validator(mode="after")
    def _whole(self) -> Self:
        told = (self.key, self.model, self.seconds, self.usage, self.stop_reason)
        if self.origin == "model" and (None in told or not self.at or "T" not in self.at):
            raise ValueError("an answer of a model has a key, a model, a time, seconds, usage and a stop reason")
        return self


class Manifest(BaseModel):
    """run.json: where each file of the record came from, and what was paid for and is no part of it (`discarded`)."""

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    note: str | None = None
    answers: dict[str, Entry] = {}
    discarded: list[Rejected] = []


@dataclass(frozen=True)
class Recorded:
    """An answer as it stands on disk. `edited`: a person changed it after a model wrote it."""

    file: str
    text: str
    entry: Entry
    edited: bool = False


def digest(text: str) -> str:
    """Return a SHA-256 of a text, whatever line ends a checkout gave it."""
    return sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def answered(text: str, request: Request, reply: Reply, rejected: list[Rejected], *, pipeline: str) -> Entry:
    """Return the manifest's entry for an answer that a model gave, after some replies that did not count."""
    return Entry(
        origin="model",
        digest=digest(text),
        format=FORMAT,
        at=reply.asked_at,
        key=request.first.key,
        model=request.model,
        served=reply.model if reply.model != request.model else None,
        seconds=reply.seconds,
        usage=reply.usage,
        stop_reason=reply.stop_reason,
        pipeline=pipeline,
        options=request.options if request.options != Options() else None,
        free=request.free or None,
        rejected=rejected,
    )


def turned_down(file: str, request: Request, reply: Reply, faults: list[str]) -> Rejected:
    """Return what the manifest says of a reply that does not count."""
    return Rejected(
        file=file,
        model=request.model,
        stop_reason=reply.stop_reason,
        usage=reply.usage,
        at=reply.asked_at,
        seconds=reply.seconds,
        faults=faults,
        free=request.free or None,
    )


def authored(recorded: Recorded, *, at: str, pipeline: str) -> Entry:
    """Return the manifest's entry for an answer that a person wrote, or edited: then the rest stays the model's."""
    if recorded.edited:
        return recorded.entry.model_copy(update={"edited": at})
    return Entry(origin="authored", digest=digest(recorded.text), at=at, pipeline=pipeline)
