"""Add up what model runs show together, as `errorspan report` and the page of all runs have it.

No rate goes without its counts. Runs in which somebody asked a model by hand have rates of their own; runs in which a
person wrote have none, and so have their solvers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Settings
from errorspan.runs.counting import ORDER, Counts, Rate, Sum, counts, summed
from errorspan.runs.run import Run

_TITLES = {
    "consistent": "Judge prefers the same solution in both orders",
    "supported": "Failures that the judge shows by a quote that stands",
    "sent_back": "Replies that did not count",
    "keys_tried": "Keys that no review corrects, tried by execution",
    "errors_proved": "Errors proved, of keys that were tried",
    "solved": "Exercises that no review corrects, solved blind by two",
    "needs_review": "… of them, need a review",
    "solve_recall": "Errors that blind solvers found",
    "solve_precision": "Reports of blind solvers that are in the key",
}
"""What each rate is of; those of attempts come before."""

T = TypeVar("T")


class Line(NamedTuple):
    """A rate, and what it is the rate of."""

    key: str
    title: str
    rate: Rate


class Spent(NamedTuple):
    """What the calls of a step or a tier add up to.

    `sent_back` is the share of replies that did not count, `batched` the number of calls in batches, at half the price.
    """

    name: str
    sent_back: Rate
    usage: Usage
    cost: Decimal | None
    batched: int


@dataclass(frozen=True)
class Rates(Generic[T]):
    """What runs of one kind show: which they are, and rates over them.

    `scores` and `attempts` count them by judge's score and by number of attempts.
    """

    runs: tuple[T, ...]
    separated: Rate
    attempts: dict[int, int]
    scores: dict[int, int]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Report(Generic[T]):
    """What runs show: which there are, rates over those that models answered, and what the pipeline's calls cost.

    `modelled`: the pipeline asked for every answer. `reported`: somebody asked for some by hand. `written`: a person
    wrote or edited one. What calls cost is added up over the first two. What a review corrects stands beside the
    answers: keys that one corrects count in no rate of keys.
    """

    modelled: Rates[T]
    reported: Rates[T]
    written: tuple[T, ...]
    unfinished: tuple[T, ...]
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


def of(runs: Sequence[Run], settings: Settings) -> Report[Run]:
    """Sort runs by where their answers came from, and count."""
    return added((run, counts(run, settings)) for run in runs)


def added(told: Iterable[tuple[T, Counts]]) -> Report[T]:
    """Add up what runs count for; each is listed as what it goes with."""
    of: defaultdict[str, list[tuple[T, Counts]]] = defaultdict(list)
    for listed, count in told:
        of[count.kind].append((listed, count))
    by_models = [count for kind in ("modelled", "reported") for _, count in of[kind]]
    return Report(
        modelled=_rates(of["modelled"]),
        reported=_rates(of["reported"]),
        written=tuple(listed for listed, _ in of["written"]),
        unfinished=tuple(listed for listed, _ in of["unfinished"]),
        steps=_by([count.steps for count in by_models]),
        tiers=_by([count.tiers for count in by_models]),
        all=_spent_on("All", [one for count in by_models for one in count.steps.values()]),
    )


def _rates(told: Sequence[tuple[T, Counts]]) -> Rates[T]:
    runs = [count for _, count in told]
    tried = max([1, *(count.attempts for count in runs)])
    titles = {f"attempt_{n}": f"Tiers separated in attempt {n}" for n in range(1, tried + 1)} | _TITLES
    return Rates(
        runs=tuple(listed for listed, _ in told),
        separated=Rate(sum(count.separated for count in runs), len(runs)),
        attempts=dict(sorted(Counter(count.attempts for count in runs).items())),
        scores=dict(sorted(Counter(count.score for count in runs if count.score).items())),
        lines=tuple(
            Line(key, title, summed(count.lines.get(key, (0, 0)) for count in runs)) for key, title in titles.items()
        ),
    )


def _by(runs: Sequence[Mapping[str, Sum]]) -> tuple[Spent, ...]:
    """Add up by name what runs spent, in the order of the steps."""
    names = {name for spent in runs for name in spent}
    return tuple(
        _spent_on(name, [spent[name] for spent in runs if name in spent]) for name in sorted(names, key=ORDER.index)
    )


def _spent_on(name: str, sums: Sequence[Sum]) -> Spent:
    whole = sum(sums, Sum())
    return Spent(name, Rate(whole.sent_back, whole.calls), whole.usage, whole.cost, whole.batched)


def _rate(rate: Rate) -> dict[str, float | None]:
    return {"count": rate.count, "of": rate.of, "rate": rate.share}


def _spent(row: Spent) -> dict[str, Any]:
    return {
        "calls": row.sent_back.of,
        "sent_back": _rate(row.sent_back),
        "tokens_in": row.usage.prompt_tokens,
        "tokens_out": row.usage.output_tokens,
        "dollars": None if row.cost is None else float(row.cost),
        "in_batches": row.batched,
    }
