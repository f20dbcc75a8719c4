"""Grade what two solvers found in an exercise without its key.

A solver is graded as a student is: an error is found by any of its lines, and counts once. Where both solvers agree
against the key, a person has to look at it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from errorspan.answers.outputs import Assessment, Finding, Solution, Span
from errorspan.answers.quotes import unplaced

PASSES = ("first", "second")
QUOTED_LINES = 5
"""The most lines of a finding: whoever quotes the whole program has found nothing."""


class Extra(NamedTuple):
    """A finding where the key has no error."""

    finding: Finding
    span: Span


@dataclass(frozen=True)
class Grade:
    """What one solver found of the key, by the errors' ids, and what else it reported."""

    found: tuple[str, ...]
    missed: tuple[str, ...]
    extras: tuple[Extra, ...]

    @property
    def precision(self) -> tuple[int, int]:
        """Return how many errors it found, and of how many things it reported, each error counting once."""
        return len(self.found), len(self.found) + len(self.extras)

    @property
    def recall(self) -> tuple[int, int]:
        """Return how many errors it found, and of how many."""
        return len(self.found), len(self.found) + len(self.missed)


@dataclass(frozen=True)
class Solve:
    """The grades of those solvers whose answers count, by pass, and where they agree against the key.

    `unfound`: what is said of each error that neither found, by its id. `disputed`: where both report what the key has
    not.
    """

    grades: Mapping[str, Grade]
    unfound: Mapping[str, str]
    disputed: tuple[tuple[int, int], ...]

    def needs_review(self, proved: Collection[str] = (), undecided: Collection[Span] = ()) -> tuple[str, ...]:
        """Say what a person has to look at.

        That nobody finds an error which execution has proved is no reason, nor is what a person left undecided.
        """
        unfound = (said for id_, said in self.unfound.items() if id_ not in proved)
        disputed = (
            f"both solvers report a mistake on {_lines(first, last)}, where the key has none"
            for first, last in self.disputed
            if not any(span.first <= last and first <= span.last for span in undecided)
        )
        return (*unfound, *disputed)

    @property
    def complete(self) -> bool:
        """Tell whether both solvers' answers count: only together do they say something of the key."""
        return len(self.grades) == len(PASSES)


def seen(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an exercise a solver answers to: where it changes, its answer says nothing of the new one."""
    assessment: Assessment = outputs["assessment"]
    return assessment.model_dump(include={"title", "scenario", "promises", "not_shown", "code"}, exclude_defaults=True)


def settle(solutions: Mapping[str, Solution], outputs: Mapping[str, Any]) -> Solve | None:
    """Grade each solution against the key; None where there is no solution."""
    assessment: Assessment = outputs["assessment"]
    grades = {order: _grade(solution, assessment) for order, solution in solutions.items()}
    if len(grades) < len(PASSES):
        return Solve(grades, {}, ()) if grades else None
    return Solve(grades, _unfound(grades.values(), assessment), _disputed(*grades.values()))


def findings_stand_in_the_code(solution: Solution, outputs: Mapping[str, Any]) -> Iterator[str]:
    """Each finding quotes the exercise's code, at one place."""
    for number, finding in enumerate(solution.findings, 1):
        if not outputs["assessment"].span(finding):
            yield f"findings.{number}.quote: {unplaced(finding.quote, finding.line, outputs['assessment'].code)}"


def findings_are_short(solution: Solution, _: Mapping[str, Any]) -> Iterator[str]:
    """Each finding quotes a few lines, not a stretch of the program."""
    for number, finding in enumerate(solution.findings, 1):
        lines = finding.quote.strip("\n").count("\n") + 1
        if lines > QUOTED_LINES:
            yield f"findings.{number}.quote: {lines} lines; quote only what is wrong, {QUOTED_LINES} lines at most"


def _grade(solution: Solution, assessment: Assessment) -> Grade:
    errors = {error.id: span for error in assessment.errors if (span := assessment.span(error))}
    placed = [Extra(finding, span) for finding in solution.findings if (span := assessment.span(finding))]
    found = tuple(id_ for id_, span in errors.items() if any(_meet(span, one.span) for one in placed))
    return Grade(
        found=found,
        missed=tuple(error.id for error in assessment.errors if error.id not in found),
        extras=tuple(one for one in placed if not any(_meet(span, one.span) for span in errors.values())),
    )


def _unfound(grades: Collection[Grade], assessment: Assessment) -> dict[str, str]:
    unfound = {}
    for error in assessment.errors:
        if all(error.id in grade.missed for grade in grades):
            span = assessment.span(error)
            where = f" ({_lines(span.first, span.last)})" if span else ""
            unfound[error.id] = f"no solver found error {error.id}{where}"
    return unfound


def _disputed(first: Grade, second: Grade) -> tuple[tuple[int, int], ...]:
    both = {
        (max(one.span.first, other.span.first), min(one.span.last, other.span.last))
        for one in first.extras
        for other in second.extras
        if _meet(one.span, other.span)
    }
    return tuple(sorted(both))


def _meet(one: Span, other: Span) -> bool:
    return one.first <= other.last and other.first <= one.last


def _lines(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first} to {last}"
