"""Hold the shape of every step's output.

The field names are the contract between the prompts, the record and the pages. Limits that the API's schema
dialect does not enforce (list lengths, ranges) are enforced here, when an answer is read.
"""

from __future__ import annotations

import json
from functools import cached_property
from itertools import accumulate, islice
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from errorspan.answers.quotes import occurrences
from errorspan.answers.shape import Output, Text, TextOrNone, bare_json
from errorspan.text.fences import blocks

Severity = Literal["high", "medium", "low"]
Label = Literal["A", "B"]
Settled = Literal["requirement", "interface", "craft"]


class Categories(Output):
    """What learners of each level meet in the topic, as concrete subtopics."""

    beginner: list[Text] = Field(min_length=3, max_length=5)
    intermediate: list[Text] = Field(min_length=3, max_length=5)
    advanced: list[Text] = Field(min_length=3, max_length=5)


class Pattern(Output):
    """A mistake that strong engineers avoid and weak ones make."""

    name: Text = Field(description="the mistake as a mechanism, in at most twelve words")
    why_wrong: Text = Field(description="what goes wrong inside, step by step")
    impact: Text = Field(description="what a user or an operator sees")
    severity: Severity
    strong_avoids: float = Field(ge=0, le=1, description="likelihood that a strong engineer avoids it")
    weak_makes: float = Field(ge=0, le=1, description="likelihood that a weak engineer makes it")


class ErrorCatalog(Output):
    """The mistakes that a challenge in this topic should bring out."""

    patterns: list[Pattern] = Field(min_length=4, max_length=8)

    def named(self, name: str | None) -> Pattern | None:
        """Return the pattern of this name, if there is one."""
        return next((pattern for pattern in self.patterns if pattern.name == name), None)


class Challenge(Output):
    """A realistic implementation task."""

    title: Text
    question_text: Text
    context: Text
    requirements: list[Text] = Field(min_length=4, max_length=6)
    success_criteria: Text
    language: Text = Field(description="the programming language, in lower case, as a highlighter names it")


class Fence(NamedTuple):
    """A fenced block of code in a Markdown text."""

    language: str
    code: str


class Implementation(Output):
    """A solution as the model wrote it, in Markdown; its code is the fenced blocks."""

    suffix: ClassVar[str] = ".md"

    text: Text

    @classmethod
    def read(cls, text: str, *, asked: bool = False) -> Self:
        """Take the text as it is, but for its line ends: nothing constrains how a model solves a challenge."""
        return cls.model_validate({"text": text}, context={"asked": asked})

    def recorded(self) -> str:
        """Return the Markdown itself."""
        return self.text if self.text.endswith("\n") else self.text + "\n"

    @property
    def fences(self) -> list[Fence]:
        """Return the fenced blocks, in order."""
        return [Fence(block.language, block.code) for block in blocks(self.recorded())]

    @cached_property
    def plain(self) -> str:
        """Return the text, line by line, its code without the blanks and marks of lists and quotes around it."""
        lines = self.recorded().split("\n")
        for block in blocks(self.recorded()):
            lines[block.first : block.last] = block.code.split("\n")[:-1]
        return "\n".join(lines)

    @cached_property
    def fenced(self) -> list[tuple[int, int]]:
        """Return where the code of each fenced block starts and ends in the plain text."""
        starts = list(accumulate((len(line) + 1 for line in self.plain.split("\n")), initial=0))
        return [(starts[block.first], starts[block.last]) for block in blocks(self.recorded())]

    @property
    def code(self) -> str:
        """Return all fenced code as one text; the whole text where nothing is fenced."""
        return "\n".join(fence.code for fence in self.fences) or self.text


class Observation(Output):
    """Something that the judge saw in one implementation, with the words that show it."""

    pattern: Text | None = Field(description="the catalog pattern's exact name, or null where none fits")
    description: Text
    quote: Text = Field(description="copied verbatim from the implementation that this is about")


class Score(Output):
    """One mark of the rubric."""

    score: int = Field(ge=1, le=5)
    reason: Text


class Rubric(Output):
    """Six marks for what the challenge and its two implementations are worth to a learner."""

    conceptual_depth: Score
    subtlety: Score
    production_impact: Score
    expert_differentiation: Score
    educational_value: Score
    realistic_context: Score

    @property
    def mean(self) -> float:
        """Return the mean of the six scores."""
        scores: list[int] = [mark.score for _, mark in self]
        return sum(scores) / len(scores)


class Shortfall(Observation):
    """A failure of an implementation: what it is held against, how grave it is, and whether one stretch mends it."""

    severity: Severity | SkipJsonSchema[None] = Field(None, description="by what it costs in use")
    settled_by: Settled | SkipJsonSchema[None] = Field(None, description="what makes it a failure")
    settles: Text | SkipJsonSchema[None] = Field(
        None, description="the challenge's own words, copied; for craft, the rule in one sentence"
    )
    local: bool = Field(default=True, description="false where no single stretch mends it, or where it is only slow")


class Judgment(Output):
    """One blind comparison of the two implementations, labelled A and B."""

    better: Label
    differentiation_achieved: bool
    not_attempted: list[Label] = Field([], examples=[[]], description="the implementations that are no attempt, if any")
    quality_score: int = Field(ge=1, le=10)
    analysis: list[Text] = Field(min_length=1, description="paragraphs")
    strengths: list[Observation] = Field(description="of the better implementation")
    failures: list[Shortfall] = Field(description="of the other implementation, the gravest first; eight at most")
    keep: Text | SkipJsonSchema[None] = Field(None, description="what of the task is worth keeping in a next one")
    rubric: Rubric

    @property
    def format(self) -> int:
        """Return the format that it was asked in, by what it says."""
        return 2 if "not_attempted" in self.model_fields_set else 1


class Error(Output):
    """A stretch of the assessment's code that is wrong, with its explanation."""

    id: str = Field(pattern=r"^[1-9]$", examples=["1"], description="1, 2, 3 … in the order of the code")
    quote: Text = Field(description="the wrong stretch, copied verbatim from `code`")
    line: int = Field(ge=1, description="the line of `code` on which the quote starts, from 1")
    failure: str = Field(
        pattern=r"^F[1-9][0-9]?$", examples=["F1"], description="the judged failure that this error shows, such as F2"
    )
    description: Text
    correction: TextOrNone = Field(
        description="what replaces the quote exactly, so that the whole program is right; empty to delete the quote"
    )
    hint: Text = Field(description="a nudge that does not name the line")
    severity: Severity
    concept: Text = Field(description="the idea behind it, two to five words")
    learning_value: Text


class Finding(Output):
    """A mistake in a program."""

    quote: Text = Field(description="the wrong stretch, copied verbatim from the code")
    line: int = Field(ge=1, description="the line of the code on which the quote starts, from 1")
    description: Text = Field(description="what the code does there, and what it should do")


class Solution(Output):
    """The mistakes that a reviewer sees in a program."""

    findings: list[Finding] = Field(max_length=10, description="empty where there is no mistake")


class Span(NamedTuple):
    """Where an error stands in the code: characters `start` to `end`, lines `first` to `last` (from 1)."""

    start: int
    end: int
    first: int
    last: int


class Sound(Output):
    """A place in the code that looks wrong and is right."""

    quote: Text = Field(description="the stretch that looks wrong, copied verbatim from `code`")
    line: int = Field(ge=1, description="the line of `code` on which the quote starts, from 1")
    reason: Text = Field(description="why it looks wrong, and why it is right")


class NoExercise(Output):
    """In place of an assessment: no exercise can be cut from this implementation."""

    no_exercise: Text

    @classmethod
    def said(cls, text: str) -> Self | None:
        """Return it, where an answer says that."""
        try:
            reason = json.loads(bare_json(text))["no_exercise"]
            return cls(no_exercise=reason)
        except (ValueError, TypeError, KeyError, RecursionError):
            return None


class Assessment(Output):
    """Code with error spans, each made by a model that meant to get it right."""

    no_exercise: TextOrNone = Field(
        "", examples=[""], description="empty; or why no exercise can be cut from this solution"
    )
    title: Text
    learning_objective: Text
    scenario: Text = Field(description="what the code is, and who calls it, in at most 60 words")
    promises: list[Text] = Field([], max_length=8, description="what callers may rely on, a short statement each")
    not_shown: TextOrNone = Field("", description="what the excerpt uses and does not show; empty if nothing")
    language: Text = Field(description="the programming language, in lower case, as a highlighter names it")
    code: Text
    errors: list[Error] = Field(min_length=1, max_length=5)
    sound: list[Sound] = Field([], max_length=4, description="places that look wrong and are right; none is fine")
    estimated_minutes: list[Annotated[int, Field(ge=1)]] = Field(
        min_length=2, max_length=2, description="the shortest and the longest time that a student needs"
    )

    def span(self, error: Error | Finding | Sound) -> Span | None:
        """Find a quote in the code.

        A line that was miscounted does not matter while the quote stands in the code only once. None where
        it does not stand there, or stands there more often and `line` does not tell which is meant.
        """
        before = "".join(f"{line}\n" for line in self.code.split("\n")[: error.line - 1])
        begin, end = len(before), self.code.find("\n", len(before)) + 1 or len(self.code)
        on_line = list(islice(occurrences(error.quote, self.code, begin, end), 2))
        chosen = on_line if len(on_line) == 1 else list(islice(occurrences(error.quote, self.code), 2))
        if len(chosen) != 1:
            return None
        start, end = chosen[0], chosen[0] + len(error.quote)
        last = self.code.count("\n", 0, end - error.quote.endswith("\n")) + 1
        return Span(start, end, self.code.count("\n", 0, start) + 1, last)

    def corrected(self, *ids: str) -> str:
        """Return the code with these errors corrected, all of them where none is named."""
        code = self.code
        spans = [(span, error) for error in self.errors if (span := self.span(error))]
        for span, error in sorted(spans, key=lambda pair: pair[0].start, reverse=True):
            if not ids or error.id in ids:
                code = code[: span.start] + error.correction + code[span.end :]
        return code
