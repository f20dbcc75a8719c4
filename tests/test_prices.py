"""Prices: dollars for tokens, checked against sums done by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from errorspan.authoring.prices import PRICES, Price, Usage
from errorspan.authoring.settings import Settings

MILLION = 1_000_000


def usage(read: int = 0, written: int = 0, cache_written: int = 0, cache_read: int = 0) -> Usage:
    """Return so many tokens."""
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cache_creation_input_tokens=cache_written,
        cache_read_input_tokens=cache_read,
    )


@pytest.mark.parametrize(
    ("model", "used", "dollars"),
    [
        ("claude-opus-5-5", usage(MILLION), "4"),
        ("claude-opus-5-5", usage(0, MILLION), "20"),
        ("claude-opus-5-5", usage(0, 0, MILLION), "5"),
        ("claude-opus-5-5", usage(0, 0, 0, MILLION), "0.20"),
        ("claude-opus-5-5", usage(12_345, 678), "0.06294"),
        ("claude-sonnet-5-5", usage(3_000, 2_000, 1_000, 10_000), "0.0295"),
        ("claude-haiku-4-5", usage(1, 1), "0.000006"),
        ("claude-haiku-4-5", usage(1_000, 1_000, 1_000, 1_000), "0.00735"),
        ("claude-haiku-5-5", usage(100_000, 1_000), "0.0105"),
        ("claude-haiku-5-5", usage(100_001, 1_000), "0.0525005"),
        ("claude-haiku-5-5", usage(99_999, 1_000, 0, 1), "0.01049991"),
        ("claude-haiku-5-5", usage(99_999, 1_000, 1, 1), "0.0525005"),
        ("claude-haiku-5-5", usage(1, MILLION), "0.5000001"),
        ("claude-haiku-5-5", usage(), "0"),
    ],
)
def test_a_price_is_what_a_person_gets_by_hand(model: str, used: Usage, dollars: str) -> None:
    assert Settings().price(model, used) == Decimal(dollars)


def test_thinking_is_part_of_the_output() -> None:
    thinking = Usage(output_tokens=MILLION, thinking_tokens=MILLION // 2)
    assert PRICES["claude-opus-5-5"].of(thinking) == 20
    assert thinking.tokens == MILLION


def test_cached_tokens_cost_what_input_costs_where_nothing_else_is_said() -> None:
    price = Price(input=Decimal(3), output=Decimal(9))
    assert price.of(usage(1, 0, 2, 4)) == Decimal("0.000021")
    free = Price(input=Decimal(3), output=Decimal(9), cache_read=Decimal(0))
    assert free.of(usage(1, 0, 2, 4)) == Decimal("0.000009")


def test_a_model_that_nobody_priced_has_no_price() -> None:
    assert Settings().price("somebody-elses-model", usage(5)) is None
    assert Settings().price("claude-opus-5-5-20260101", usage(5)) is None


def test_a_site_has_the_last_word() -> None:
    settings = Settings.model_validate(
        {"prices": {"mine": {"input": 0, "output": 0}, "claude-opus-5-5": {"input": 0.1, "output": "0.2"}}}
    )
    assert settings.price("mine", usage(MILLION, MILLION)) == 0
    assert settings.price("mine", usage(MILLION, MILLION)) is not None
    assert settings.price("claude-opus-5-5", usage(MILLION, MILLION)) == Decimal("0.3")
    assert settings.price("claude-haiku-4-5", usage(MILLION)) == 1


def test_prices_may_rise_twice() -> None:
    price = Price.model_validate(
        {
            "input": 1,
            "output": 1,
            "above": 10,
            "then": {"input": 2, "output": 2, "above": 20, "then": {"input": 3, "output": 3}},
        }
    )
    assert [price.of(usage(tokens)) * MILLION for tokens in (10, 11, 20, 21)] == [10, 22, 40, 63]


@pytest.mark.parametrize(
    "price", [{"input": -1, "output": 1}, {"input": 1}, {"input": "nan", "output": 1}, {"input": 1e9, "output": 1}]
)
def test_what_is_no_price(price: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Price.model_validate(price)


COUNTS = st.integers(0, 10**7)
USAGES = st.builds(
    Usage,
    input_tokens=COUNTS,
    output_tokens=COUNTS,
    cache_creation_input_tokens=COUNTS,
    cache_read_input_tokens=COUNTS,
    thinking_tokens=COUNTS,
)


@given(USAGES, USAGES)
def test_usage_adds_up(one: Usage, other: Usage) -> None:
    both = one + other
    assert both.tokens == one.tokens + other.tokens
    assert both.prompt_tokens == one.prompt_tokens + other.prompt_tokens
    assert both.thinking_tokens == one.thinking_tokens + other.thinking_tokens
    assert one + Usage() == one


@pytest.mark.parametrize("model", PRICES)
@given(one=USAGES, other=USAGES)
def test_more_tokens_never_cost_less(model: str, one: Usage, other: Usage) -> None:
    price = PRICES[model]
    assert price.of(one + other) >= max(price.of(one), price.of(other))
