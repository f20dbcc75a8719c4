"""Hold one recorded answer: who gave it, what checks say of it, what it took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple

from errorspan.answers.shape import Output
from errorspan.authoring.settings import Settings
from errorspan.checks.check import Check, faults
from errorspan.record.manifest import Entry, Recorded, Rejected
from errorspan.runs.calls import cost, paid
from errorspan.steps.table import Pass, Step, Tier

AUTHORSHIP = {
    "model": "The code is a model’s own; its mistakes are real.",  # noqa: RUF001
    "draft": "The code is a model’s own first draft, as it was asked for; its mistakes are real.",  # noqa: RUF001
    "reported": "The code is a model’s own (%(whom)s), as reported by %(by)s; its mistakes are real.",  # noqa: RUF001
    "edited": "The code was written by a model, and edited by a person.",
    "edited report": "The code was written by a model (%(whom)s), as reported by %(by)s, and edited by a person.",
    "person": "The code was written by a person; its mistakes are no model’s.",  # noqa: RUF001
}


Writer = Literal["model", "reported", "edited", "person"]


class Authorship(NamedTuple):
    """Who wrote the exercise's code, as students are told: a sentence of `AUTHORSHIP`, and the names in it."""

    sentence: str
    names: Mapping[str, str] = {}

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.sentence % self.names


@dataclass(frozen=True)
class Answer:
    """One recorded answer: what a model or a person said in one pass of a step.

    `changed`: what would be asked now, where that is something else. `findings`: what each of its step's checks has to
    say.
    """

    asked: Pass
    recorded: Recorded
    output: Output
    changed: str | None = None
    findings: Mapping[Check, tuple[str, ...]] = field(default_factory=dict)

    @property
    def stale(self) -> bool:
        """Tell whether what is asked has changed since it was, and nobody keeps it on purpose."""
        return self.changed is not None

    @property
    def step(self) -> Step:
        """Return the step whose pass it answers."""
        return self.asked.step

    @property
    def attempt(self) -> int:
        """Return the attempt that it belongs to; 0 outside attempts."""
        return self.asked.attempt

    @property
    def order(self) -> str:
        """Return which pass of its step it answers."""
        return self.asked.order

    @property
    def faults(self) -> tuple[str, ...]:
        """Return what the checks have against it."""
        return tuple(fault for found in self.findings.values() for fault in faults(found))

    @property
    def counts(self) -> bool:
        """Tell whether it says something of what it was asked about: that has not changed, and no check fails."""
        return not self.stale and not self.faults

    @property
    def tier(self) -> Tier:
        """Return which model its pass asks."""
        return self.step.asks(self.order)

    @property
    def entry(self) -> Entry:
        """Return what the manifest says of it."""
        return self.recorded.entry

    @property
    def file(self) -> str:
        """Return its file in the record."""
        return self.recorded.file

    @property
    def from_model(self) -> bool:
        """Tell whether a model gave it, in the words that stand in the record; somebody may have reported it."""
        return self.entry.origin != "authored"

    @property
    def first_draft(self) -> bool:
        """Tell whether its model was asked for a first draft."""
        return bool(self.entry.options and self.entry.options.first_draft)

    @property
    def reported(self) -> bool:
        """Tell whether somebody asked a model for it by hand."""
        return self.entry.origin == "reported"

    @property
    def written_by(self) -> Writer:
        """Say in a word who wrote it."""
        if not self.from_model:
            return "edited" if self.recorded.edited else "person"
        return "reported" if self.reported else "model"

    @property
    def replies(self) -> list[Entry | Rejected]:
        """Return every reply that it took, the rejected ones first."""
        return [*self.entry.rejected, *([self.entry] if self.entry.who else [])]

    @property
    def calls(self) -> list[Entry | Rejected]:
        """Return every call of the pipeline's that it took: those that were paid for."""
        return paid(self.replies)

    def cost(self, settings: Settings) -> Decimal | None:
        """Return its price in dollars, rejected replies included; None where a model's price is not known."""
        return cost(self.calls, settings)


def authorship(code: Answer | None) -> Authorship:
    """Say who wrote the code of an answer, as students are told."""
    if code is None or code.entry.who is None:
        return Authorship(AUTHORSHIP["person"])
    kind = "model" if code.from_model else "edited"
    whom, by = code.entry.whom, code.entry.by
    if whom is None or by is None:
        return Authorship(AUTHORSHIP["draft" if kind == "model" and code.first_draft else kind])
    return Authorship(AUTHORSHIP["reported" if kind == "model" else "edited report"], {"whom": whom, "by": by})


def marks(answers: Iterable[Answer]) -> list[str]:
    """Return in a word each what answers are, where they are not a model's that the pipeline asked."""
    origins = {answer.entry.origin for answer in answers}
    return [origin for origin in ("reported", "authored") if origin in origins]
