"""Say which pages a run has below its own: one for each step, what speaks for its key, and its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from errorspan.runs.answer import Answer
from errorspan.runs.run import Run
from errorspan.steps.table import STEPS

Given = Callable[[Run], Sequence[Any]]


class Part(NamedTuple):
    """A page below a run's. `name`: a step's, or what else is told of a run.

    `given`: what a run holds for the page, attempt by attempt; nothing where it has no such page. `gist`: what the
    run's page says of that.
    """

    name: str
    title: str
    given: Given
    gist: Callable[[Sequence[Any]], str] = lambda _: ""
    filled: str = ""
    """The template of what is particular to the page, where it is not called as the part is."""

    @property
    def number(self) -> int:
        """Return the step's number, from 1; 0 where it is none."""
        return next((number for number, step in enumerate(STEPS, 1) if step.name == self.name), 0)

    @property
    def folder(self) -> str:
        """Return where the page stands, below its run's."""
        return self.name.replace("_", "-")

    @property
    def template(self) -> str:
        """Return the template of what is particular to the page."""
        return f"run/{self.filled or self.name}.md.j2"


def _once(name: str) -> Given:
    return lambda run: [run.outputs[name]] if name in run.outputs else []


def _each_time(name: str) -> Given:
    return lambda run: [attempt.outputs[name] for attempt in run.attempts if name in attempt.outputs]


def _assessed(run: Run) -> Sequence[Any]:
    return [run.assessment] if run.assessment else []


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _length(given: Sequence[Any]) -> str:
    return f"{_counted(len(given[-1].code.splitlines()), 'line')} of code"


def _judged(given: Sequence[Any]) -> str:
    verdict = given[-1]
    said = "a real difference" if verdict.achieved else "no real difference"
    return f"{said}, {verdict.quality_score} of 10" if verdict.quality_score else said


PARTS = (
    Part(
        "categories",
        "Categories",
        _once("categories"),
        lambda given: f"{_counted(sum(len(subtopics) for _, subtopics in given[0]), 'subtopic')} on three levels",
    ),
    Part(
        "error_catalog",
        "Error catalog",
        _once("error_catalog"),
        lambda given: f"{_counted(len(given[0].patterns), 'pattern')} of mistakes",
    ),
    Part("challenge", "Challenge", _each_time("challenge"), lambda given: given[-1].title),
    Part(
        "mid_implementation",
        "Mid-tier implementation",
        _each_time("mid_implementation"),
        _length,
        "implementation",
    ),
    Part(
        "weak_implementation",
        "Weak-tier implementation",
        _each_time("weak_implementation"),
        _length,
        "implementation",
    ),
    Part("judgment", "Judgment", _each_time("judgment"), _judged),
    Part("assessment", "Assessment", _assessed, lambda given: _counted(len(given[0].errors), "error span")),
    Part("evidence", "Proof and review", _assessed),
    Part(
        "record",
        "Record",
        lambda run: [*run.answers, *run.solutions, *run.rejected],
        lambda given: _counted(sum(isinstance(one, Answer) for one in given), "answer"),
    ),
)


def of(run: Run) -> list[Part]:
    """Return the pages below a run's that there is something to say on."""
    return [part for part in PARTS if part.given(run)]
