"""What a student names an error among."""

from __future__ import annotations

import pytest

from errorspan.answers.outputs import Error
from errorspan.answers.verdicts import Failure
from errorspan.site import naming

PATTERNS = ("Counts twice", "Reads past the end", "Sorts text as numbers", "Forgets the empty list", "Rounds down")


def error(number: int, quote: str = "total += 1") -> Error:
    """Return an error that shows the failure of its number."""
    return Error(
        id=str(number), quote=quote, line=1, failure=f"F{number}", correction="", description="x", hint="x",
        severity="low", concept=f"Concept {number}", learning_value="x",
    )  # fmt: skip


def failure(number: int, description: str = "", pattern: str | None = None, quote: str = "elsewhere()") -> Failure:
    return Failure(f"F{number}", pattern, description or f"Does {number}. And more.", quote)


def test_a_known_mistake_stands_among_the_likeliest_that_are_not_true_of_its_place() -> None:
    failures = [
        failure(1, pattern="Counts twice"),
        failure(2, pattern="Reads past the end", quote="  total += 1  # so"),
    ]
    named = naming.of(error(1), [error(1)], failures, PATTERNS)
    assert named.right == "Counts twice"
    assert named.choices == ("Counts twice", "Forgets the empty list", "Rounds down", "Sorts text as numbers")


def test_a_mistake_of_no_pattern_is_named_by_how_it_came_about_among_failures_that_are_not_in_the_exercise() -> None:
    failures = [
        failure(1, "The `total` starts at one, i.e. one too high. More of it."),
        failure(2, "Tells where the other error is."),
        failure(3, "Is true here too.", quote="if x: total += 1"),
        *(failure(number) for number in (4, 5, 6)),
        failure(7, "Is what a pattern says.", pattern="Counts twice"),
    ]
    named = naming.of(error(1), [error(1), error(2)], failures, PATTERNS)
    assert named.right == "The total starts at one, i.e. one too high"
    assert named.choices == ("Does 4", "Does 5", "Reads past the end", named.right)


def test_what_a_reviewer_added_is_named_by_what_the_review_says_of_it() -> None:
    added = error(1).model_copy(update={"failure": "", "description": "Takes `-` for a value. And more."})
    failures = [failure(2), failure(3, pattern="Counts twice"), failure(4, "Is of this place.", quote="total += 1")]
    named = naming.of(added, [added], failures, PATTERNS)
    assert named.right == "Takes - for a value"
    assert named.choices == ("Does 2", "Reads past the end", "Sorts text as numbers", named.right)


@pytest.mark.parametrize(("failures", "patterns"), [([], ()), ([failure(1)], ())])
def test_what_nothing_else_stands_beside_is_not_named(failures: list[Failure], patterns: tuple[str, ...]) -> None:
    assert naming.of(error(1), [error(1)], failures, patterns).choices == ()


def test_a_mechanism_is_one_short_sentence() -> None:
    assert naming.mechanism("word " * 60) == "word " * 22 + "word…"
    assert naming.mechanism("x" * 400) == "x" * 119 + "…"
    assert naming.mechanism("Ends without\n a stop") == "Ends without a stop"
    long = f"Looks at each alone; what {'they have ' * 7}goes: into one list, and from there"
    assert naming.mechanism(long) == f"Looks at each alone; what {'they have ' * 7}goes"
    assert naming.mechanism(f"It: {'word ' * 60}") == f"It: {'word ' * 22}word…"
