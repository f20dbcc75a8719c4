"""Say what finishing runs can cost, before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from errorspan.authoring.prices import Usage, total
from errorspan.authoring.settings import Settings
from errorspan.authoring.tiers import Model, has_key
from errorspan.runs.run import Run, State
from errorspan.steps import prompting
from errorspan.steps.table import SOLVE, STEPS, Pass, Step, passes
from errorspan.text.errors import BudgetError

Wanted = Callable[[Run, Settings], list[Pass]]

TOKENIZERS = 2
"""How much longer an answer of one model may be in the tokens of another that reads it: an assumption, not a bound."""


def missing(run: Run, settings: Settings) -> list[Pass]:
    """Return the passes that may have to be asked to finish a run, were every attempt to fail but the last.

    Where one has separated the tiers already, no further one is made.
    """
    if run.finished:
        return []
    have = {answer.file for answer in run.answers}
    first = run.last.number if run.last else 1
    separated = run.verdict is not None and run.verdict.achieved
    last = first if separated else run.topic.max_attempts or settings.max_attempts
    samples = {attempt.number: len(attempt.samples) for attempt in run.attempts}
    rounds = passes(range(first, last + 1), lambda number: samples.get(number, settings.samples(run.topic)))
    return [wanted for wanted in rounds if wanted.step in STEPS and wanted.file not in have]


def unsolved(run: Run, settings: Settings) -> list[Pass]:  # noqa: ARG001 - the same question as `missing`
    """Return the passes of solving a run's exercise that have no answer to it as it is now.

    An exercise whose own answers fail a check is not worth solving.
    """
    if run.state is not State.COMPLETE or run.faults:
        return []
    have = {answer.file for answer in run.solutions if not answer.stale}
    return [wanted for wanted in passes([]) if wanted.step in SOLVE and wanted.file not in have]


def asked(runs: Iterable[Run], settings: Settings, wanted: Wanted = missing) -> list[Model]:
    """Return the models that these runs ask for what is missing."""
    return [settings.model(one.step.asks(one.order), run.topic) for run in runs for one in wanted(run, settings)]


def without_key(models: Iterable[Model]) -> dict[tuple[str, ...], list[str]]:
    """Return the models whose key is not there, by the environment variables that may hold it."""
    found: dict[tuple[str, ...], list[str]] = {}
    for one in models:
        if not has_key(one.server) and one.model not in found.setdefault(one.keys, []):
            found[one.keys].append(one.model)
    return found


def reached(wanted: Wanted) -> Wanted:
    """Return those of the passes that can be asked: of models whose key is there, or that take none."""

    def of(run: Run, settings: Settings) -> list[Pass]:
        models = {one: settings.model(one.step.asks(one.order), run.topic) for one in wanted(run, settings)}
        return [one for one, model in models.items() if has_key(model.server)]

    return of


def locked(runs: Sequence[Run], settings: Settings, wanted: Wanted = missing) -> dict[tuple[str, ...], list[str]]:
    """Return the models whose key is not there, but where a server that takes none can be asked as the runs stand.

    Then the rest stays open: whoever asks by hand has no key. Nothing is paid for of a run that cannot be finished.
    """

    def waits(run: Run) -> bool:
        steps = {one.step for one in wanted(run, settings)}
        waiting = (settings.model(one.step.asks(one.asked.order), run.topic) for one in run.open if one.step in steps)
        return any(model.free for model in waiting)

    return {} if any(map(waits, runs)) else without_key(asked(runs, settings, wanted))


def within(
    runs: Sequence[Run], settings: Settings, limit: Decimal, wanted: Wanted = missing, *, batch: bool = False
) -> Decimal:
    """Return the worst case of asking these runs for what is missing, in dollars.

    Raises:
        BudgetError: it is above the limit, or the price of a model is not known.
    """
    models = asked(runs, settings, wanted)
    unpriced = sorted({one.model for one in models if settings.price(one.model, Usage(), free=one.free) is None})
    if unpriced:
        raise BudgetError(
            f"no price is known for {', '.join(unpriced)}; name it under extra.generator.prices "
            "(input and output in dollars per million tokens, 0 for a model of your own)"
        )
    worst = total(worst_case(run, settings, wanted, batch=batch) for run in runs) or Decimal()
    if worst > limit:
        raise BudgetError(
            f"{len(runs)} {'topic' if len(runs) == 1 else 'topics'} could cost up to ${worst:.2f}, "
            f"more than the ${limit:.2f} that max_cost_usd allows; name fewer topics, or raise it (--max-cost)"
        )
    return worst


def worst_case(run: Run, settings: Settings, wanted: Wanted = missing, *, batch: bool = False) -> Decimal | None:
    """Return the most that the missing passes of a run can cost, in dollars; None where a model's price is not known.

    A token is at least a byte, so a prompt has at most as many tokens as bytes; every answer is as long as it may be,
    and every repair is needed. Two things are not in it: `TOKENIZERS` is a guess, and where a connection breaks while a
    model answers, the call is made again and a server may charge for both.
    """
    return total(worst_price(one, run, settings, batch=batch) for one in wanted(run, settings))


def worst_price(asked: Pass, run: Run, settings: Settings, *, batch: bool = False) -> Decimal | None:
    """Return the most that one pass of a step can cost, repairs included; None where its model's price is not known."""
    model = settings.model(asked.step.asks(asked.order), run.topic)
    how = {"free": model.free, "batch": batch and model.batched}
    return total(settings.price(model.model, usage, **how) for usage in worst_usages(asked, run, settings))


def worst_usages(asked: Pass, run: Run, settings: Settings) -> list[Usage]:
    """Return the most tokens of one pass of a step, call by call: each reply but the last is sent back."""
    step, attempt, order, _ = asked
    model = settings.model(step.asks(order), run.topic)
    longest = {known.name: _longest(known, run) for known in STEPS}
    longest["feedback"] = (attempt - 1) * (longest["judgment"] + longest["challenge"])
    prompt = prompting.template_size(step, run.topic) + sum(longest[name] for name in step.reads)
    return [
        Usage(
            input_tokens=prompt + repair * (step.longest(model) + prompting.COMPLAINT_BYTES),
            output_tokens=step.longest(model),
        )
        for repair in range(settings.max_repairs + 1)
    ]


def _longest(step: Step, run: Run) -> int:
    """Return the most tokens that a step's output can put into a prompt; a person may have written a longer one."""
    written = [len(answer.recorded.text.encode()) for answer in run.answers if answer.step is step]
    return max([TOKENIZERS * step.max_tokens, *written]) * len(step.passes)
