"""What the judge's two answers say together."""

from __future__ import annotations

from typing import Any

import pytest

import answers
from errorspan.answers.outputs import Implementation, Judgment
from errorspan.answers.verdicts import (
    PASSES,
    QUOTE_LENGTH,
    REASONS,
    Verdict,
    identical,
    mid_label,
    place,
    places,
    settle,
)
from errorspan.checks.tracing import traced

MID, WEAK = Implementation.read(answers.MID), Implementation.read(answers.WEAK)
OUTPUTS = {"mid_implementation": MID, "weak_implementation": WEAK}
MID_WINS = {"ab": "A", "ba": "B"}
WEAK_WINS = {"ab": "B", "ba": "A"}
COUNT, TOP, MEAN = "totals[word] = 1", "return sorted(totals)[:n]", "return sum(values) // len(values)"


NEW = ("not_attempted", "keep")


def judged(  # noqa: PLR0913 - all that a judge says
    order: str,
    *,
    mid: bool = True,
    achieved: bool = True,
    score: int = 8,
    failures: Any = None,
    not_attempted: Any = None,
) -> Judgment:
    """Return a judgment of one order.

    Failures are pairs of pattern and quote, as format 1 has them, or say more, as format 2 does.
    """
    said = answers.judgment((MID_WINS if mid else WEAK_WINS)[order], achieved=achieved, score=score)
    if failures is not None:
        said["failures"] = [
            {"pattern": name, "description": f"in {order}", "quote": quote, **dict(*more)}
            for name, quote, *more in failures
        ]
        if not any(more for _, _, *more in failures):
            said = {name: value for name, value in said.items() if name not in NEW}
    if not_attempted is not None:
        said["not_attempted"] = not_attempted
    return Judgment.model_validate(said)


def settled(ab: dict[str, Any] | None = None, ba: dict[str, Any] | None = None) -> Verdict:
    """Settle a judgment of each order, described as for `judged`."""
    return settle({"ab": judged("ab", **ab or {}), "ba": judged("ba", **ba or {})}, OUTPUTS)


def test_the_mid_tier_is_a_in_one_order_and_b_in_the_other() -> None:
    assert {order: mid_label(order) for order in PASSES} == MID_WINS


M, W = {"mid": True, "achieved": True}, {"mid": False, "achieved": True}
m, w = {"mid": True, "achieved": False}, {"mid": False, "achieved": False}


@pytest.mark.parametrize(
    ("ab", "ba", "reason"),
    [
        (M, M, None),
        (M, m, "not_achieved"),
        (m, M, "not_achieved"),
        (m, m, "not_achieved"),
        (W, W, "not_achieved"),
        (W, w, "not_achieved"),
        (w, W, "not_achieved"),
        (w, w, "not_achieved"),
        (M, W, "position_inconsistent"),
        (W, M, "position_inconsistent"),
        (M, w, "position_inconsistent"),
        (w, M, "position_inconsistent"),
        (m, W, "position_inconsistent"),
        (W, m, "position_inconsistent"),
        (m, w, "position_inconsistent"),
        (w, m, "position_inconsistent"),
    ],
)
def test_both_orders_must_agree(ab: dict[str, Any], ba: dict[str, Any], reason: str | None) -> None:
    verdict = settled(ab, ba)
    assert verdict.reason == reason
    assert verdict.achieved is (reason is None)


NOWHERE = "totals[word] = 1  # sic"
LOOP = "for word in words:\n        totals[word] = 1"


@pytest.mark.parametrize(
    ("ab", "ba", "ids"),
    [
        ([("p", COUNT), ("q", TOP)], [], ["F1", "F2"]),
        ([], [("p", COUNT), ("q", TOP)], ["F1", "F2"]),
        ([("p", COUNT)], [("q", TOP)], ["F1", "F2"]),
        ([(None, COUNT), (None, TOP)], [], ["F1", "F2"]),
        ([(None, COUNT)], [(None, TOP)], ["F1", "F2"]),
        ([("p", f"\n  {COUNT}\n"), ("q", TOP)], [], ["F1", "F2"]),
        ([("p", COUNT), ("p", TOP)], [], ["F1", "F2"]),
        ([("p", COUNT), ("q", COUNT)], [], ["F1"]),
        ([("p", LOOP), ("q", COUNT)], [], ["F1"]),
        ([("p", COUNT), ("q", LOOP)], [], ["F1"]),
        ([("p", LOOP)], [("q", f"{COUNT}\n    return totals")], ["F1"]),
        ([("p", "for word in words:"), ("q", COUNT)], [], ["F1", "F2"]),
        ([("p", "= {}"), ("q", COUNT)], [], ["F1"]),
        ([("p", "Sure! This does it."), ("q", COUNT)], [], ["F1"]),
        ([("p", COUNT), ("q", NOWHERE)], [], ["F1"]),
        ([("p", NOWHERE), ("q", COUNT)], [], ["F1"]),
        ([("p", COUNT)], [("p", COUNT)], ["F1"]),
        ([("p", COUNT)], [("q", COUNT)], ["F1"]),
        ([("p", COUNT)], [("p", TOP)], ["F1"]),
        ([("p", COUNT), ("p", COUNT)], [], ["F1"]),
        ([(None, COUNT), (None, f" {COUNT} ")], [], ["F1"]),
        ([], [], []),
    ],
    ids=[
        "in one order", "in the other", "one in each", "no catalog name", "no catalog names, one in each",
        "blanks around", "a mistake made twice", "two mistakes in one line", "a line of an earlier quote",
        "lines around an earlier quote", "half of an earlier quote", "side by side", "a scrap", "prose",
        "not in the code", "first one not in the code", "the same in both orders", "the same line in both orders",
        "the same mistake in both orders", "said twice", "said twice, no name", "none",
    ],
)  # fmt: skip
def test_two_failures_must_be_shown_by_quotes(ab: list[Any], ba: list[Any], ids: list[str]) -> None:
    verdict = settled({"failures": ab}, {"failures": ba})
    assert [failure.id for failure in verdict.failures] == ids
    assert verdict.reason == (None if len(ids) >= 2 else "unsupported")
    assert all(failure.quote in WEAK.text and failure.quote == failure.quote.strip() for failure in verdict.failures)


def more(severity: str = "medium", *, local: bool = True) -> dict[str, Any]:
    """Return what format 2 says of a failure besides."""
    return {"severity": severity, "settled_by": "craft", "settles": "Counts are summed.", "local": local}


@pytest.mark.parametrize(
    ("ab", "ba", "failures", "reason"),
    [
        ([("p", COUNT), ("q", TOP)], [("p", COUNT), ("q", TOP)], "F1+ F2+", None),
        ([("p", COUNT), ("q", TOP)], [("q", TOP), ("p", COUNT)], "F1+ F2+", None),
        ([("p", COUNT), ("q", TOP)], [("r", COUNT), (None, TOP)], "F1+ F2+", None),
        ([("p", COUNT), ("q", TOP)], [("p", MEAN), ("q", TOP)], "F1+ F2+", None),
        ([("p", COUNT), ("q", TOP)], [("p", COUNT), ("r", MEAN)], "F1+ F2 F3", "too_little"),
        ([("q", TOP), ("p", COUNT)], [("p", COUNT), ("r", MEAN)], "F1+ F2 F3", "too_little"),
        ([("p", COUNT), ("q", TOP)], [("p", NOWHERE), ("q", TOP)], "F1+ F2", "too_little"),
        ([("p", COUNT), ("q", COUNT)], [("p", COUNT), ("q", COUNT)], "F1+ F2+", None),
        ([(None, COUNT), (None, COUNT)], [(None, COUNT)], "F1+ F2", "too_little"),
        ([("p", COUNT, "high")], [("p", COUNT, "high")], "F1+", None),
        ([("p", COUNT, "high")], [("p", COUNT)], "F1+", "too_little"),
        ([("p", COUNT, "high")], [("q", TOP, "high")], "F1 F2", "too_little"),
        ([("p", COUNT), ("q", TOP, "low", False)], [("p", COUNT), ("q", TOP)], "F1+ F2+", "too_little"),
        ([("p", COUNT, "high", False)], [("p", COUNT, "high", False)], "F1+", "too_little"),
        ([("p", "totals = {}", "high")], [("q", "totals = {}", "high")], "F1+", None),
    ],
    ids=[
        "the same in both orders", "in another order", "by their place", "by their pattern", "one in each beside",
        "both orders' come first", "one that is not in the code", "two in one line", "one of two in a line twice",
        "a grave one", "grave in one order", "two grave ones, one in each", "one in no single place",
        "a grave one in no single place", "a short line",
    ],
)  # fmt: skip
def test_two_failures_or_a_grave_one_must_be_named_in_both_orders(
    ab: list[Any], ba: list[Any], failures: str, reason: str | None
) -> None:
    def told(said: list[Any]) -> dict[str, Any]:
        return {
            "failures": [(name, quote, more(*how[:1], local=how[1] if how[1:] else True)) for name, quote, *how in said]
        }

    verdict = settled(told(ab), told(ba))
    assert " ".join(f"{one.id}{'+' if one.agreed else ''}" for one in verdict.failures) == failures
    assert verdict.reason == reason


def test_the_lower_severity_counts() -> None:
    said = [("p", COUNT, more("high")), ("q", TOP, more("low"))], [("p", COUNT, more("low")), ("q", TOP, more("high"))]
    verdict = settled({"failures": said[0]}, {"failures": said[1]})
    assert [failure.severity for failure in verdict.failures] == ["low", "low"]


@pytest.mark.parametrize(("ab", "ba"), [(["B"], ["A"]), ([], ["A"]), (["B"], []), (["A", "B"], ["A", "B"])])
def test_no_attempt_is_no_difference(ab: list[str], ba: list[str]) -> None:
    assert settled({"not_attempted": ab}, {"not_attempted": ba}).reason == "not_attempted"


def test_a_judgment_of_format_1_beside_one_of_format_2_keeps_its_numbers() -> None:
    verdict = settled({"failures": [("p", COUNT), ("q", TOP)]}, {"failures": [("r", MEAN, more())]})
    assert [(failure.id, failure.agreed) for failure in verdict.failures] == [("F1", None), ("F2", None), ("F3", None)]
    assert verdict.achieved


def test_failures_of_the_first_order_come_first() -> None:
    verdict = settled({"failures": [("p", TOP)]}, {"failures": [("q", COUNT), ("p", TOP), (None, MEAN)]})
    assert [(failure.id, failure.quote, failure.description) for failure in verdict.failures] == [
        ("F1", TOP, "in ab"),
        ("F2", COUNT, "in ba"),
        ("F3", MEAN, "in ba"),
    ]


def test_failures_of_the_better_solution_are_no_failures_of_the_weak_one() -> None:
    """An order that prefers the weak tier names the mid tier's failures, even where its quotes stand in both."""
    verdict = settled({"failures": [("p", COUNT)]}, {"mid": False, "failures": [("q", "def count(words):")]})
    assert [failure.quote for failure in verdict.failures] == [COUNT]


def test_a_failure_is_found_by_its_id() -> None:
    verdict = settled()
    assert verdict.failure("F2") == verdict.failures[1]
    assert verdict.failure("F9") is None


@pytest.mark.parametrize(("ab", "ba", "score"), [(8, 6, 6), (5, 9, 5), (7, 7, 7)])
def test_the_lower_score_counts(ab: int, ba: int, score: int) -> None:
    assert settled({"score": ab}, {"score": ba}).quality_score == score


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        (COUNT, True),
        (f"\n\t{COUNT} \n", True),
        (LOOP, True),
        ("totals[word]  = 1", False),
        (COUNT.upper(), False),
        ("Sure! This does it.", False),
        ("```python\ndef count(words):", False),
        ("return sum(values) // len(values)\n```", False),
        ("return totals", True),
        ("urn totals", False),
        ("turn totals", True),
        ("=" + " " * QUOTE_LENGTH + "1", False),
        ("totals = {}", True),
        ("totals =", False),
        (" \n", False),
    ],
)
def test_a_quote_is_verbatim_code_of_some_length(quote: str, found: bool) -> None:  # noqa: FBT001
    stands = place(quote, WEAK)
    assert (stands is not None) is found
    if stands:
        assert WEAK.text[slice(*stands)] == quote.strip()


def test_a_quote_stands_in_one_block() -> None:
    two = Implementation.read("x = compute(1)\n\n```py\na = begin()\n```\n```py\nx = compute(1)\n```\n")
    assert place("x = compute(1)", two) == (two.text.rindex("x ="), two.text.rindex("\n```"))
    assert place("a = begin()\n```\n```py\nx = compute(1)", two) is None
    assert place("x = compute(1)", Implementation.read("x = compute(1)")) is None


@pytest.mark.parametrize("around", ["> {}", "   {}", "> > {}", ">  {}"])
def test_a_quote_of_several_lines_stands_in_code_within_a_quote_or_list(around: str) -> None:
    """A judge sees the code alone, without what stands before each of its lines."""
    head = "1. Do\n\n" if around.startswith("   ") else ""
    code = answers.CODE.rstrip("\n")
    within = Implementation.read(
        head + "\n".join(around.format(line) for line in f"```python\n{code}\n```".split("\n"))
    )
    assert within.code.rstrip("\n") == code
    [(start, end)] = places(LOOP, within)
    assert within.plain[start:end] == LOOP
    assert within.plain.count("\n", 0, start) == within.text.split("\n").index(around.format("    for word in words:"))
    assert [*traced(code, within).values()][:3] == [line + head.count("\n") for line in (2, 3, 4)]


def test_a_failure_says_where_its_quote_stands() -> None:
    first = settled().failures[0]
    assert WEAK.text[slice(*first.place(WEAK))] == COUNT
    assert first.place(MID) == (0, 0)


@pytest.mark.parametrize(
    ("weak", "same"),
    [
        (answers.MID, True),
        (answers.MID.replace("Here is the report.", "Sure!"), True),
        (answers.MID.replace("\n\n\n", "\n").replace(":\n", ": \n\n"), True),
        (answers.MID.replace("    totals[word]", "totals[word]"), False),
        (answers.MID.replace("words):", "words) :"), False),
        (answers.MID.replace("\n", "\r\n"), True),
        (answers.MID.replace("python", "py"), True),
        (answers.MID.replace("reverse=True", "reverse=False"), False),
        (answers.WEAK, False),
    ],
    ids=[
        "all",
        "but for the words",
        "but for blank lines and blanks behind",
        "but for indentation",
        "but for a blank in a line",
        "but for line ends",
        "but for the fence",
        "but for a word",
        "nothing",
    ],
)
def test_the_same_code_is_not_judged(weak: str, same: bool) -> None:  # noqa: FBT001
    verdict = identical({"mid_implementation": MID, "weak_implementation": Implementation.read(weak)})
    assert (verdict is not None) is same
    if verdict:
        assert (verdict.reason, verdict.achieved, verdict.quality_score, verdict.failures) == (
            "identical",
            False,
            None,
            (),
        )


def test_every_reason_is_explained() -> None:
    reasons = {"identical", "not_attempted", "not_achieved", "position_inconsistent", "unsupported", "too_little"}
    assert set(REASONS) == reasons
    assert all(text[0].islower() and not text.endswith(".") for text in REASONS.values())
