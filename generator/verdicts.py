"""Settle what the judge's two answers say together.

The judge sees the implementations twice, labelled A and B, in both orders, because the order of presentation alone
decides a good part of close comparisons (MT-Bench: the strongest judge was consistent in 65 % of them). Only a
difference on which both orders agree, and which is shown by quotes that really stand in the weak implementation, counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from generator.outputs import Implementation, Judgment, Label, Observation

Reason = Literal["identical", "not_achieved", "position_inconsistent", "unsupported"]

MID_FIRST, WEAK_FIRST = "ab", "ba"
PASSES = (MID_FIRST, WEAK_FIRST)
SUPPORTED_FAILURES = 2

REASONS: dict[Reason, str] = {
    "identical": "the two implementations hold the same code, so there was nothing to judge",
    "not_achieved": "the judge saw no real difference in favour of the mid-tier implementation",
    "position_inconsistent": "the judge's preference changed with the order in which it saw the implementations",
    "unsupported": f"fewer than {SUPPORTED_FAILURES} of the failures that the judge named are shown by a quote that "
    "stands in the weak implementation",
}


class Failure(NamedTuple):
    """A failure of the weak implementation whose quote stands there; `id` is F1, F2 …"""

    id: str
    pattern: str | None
    description: str
    quote: str


@dataclass(frozen=True)
class Verdict:
    """The judgment of one attempt: what each order said, and what follows from both."""

    judgments: Mapping[str, Judgment]
    failures: tuple[Failure, ...]
    reason: Reason | None

    @property
    def achieved(self) -> bool:
        """Tell whether the attempt separated the tiers."""
        return self.reason is None

    @property
    def quality_score(self) -> int | None:
        """Return the lower of the two orders' scores (1 to 10)."""
        return min((judgment.quality_score for judgment in self.judgments.values()), default=None)

    def failure(self, name: str) -> Failure | None:
        """Return the supported failure of this id, if there is one."""
        return next((failure for failure in self.failures if failure.id == name), None)


def mid_label(order: str) -> Label:
    """Return the label that the mid-tier implementation had in this order."""
    return "A" if order == MID_FIRST else "B"


def stands_in(quote: str, implementation: Implementation) -> bool:
    """Tell whether a quote is the implementation's own words."""
    return quote.strip() in implementation.text


def identical(outputs: Mapping[str, Any]) -> Verdict | None:
    """Decide without a judge where both tiers wrote the same code."""
    mid, weak = outputs["mid_implementation"], outputs["weak_implementation"]
    return Verdict({}, (), "identical") if mid.code.split() == weak.code.split() else None


def settle(judgments: Mapping[str, Judgment], outputs: Mapping[str, Any]) -> Verdict:
    """Join the orders' judgments into the attempt's verdict."""
    prefers_mid = {order: judgment.better == mid_label(order) for order, judgment in judgments.items()}
    failures = _supported(judgments, prefers_mid, outputs["weak_implementation"])
    reason: Reason | None = None
    if len(set(prefers_mid.values())) > 1:
        reason = "position_inconsistent"
    elif not all(prefers_mid[order] and judgment.differentiation_achieved for order, judgment in judgments.items()):
        reason = "not_achieved"
    elif len(failures) < SUPPORTED_FAILURES:
        reason = "unsupported"
    return Verdict(judgments, failures, reason)


def _supported(
    judgments: Mapping[str, Judgment], prefers_mid: Mapping[str, bool], weak: Implementation
) -> tuple[Failure, ...]:
    kept: list[Observation] = []
    for order, judgment in judgments.items():
        seen = list(kept)
        for failure in judgment.failures if prefers_mid[order] else ():
            told_before = any(
                failure.quote.strip() == other.quote.strip() or (failure.pattern and failure.pattern == other.pattern)
                for other in seen
            ) or any(
                (failure.quote.strip(), failure.pattern) == (other.quote.strip(), other.pattern) for other in kept
            )
            if stands_in(failure.quote, weak) and not told_before:
                kept.append(failure)
    return tuple(
        Failure(f"F{number}", failure.pattern, failure.description, failure.quote.strip())
        for number, failure in enumerate(kept, start=1)
    )
