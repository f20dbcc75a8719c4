"""Count what one run shows: all that a report needs to know of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from errorspan.answers.solving import Grade
from errorspan.answers.verdicts import mid_label, place
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import MOST_ATTEMPTS
from errorspan.record.manifest import Rejected
from errorspan.runs.attempt import Attempt
from errorspan.runs.calls import Call, cost, paid, usage
from errorspan.runs.publishing import needs_review
from errorspan.runs.run import Run
from errorspan.steps.table import passes

_OTHER = ("Other", "other")  # a step of another version, and its tier
_FILES = {
    one.file: (one.step.title, one.step.asks(one.order).replace("_", " "))
    for one in passes(range(1, MOST_ATTEMPTS + 1))
}
ORDER = [*(name for names in _FILES.values() for name in names), *_OTHER]
"""Steps and tiers, as a report lists them."""


@dataclass(frozen=True)
class Rate:
    """How many of how many."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """Return the share; None of none."""
        return self.count / self.of if self.of else None

    def __str__(self) -> str:
        """Return the share with its counts, as in `67 % (2 of 3)`."""
        shown = "\N{EN DASH}" if self.share is None else f"{self.share:.0%}".replace("%", " %")
        return f"{shown} ({self.count:,} of {self.of:,})"


class Sum(BaseModel):
    """What calls add up to: how many there were, how many of these were sent back, tokens, and dollars if known.

    `batched` were in a batch, at half the price.
    """

    model_config = ConfigDict(frozen=True)

    calls: int = 0
    sent_back: int = 0
    usage: Usage = Usage()
    cost: Decimal | None = Decimal()
    batched: int = 0

    def __add__(self, other: Sum) -> Sum:
        """Return both together; where one's cost is not known, neither is that."""
        known = self.cost is not None and other.cost is not None
        return Sum(
            calls=self.calls + other.calls,
            sent_back=self.sent_back + other.sent_back,
            usage=self.usage + other.usage,
            cost=(self.cost or 0) + (other.cost or 0) if known else None,
            batched=self.batched + other.batched,
        )


class Counts(BaseModel):
    """What one run counts for. `lines`: rates by their keys, as counts and of how many."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["modelled", "reported", "written", "unfinished"]
    separated: bool = False
    attempts: int = 0
    score: int | None = None
    lines: dict[str, tuple[int, int]] = {}
    steps: dict[str, Sum] = {}
    tiers: dict[str, Sum] = {}


def counts(run: Run, settings: Settings) -> Counts:
    """Return what a run counts for."""
    if not run.finished:
        return Counts(kind="unfinished")
    if not run.from_models:
        return Counts(kind="written")
    as_answered = [run] if run.assessment and not run.evidence.original else []  # no review corrects its key
    lines = [
        *_attempts(run),
        *_judgments(run.attempts),
        ("sent_back", _sent_back(one for *_, one in _replies(run))),
        *_proofs(as_answered),
        *_solves(as_answered),
    ]
    calls = [found for found in _replies(run) if paid([found[2]])]
    return Counts(
        kind="reported" if run.reported else "modelled",
        separated=run.verdict is not None and run.verdict.achieved,
        attempts=len(run.attempts),
        score=run.verdict.quality_score if run.verdict else None,
        lines={key: (rate.count, rate.of) for key, rate in lines},
        steps=_sums([(step, call) for step, _, call in calls], settings),
        tiers=_sums([(tier, call) for _, tier, call in calls], settings),
    )


def _attempts(run: Run) -> Iterator[tuple[str, Rate]]:
    for one in run.attempts:
        if verdict := one.verdict:
            yield f"attempt_{one.number}", Rate(int(verdict.achieved), 1)


def _judgments(attempts: Sequence[Attempt]) -> Iterator[tuple[str, Rate]]:
    judged = [(one, verdict) for one in attempts if (verdict := one.verdict) and verdict.judgments]
    consistent = sum(verdict.reason != "position_inconsistent" for _, verdict in judged)
    yield "consistent", Rate(consistent, len(judged))
    named = [
        (failure.quote, attempt.outputs["weak_implementation" if prefers_mid else "mid_implementation"])
        for attempt, verdict in judged
        for order, judgment in verdict.judgments.items()
        for prefers_mid in [judgment.better == mid_label(order)]
        for failure in judgment.failures
    ]
    supported = sum(place(quote, implementation) is not None for quote, implementation in named)
    yield "supported", Rate(supported, len(named))


def _proofs(runs: Iterable[Run]) -> Iterator[tuple[str, Rate]]:
    keys = [run.evidence.decided(run.assessment) for run in runs if run.assessment]
    tried = [decided for decided in keys if decided]
    proved, errors = sum(len(one.proved) for one in tried), sum(len(one.outcomes) for one in tried)
    yield "keys_tried", Rate(len(tried), len(keys))
    yield "errors_proved", Rate(proved, errors)


def _solves(exercises: Sequence[Run]) -> Iterator[tuple[str, Rate]]:
    """Count solvers that are models, and runs that two of them solved."""
    solved: list[Sequence[str]] = []
    grades: list[Grade] = []
    for run in exercises:
        by_model = [answer.order for answer in run.solutions if answer.counts and answer.from_model]
        if run.solve:
            grades += [run.solve.grades[order] for order in by_model]
            if run.solve.complete and len(by_model) == len(run.solve.grades):
                solved.append(needs_review(run))
    yield "solved", Rate(len(solved), len(exercises))
    yield "needs_review", Rate(sum(map(bool, solved)), len(solved))
    yield "solve_recall", summed(grade.recall for grade in grades)
    yield "solve_precision", summed(grade.precision for grade in grades)


def summed(counts: Iterable[tuple[int, int]]) -> Rate:
    """Add rates up."""
    return Rate(*(sum(column) for column in zip((0, 0), *counts, strict=True)))


def _replies(run: Run) -> Iterator[tuple[str, str, Call]]:
    """Yield every reply of a run, with its step and its tier."""
    for answer in (*run.answers, *run.solutions):
        for reply in answer.replies:
            yield (*_FILES[answer.file], reply)
    for rejected in run.discarded:
        yield (*_FILES.get(rejected.file, _OTHER), rejected)


def _sums(calls: Sequence[tuple[str, Call]], settings: Settings) -> dict[str, Sum]:
    """Add calls up by their name."""
    of: defaultdict[str, list[Call]] = defaultdict(list)
    for name, call in calls:
        of[name].append(call)
    back = {name: _sent_back(made) for name, made in of.items()}
    return {
        name: Sum(
            calls=back[name].of,
            sent_back=back[name].count,
            usage=usage(made),
            cost=cost(made, settings),
            batched=sum(bool(call.batch) for call in made),
        )
        for name, made in of.items()
    }


def _sent_back(calls: Iterable[Call]) -> Rate:
    counted = [not isinstance(call, Rejected) or call.superseded for call in calls]
    return Rate(counted.count(False), len(counted))
