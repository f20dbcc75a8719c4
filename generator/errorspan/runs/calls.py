"""Add up calls: the tokens and the dollars of answers, and of replies that did not count."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from errorspan.authoring.prices import Usage, total
from errorspan.authoring.settings import Settings
from errorspan.record.manifest import Entry, Rejected

Call = Entry | Rejected


def paid(replies: Iterable[Call]) -> list[Call]:
    """Return those replies that the pipeline asked for; of others nobody knows what they cost."""
    return [reply for reply in replies if reply.usage is not None]


def usage(calls: Iterable[Call]) -> Usage:
    """Add up the tokens of calls."""
    return sum((call.usage for call in calls if call.usage), Usage())


def cost(calls: Iterable[Call], settings: Settings) -> Decimal | None:
    """Add up what calls cost in dollars; None where the price of one's model is not known."""
    return total(
        settings.price(call.model, call.usage, free=bool(call.free), batch=bool(call.batch))
        if call.model and call.usage
        else None
        for call in calls
    )
