"""Settle what the judge's two answers say together.

The judge sees the implementations twice, labelled A and B, in both orders, because the order of presentation alone
decides a good part of close comparisons (MT-Bench: the strongest judge was consistent in 65 % of them). Only a
difference on which both orders agree, and which is shown by quotes that really stand in the weak implementation,
counts. What was judged in format 1 is settled by its rules, so that failures keep their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from errorspan.answers.outputs import Implementation, Judgment, Label, Settled, Severity, Shortfall
from errorspan.answers.quotes import occurrences

Reason = Literal["identical", "not_attempted", "not_achieved", "position_inconsistent", "unsupported", "too_little"]
Place = tuple[int, int]

MID_FIRST, WEAK_FIRST = "ab", "ba"
PASSES = (MID_FIRST, WEAK_FIRST)
SUPPORTED_FAILURES = 2
QUOTE_LENGTH = 10

REASONS: dict[Reason, str] = {
    "identical": "the two implementations hold the same code, so there was nothing to judge",
    "not_attempted": "the judge saw no attempt at the task in one of the implementations: functions are missing, or it "
    "cannot be loaded and is beyond mending in a few lines",
    "not_achieved": "the judge saw no real difference in favour of the mid-tier implementation",
    "position_inconsistent": "the judge's preference changed with the order in which it saw the implementations",
    "unsupported": f"fewer than {SUPPORTED_FAILURES} of the failures that the judge named are shown by a quote that "
    "stands in the weak implementation",
    "too_little": f"neither a grave failure nor {SUPPORTED_FAILURES} others were named in both orders, shown by a "
    "quote that stands in the weak implementation, and mended in one place",
}
GRAVITY: tuple[Severity, ...] = ("low", "medium", "high")


class Failure(NamedTuple):
    """A failure of the weak implementation whose quote stands there; `id` is F1, F2 and so on.

    `severity`: the lower of what the orders said. `agreed`: both orders named it. What was judged in format 1 says
    nothing of these.
    """

    id: str
    pattern: str | None
    description: str
    quote: str
    severity: Severity | None = None
    settled_by: Settled | None = None
    settles: str | None = None
    local: bool = True
    agreed: bool | None = None

    def place(self, implementation: Implementation) -> Place:
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


def places(quote: str, implementation: Implementation) -> list[Place]:
    """Return where a quote starts and ends in an implementation's plain text, each time that it stands in its code.

    A bracket or a single name stands everywhere and shows nothing: a quote has `QUOTE_LENGTH` characters, spaces aside,
    or is a whole line with a word in it.
    """
    quote, text = quote.strip(), implementation.plain
    if not quote:
        return []
    return [
        (start, end)
        for start in occurrences(quote, text)
        if (end := start + len(quote))
        and any(first <= start and end <= last for first, last in implementation.fenced)
        and (_is_long(quote) or _is_line(text, start, end))
    ]


def place(quote: str, implementation: Implementation) -> Place | None:
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
    seen = [judgment.failures for order, judgment in judgments.items() if prefers_mid[order]]
    first_format = any(judgment.format == 1 for judgment in judgments.values())
    failures = (_united if first_format else _agreed)(seen, outputs["weak_implementation"])
    reason: Reason | None = None
    if any(judgment.not_attempted for judgment in judgments.values()):
        reason = "not_attempted"
    elif len(set(prefers_mid.values())) > 1:
        reason = "position_inconsistent"
    elif not all(prefers_mid[order] and judgment.differentiation_achieved for order, judgment in judgments.items()):
        reason = "not_achieved"
    elif first_format:
        reason = "unsupported" if len(failures) < SUPPORTED_FAILURES else None
    else:
        counted = [failure for failure in failures if failure.agreed and failure.local]
        grave = any(failure.severity == GRAVITY[-1] for failure in counted)
        reason = None if grave or len(counted) >= SUPPORTED_FAILURES else "too_little"
    return Verdict(judgments, failures, reason)


def best(samples: Sequence[Verdict | None]) -> int:
    """Return which sample's difference is supported best, counted from 1: the first of equals."""

    def support(sample: int) -> tuple[bool, int, int]:
        verdict = samples[sample - 1]
        if verdict is None:
            return False, 0, 0
        counted = [failure for failure in verdict.failures if failure.agreed and failure.local]
        return verdict.achieved, len(counted), verdict.quality_score or 0

    return max(range(1, 1 + len(samples)), key=support)


def _agreed(orders: Iterable[Sequence[Shortfall]], weak: Implementation) -> tuple[Failure, ...]:
    """Join what both orders named, a failure each: those that both named come first.

    Two are the same where their quotes overlap or their pattern is one; each is the other of one at the most, because a
    line can hold two failures.
    """
    joined: list[Failure] = []
    for shortfalls in orders:
        alone = list(joined)  # those of the other order that are the same as none of this one yet
        for seen in shortfalls:
            stands = place(seen.quote, weak)
            if stands is None:
                continue
            same = sorted(
                (failure for failure in alone if _likeness(seen, stands, failure, weak)),
                key=lambda failure: -_likeness(seen, stands, failure, weak),
            )
            if same:
                alone.remove(same[0])
                joined[joined.index(same[0])] = same[0]._replace(
                    severity=min(same[0].severity, seen.severity, key=_gravity),
                    local=same[0].local and seen.local,
                    agreed=True,
                )
            else:
                joined.append(
                    Failure(
                        id="",
                        pattern=seen.pattern,
                        description=seen.description,
                        quote=seen.quote.strip(),
                        severity=seen.severity,
                        settled_by=seen.settled_by,
                        settles=seen.settles,
                        local=seen.local,
                        agreed=False,
                    )
                )
    joined.sort(key=lambda failure: not failure.agreed)
    return tuple(failure._replace(id=f"F{number}") for number, failure in enumerate(joined, 1))


def _likeness(seen: Shortfall, stands: Place, failure: Failure, weak: Implementation) -> int:
    """Return how surely a failure is the one that was seen: 0 where it is not."""
    overlaps = _overlap(stands, failure.place(weak))
    return 2 * overlaps + (seen.pattern is not None and seen.pattern == failure.pattern)


def _gravity(severity: Severity | None) -> int:
    return GRAVITY.index(severity) if severity else 0


def _united(orders: Iterable[Sequence[Shortfall]], weak: Implementation) -> tuple[Failure, ...]:
    """Join what either order named, as format 1 had it: an overlapping quote, or a pattern named before, is no news."""
    failures: list[Failure] = []
    for shortfalls in orders:
        named = {failure.pattern for failure in failures if failure.pattern}
        for seen in shortfalls:
            stands = place(seen.quote, weak) if _is_long(seen.quote) else None
            if stands is None or seen.pattern in named or any(_overlap(stands, old.place(weak)) for old in failures):
                continue
            failures.append(Failure(f"F{len(failures) + 1}", seen.pattern, seen.description, seen.quote.strip()))
    return tuple(failures)


def _is_long(quote: str) -> bool:
    return len("".join(quote.split())) >= QUOTE_LENGTH


def _is_line(text: str, start: int, end: int) -> bool:
    """Tell whether this is a line with a word in it, indentation aside."""
    before, after = text[:start].rpartition("\n")[2], text[end:].partition("\n")[0]
    return not before.strip() and not after.strip() and any(sign.isalnum() for sign in text[start:end])


def _overlap(one: Place, other: Place) -> bool:
    return one[0] < other[1] and other[0] < one[1]
