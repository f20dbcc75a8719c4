"""Settle what the judge's two answers say together.

The judge sees the implementations twice, labelled A and B, in both orders, because the order of presentation alone
decides a good part of close comparisons (MT-Bench: the strongest judge was consistent in 65 % of them). Only a
difference on which both orders agree, and which is shown by quotes that really stand in the weak implementation,
counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from errorspan.answers.outputs import Implementation, Judgment, Label, occurrences

Reason = Literal["identical", "not_achieved", "position_inconsistent", "unsupported"]

MID_FIRST, WEAK_FIRST = "ab", "ba"
PASSES = (MID_FIRST, WEAK_FIRST)
SUPPORTED_FAILURES = 2
QUOTE_LENGTH = 10

REASONS: dict[Reason, str] = {
    "identical": "the two implementations hold the same code, so there was nothing to judge",
    "not_achieved": "the judge saw no real difference in favour of the mid-tier implementation",
    "position_inconsistent": "the judge's preference changed with the order in which it saw the implementations",
    "unsupported": f"fewer than {SUPPORTED_FAILURES} of the failures that the judge named are shown by a quote that "
    "stands in the weak implementation",
}


class Failure(NamedTuple):
    """A failure of the weak implementation whose quote stands there; `id` is F1, F2 and so on."""

    id: str
    pattern: str | None
    description: str
    quote: str

    def place(self, implementation: Implementation) -> tuple[int, int]:
        """Return where the quote starts and ends in the implementation's text."""
        return place(self.quote, implementation) or (0, 0)


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


def places(quote: str, implementation: Implementation) -> list[tuple[int, int]]:
    """Return where a quote starts and ends in an implementation's text, each time that it stands in its code verbatim.

    A bracket or a single name stands everywhere and shows nothing: a quote has `QUOTE_LENGTH` characters, spaces aside.
    """
    quote = quote.strip()
    if len("".join(quote.split())) < QUOTE_LENGTH:
        return []
    return [
        (start, start + len(quote))
        for start in occurrences(quote, implementation.text)
        if any(first <= start and start + len(quote) <= last for first, last in implementation.fenced)
    ]


def place(quote: str, implementation: Implementation) -> tuple[int, int] | None:
    """Return the first place of a quote in an implementation's code, if it stands there."""
    return next(iter(places(quote, implementation)), None)


def identical(outputs: Mapping[str, Any]) -> Verdict | None:
    """Decide without a judge where both tiers wrote the same code, blank lines aside."""
    mid, weak = (
        [line.rstrip() for line in outputs[name].code.split("\n") if line.strip()]
        for name in ("mid_implementation", "weak_implementation")
    )
    return Verdict({}, (), "identical") if mid == weak else None


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
    """Join what both orders named: a quote that overlaps another, or a pattern that the other named, is no news."""
    failures: list[Failure] = []
    for order, judgment in judgments.items():
        named = {failure.pattern for failure in failures if failure.pattern}
        for seen in judgment.failures if prefers_mid[order] else ():
            stands = place(seen.quote, weak)
            if stands is None or seen.pattern in named or any(_overlap(stands, old.place(weak)) for old in failures):
                continue
            failures.append(Failure(f"F{len(failures) + 1}", seen.pattern, seen.description, seen.quote.strip()))
    return tuple(failures)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
