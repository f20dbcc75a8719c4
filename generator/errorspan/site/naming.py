"""What a student names an error among: its own mistake, and others that it is not, in an order that tells nothing.

A mistake that the catalog knows is called by the catalog's name, and stands among the likeliest others. Models make
others too: those are called by how the judge said that they came about, beside failures that are not in the exercise.
What a reviewer added shows no judged failure, and is called by how the reviewer says that it came about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from errorspan.answers.outputs import Error
from errorspan.answers.verdicts import Failure

OTHERS = 3
LONGEST = 120
TELLING = 6
"""Letters of a line that two quotes may share without being of the same place: a brace, an `else:`."""

_CLAUSE_END = re.compile(r"[;:]\s")
_SENTENCE_END = re.compile(r"(?<=[\w`)\"”][.!?])(?<!e\.g\.)(?<!i\.e\.)(?<! vs\.)(?<! cf\.)\s+")


class Naming(NamedTuple):
    """The right name of an error's mistake, and all that a student chooses among; nothing where there is no other."""

    right: str | None
    choices: tuple[str, ...] = ()


def of(error: Error, errors: Sequence[Error], failures: Sequence[Failure], patterns: Sequence[str]) -> Naming:
    """Return what an error is named among; `patterns`: the catalog's names, the likeliest mistakes first."""
    failure = next((failure for failure in failures if failure.id == error.failure), None)
    here = {one.pattern for one in failures if _meet(one.quote, error.quote) or one is failure}
    if failure and failure.pattern:
        right = failure.pattern
        others = [name for name in patterns if name not in here]
    else:
        right = mechanism(failure.description if failure else error.description)
        shown = {one.failure for one in errors}  # to name those would tell what else is to be found
        apart = [one for one in failures if one.id not in shown and not _meet(one.quote, error.quote)]
        made = {one.pattern for one in failures}
        told = [mechanism(one.description) for one in apart if not one.pattern]
        known = [name for name in patterns if name not in made]
        others = [*told[: OTHERS - 1], *known, *told[OTHERS - 1 :]]
    among = [name for name in dict.fromkeys(others) if name != right][:OTHERS]
    return Naming(right, tuple(sorted((right, *among), key=str.casefold)) if among else ())


def mechanism(description: str) -> str:
    """Return in a short sentence how a failure came about: the first, or as many of its clauses as are short."""
    first = _SENTENCE_END.split(description.strip(), maxsplit=1)[0].replace("`", "").replace("**", "")
    sentence = " ".join(first.split()).rstrip(".")
    if len(sentence) <= LONGEST:
        return sentence
    ends = [found.start() for found in _CLAUSE_END.finditer(sentence, LONGEST // 3, LONGEST)]
    if ends:
        return sentence[: ends[-1]].rstrip()
    return f"{sentence[: LONGEST - 1].rpartition(' ')[0] or sentence[: LONGEST - 1]}…"


def _meet(one: str, other: str) -> bool:
    """Tell whether two quotes are of the same place: they share a line that tells something."""
    lines, others = (
        [line for line in map(str.strip, text.splitlines()) if len(line) >= TELLING] for text in (one, other)
    )
    return any(line in whole or whole in line for line in lines for whole in others)
