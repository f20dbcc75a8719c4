"""Lay out the seven steps, the table of contents of a run, and what may be asked beside them.

A further step is one output class in `outputs`, one prompt file named after it, and one row here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from errorspan.answers import solving, verdicts
from errorspan.answers.outputs import (
    Assessment,
    Categories,
    Challenge,
    ErrorCatalog,
    Implementation,
    Judgment,
    NoExercise,
    Solution,
)
from errorspan.answers.shape import FORMAT, Output
from errorspan.authoring.tiers import MOST_SAMPLES, Model, Options
from errorspan.checks import answers, briefing, exercise
from errorspan.checks.check import Check

LONGEST_TOKEN = 32
"""How many characters a token may stand for; in prose and code about four do, in runs of spaces more."""


def exceeded(text: str, max_tokens: int) -> bool:
    """Tell whether a text is longer than so many tokens can be."""
    return len(text) > max_tokens * LONGEST_TOKEN


class Pass(NamedTuple):
    """One request of a run and its answer: a step's, in an attempt, with its order and its sample."""

    step: Step
    attempt: int = 0
    order: str = ""
    sample: int = 1

    @property
    def file(self) -> str:
        """Return the file of the record that holds the answer."""
        return self.step.file(self.attempt, self.order, self.sample)

    @property
    def title(self) -> str:
        """Return what tells it from the others of its step in its attempt, as a person reads it."""
        sample = f"sample {self.sample}" if self.sample > 1 else ""
        return ", ".join(filter(None, [sample, self.step.pass_title(self.order)]))


class Tier(StrEnum):
    """Which model a step asks."""

    AUTHOR = "author"
    MID = "mid"
    WEAK = "weak"
    JUDGE = "judge"
    FIRST_SOLVER = "first_solver"
    SECOND_SOLVER = "second_solver"


@dataclass(frozen=True)
class Step:
    """A row: who is asked, what comes back, and what it builds on."""

    name: str
    tier: Tier | tuple[Tier, ...]
    """One for each pass, where they ask different models."""
    output: type[Output]
    reads: tuple[str, ...] = ()
    topic: bool = True
    """Tells whether the prompt says what the topic is."""
    checks: tuple[Check, ...] = ()
    further: Mapping[int, tuple[Check, ...]] = field(default_factory=dict, hash=False)
    """Checks that answers were asked to pass from a format on."""
    max_tokens: int = 12_000
    """Bounds an answer. Thinking counts toward it, so each row leaves headroom."""
    drafts: bool = False
    """A first draft may be asked for."""
    sampled: bool = False
    """Given once for each sample of the weak tier."""
    passes: tuple[str, ...] = ("",)
    """Each pass is a request and an answer of its own."""
    settle: Callable[[Mapping[str, Any], Mapping[str, Any]], Any] | None = None
    """Joins the outputs of all passes into the step's output; a step of one pass needs none."""
    foregone: Callable[[Mapping[str, Any]], Any] | None = None
    """Gives the step's output where it follows without asking, else None."""
    declined: Callable[[str], Output | None] | None = None
    """Reads an answer that there is nothing to give, if it is one; then the run ends here."""
    basis: Callable[[Mapping[str, Any]], Any] | None = None
    """Gives what an answer is an answer to, where that is less than all that the row reads."""

    def longest(self, model: Model) -> int:
        """Return how many tokens an answer of this model may have: it may lower the step's bound, and not raise it."""
        return min(self.max_tokens, model.max_tokens or self.max_tokens)

    def options(self, model: Model) -> Options:
        """Return those of a model's options that make a difference to this step."""
        return Options(
            max_tokens=model.max_tokens if self.longest(model) < self.max_tokens else None,
            effort=model.effort,
            thinking=model.thinking,
            first_draft=(self.drafts and model.first_draft) or None,
        )

    @property
    def title(self) -> str:
        """Return the name as a person reads it."""
        return self.name.replace("_", " ").capitalize()

    def read(self, text: str, *, asked: bool = False) -> Output:
        """Read an answer's text: as the step's output, or as one that declines.

        Raises:
            pydantic.ValidationError: it is neither.
        """
        return (self.declined(text) if self.declined else None) or self.output.read(text, asked=asked)

    def settled(self, given: Mapping[str, Any], outputs: Mapping[str, Any]) -> Any:
        """Return the step's output, from the outputs of its passes."""
        return self.settle(given, outputs) if self.settle else given[self.passes[0]]

    def gives(self, output: Any) -> str:
        """Return the name under which later steps, and a run, find an output: that of the step, or `declined`."""
        return "declined" if self.declined and not isinstance(output, self.output) else self.name

    def findings(self, output: Any, outputs: Mapping[str, Any], format_: int = FORMAT) -> dict[Check, tuple[str, ...]]:
        """Return what each check has to say of an output that was built on others, and asked for in a format."""
        checks = self.asked(format_) if isinstance(output, self.output) else ()
        return {check: tuple(check(output, outputs)) for check in checks}

    def asked(self, format_: int = FORMAT) -> tuple[Check, ...]:
        """Return the checks that an answer is asked to pass, in a format."""
        further = (check for since, checks in self.further.items() if since <= format_ for check in checks)
        return (*self.checks, *further)

    def asks(self, order: str) -> Tier:
        """Return which model a pass asks."""
        return self.tier if isinstance(self.tier, Tier) else self.tier[self.passes.index(order)]

    def pass_title(self, order: str) -> str:
        """Return what tells a pass from the others of its step, as a person reads it."""
        if not isinstance(self.tier, Tier):
            return self.asks(order).replace("_", " ")
        return f"order {order.upper()}" if order else ""

    def file(self, attempt: int, order: str, sample: int = 1) -> str:
        """Return the file of the record that holds the answer to one pass; steps outside attempts have attempt 0."""
        folder = f"attempt-{attempt}/" if attempt else ""
        name = "-".join([self.name, *([str(sample)] if sample > 1 else []), *([order] if order else [])])
        return f"{folder}{name}{self.output.suffix}"


PREPARE = (
    Step(
        "categories",
        Tier.AUTHOR,
        Categories,
        checks=(answers.subtopics_are_unique,),
        max_tokens=6_000,
    ),
    Step(
        "error_catalog",
        Tier.AUTHOR,
        ErrorCatalog,
        reads=("categories",),
        checks=(answers.names_are_unique, answers.likelihoods_are_sane),
    ),
)
ATTEMPT = (  # again, with the judge's feedback, until the tiers separate
    Step(
        "challenge",
        Tier.AUTHOR,
        Challenge,
        reads=("error_catalog", "feedback"),
        checks=(
            answers.language_is_known,
            answers.language_is_the_topics,
            answers.no_pattern_is_named,
            answers.no_pattern_is_hinted_at,
        ),
        max_tokens=8_000,
    ),
    Step(
        "mid_implementation",
        Tier.MID,
        Implementation,
        reads=("challenge",),
        topic=False,
        checks=(answers.holds_code,),
        drafts=True,
    ),
    Step(
        "weak_implementation",
        Tier.WEAK,
        Implementation,
        reads=("challenge",),
        topic=False,
        checks=(answers.holds_code,),
        drafts=True,
        sampled=True,
    ),
    Step(
        "judgment",
        Tier.JUDGE,
        Judgment,
        reads=("error_catalog", "challenge", "mid_implementation", "weak_implementation"),
        topic=False,
        checks=(answers.patterns_are_in_the_catalog,),
        further={2: (answers.quotes_are_of_what_they_tell, answers.failures_are_few, answers.what_settles_is_told)},
        sampled=True,
        passes=verdicts.PASSES,
        settle=verdicts.settle,
        foregone=verdicts.identical,
    ),
)
ASSESS = (
    Step(
        "assessment",
        Tier.AUTHOR,
        Assessment,
        reads=("error_catalog", "challenge", "mid_implementation", "weak_implementation", "judgment"),
        checks=(
            answers.language_is_known,
            exercise.code_is_of_a_size,
            exercise.code_parses,
            exercise.code_is_the_weak_tiers,
            exercise.ids_count_up,
            exercise.quotes_stand_in_the_code,
            exercise.spans_hold_code,
            exercise.spans_are_apart,
            exercise.errors_were_judged,
            exercise.errors_differ,
            exercise.corrections_change_something,
            exercise.corrections_parse,
            exercise.no_comment_gives_an_error_away,
            exercise.no_name_gives_an_error_away,
            exercise.no_hint_is_the_answer,
            exercise.nothing_tells_how_many,
            exercise.minutes_are_plausible,
        ),
        further={
            2: (
                exercise.code_is_no_longer_than_asked,
                exercise.errors_stand_in_one_place,
                briefing.scenario_is_short,
                briefing.promises_are_short,
                briefing.names_are_set_as_code,
                briefing.sound_places_stand_apart,
            )
        },
        declined=NoExercise.said,
        max_tokens=16_000,
    ),
)
STEPS = PREPARE + ATTEMPT + ASSESS

SOLVE = (  # beside the seven, and only where somebody asks for it: a run is complete without
    Step(
        "blind_solve",
        (Tier.FIRST_SOLVER, Tier.SECOND_SOLVER),
        Solution,
        reads=("assessment",),
        topic=False,
        checks=(solving.findings_stand_in_the_code, solving.findings_are_short),
        passes=solving.PASSES,
        settle=solving.settle,
        basis=solving.seen,
    ),
)


def passes(attempts: Iterable[int], samples: Callable[[int], int] = lambda _: MOST_SAMPLES) -> Iterator[Pass]:
    """Yield the passes of a run that has these attempts, in order; `samples` says how many each of them has."""
    yield from (
        Pass(step, attempt, order, sample)
        for steps in (PREPARE, ATTEMPT, ASSESS + SOLVE)
        for attempt in (attempts if steps is ATTEMPT else [0])
        for step in steps
        for sample in range(1, 1 + (samples(attempt) if step.sampled else 1))
        for order in step.passes
    )
