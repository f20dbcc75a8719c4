"""Say what finishing runs likely costs, and at the most, by topic and step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from errorspan.authoring.prices import Usage, total
from errorspan.authoring.settings import Settings
from errorspan.runs import budget
from errorspan.runs.run import Run
from errorspan.steps import prompting
from errorspan.steps.table import SOLVE, STEPS, Step

BYTES_PER_TOKEN = 4
"""In prose and code, about."""
TYPICAL = {
    "categories": 3_300,
    "error_catalog": 7_300,
    "challenge": 4_800,
    "mid_implementation": 10_600,
    "weak_implementation": 5_700,
    "judgment": 7_600,
    "assessment": 8_500,
    "blind_solve": 2_000,
}
"""Bytes of an answer, for a course that has none of its own: about the medians of those that come with Errorspan."""


class Estimate(NamedTuple):
    """What one step of a topic would be asked: calls, tokens and dollars, likely and at the most."""

    topic: str
    step: str
    models: str
    likely_calls: int
    most_calls: int
    likely_tokens: int
    most_tokens: int
    likely: Decimal | None
    most: Decimal | None


def estimates(
    runs: Iterable[Run],
    settings: Settings,
    typical: Mapping[str, Usage],
    wanted: budget.Wanted = budget.missing,
    *,
    batch: bool = False,
) -> Iterator[Estimate]:
    """Yield what is missing of these runs, step by step.

    Likely: the next attempt is the last, no reply is sent back, and answers are as long as others were.
    """
    for run in runs:
        passes = wanted(run, settings)
        first = min((one.attempt for one in passes if one.attempt), default=0)
        for step in dict.fromkeys(one.step for one in passes):
            asked = [one for one in passes if one.step is step]
            models = [settings.model(step.asks(one.order), run.topic) for one in asked]
            likely = [
                (model, _likely(step, run, typical))
                for one, model in zip(asked, models, strict=True)
                if one.attempt in {0, first}
            ]
            most = [budget.worst_usages(one, run, settings) for one in asked]
            yield Estimate(
                topic=run.topic.id,
                step=step.title,
                models=", ".join(dict.fromkeys(map(str, models))),
                likely_calls=len(likely),
                most_calls=sum(map(len, most)),
                likely_tokens=sum(usage.tokens for _, usage in likely),
                most_tokens=sum(usage.tokens for usages in most for usage in usages),
                likely=total(
                    settings.price(model.model, usage, free=model.free, batch=batch and model.batched)
                    for model, usage in likely
                ),
                most=total(budget.worst_price(one, run, settings, batch=batch) for one in asked),
            )


def typical(runs: Sequence[Run]) -> dict[str, Usage]:
    """Return what an answer of each step takes, read and written, by the answers that are recorded.

    What a server counted is better than the length of a text: models think.
    """
    found: dict[str, Usage] = {}
    for step in STEPS + SOLVE:
        given = [answer for run in runs for answer in (*run.answers, *run.solutions) if answer.step is step]
        written = [len(answer.recorded.text.encode()) for answer in given if answer.entry.who]
        counted = [answer.entry.usage.output_tokens for answer in given if answer.entry.usage]
        length = int(median(written)) if written else TYPICAL.get(step.name, max(TYPICAL.values()))
        tokens = int(median(counted)) if counted else length // BYTES_PER_TOKEN
        found[step.name] = Usage(input_tokens=length // BYTES_PER_TOKEN, output_tokens=tokens)
    return found


def _likely(step: Step, run: Run, typical: Mapping[str, Usage]) -> Usage:
    passes = {one.name: len(one.passes) for one in STEPS}
    read = sum(typical[name].input_tokens * passes[name] for name in step.reads if name in passes)
    asked = prompting.template_size(step, run.topic) // BYTES_PER_TOKEN
    return Usage(input_tokens=asked + read, output_tokens=typical[step.name].output_tokens)
