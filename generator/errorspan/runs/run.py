"""Hold what happened: the run of a topic, its attempts, their answers, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any

from errorspan.answers.outputs import Assessment, NoExercise
from errorspan.answers.shape import Output
from errorspan.answers.solving import Solve
from errorspan.answers.verdicts import Verdict
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import Topic
from errorspan.checks.check import Check, Undecided, faults
from errorspan.proof.evidence import Evidence
from errorspan.record.manifest import Entry, Recorded, Rejected
from errorspan.runs.calls import cost, usage
from errorspan.steps.table import ASSESS, Step, Tier

AUTHORSHIP = {
    "model": "The code below is a model’s own; its mistakes are real.",  # noqa: RUF001
    "draft": "The code below is a model’s own first draft, as it was asked for; its mistakes are real.",  # noqa: RUF001
    "edited": "The code below was written by a model, and edited by a person.",
    "person": "The code below was written by a person in a model’s place.",  # noqa: RUF001
}


@dataclass(frozen=True)
class Answer:
    """One recorded answer: what a model or a person said in one pass of a step.

    `stale`: the request has changed since it was asked. `findings`: what each of its step's checks has to say.
    """

    step: Step
    attempt: int
    order: str
    recorded: Recorded
    output: Output
    stale: bool = False
    findings: Mapping[Check, tuple[str, ...]] = field(default_factory=dict)

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
        """Tell whether a model gave it, in the words that stand in the record."""
        return self.entry.origin == "model"

    @property
    def first_draft(self) -> bool:
        """Tell whether its model was asked for a first draft."""
        return bool(self.entry.options and self.entry.options.first_draft)

    @property
    def calls(self) -> list[Entry | Rejected]:
        """Return every call that was paid for to get it, the rejected ones first."""
        return [*self.entry.rejected, *([self.entry] if self.from_model or self.recorded.edited else [])]

    def cost(self, settings: Settings) -> Decimal | None:
        """Return its price in dollars, rejected replies included; None where a model's price is not known."""
        return cost(self.calls, settings)


@dataclass(frozen=True)
class Attempt:
    """One round of challenge, two implementations, judgment: its outputs by step, as far as it came."""

    number: int
    outputs: Mapping[str, Any]

    @property
    def verdict(self) -> Verdict | None:
        """Return the judgment, if it came so far."""
        return self.outputs.get("judgment")


class State(StrEnum):
    """How far a run came."""

    AWAITING = "awaiting"
    UNFINISHED = "unfinished"
    NOT_SEPARATED = "not separated"
    NO_EXERCISE = "without an exercise"
    COMPLETE = "complete"


@dataclass(frozen=True)
class Run:
    """All answers of one topic, with where each came from. `problem` says why the next one is not there.

    `solutions` are solvers' answers, which a run is complete without; `unsolved` says why one that was asked for is not
    there.
    """

    topic: Topic
    folder: str
    outputs: Mapping[str, Any]
    attempts: tuple[Attempt, ...]
    answers: tuple[Answer, ...]
    note: str | None = None
    problem: str | None = None
    discarded: tuple[Rejected, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)
    solutions: tuple[Answer, ...] = ()
    unsolved: str | None = None

    @property
    def state(self) -> State:
        """Return how far it came."""
        if self.problem is not None:
            return State.UNFINISHED if self.answers else State.AWAITING
        if self.declined:
            return State.NO_EXERCISE
        return State.COMPLETE if self.assessment else State.NOT_SEPARATED

    @property
    def finished(self) -> bool:
        """Tell whether there is nothing more to ask of its seven steps."""
        return self.state not in {State.AWAITING, State.UNFINISHED}

    @property
    def assessment(self) -> Assessment | None:
        """Return the last step's output, if it came so far."""
        return self.outputs.get("assessment")

    @property
    def declined(self) -> str | None:
        """Return why no exercise can be cut from the weak implementation, if that is what its author answered."""
        said: NoExercise | None = self.outputs.get("declined")
        return said.no_exercise if said else None

    @property
    def recorded_assessment(self) -> Answer | None:
        """Return the answer that the assessment was given in, whatever a review has corrected since."""
        given = (answer for answer in self.answers if answer.step is ASSESS[-1])
        return next((answer for answer in given if isinstance(answer.output, Assessment)), None)

    @property
    def solve(self) -> Solve | None:
        """Return how solvers did without the key, as far as their answers count."""
        return self.outputs.get("blind_solve")

    @property
    def last(self) -> Attempt | None:
        """Return the last attempt: the one that separated the tiers, if one did."""
        return self.attempts[-1] if self.attempts else None

    @property
    def verdict(self) -> Verdict | None:
        """Return the last attempt's verdict."""
        return self.last.verdict if self.last else None

    @property
    def graded(self) -> bool:
        """Tell whether there is an exercise that can be graded: every error has a place, and no two share one."""
        shown = self.assessment
        spans = [shown.span(error) for error in shown.errors] if shown else []
        placed = sorted(span for span in spans if span)
        return bool(spans) and len(placed) == len(spans) and all(a.end <= b.start for a, b in pairwise(placed))

    @property
    def approved(self) -> bool:
        """Tell whether a person has approved the exercise as it is."""
        return self.evidence.review is not None and self.evidence.review.approves

    @property
    def faults(self) -> list[str]:
        """Return what the checks have against the answers, each with its file and the check's name."""
        return [
            f"{self.folder}/{answer.file}:1: {fault} [{check.__name__}]"
            for answer in self.answers
            for check, said in answer.findings.items()
            for fault in faults(said)
        ]

    @property
    def undecided(self) -> list[str]:
        """Return what the checks could not tell of the answers."""
        return [
            sentence
            for answer in self.answers
            for said in answer.findings.values()
            for sentence in said
            if isinstance(sentence, Undecided)
        ]

    @property
    def solution_faults(self) -> list[str]:
        """Return what the checks have against solvers' answers, each with its file."""
        return [f"{self.folder}/{answer.file}:1: {fault}" for answer in self.solutions for fault in answer.faults]

    @property
    def from_models(self) -> bool:
        """Tell whether every answer is a model's."""
        return bool(self.answers) and all(answer.from_model for answer in self.answers)

    @property
    def untouched(self) -> bool:
        """Tell whether it shows what models do: every answer is a model's, and no review corrects any."""
        return self.from_models and self.evidence.original is None

    @property
    def judged_by_model(self) -> bool:
        """Tell whether the scores are a model's: those of the last attempt's judgment."""
        judged = self.answers_of("judgment", self.last.number) if self.last else []
        return bool(judged) and all(answer.from_model for answer in judged)

    @property
    def authorship(self) -> str:
        """Say who wrote the exercise's code, as students are told."""
        code = self.code_origin
        if code and code.from_model:
            return AUTHORSHIP["draft" if code.first_draft else "model"]
        return AUTHORSHIP["edited" if code and code.recorded.edited else "person"]

    @property
    def code_origin(self) -> Answer | None:
        """Return the answer that the exercise's code was written in: the last weak implementation."""
        return next(iter(self.answers_of("weak_implementation", self.last.number)), None) if self.last else None

    @property
    def family(self) -> str | None:
        """Return the first word of all models' names, where it is the same for several models."""
        models = {answer.entry.model for answer in self.answers if answer.entry.model}
        families = {model.partition("-")[0] for model in models}
        return families.pop() if len(models) > 1 and len(families) == 1 else None

    @property
    def stale(self) -> bool:
        """Tell whether a prompt, a model or the topic changed after an answer was given."""
        return any(answer.stale for answer in self.answers)

    @property
    def rejected(self) -> list[Rejected]:
        """Return what was paid for and does not count: replies sent back, failed steps, superseded answers."""
        answers = (*self.answers, *self.solutions)
        return [*self.discarded, *(rejected for answer in answers for rejected in answer.entry.rejected)]

    @property
    def calls(self) -> list[Entry | Rejected]:
        """Return every call that was paid for."""
        return [*self.discarded, *(call for answer in (*self.answers, *self.solutions) for call in answer.calls)]

    @property
    def usage(self) -> Usage:
        """Return the tokens of all calls, rejected replies included."""
        return usage(self.calls)

    @property
    def seconds(self) -> float:
        """Return the time that models took, added up over calls."""
        return sum(call.seconds or 0 for call in self.calls)

    @property
    def date(self) -> str | None:
        """Return the day of the last answer, as YYYY-MM-DD."""
        return max((answer.entry.at[:10] for answer in self.answers if answer.entry.at), default=None)

    def answers_of(self, step: str, attempt: int) -> list[Answer]:
        """Return the answers that a step got in an attempt; steps outside attempts have attempt 0."""
        return [answer for answer in self.answers if answer.step.name == step and answer.attempt == attempt]

    def cost(self, settings: Settings) -> Decimal | None:
        """Return its price in dollars; None where a model's price is not known."""
        return cost(self.calls, settings)
