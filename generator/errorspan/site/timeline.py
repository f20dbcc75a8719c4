"""Lay a run's calls out in time, for a plot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from errorspan.runs.run import Run


@dataclass(frozen=True)
class Bar:
    """A call on a run's timeline: when it started and how long it took, in seconds and as shares of the whole."""

    label: str
    tier: str
    start: float
    seconds: float
    left: float
    width: float


def of(run: Run) -> list[Bar]:
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
            + (f" · sample {answer.asked.sample}" if answer.asked.sample > 1 else "")
            + (f" · attempt {answer.attempt}" if answer.attempt else ""),
            tier=answer.tier,
            start=(at - began).total_seconds(),
            seconds=seconds,
            left=(at - began).total_seconds() / whole,
            width=seconds / whole,
        )
        for answer, at, seconds in calls
    ]
