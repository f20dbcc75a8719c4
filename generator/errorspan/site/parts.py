"""Say which pages a run has below its own: one for each step, what speaks for its key, and its record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from errorspan.runs.run import Run
from errorspan.steps.table import ATTEMPT, STEPS


class Part(NamedTuple):
    """A page below a run's. `name`: a step's, or what else is told of a run. `number`: the step's, from 1; else 0."""

    name: str
    title: str
    number: int = 0

    @property
    def folder(self) -> str:
        """Return where the page stands, below its run's."""
        return self.name.replace("_", "-")

    @property
    def template(self) -> str:
        """Return the template of what is particular to the page."""
        return f"run/{'implementation' if self.name.endswith('implementation') else self.name}.md.j2"

    def given(self, run: Run) -> Sequence[Any]:
        """Return what a run holds for the page, attempt by attempt; nothing where it has no such page."""
        if self.name == "record":
            return [*run.answers, *run.rejected]
        if self.name in {"assessment", "evidence"}:
            return [run.assessment] if run.assessment else []
        if self.name in {step.name for step in ATTEMPT}:
            return [attempt.outputs[self.name] for attempt in run.attempts if self.name in attempt.outputs]
        return [run.outputs[self.name]] if self.name in run.outputs else []


_TITLES = {"mid_implementation": "Mid-tier implementation", "weak_implementation": "Weak-tier implementation"}

PARTS = (
    *(
        Part(step.name, _TITLES.get(step.name, step.name.replace("_", " ").capitalize()), number)
        for number, step in enumerate(STEPS, 1)
    ),
    Part("evidence", "Proof and review"),
    Part("record", "Record"),
)


def of(run: Run) -> list[Part]:
    """Return the pages below a run's that there is something to say on."""
    return [part for part in PARTS if part.given(run)]
