"""Hold what happened: the run of a topic, its attempts, their answers, and what they add up to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any

from errorspan.answers.outputs import Assessment, NoExercise
from errorspan.answers.solving import Solve
from errorspan.answers.verdicts import Verdict
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import Topic
from errorspan.checks.check import Remark, Undecided, faults
from errorspan.proof.evidence import Evidence
from errorspan.record.manifest import Entry, Rejected
from errorspan.runs.answer import Answer, Authorship, authorship, marks
from errorspan.runs.attempt import Attempt
from errorspan.runs.calls import cost, paid, usage
from errorspan.runs.places import against, said_at
from errorspan.steps.prompting import Request
from errorspan.steps.table import ASSESS, Pass, Step

_FIRST = re.compile(r"[^\W_]*")


@dataclass(frozen=True)
class Open:
    """A pass that waits for its answer: all that it builds on is there. `request` makes what is to be asked now."""

    asked: Pass
    request: Callable[[], Request]

    @property
    def step(self) -> Step:
        """Return the step whose pass it is."""
        return self.asked.step

    @property
    def file(self) -> str:
        """Return the file of the record that the answer becomes."""
        return self.asked.file

    @property
    def name(self) -> str:
        """Return the file's name without its folder and suffix: it tells the pass from the others that are open."""
        return self.file.rpartition("/")[2].removesuffix(self.step.output.suffix)


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
    there. `open` are the passes that can be asked as it stands, solvers' among them; `sent`: some are on their way.
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
    open: tuple[Open, ...] = ()
    sent: bool = False

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
            f"{said_at(self.folder, answer, fault, self.evidence)} [{check.__name__}]"
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
        told = ((answer, fault) for answer in self.solutions for fault in answer.faults)
        return [said_at(self.folder, answer, fault, self.evidence) for answer, fault in told]

    @property
    def remarks(self) -> list[str]:
        """Return what checks have to say that is no fault, each with its file."""
        told = ((answer, one) for answer in self.answers for said in answer.findings.values() for one in said)
        return [said_at(self.folder, answer, one, self.evidence) for answer, one in told if isinstance(one, Remark)]

    @property
    def refutations(self) -> list[str]:
        """Return what a valid proof has against the key, each where it is mended."""
        decided = self.evidence.decided(self.assessment) if self.assessment else None
        return list(against(self.folder, self.recorded_assessment, decided, self.evidence)) if decided else []

    @property
    def from_models(self) -> bool:
        """Tell whether every answer is a model's, asked by the pipeline or by hand."""
        return bool(self.answers) and all(answer.from_model for answer in self.answers)

    @property
    def reported(self) -> bool:
        """Tell whether somebody asked a model by hand for an answer, a solver's included."""
        return any(answer.reported for answer in (*self.answers, *self.solutions))

    @property
    def reporters(self) -> list[str]:
        """Return on whose word its reported answers rest."""
        told = (answer.entry.by for answer in (*self.answers, *self.solutions) if answer.reported)
        return sorted({by for by in told if by})

    @property
    def marks(self) -> list[str]:
        """Return in a word each what its answers are, where they are not a model's that the pipeline asked."""
        return marks(self.answers)

    @property
    def judged(self) -> list[Answer]:
        """Return the answers that hold the scores: those of the last attempt's judgment."""
        return self.answers_of("judgment", self.last.number) if self.last else []

    @property
    def authorship(self) -> Authorship:
        """Say who wrote the exercise's code, as students are told."""
        return authorship(self.code_origin)

    @property
    def code_origin(self) -> Answer | None:
        """Return the answer that the exercise's code was written in: the last weak implementation."""
        return next(iter(self.answers_of("weak_implementation", self.last.number)), None) if self.last else None

    @property
    def family(self) -> str | None:
        """Return the first word of all models' names, where it is the same for several, or for whom somebody asked."""
        models = {answer.entry.who for answer in self.answers if answer.entry.who}
        families = {word[0].casefold(): word[0] for model in models if (word := _FIRST.match(model))}
        several = len(models) > 1 or self.reported
        return families.popitem()[1] if several and len(families) == 1 else None

    @property
    def stale(self) -> bool:
        """Tell whether a prompt, a model or the topic changed after an answer was given."""
        return any(answer.stale for answer in self.answers)

    @property
    def rejected(self) -> list[Rejected]:
        """Return what does not count: replies sent back, failed steps, superseded answers."""
        answers = (*self.answers, *self.solutions)
        return [*self.discarded, *(rejected for answer in answers for rejected in answer.entry.rejected)]

    @property
    def calls(self) -> list[Entry | Rejected]:
        """Return every call of the pipeline's: those that were paid for."""
        return paid([*self.discarded, *(one for answer in (*self.answers, *self.solutions) for one in answer.replies)])

    @property
    def usage(self) -> Usage:
        """Return the tokens of all calls, rejected replies included."""
        return usage(self.calls)

    @property
    def seconds(self) -> float:
        """Return the time that models took, added up over calls."""
        return sum(call.seconds or 0 for call in self.calls)

    @property
    def batched(self) -> int:
        """Return how many calls were made in a batch, at half the price; how long they took nobody knows."""
        return sum(bool(call.batch) for call in self.calls)

    @property
    def date(self) -> str | None:
        """Return the day of the last answer, as YYYY-MM-DD."""
        return max((answer.entry.at[:10] for answer in self.answers if answer.entry.at), default=None)

    def outputs_of(self, attempt: int) -> Mapping[str, Any]:
        """Return what an attempt's steps were given and gave; that of the steps outside attempts for attempt 0."""
        return self.attempts[attempt - 1].outputs if attempt else self.outputs

    def answers_of(self, step: str, attempt: int, sample: int | None = None) -> list[Answer]:
        """Return the answers that a step got in an attempt; steps outside attempts have attempt 0.

        Of several samples, those of the one that the run goes on with, unless another is asked for.
        """
        wanted = sample or (self.attempts[attempt - 1].sample if attempt else 1)
        return [
            answer
            for answer in self.answers
            if answer.step.name == step
            and answer.attempt == attempt
            and (answer.asked.sample == wanted or not answer.step.sampled)
        ]

    def cost(self, settings: Settings) -> Decimal | None:
        """Return its price in dollars; None where a model's price is not known."""
        return cost(self.calls, settings)
