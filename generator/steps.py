"""Lay out the seven steps: the table of contents of a run.

An eighth step is one output class in `outputs`, one prompt file named after it, and one row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from generator import checks, verdicts
from generator.checks import Check
from generator.outputs import (
    Assessment,
    Categories,
    Challenge,
    ErrorCatalog,
    Implementation,
    Judgment,
    Output,
)

LONGEST_TOKEN = 32
"""How many characters a token may stand for; in prose and code about four do, in runs of spaces more."""


class Tier(StrEnum):
    """Which model a step asks."""

    AUTHOR = "author"
    MID = "mid"
    WEAK = "weak"
    JUDGE = "judge"


@dataclass(frozen=True)
class Step:
    """One of the seven: who is asked, what comes back, and what it builds on."""

    name: str
    tier: Tier
    output: type[Output]
    reads: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    max_tokens: int = 12_000
    """Bounds an answer. Thinking counts toward it, so each row leaves headroom."""
    passes: tuple[str, ...] = ("",)
    """Each pass is a request and an answer of its own."""
    settle: Callable[[Mapping[str, Any], Mapping[str, Any]], Any] | None = None
    """Joins the outputs of all passes into the step's output; a step of one pass needs none."""
    foregone: Callable[[Mapping[str, Any]], Any] | None = None
    """Gives the step's output where it follows without asking, else None."""

    def exceeded(self, text: str) -> bool:
        """Tell whether a text is longer than an answer of `max_tokens` can be."""
        return len(text) > self.max_tokens * LONGEST_TOKEN

    @property
    def title(self) -> str:
        """Return the name as a person reads it."""
        return self.name.replace("_", " ").capitalize()

    def file(self, attempt: int, order: str) -> str:
        """Return the file of the record that holds the answer to one pass; steps outside attempts have attempt 0."""
        folder = f"attempt-{attempt}/" if attempt else ""
        return f"{folder}{self.name}{f'-{order}' if order else ''}{self.output.suffix}"


PREPARE = (
    Step(
        "categories",
        Tier.AUTHOR,
        Categories,
        max_tokens=6_000,
    ),
    Step(
        "error_catalog",
        Tier.AUTHOR,
        ErrorCatalog,
        reads=("categories",),
        checks=(checks.names_are_unique,),
    ),
)
ATTEMPT = (  # again, with the judge's feedback, until the tiers separate
    Step(
        "challenge",
        Tier.AUTHOR,
        Challenge,
        reads=("error_catalog", "feedback"),
        checks=(checks.language_is_known, checks.language_is_the_topics, checks.no_pattern_is_named),
        max_tokens=8_000,
    ),
    Step(
        "mid_implementation",
        Tier.MID,
        Implementation,
        reads=("challenge",),
        checks=(checks.holds_code,),
    ),
    Step(
        "weak_implementation",
        Tier.WEAK,
        Implementation,
        reads=("challenge",),
        checks=(checks.holds_code,),
    ),
    Step(
        "judgment",
        Tier.JUDGE,
        Judgment,
        reads=("error_catalog", "challenge", "mid_implementation", "weak_implementation"),
        checks=(checks.patterns_are_in_the_catalog,),
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
            checks.language_is_known,
            checks.ids_count_up,
            checks.quotes_stand_in_the_code,
            checks.spans_are_apart,
            checks.corrections_change_something,
            checks.code_is_the_weak_tiers,
            checks.errors_were_judged,
            checks.no_comment_gives_an_error_away,
            checks.no_hint_is_the_answer,
            checks.minutes_go_up,
        ),
        max_tokens=16_000,
    ),
)
STEPS = PREPARE + ATTEMPT + ASSESS
