"""Say of each file of a record where it came from: what run.json holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from errorspan.answers.shape import FORMAT
from errorspan.authoring.prices import Usage
from errorspan.authoring.tiers import Options
from errorspan.authoring.topics import Line, LongLine
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


class Source(BaseModel):
    """Who gave a reply: a model that the pipeline asked, or whom somebody asked by hand.

    Of a model there is what its server said; of the latter what is told: `whom` was asked, `how`, `by` whom.
    """

    model_config = ConfigDict(frozen=True)

    whom: Line | None = Field(None, description="whom somebody asked by hand; then `by` is there too")
    how: LongLine | None = Field(None, description="how, where it was not with the prompt alone")
    by: Line | None = Field(None, description="who says so")
    model: str | None = Field(None, description="the model that the pipeline asked")
    stop_reason: str | None = Field(None, description="why it stopped, in the server's word")
    usage: Usage | None = Field(None, description="tokens as the server counted them")
    batch: bool | None = Field(None, description="`true`: it came in a Message Batch, at half the price")
    seconds: Seconds | None = Field(None, description="how long the reply took; of a batch nobody knows")
    free: bool | None = Field(None, description="`true`: its server takes no key")

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        measured = (self.model, self.stop_reason, self.usage, self.seconds, self.batch)
        if (self.whom is None) != (self.by is None) or (self.how and not self.whom):
            raise ValueError("what was asked by hand says `whom` somebody asked, and `by` whom; `how` goes with them")
        if self.whom and measured != (None,) * len(measured):
            raise ValueError("what was asked by hand has no model, stop reason, usage, seconds or batch")
        return self

    @property
    def by_hand(self) -> bool:
        """Tell whether somebody asked for it by hand."""
        return self.whom is not None

    @property
    def who(self) -> str | None:
        """Return who is said to have given it: the model that was asked, or whom somebody asked by hand."""
        return self.model or self.whom


class _Given(Source):
    """A reply: there is no third origin."""

    model_config = ConfigDict(validate_default=True)

    @field_validator("model", "usage", "seconds")
    @classmethod
    def _measured(cls, value: Any, known: ValidationInfo) -> Any:
        unknown = known.field_name == "seconds" and known.data.get("batch")
        if value is None and known.data.get("whom", "unread") is None and not unknown:
            raise PydanticCustomError("missing", "is missing")
        return value


class Reply(_Given):
    """What came back for one request, word for word."""

    text: str
    stop_detail: str | None = None
    asked_at: Instant

    def source(self, asked: str) -> dict[str, Any]:
        """Return who gave it, as the record has that; `asked` is the model that the request is for."""
        if self.by_hand:
            return {"whom": self.whom, "how": self.how, "by": self.by}
        measured = {name: getattr(self, name) for name in ("stop_reason", "usage", "batch", "seconds")}
        return {"model": asked, **measured}


class Rejected(_Given):
    """A reply that does not count, and why; its words stay in the journal's folder."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(description="the file of the record that it was asked for")
    at: Instant = Field(description="when it was asked, in UTC")
    faults: list[str] = Field(description="why it does not count")

    @property
    def superseded(self) -> bool:
        """Tell whether it counted once, until a later answer took its place."""
        return self.faults == [SUPERSEDED]


class Accepted(BaseModel):
    """That a person keeps an answer on purpose, though something else would be asked now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Line = Field(description="who keeps it")
    at: Day = Field(description="the day")
    asked: Digest = Field(description="what would have been asked then, as `key` or `basis` say it")


class Entry(Source):
    """What run.json says of one answer.

    A model's was asked by the pipeline; a reported one was asked by hand, and is bound by `basis` to what it is an
    answer to; an authored one was written by a person, or edited: then `edited` has the day, and the rest is that of
    the answer before. `served` is the model's name in the reply, where it is another than the one asked; `format` that
    in which it was asked for: of the first it is not said. `options` say how the model was asked, where that was not as
    every other one, and `free` that its server was one of the site's own, which takes no key.
    """

    model_config = ConfigDict(extra="forbid")

    origin: Literal["model", "reported", "authored"] = Field(
        description="who gave it: a model that the pipeline asked, one that somebody asked by hand, or a person"
    )
    digest: Digest = Field(description="the SHA-256 of the file, with LF as line ends")
    format: Annotated[int, Field(ge=1, le=FORMAT)] | None = Field(
        None, description="the format in which it was asked for; 1 is not said"
    )
    at: Day | Instant | None = Field(None, description="when; of a person's, the day")
    edited: Day | None = Field(None, description="the day on which a person edited it")
    key: Digest | None = Field(None, description="the SHA-256 of all that was sent; a model's has one")
    basis: Digest | None = Field(None, description="the SHA-256 of what it answers; a reported one has one")
    served: str | None = Field(None, description="the model's name in the reply, where it is another")
    pipeline: str | None = Field(None, description="the version of Errorspan")
    options: Options | None = Field(None, description="how the model was asked, where not as every other")
    accepted: Accepted | None = Field(None, description="who keeps it on purpose, though it became stale")
    rejected: list[Rejected] = Field([], description="replies that did not count, before this one")

    @property
    def bound(self) -> str | None:
        """Return what it is an answer to; None where a person wrote it.

        A model was sent every word of a request. Of what somebody asked by hand only what it was about is known.
        """
        return {"model": self.key, "reported": self.basis}.get(self.origin)

    @property
    def asked_in(self) -> int:
        """Return the format in which it was asked for."""
        return self.format or 1

    @model_validator(mode="after")
    def _whole(self) -> Self:
        told = (self.key, self.model, self.batch or self.seconds, self.usage, self.stop_reason)
        timed = self.at is not None and "T" in self.at
        if self.origin == "model" and (None in told or not timed):
            raise ValueError("an answer of a model has a key, a model, a time, seconds, usage and a stop reason")
        if self.origin == "reported" and (None in (self.whom, self.basis) or self.served or not timed):
            raise ValueError("a reported answer says whom somebody asked, by whom and when, and has a basis")
        return self

    def changed(self, key: Callable[[], str], basis: Callable[[], str]) -> str | None:
        """Return what would be asked now, where that is something else than it answers, and nobody accepted that."""
        now = {"model": key, "reported": basis}.get(self.origin, lambda: None)()
        known = {None, self.bound, self.accepted.asked if self.accepted else None}
        return None if now in known else now

    def set_aside(self, file: str) -> Rejected | None:
        """Return what stays of it where a later answer takes its place; nothing where a person wrote it."""
        measured = self.model and self.usage and (self.batch or self.seconds is not None)
        if not (measured or self.by_hand) or self.at is None or "T" not in self.at:
            return None
        known = {name: getattr(self, name) for name in Source.model_fields}
        return Rejected(file=file, at=self.at, faults=[SUPERSEDED], **known)


class Manifest(BaseModel):
    """run.json: where each file of the record came from, and what was paid for and is no part of it (`discarded`)."""

    model_config = ConfigDict(extra="forbid")

    format: int = Field(FORMAT, description="the format of the record")
    note: str | None = Field(None, description="a remark for the top of the run's page")
    answers: dict[str, Entry] = Field({}, description="where each file came from, by its name")
    discarded: list[Rejected] = Field([], description="what was paid for and is no part of the run")


@dataclass(frozen=True)
class Recorded:
    """An answer as it stands on disk. `edited`: a person changed it after a model gave it."""

    file: str
    text: str
    entry: Entry
    edited: bool = False


def digest(text: str) -> str:
    """Return a SHA-256 of a text, whatever line ends a checkout gave it."""
    return sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def answered(  # noqa: PLR0913 - all that an entry says
    text: str, request: Request, reply: Reply, rejected: list[Rejected], *, basis: str, pipeline: str
) -> Entry:
    """Return the manifest's entry for an answer that came back, after some replies that did not count."""
    asked: dict[str, Any] = {"basis": basis}
    if not reply.by_hand:
        served = reply.model if reply.model != request.model else None
        options = request.options if request.options != Options() else None
        asked = {"served": served, "options": options, "free": request.free or None}
    return Entry(
        origin="reported" if reply.by_hand else "model",
        digest=digest(text),
        format=FORMAT,
        at=reply.asked_at,
        key=request.first.key,
        pipeline=pipeline,
        rejected=rejected,
        **asked,
        **reply.source(request.model),
    )


def turned_down(file: str, request: Request, reply: Reply, faults: list[str]) -> Rejected:
    """Return what the manifest says of a reply that does not count."""
    free = (request.free or None) if not reply.by_hand else None
    return Rejected(file=file, at=reply.asked_at, faults=faults, free=free, **reply.source(request.model))


def authored(recorded: Recorded, *, at: str, pipeline: str) -> Entry:
    """Return the manifest's entry for an answer that a person wrote, or edited: then the rest stays as it was."""
    if recorded.edited:
        return recorded.entry.model_copy(update={"edited": at})
    return Entry(origin="authored", digest=digest(recorded.text), at=at, pipeline=pipeline)
