"""What finishing can cost: an upper bound, said before anything is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import answers
from errorspan.answers.outputs import Assessment
from errorspan.authoring.prices import Usage
from errorspan.authoring.settings import Models, Settings
from errorspan.authoring.topics import TierModels, Topic
from errorspan.record.manifest import Entry, Recorded
from errorspan.runs.attempt import Attempt
from errorspan.runs.budget import TOKENIZERS, missing, unsolved, within, worst_case, worst_price
from errorspan.runs.run import Answer, Run
from errorspan.steps.prompting import COMPLAINT_BYTES, template_size
from errorspan.steps.table import ASSESS, ATTEMPT, PREPARE, SOLVE, STEPS, Pass, Step
from errorspan.text.errors import BudgetError

TOPIC = Topic(id="words", path="topics/words.yml", title="Words")
PREPARING = [("categories", 0, ""), ("error_catalog", 0, "")]
ASSESSING = [("assessment", 0, "")]


def attempting(number: int) -> list[tuple[str, int, str]]:
    """Return the passes of an attempt."""
    names = ("challenge", "mid_implementation", "weak_implementation")
    return [*((name, number, "") for name in names), ("judgment", number, "ab"), ("judgment", number, "ba")]


def run(  # noqa: PLR0913 - a run's whole circumstances
    have: list[tuple[str, int, str]],
    *,
    attempts: int = 0,
    topic: Topic = TOPIC,
    problem: str | None = "stopped",
    outputs: Any = None,
    text: str = "",
) -> Run:
    """Return a run that has the answers to some passes."""
    steps = {step.name: step for step in STEPS}
    given = []
    for name, attempt, order in have:
        file = steps[name].file(attempt, order)
        recorded = Recorded(file, text, Entry(origin="authored", digest="0" * 64))
        given.append(Answer(Pass(steps[name], attempt, order), recorded, None))  # type: ignore[arg-type] - not looked at
    tried = tuple(Attempt(number, [{}]) for number in range(1, attempts + 1))
    return Run(topic, "topics/runs/words", outputs or {}, tried, tuple(given), problem=problem)


def open_passes(one: Run, **set_: Any) -> list[tuple[str, int, str]]:
    """Return what is missing, by name."""
    return [(asked.step.name, asked.attempt, asked.order) for asked in missing(one, Settings(**set_))]


AWAITING = run([])
COMPLETE = run([*PREPARING, *attempting(1), *ASSESSING], attempts=1, problem=None, outputs={"assessment": Assessment.model_validate(answers.ASSESSMENT)})  # fmt: skip  # noqa: E501


# What may have to be asked


def test_of_an_awaiting_run_everything_is_missing() -> None:
    everything = [*PREPARING, *attempting(1), *attempting(2), *attempting(3), *ASSESSING]
    assert open_passes(AWAITING, max_attempts=3) == everything
    assert open_passes(AWAITING, max_attempts=1) == [*PREPARING, *attempting(1), *ASSESSING]


def test_a_topic_has_the_last_word_on_attempts() -> None:
    one = run([], topic=TOPIC.model_copy(update={"max_attempts": 1}))
    assert open_passes(one, max_attempts=10) == [*PREPARING, *attempting(1), *ASSESSING]


@pytest.mark.parametrize(
    ("have", "attempts", "left"),
    [
        (PREPARING[:1], 0, [*PREPARING[1:], *attempting(1), *attempting(2), *ASSESSING]),
        (PREPARING, 1, [*attempting(1), *attempting(2), *ASSESSING]),
        ([*PREPARING, *attempting(1)[:2]], 1, [*attempting(1)[2:], *attempting(2), *ASSESSING]),
        ([*PREPARING, *attempting(1)[:4]], 1, [*attempting(1)[4:], *attempting(2), *ASSESSING]),
        ([*PREPARING, *attempting(1)], 1, [*attempting(2), *ASSESSING]),
        ([*PREPARING, *attempting(1), *attempting(2)[:1]], 2, [*attempting(2)[1:], *ASSESSING]),
        ([*PREPARING, *attempting(1), *attempting(2)], 2, ASSESSING),
    ],
    ids=["catalog", "challenge", "weak tier", "one order", "assessment or attempt", "second attempt", "assessment"],
)
def test_of_an_unfinished_run_the_rest_is_missing(have: list[Any], attempts: int, left: list[Any]) -> None:
    assert open_passes(run(have, attempts=attempts), max_attempts=2) == left


def test_earlier_attempts_are_not_asked_again() -> None:
    """An attempt without a judge's answers, because both tiers wrote the same, lacks nothing."""
    have = [*PREPARING, *attempting(1)[:3], *attempting(2)[:3]]
    assert open_passes(run(have, attempts=2), max_attempts=2) == [*attempting(2)[3:], *ASSESSING]


def test_of_a_finished_run_nothing_is_missing() -> None:
    not_separated = run([*PREPARING, *attempting(1)], attempts=1, problem=None)
    for finished in (COMPLETE, not_separated):
        assert open_passes(finished, max_attempts=5) == []
        assert worst_case(finished, Settings()) == 0


def _nothing(*_: object) -> Iterator[str]:
    yield from ()


@pytest.mark.parametrize("order", ["first", "second"])
def test_of_a_finished_run_what_has_no_solution_that_counts_is_unsolved(order: str) -> None:
    (solving,) = SOLVE
    passes = [Pass(solving, 0, "first"), Pass(solving, 0, "second")]
    assert unsolved(AWAITING, Settings()) == []
    assert unsolved(COMPLETE, Settings()) == passes
    file = solving.file(0, order)
    answered = Answer(Pass(solving, 0, order), Recorded(file, "", Entry(origin="authored", digest="0" * 64)), None)  # type: ignore[arg-type] - not looked at
    assert unsolved(replace(COMPLETE, solutions=(answered,)), Settings()) == [
        one for one in passes if one.order != order
    ]
    stale = replace(answered, changed="0" * 64)
    assert unsolved(replace(COMPLETE, solutions=(stale,)), Settings()) == passes
    faulty = replace(COMPLETE.answers[0], findings={_nothing: ("wrong",)})
    assert unsolved(replace(COMPLETE, answers=(faulty,)), Settings()) == []


def test_the_worst_case_of_solving_is_both_models_together() -> None:
    (solving,) = SOLVE
    both = [worst_price(Pass(solving, 0, order), COMPLETE, Settings()) or Decimal() for order in solving.passes]
    assert both[0] > both[1] > 0
    assert (
        worst_case(COMPLETE, Settings(), unsolved) == within([COMPLETE], Settings(), sum(both), unsolved) == sum(both)
    )


# The worst case


def bound(step: Step, attempt: int, topic: Topic, set_: Settings) -> list[int]:
    """Return the most tokens that each call of a pass can read: the prompt, and each reply that was sent back."""
    longest = {known.name: TOKENIZERS * known.max_tokens * len(known.passes) for known in STEPS}
    longest["feedback"] = (attempt - 1) * (longest["judgment"] + longest["challenge"])
    prompt = template_size(step, topic) + sum(longest[name] for name in step.reads)
    return [prompt + repair * (step.max_tokens + COMPLAINT_BYTES) for repair in range(set_.max_repairs + 1)]


FLAT = {"prices": {"m": {"input": 1, "output": 10}}, "models": dict.fromkeys(("author", "mid", "weak", "judge"), "m")}


def test_a_worst_case_by_hand() -> None:
    (solving,) = (step for step in ATTEMPT if step.name == "mid_implementation")
    set_ = Settings.model_validate(FLAT | {"max_repairs": 1})
    (asking,) = (step for step in ATTEMPT if step.name == "challenge")
    first = template_size(solving, TOPIC) + 2 * asking.max_tokens
    second = first + solving.max_tokens + 6_000
    assert (
        worst_price(Pass(solving, 1), AWAITING, set_)
        == Decimal(first + second + 2 * solving.max_tokens * 10) / 1_000_000
    )


@pytest.mark.heavy
@pytest.mark.parametrize("step", STEPS + SOLVE, ids=lambda step: step.name)
@pytest.mark.parametrize("repairs", [0, 1, 5])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_no_pass_costs_more_than_its_worst_case(step: Step, repairs: int, data: st.DataObject) -> None:
    set_ = Settings(max_repairs=repairs)
    attempt = data.draw(st.integers(1, 4)) if step in ATTEMPT else 0
    order = data.draw(st.sampled_from(step.passes))
    worst = worst_price(Pass(step, attempt, order), AWAITING, set_)
    model = set_.model(step.asks(order), TOPIC).model
    calls = []
    for most in bound(step, attempt, TOPIC, set_)[: data.draw(st.integers(1, repairs + 1))]:
        read = data.draw(st.integers(0, most) | st.just(most))
        cached = data.draw(st.integers(0, read))
        written = data.draw(st.integers(0, step.max_tokens) | st.just(step.max_tokens))
        calls.append(Usage(input_tokens=read - cached, cache_read_input_tokens=cached, output_tokens=written))
    paid = [set_.price(model, usage) for usage in calls]
    assert worst is not None
    assert None not in paid
    assert sum(price for price in paid if price is not None) <= worst


def test_a_worst_case_is_all_passes_together() -> None:
    set_ = Settings(max_attempts=2)
    prepare, first, second, assess = (
        sum((worst_price(Pass(step, attempt, step.passes[0]), AWAITING, set_) or 0) * len(step.passes) for step in part)
        for part, attempt in ((PREPARE, 0), (ATTEMPT, 1), (ATTEMPT, 2), (ASSESS, 0))
    )
    assert worst_case(AWAITING, set_) == prepare + first + second + assess


def test_a_challenge_reads_what_failed_before_it() -> None:
    challenging, *others = ATTEMPT
    prices = [worst_price(Pass(challenging, attempt), AWAITING, Settings()) or Decimal() for attempt in (1, 2, 3)]
    assert prices[2] - prices[1] == prices[1] - prices[0] > 0
    for step in others:
        assert worst_price(Pass(step, 1), AWAITING, Settings()) == worst_price(Pass(step, 3), AWAITING, Settings())


def test_a_long_answer_of_a_person_is_counted_as_it_is() -> None:
    """A model's answer has an end, and a person's has none: the bytes that will be read count."""
    set_ = Settings.model_validate(FLAT | {"max_repairs": 0})
    asking, solving, *_ = ATTEMPT
    most = TOKENIZERS * asking.max_tokens
    none, longest, longer = (
        worst_price(Pass(solving, 1), run([("challenge", 1, "")], attempts=1, text="é" * (size // 2)), set_)
        or Decimal()
        for size in (0, most, most + 1000)
    )
    assert none == longest == worst_price(Pass(solving, 1), AWAITING, set_)
    assert longer == none + Decimal(1000) / 1_000_000


def test_a_long_answer_to_one_order_may_be_read_for_each() -> None:
    set_ = Settings.model_validate(FLAT | {"max_repairs": 0})
    (assessing,) = ASSESS
    (judging,) = (step for step in ATTEMPT if len(step.passes) == 2)
    most = TOKENIZERS * judging.max_tokens
    long = run([("judgment", 1, "ab")], attempts=1, text="x" * (most + 8_000))
    more = (worst_price(Pass(assessing), long, set_) or 0) - (worst_price(Pass(assessing), AWAITING, set_) or 0)
    assert more == Decimal(2 * 8_000) / 1_000_000


def test_samples_cost_a_solution_and_its_judging_each() -> None:
    models = {**FLAT["models"], "weak": {"model": "m", "samples": 3}}
    set_, once = (
        Settings.model_validate(FLAT | more) for more in ({"models": models, "max_attempts": 1}, {"max_attempts": 1})
    )
    sampled = [step for step in ATTEMPT if step.sampled]
    assert [step.name for step in sampled] == ["weak_implementation", "judgment"]
    more = sum((worst_price(Pass(step, 1, order), AWAITING, set_) or 0) for step in sampled for order in step.passes)
    assert (worst_case(AWAITING, set_) or 0) == (worst_case(AWAITING, once) or 0) + 2 * more


def test_more_attempts_and_repairs_never_cost_less() -> None:
    costs = [
        worst_case(AWAITING, Settings(max_attempts=attempts, max_repairs=repairs))
        for attempts in (1, 2, 5)
        for repairs in (0, 1, 3)
    ]
    assert None not in costs
    grid = [costs[start : start + 3] for start in (0, 3, 6)]
    for line in [*grid, *zip(*grid, strict=True)]:
        assert list(line) == sorted(set(line))  # type: ignore[type-var]


def test_the_default_limit_pays_for_a_topic() -> None:
    worst = worst_case(AWAITING, Settings())
    assert worst is not None
    assert 0 < worst <= Settings().max_cost_usd


# The limit


def test_what_is_within_the_limit_is_said() -> None:
    worst = worst_case(AWAITING, Settings())
    assert worst
    assert within([AWAITING], Settings(), worst) == worst
    assert within([AWAITING, AWAITING, COMPLETE], Settings(), 2 * worst) == 2 * worst
    assert within([], Settings(), Decimal()) == 0
    assert within([COMPLETE], Settings(), Decimal()) == 0


def test_what_is_above_the_limit_is_refused() -> None:
    worst = worst_case(AWAITING, Settings())
    assert worst
    with pytest.raises(
        BudgetError, match=rf"^1 topic could cost up to \${worst:.2f}, more than the \$0\.01 that max_cost_usd"
    ):
        within([AWAITING], Settings(), Decimal("0.01"))
    with pytest.raises(BudgetError, match=r"^2 topics could cost"):
        within([AWAITING, AWAITING], Settings(), 2 * worst - Decimal("0.000001"))


def test_a_model_without_a_price_is_refused_by_name() -> None:
    topic = TOPIC.model_copy(update={"models": TierModels(mid="b-model", judge="a-model")})
    with pytest.raises(
        BudgetError, match=r"^no price is known for a-model, b-model; name it under extra\.generator\.prices"
    ):
        within([AWAITING, run([], topic=topic)], Settings(), Decimal(1000))
    assert worst_case(run([], topic=topic), Settings()) is None


def test_a_model_that_is_not_asked_needs_no_price() -> None:
    topic = TOPIC.model_copy(update={"models": TierModels(mid="b-model")})
    have = [*PREPARING, *attempting(1)]
    assert within([run(have, attempts=1, topic=topic)], Settings(max_attempts=1), Decimal(1000)) > 0


def test_a_model_of_ones_own_costs_nothing() -> None:
    prices = {"prices": {"m": {"input": 0, "output": 0}}}
    assert within([AWAITING], Settings.model_validate(FLAT | prices), Decimal()) == 0


OWN = {"model": "m", "base_url": "http://127.0.0.1:8080"}


def all_tiers(model: dict[str, Any], **more: Any) -> Settings:
    """Return settings in which every tier asks one model."""
    return Settings.model_validate({"models": dict.fromkeys(Models.model_fields, model), **more})


def test_a_server_of_ones_own_without_a_key_costs_nothing() -> None:
    assert within([AWAITING], all_tiers(OWN), Decimal()) == 0


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ({"key_env": "K"}, {}),
        ({"base_url": None}, {}),
        ({}, {"input": 1, "output": 1}),
        ({"model": "claude-haiku-4-5"}, {}),
    ],
    ids=["a key", "no server", "a price", "a known price"],
)
def test_nothing_else_is_free(model: dict[str, Any], price: dict[str, int]) -> None:
    with pytest.raises(BudgetError, match=r"no price is known for m;|could cost up to"):
        within([AWAITING], all_tiers(OWN | model, prices={"m": price} if price else {}), Decimal())


def test_a_bound_that_a_tier_lowers_lowers_the_worst_case() -> None:
    prices = {"m": {"input": 0, "output": 1}}
    most = [worst_case(AWAITING, all_tiers(OWN | {"max_tokens": n}, prices=prices)) or 0 for n in (10, 20, 10**6)]
    assert 2 * most[0] == most[1]
    assert most[2] == worst_case(AWAITING, all_tiers(OWN, prices=prices))
