"""Add up what model runs show together, as `errorspan report` and the page of all runs have it.

No rate goes without its counts. Runs in which somebody asked a model by hand have rates of their own; runs in which a
person wrote have none, and so have their solvers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

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
_ORDER = [*(name for names in _FILES.values() for name in names), *_OTHER]


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


class Line(NamedTuple):
    """A rate, and what it is the rate of."""

    key: str
    title: str
    rate: Rate


class Spent(NamedTuple):
    """What the calls of a step or a tier add up to; `sent_back` is the share of replies that did not count."""

    name: str
    sent_back: Rate
    usage: Usage
    cost: Decimal | None


@dataclass(frozen=True)
class Rates:
    """What runs of one kind show: which they are, and rates over them.

    `scores` and `attempts` count them by judge's score and by number of attempts.
    """

    runs: tuple[Run, ...]
    separated: Rate
    attempts: dict[int, int]
    scores: dict[int, int]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Report:
    """What runs show: which there are, rates over those that models answered, and what the pipeline's calls cost.

    `modelled`: the pipeline asked for every answer. `reported`: somebody asked for some by hand. `written`: a person
    wrote or edited one. What calls cost is added up over the first two. What a review corrects stands beside the
    answers: keys that one corrects count in no rate of keys.
    """

    modelled: Rates
    reported: Rates
    written: tuple[Run, ...]
    unfinished: tuple[Run, ...]
    steps: tuple[Spent, ...]
    tiers: tuple[Spent, ...]
    all: Spent

    def rows(self) -> Iterator[tuple[Line, Rate]]:
        """Yield each rate of the runs that the pipeline asked for whole, with that of those that are reported."""
        either = {line.key: line for line in (*self.modelled.lines, *self.reported.lines)}
        one, other = ({line.key: line.rate for line in rates.lines} for rates in (self.modelled, self.reported))
        for key in sorted(either, key=lambda key: (not key.startswith("attempt_"), [*either].index(key))):
            yield either[key]._replace(rate=one.get(key, Rate(0, 0))), other.get(key, Rate(0, 0))

    def as_json(self) -> dict[str, Any]:
        """Return the same for a program: a rate of none is null, and so is a cost that is not known."""
        counts = {"model": self.modelled.runs, "reported": self.reported.runs}
        counts |= {"authored": self.written, "unfinished": self.unfinished}
        return {
            "runs": {origin: len(runs) for origin, runs in counts.items()},
            "rates": {line.key: _rate(line.rate) for line in self.modelled.lines},
            "rates_reported": {line.key: _rate(line.rate) for line in self.reported.lines},
            **{kind: {row.name: _spent(row) for row in getattr(self, kind)} for kind in ("steps", "tiers")},
            "all": _spent(self.all),
        }


def of(runs: Sequence[Run], settings: Settings) -> Report:
    """Sort runs by where their answers came from, and count."""
    finished = [run for run in runs if run.finished]
    by_models = [run for run in finished if run.from_models]
    calls = [found for run in by_models for found in _replies(run) if paid([found[2]])]
    return Report(
        modelled=_rates([run for run in by_models if not run.reported]),
        reported=_rates([run for run in by_models if run.reported]),
        written=tuple(run for run in finished if not run.from_models),
        unfinished=tuple(run for run in runs if not run.finished),
        steps=_by([(step, call) for step, _, call in calls], settings),
        tiers=_by([(tier, call) for _, tier, call in calls], settings),
        all=_sum("All", [call for _, _, call in calls], settings),
    )


def _rates(runs: Sequence[Run]) -> Rates:
    as_answered = [run for run in runs if run.assessment and not run.evidence.original]  # no review corrects its key
    scores = Counter(run.verdict.quality_score for run in runs if run.verdict and run.verdict.quality_score)
    return Rates(
        runs=tuple(runs),
        separated=Rate(sum(run.verdict is not None and run.verdict.achieved for run in runs), len(runs)),
        attempts=dict(sorted(Counter(len(run.attempts) for run in runs).items())),
        scores=dict(sorted(scores.items())),
        lines=(
            *_attempts(runs),
            *_judgments([attempt for run in runs for attempt in run.attempts]),
            Line(
                "sent_back", "Replies that did not count", _sent_back(one for run in runs for *_, one in _replies(run))
            ),
            *_proofs(as_answered),
            *_solves(as_answered),
        ),
    )


def _attempts(runs: Sequence[Run]) -> Iterator[Line]:
    for number in range(1, max([1, *(len(run.attempts) for run in runs)]) + 1):
        tried = [verdict for run in runs for one in run.attempts if one.number == number and (verdict := one.verdict)]
        separated = sum(verdict.achieved for verdict in tried)
        yield Line(f"attempt_{number}", f"Tiers separated in attempt {number}", Rate(separated, len(tried)))


def _judgments(attempts: Sequence[Attempt]) -> Iterator[Line]:
    judged = [(one, verdict) for one in attempts if (verdict := one.verdict) and verdict.judgments]
    consistent = sum(verdict.reason != "position_inconsistent" for _, verdict in judged)
    yield Line("consistent", "Judge prefers the same solution in both orders", Rate(consistent, len(judged)))
    named = [
        (failure.quote, attempt.outputs["weak_implementation" if prefers_mid else "mid_implementation"])
        for attempt, verdict in judged
        for order, judgment in verdict.judgments.items()
        for prefers_mid in [judgment.better == mid_label(order)]
        for failure in judgment.failures
    ]
    supported = sum(place(quote, implementation) is not None for quote, implementation in named)
    yield Line("supported", "Failures that the judge shows by a quote that stands", Rate(supported, len(named)))


def _proofs(runs: Iterable[Run]) -> Iterator[Line]:
    keys = [run.evidence.decided(run.assessment) for run in runs if run.assessment]
    tried = [decided for decided in keys if decided]
    proved, errors = sum(len(one.proved) for one in tried), sum(len(one.outcomes) for one in tried)
    yield Line("keys_tried", "Keys that no review corrects, tried by execution", Rate(len(tried), len(keys)))
    yield Line("errors_proved", "Errors proved, of keys that were tried", Rate(proved, errors))


def _solves(runs: Sequence[Run]) -> Iterator[Line]:
    """Count solvers that are models, and runs that two of them solved."""
    solved: list[Sequence[str]] = []
    grades: list[Grade] = []
    exercises = [run for run in runs if run.assessment]
    for run in exercises:
        by_model = [answer.order for answer in run.solutions if answer.counts and answer.from_model]
        if run.solve:
            grades += [run.solve.grades[order] for order in by_model]
            if run.solve.complete and len(by_model) == len(run.solve.grades):
                solved.append(needs_review(run))
    yield Line("solved", "Exercises that no review corrects, solved blind by two", Rate(len(solved), len(exercises)))
    yield Line("needs_review", "… of them, need a review", Rate(sum(map(bool, solved)), len(solved)))
    yield Line("solve_recall", "Errors that blind solvers found", _added(grade.recall for grade in grades))
    precision = _added(grade.precision for grade in grades)
    yield Line("solve_precision", "Reports of blind solvers that are in the key", precision)


def _added(counts: Iterable[tuple[int, int]]) -> Rate:
    return Rate(*(sum(column) for column in zip((0, 0), *counts, strict=True)))


def _replies(run: Run) -> Iterator[tuple[str, str, Call]]:
    """Yield every reply of a run, with its step and its tier."""
    for answer in (*run.answers, *run.solutions):
        for reply in answer.replies:
            yield (*_FILES[answer.file], reply)
    for rejected in run.discarded:
        yield (*_FILES.get(rejected.file, _OTHER), rejected)


def _by(calls: Sequence[tuple[str, Call]], settings: Settings) -> tuple[Spent, ...]:
    """Add calls up by their name, in the order of the steps."""
    rows: defaultdict[str, list[Call]] = defaultdict(list)
    for name, call in calls:
        rows[name].append(call)
    return tuple(_sum(name, rows[name], settings) for name in sorted(rows, key=_ORDER.index))


def _sum(name: str, calls: Sequence[Call], settings: Settings) -> Spent:
    return Spent(name, _sent_back(calls), usage(calls), cost(calls, settings))


def _sent_back(calls: Iterable[Call]) -> Rate:
    counted = [not isinstance(call, Rejected) or call.superseded for call in calls]
    return Rate(counted.count(False), len(counted))


def _rate(rate: Rate) -> dict[str, float | None]:
    return {"count": rate.count, "of": rate.of, "rate": rate.share}


def _spent(row: Spent) -> dict[str, Any]:
    return {
        "calls": row.sent_back.of,
        "sent_back": _rate(row.sent_back),
        "tokens_in": row.usage.prompt_tokens,
        "tokens_out": row.usage.output_tokens,
        "dollars": None if row.cost is None else float(row.cost),
    }
