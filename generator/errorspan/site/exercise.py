"""Make an exercise of an assessment: a value first, HTML second.

The page holds the code and nothing that tells which lines are wrong. What grades stands in a script of its own, the
key, which the page's element loads once a student checks. Columns are counted as JavaScript counts, in UTF-16 units
of the code as it is shown.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from textwrap import dedent
from typing import Any, NamedTuple

from markupsafe import Markup

from errorspan.answers.outputs import Assessment, Error, Span
from errorspan.answers.verdicts import Failure
from errorspan.authoring.topics import Level
from errorspan.proof.correcting import Aside
from errorspan.site import naming
from errorspan.text.markup import code_lines, prose, sentence, shown_at, visible

RULE = (
    "Score = (errors found ÷ all errors) × (errors found ÷ (errors found + false alarms)). "  # noqa: RUF001
    "An error that covers several lines counts once, whichever of them you mark, "
    "and one mark finds every error of its line; each marked line outside all errors is a false alarm."
)
"""How marks are scored, in words: what students read, in pages and packages, and those who grade."""

TAB = 4  # columns, as in exercise.css
DEEPEST = 6

_SPACE = re.compile(r"(?<!<span)[ \t]")  # of the code, not of a tag


class Segment(NamedTuple):
    """The part of one shown line (from 1) that belongs to a span: its columns `start` to `end`."""

    line: int
    start: int
    end: int


class Seen(NamedTuple):
    """What a test saw of an error: what went in, came out and should have come, as far as it can be told.

    `test`: what it is called, in words. `message`: what it says, where it tells nothing of what came out.
    """

    input: str | None = None
    got: str | None = None
    expected: str | None = None
    test: str | None = None
    message: str | None = None


class Places(NamedTuple):
    """Addresses of where an error was made, and of where the better implementation avoided it."""

    weak: str | None = None
    mid: str | None = None


@dataclass(frozen=True)
class Exercise:
    """An assessment as a student meets it.

    `patterns`: the catalog's names, the likeliest mistakes first, each with why it is wrong: students choose among
    them. `places` and `seen`: by error id. `undecided`: stretches that count neither way. `run`: what runs corrections
    in the page; `editor`: what they are written in. `exam`: what the page holds tells nothing of the key.
    """

    id: str
    title: str
    level: Level | None
    concepts: tuple[str, ...]
    assessment: Assessment
    failures: tuple[Failure, ...]
    explained_at: str
    patterns: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Places] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    undecided: tuple[Aside, ...] = ()
    run: Mapping[str, Any] | None = None
    editor: Mapping[str, Any] | None = None
    exam: bool = False

    def as_exam(self) -> Exercise:
        """Return it as those meet it who hand it in: with what blind solvers are told, and nothing that leads on."""
        told: dict[str, Any] = {"concepts": (), "explained_at": "", "patterns": {}, "places": {}, "seen": {}}
        return replace(self, exam=True, **told, run=None, editor=None)

    @property
    def guided(self) -> bool:
        """Tell whether a student is told the number of errors, and offered hints, without asking for them."""
        return self.level == "beginner"

    @cached_property
    def lines(self) -> list[Markup]:
        """Return the code as highlighted HTML, line by line."""
        return _lines(self.assessment.code, self.assessment.language)

    @cached_property
    def indents(self) -> list[int]:
        """Return by how many steps of two columns each line is indented; a wrapped line goes on there. At most 6."""
        lines = visible(self.assessment.code).expandtabs(TAB).split("\n")[: len(self.lines)]
        return [min((len(line) - len(line.lstrip(" "))) // 2, DEEPEST) for line in lines]

    @cached_property
    def spans(self) -> dict[str, tuple[Segment, ...]]:
        """Return where each error stands in the shown lines, by its id."""
        return {error.id: segments(self.assessment.code, *self._span(error)[:2]) for error in self.assessment.errors}

    @property
    def minutes(self) -> tuple[int, int]:
        """Return the shortest and the longest time that a student needs."""
        return min(self.assessment.estimated_minutes), max(self.assessment.estimated_minutes)

    @cached_property
    def digest(self) -> str:
        """Return a hash of all that grades: progress belongs to exactly this code with exactly these errors.

        That of an exam is of what it shows: who guesses at its key could try guesses against a hash of that.
        """
        if self.exam:
            return hashlib.sha256(f"exam\n{visible(self.assessment.code)}".encode()).hexdigest()[:12]
        errors = [[error.id, error.correction] for error in self.assessment.errors]
        graded = [visible(self.assessment.code), errors, self.spans, *([self.aside] if self.aside else [])]
        return hashlib.sha256(json.dumps(graded, sort_keys=True).encode()).hexdigest()[:12]

    @cached_property
    def aside(self) -> list[tuple[Segment, ...]]:
        """Return where each undecided stretch stands in the shown lines."""
        return [segments(self.assessment.code, *one.span[:2]) for one in self.undecided]

    @cached_property
    def key(self) -> dict[str, Any]:
        """Return what grades and explains, as the element reads it, from the top: prose is HTML, all else text."""
        ordered = sorted(self.assessment.errors, key=lambda error: self.spans[error.id])
        key: dict[str, Any] = {"digest": self.digest, "errors": [self._explained(error) for error in ordered]}
        if self.undecided:
            told = zip(self.aside, self.undecided, strict=True)
            key["undecided"] = [{"segments": where, "reason": prose(one.reason)} for where, one in told]
        if sound := [(one, span) for one in self.assessment.sound if (span := self.assessment.span(one))]:
            key["sound"] = [
                {"segments": segments(self.assessment.code, *span[:2]), "reason": prose(one.reason)}
                for one, span in sound
            ]
        if meant := {visible(name): prose(why) for name, why in self._meant()}:
            key["kinds"] = meant
        key |= {name: made for name, made in (("run", self.run), ("editor", self.editor)) if made}
        return key

    @property
    def key_script(self) -> str:
        """Return the text of `key.js`: one call of the element's `errorspanKey(id, key)`, safe inside HTML too."""
        call = json.dumps([self.id, self.key], separators=(",", ":"))[1:-1]
        return f"errorspanKey({call});\n".translate({ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"})

    def _meant(self) -> Iterator[tuple[str, str]]:
        """Yield the names that an error may wrongly be given, each with what it means."""
        described = [failure.description for failure in self.failures]
        known = {naming.mechanism(one): one for one in described} | dict(self.patterns)
        for named in map(self._named, self.assessment.errors):
            yield from ((name, known[name]) for name in named.choices if name != named.right)

    def _named(self, error: Error) -> naming.Naming:
        return naming.of(error, self.assessment.errors, self.failures, tuple(self.patterns))

    def _explained(self, error: Error) -> dict[str, Any]:
        failure = next((failure for failure in self.failures if failure.id == error.failure), None)
        named = self._named(error)
        pattern = named.right if named.choices else failure and failure.pattern
        before, after = self._excerpts(error)
        places = self.places.get(error.id, Places())
        return {
            "id": error.id,
            "segments": self.spans[error.id],
            "concept": visible(error.concept),
            "hint": sentence(error.hint),
            "description": prose(error.description),
            "pattern": pattern and visible(pattern),
            "kinds": list(map(visible, named.choices)),
            "before": before,
            "after": after,
            "value": prose(error.learning_value),
            "failure": failure and prose(failure.description),
            "settles": failure and failure.settles and prose(failure.settles),
            "url": f"{self.explained_at}#error-{error.id}",
            "weak": places.weak,
            "mid": places.mid,
            **({"seen": [value and visible(value) for value in self.seen[error.id]]} if error.id in self.seen else {}),
        }

    def _excerpts(self, error: Error) -> tuple[list[Markup], list[Markup]]:
        """Return the lines of the error and what stands in their place once it is corrected, as highlighted HTML.

        What indents all of them is left out.
        """
        start, end, *_ = self._span(error)
        inner = int(error.quote.endswith("\n") and error.correction.endswith("\n"))
        right, language = self.assessment.corrected(error.id), self.assessment.language
        before, at = _stretch(self.assessment.code, start, end - inner)
        after, there = _stretch(right, start, start + len(error.correction) - inner)
        wrong = self.lines[at]
        alone = _alone(before, language) == wrong  # then the highlighter needs nothing around it
        mended = _alone(after, language) if alone else _lines(right, language)[there]
        written = [text for text in (*before, *after) if text.strip()]
        depth = len("".join(written[:1])) - len(dedent("\n".join(written)).partition("\n")[0])
        return _dedented(wrong, depth), _dedented(mended, depth)

    def _span(self, error: Error) -> Span:
        span = self.assessment.span(error)
        if span is None:
            raise ValueError(f"exercise {self.id}: error {error.id}: its quote does not stand in the code exactly once")
        return span


def in_words(test: str) -> str:
    """Return a test's name as a sentence has it: what Python calls a test has its blanks back."""
    name, bracket, case = test.partition("[")
    own = name.rpartition("::")[2]
    return f"{own[5:].replace('_', ' ')} {bracket}{case}".rstrip() if own.startswith("test_") else test


def segments(code: str, start: int, end: int) -> tuple[Segment, ...]:
    """Cut the characters `start` to `end` of the code into one piece for each line as it is shown."""
    text, first, last = visible(code), shown_at(code, start), shown_at(code, end)
    pieces, begin = [], 0
    final = text.count("\n", 0, last - text[first:last].endswith("\n"))
    for number, line in enumerate(text.split("\n")):
        if text.count("\n", 0, first) <= number <= final:
            columns = (min(max(at - begin, 0), len(line)) for at in (first, last))
            pieces.append(Segment(number + 1, *(_units(line[:column]) for column in columns)))
        begin += len(line) + 1
    return tuple(pieces)


def _stretch(code: str, start: int, end: int) -> tuple[list[str], slice]:
    """Return the shown lines that hold a stretch of code, and which they are."""
    first, last = (visible(code[:at]).count("\n") for at in (start, end))
    here = slice(first, last + 1)
    lines = visible(code).split("\n")
    return (lines if lines[-1] else lines[:-1])[here], here


def _alone(lines: list[str], language: str) -> list[Markup]:
    return code_lines("\n".join(lines), language) if lines else []


def _dedented(lines: list[Markup], depth: int) -> list[Markup]:
    return [Markup(_SPACE.sub("", html, count=depth)) if depth else html for html in lines]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _lines(code: str, language: str) -> list[Markup]:
    lines = code_lines(code, language)
    return lines if lines[-1] else lines[:-1]
