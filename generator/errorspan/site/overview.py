"""Add up what runs show together, for plots. Only model runs count; authored ones are listed apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.runs.run import Run, State, total


@dataclass(frozen=True)
class Bar:
    """A call on a run's timeline: when it started and how long it took, in seconds and as shares of the whole."""

    label: str
    tier: str
    start: float
    seconds: float
    left: float
    width: float


@dataclass(frozen=True)
class Overview:
    """What model runs add up to. `scores` and `attempts` count runs by judge's score and by number of attempts."""

    modelled: tuple[Run, ...]
    written: tuple[Run, ...]
    open: tuple[Run, ...]
    separated: int
    attempts: dict[int, int]
    scores: dict[int, int]
    usage: Usage
    cost: Decimal | None

    @property
    def success_rate(self) -> float | None:
        """Return the share of finished model runs whose tiers separated."""
        return self.separated / len(self.modelled) if self.modelled else None


def of(runs: Sequence[Run], settings: Settings) -> Overview:
    """Sort runs by where their answers came from, and count."""
    finished = [run for run in runs if run.state in {State.COMPLETE, State.NOT_SEPARATED}]
    modelled = tuple(run for run in finished if run.untouched)
    scores = Counter(run.verdict.quality_score for run in modelled if run.verdict and run.verdict.quality_score)
    attempts = Counter(len(run.attempts) for run in modelled)
    return Overview(
        modelled=modelled,
        written=tuple(run for run in finished if not run.untouched),
        open=tuple(run for run in runs if run not in finished),
        separated=sum(run.state is State.COMPLETE for run in modelled),
        attempts=dict(sorted(attempts.items())),
        scores=dict(sorted(scores.items())),
        usage=sum((run.usage for run in modelled), Usage()),
        cost=total(run.cost(settings) for run in modelled),
    )


def timeline(run: Run) -> list[Bar]:
    """Lay out a run's calls in time; empty where no model was asked."""
    calls = [
        (answer, datetime.fromisoformat(answer.entry.at), answer.entry.seconds)
        for answer in run.answers
        if answer.from_model and answer.entry.at and answer.entry.seconds is not None
    ]
    if not calls:
        return []
    began = min(at for _, at, _ in calls)
    whole = max((at - began).total_seconds() + seconds for _, at, seconds in calls) or 1
    return [
        Bar(
            label=f"{answer.step.title}{f' {answer.order.upper()}' if answer.order else ''}"
            + (f" · attempt {answer.attempt}" if answer.attempt else ""),
            tier=answer.tier,
            start=(at - began).total_seconds(),
            seconds=seconds,
            left=(at - began).total_seconds() / whole,
            width=seconds / whole,
        )
        for answer, at, seconds in calls
    ]
