"""How solvers are graded, and where they agree against the key."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import answers
from errorspan.answers.outputs import Assessment, Solution, Span
from errorspan.answers.solving import QUOTED_LINES, findings_are_short, findings_stand_in_the_code, settle

LINES = [f"line_{number}()" for number in range(1, 21)]


def exercise(*spans: tuple[int, int]) -> Assessment:
    """Return an exercise of twenty lines whose errors stand on these (first, last)."""
    given = dict(answers.ASSESSMENT["errors"][0])
    errors = [
        given | {"id": str(number), "line": first, "quote": "\n".join(LINES[first - 1 : last])}
        for number, (first, last) in enumerate(spans, start=1)
    ]
    return Assessment.model_validate(answers.ASSESSMENT | {"code": "\n".join(LINES), "errors": errors})


def solution(*spans: tuple[int, int]) -> Solution:
    """Return a solution that reports these lines."""
    found = [
        {"line": first, "quote": "\n".join(LINES[first - 1 : last]), "description": "wrong"} for first, last in spans
    ]
    return Solution.model_validate({"findings": found})


KEY = exercise((3, 3), (7, 9), (10, 10))


def solved(first: Solution, second: Solution) -> Any:
    return settle({"first": first, "second": second}, {"assessment": KEY})


@pytest.mark.parametrize(
    ("reported", "found", "extras"),
    [
        ([], "", []),
        ([(3, 3)], "1", []),
        ([(2, 2), (4, 4)], "", [2, 4]),
        ([(2, 3)], "1", []),
        ([(8, 8)], "2", []),
        ([(9, 10)], "23", []),
        ([(7, 7), (9, 9)], "2", []),
        ([(10, 10), (11, 11), (11, 12)], "3", [11, 11]),
        ([(3, 3), (7, 9), (10, 10)], "123", []),
    ],
    ids=[
        "nothing",
        "a line",
        "beside it",
        "reaching in",
        "one of its lines",
        "two at once",
        "one twice",
        "extra",
        "all",
    ],
)
def test_an_error_is_found_by_any_of_its_lines_and_counts_once(
    reported: list[tuple[int, int]], found: str, extras: list[int]
) -> None:
    grade = solved(solution(*reported), solution()).grades["first"]
    assert "".join(grade.found) == found
    assert sorted((*grade.found, *grade.missed)) == ["1", "2", "3"]
    assert [extra.span.first for extra in grade.extras] == extras
    assert grade.recall == (len(found), 3)
    assert grade.precision == (len(found), len(found) + len(extras))


@pytest.mark.parametrize(
    ("first", "second", "reasons"),
    [
        ([(3, 3), (7, 7)], [(10, 10)], []),
        ([(3, 3)], [(10, 10)], ["no solver found error 2 (lines 7 to 9)"]),
        ([(3, 3), (8, 10), (1, 1)], [(2, 2)], []),
        (
            [(3, 3), (8, 10), (14, 16)],
            [(16, 18), (20, 20)],
            ["both solvers report a mistake on line 16, where the key has none"],
        ),
        (
            [(3, 3), (8, 10), (14, 17), (1, 1)],
            [(15, 16), (1, 1), (15, 16)],
            [
                "both solvers report a mistake on line 1, where the key has none",
                "both solvers report a mistake on lines 15 to 16, where the key has none",
            ],
        ),
        ([(3, 3), (8, 10), (15, 15), (15, 15)], [], []),
    ],
    ids=["shared out", "one missed", "extras apart", "extras meet", "extras meet twice", "one solver, twice"],
)
def test_what_needs_a_review(first: list[Any], second: list[Any], reasons: list[str]) -> None:
    for one, other in ((first, second), (second, first)):
        assert list(solved(solution(*one), solution(*other)).needs_review()) == reasons


def test_one_solver_alone_says_nothing_of_the_key() -> None:
    alone = settle({"second": solution((1, 1))}, {"assessment": KEY})
    assert alone
    assert not alone.complete
    assert not alone.needs_review()
    assert alone.grades["second"].recall == (0, 3)
    assert settle({}, {"assessment": KEY}) is None


SPAN = st.tuples(st.integers(1, 20), st.integers(0, 4)).map(lambda at: (at[0], min(20, sum(at))))
SPANS = st.lists(SPAN, max_size=10)


@given(SPANS, SPANS)
def test_whatever_is_reported_the_counts_add_up(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    both = solved(solution(*first), solution(*second))
    for grade, reported in zip(both.grades.values(), (first, second), strict=True):
        assert sorted((*grade.found, *grade.missed)) == ["1", "2", "3"]
        assert len(grade.extras) <= len(reported)
        marked = {line for start, end in reported for line in range(start, end + 1)}
        assert set(grade.found) == {
            error.id
            for error in KEY.errors
            if (span := KEY.span(error)) and marked & set(range(span.first, span.last + 1))
        }
    assert any("no solver" in reason for reason in both.needs_review()) == any(
        all(error.id in grade.missed for grade in both.grades.values()) for error in KEY.errors
    )


def test_what_a_person_left_undecided_or_execution_proved_needs_no_review() -> None:
    both = solved(solution((3, 3), (16, 16)), solution((3, 3), (15, 17)))
    assert [reason[:12] for reason in both.needs_review()] == ["no solver fo", "no solver fo", "both solvers"]
    assert both.needs_review(["2", "3"], [Span(0, 0, 16, 16)]) == ()
    assert len(both.needs_review(["2", "3"], [Span(0, 0, 14, 14)])) == 1


TWICE = exercise((1, 1), (2, 2)).model_copy(update={"code": "same()\nother()\nsame()\n"})


@pytest.mark.parametrize(
    ("quote", "line", "faults"),
    [
        ("other()", 2, []),
        ("other()", 9, []),
        ("same()", 3, []),
        ("same()", 2, ["findings.1.quote: stands 2 times in the code, on lines 1, 3, and not once on line 2"]),
        ("Same()", 1, ["findings.1.quote: stands 0 times in the code: 'Same()' does not; nearest is line 1, 'same()'"]),
    ],
    ids=["there", "miscounted", "told by its line", "ambiguous", "invented"],
)
def test_a_finding_stands_in_the_code(quote: str, line: int, faults: list[str]) -> None:
    found = Solution.model_validate({"findings": [{"quote": quote, "line": line, "description": "wrong"}]})
    assert list(findings_stand_in_the_code(found, {"assessment": TWICE})) == faults


def test_a_finding_is_short() -> None:
    assert not list(findings_are_short(solution((1, QUOTED_LINES)), {}))
    (fault,) = findings_are_short(solution((1, 1), (1, QUOTED_LINES + 1)), {})
    assert fault == "findings.2.quote: 6 lines; quote only what is wrong, 5 lines at most"


def test_there_are_ten_findings_at_most() -> None:
    assert len(solution(*[(1, 1)] * 10).findings) == 10
    with pytest.raises(ValueError, match="at most 10 items"):
        solution(*[(1, 1)] * 11)
