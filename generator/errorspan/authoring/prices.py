"""Price tokens.

Prices change: the table is dated, and a site overrides it with `extra.generator.prices`. A model that is in neither has
tokens and no price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

AS_OF = "October 2026"

Dollars = Annotated[Decimal, Field(ge=0, le=10_000)]
Count = Annotated[int, Field(ge=0, le=10**12)]
_MILLION = Decimal(1_000_000)

BATCH = Decimal("0.5")
"""What a token costs in a Message Batch, of its price."""


class Price(BaseModel):
    """Dollars per million tokens; cached ones cost as much as input where nothing else is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Dollars = Field(description="what is sent")
    output: Dollars = Field(description="what comes back, thinking included")
    cache_write: Dollars | None = Field(
        None, description="what is put into the prompt cache; like `input` if not given"
    )
    cache_read: Dollars | None = Field(
        None, description="what is read from the prompt cache; like `input` if not given"
    )
    above: int | None = Field(None, description="prompts of more tokens than this have the price `then`")
    then: Price | None = Field(None, description="the price of longer prompts")

    @model_validator(mode="after")
    def _both_or_none(self) -> Price:
        if (self.above is None) != (self.then is None):
            raise ValueError("expected both `above` and `then`, or none of them")
        return self

    def of(self, usage: Usage) -> Decimal:
        """Return what this many tokens cost, in dollars."""
        if self.then and self.above is not None and usage.prompt_tokens > self.above:
            return self.then.of(usage)
        written = self.input if self.cache_write is None else self.cache_write
        cached = self.input if self.cache_read is None else self.cache_read
        return (
            usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_creation_input_tokens * written
            + usage.cache_read_input_tokens * cached
        ) / _MILLION


class Usage(BaseModel):
    """Tokens as the API counted them; thinking is part of the output."""

    model_config = ConfigDict(frozen=True)

    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_creation_input_tokens: Count = 0
    cache_read_input_tokens: Count = 0
    thinking_tokens: Count = 0

    @property
    def prompt_tokens(self) -> int:
        """Return all tokens that were read."""
        return self.input_tokens + self.cache_creation_input_tokens + self.cache_read_input_tokens

    @property
    def tokens(self) -> int:
        """Return all tokens, read and written."""
        return self.prompt_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        """Add field by field."""
        return Usage.model_construct(**{name: count + getattr(other, name) for name, count in self})


def total(prices: Iterable[Decimal | None]) -> Decimal | None:
    """Add prices up; the sum is not known where one of them is not."""
    known = list(prices)
    return None if None in known else sum((price for price in known if price is not None), Decimal())


def _price(input: str, output: str, cache_write: str, cache_read: str) -> Price:  # noqa: A002 - the API's word
    return Price(
        input=Decimal(input), output=Decimal(output), cache_write=Decimal(cache_write), cache_read=Decimal(cache_read)
    )


# Read from the vendor's price page and two trackers of it, October 2026.
PRICES: Mapping[str, Price] = {
    "claude-opus-5-5": _price("4", "20", "5", "0.20"),
    "claude-sonnet-5-5": _price("2", "10", "2.50", "0.10"),
    "claude-haiku-5-5": _price("0.10", "0.50", "0.125", "0.01").model_copy(
        update={"above": 100_000, "then": Price(input=Decimal("0.50"), output=Decimal("2.50"))}
    ),
    "claude-haiku-4-5": _price("1", "5", "1.25", "0.10"),
}
