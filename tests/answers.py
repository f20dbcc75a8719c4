"""What a well-behaved model says of a small topic, step by step."""

from __future__ import annotations

from typing import Any

MID = """Here is the report.

```python
def count(words):
    totals = {}
    for word in words:
        totals[word] = totals.get(word, 0) + 1
    return totals


def top(totals, n):
    return sorted(totals, key=totals.get, reverse=True)[:n]


def mean(values):
    return sum(values) / len(values)
```

It reads the words once.
"""
WEAK = """Sure! This does it.

```python
def count(words):
    totals = {}
    for word in words:
        totals[word] = 1
    return totals


def top(totals, n):
    return sorted(totals)[:n]


def mean(values):
    return sum(values) // len(values)
```"""
CODE = WEAK.split("```python\n")[1].partition("```")[0]

CATEGORIES = {
    "beginner": ["Counting with a dictionary", "Splitting a line into words", "Reading a file by lines"],
    "intermediate": ["Sorting by a computed key", "Means and medians of counts", "Folding case before counting"],
    "advanced": ["Counting in one pass over a stream", "Top k without a full sort", "Counting over several processes"],
}


def _pattern(name: str, weak_makes: float = 0.7) -> dict[str, Any]:
    return {
        "name": name,
        "why_wrong": "The value is replaced where it should grow.",
        "impact": "Every word is reported once.",
        "severity": "high",
        "strong_avoids": 0.9,
        "weak_makes": weak_makes,
    }


OVERWRITES, ALPHABET, FLOORS, UNFOLDED = (
    "Overwrites a running count",
    "Sorts by the name in place of the count",
    "Floors a mean with integer division",
    "Counts the same word twice for its case",
)
CATALOG = {
    "patterns": [_pattern(OVERWRITES), _pattern(ALPHABET, 0.6), _pattern(FLOORS, 0.5), _pattern(UNFOLDED, 0.8)],
}
CHALLENGE = {
    "title": "Report the most frequent search words",
    "question_text": "Write `count(words)`, `top(totals, n)` and `mean(values)` for the weekly report.",
    "context": "A library wants to know what its readers search for: 40,000 searches a week.",
    "requirements": [
        "`count` returns how often each word occurs",
        "`top` returns the n most frequent words, the most frequent first",
        "`mean` returns the mean of a list of counts",
        "An empty list of words gives an empty report",
    ],
    "success_criteria": "The report of last week matches the one that was made by hand.",
    "language": "python",
}
_RUBRIC = {
    name: {"score": 4, "reason": "The difference shows in three lines."}
    for name in (
        "conceptual_depth",
        "subtlety",
        "production_impact",
        "expert_differentiation",
        "educational_value",
        "realistic_context",
    )
}


def judgment(  # noqa: PLR0913 - all that a judge may say otherwise
    better: str,
    *,
    achieved: bool = True,
    score: int = 8,
    quotes: bool = True,
    not_attempted: bool = False,
    lone: bool = False,
    prefers_weak: bool = False,
) -> dict[str, Any]:
    """Return what a judge says that saw the weak implementation under the other label; a `lone` failure is grave."""
    failures = [
        (OVERWRITES, "totals[word] = 1"),
        (ALPHABET, "return sorted(totals)[:n]"),
        (FLOORS, "return sum(values) // len(values)"),
    ][: 1 if lone else None]
    strength = "totals[word] = totals.get(word, 0) + 1"
    if prefers_weak:
        failures, strength = [(pattern, strength) for pattern, _ in failures], failures[0][1]
    return {
        "better": better,
        "differentiation_achieved": achieved,
        "not_attempted": ["AB".replace(better, "")] if not_attempted else [],
        "quality_score": score,
        "analysis": [f"{better} counts; the other one does not."],
        "strengths": [{"pattern": OVERWRITES, "description": "Counts up.", "quote": strength}],
        "failures": [
            {
                "pattern": pattern,
                "description": "Gives wrong numbers.",
                "quote": quote if quotes else f"{quote}  # sic",
                "severity": "high" if lone else "medium",
                "settled_by": "requirement",
                "settles": settles,
                "local": True,
            }
            for (pattern, quote), settles in zip(failures, CHALLENGE["requirements"], strict=False)
        ],
        "keep": "Every requirement can be checked by hand.",
        "rubric": _RUBRIC,
    }


def _error(number: int, quote: str, correction: str, description: str) -> dict[str, Any]:
    return {
        "id": str(number),
        "quote": quote,
        "line": CODE[: CODE.index(quote)].count("\n") + 1,
        "failure": f"F{number}",
        "description": f"Gives a wrong number ({number}). {description}",
        "correction": correction,
        "hint": f"What comes out for two equal words? ({number})",
        "severity": "high",
        "concept": f"Counting idea {number}",
        "learning_value": "Try it with an input of two.",
    }


ASSESSMENT = {
    "no_exercise": "",
    "title": "Find what is wrong with the word report",
    "learning_objective": "Read counting code for what it computes.",
    "scenario": "You review the weekly report of a library.",
    "promises": [
        "`count` returns how often each word occurs.",
        "`top` returns the most frequent words, the most frequent first.",
        "`mean` returns the mean of some counts.",
    ],
    "not_shown": "",
    "language": "python",
    "code": CODE,
    "errors": [
        _error(1, "totals[word] = 1", "totals[word] = totals.get(word, 0) + 1", "Each word is counted once."),
        _error(
            2,
            "return sorted(totals)[:n]",
            "return sorted(totals, key=totals.get, reverse=True)[:n]",
            "What comes first by name leads.",
        ),
        _error(3, "sum(values) // len(values)", "sum(values) / len(values)", "The mean of 1 and 2 is said to be 1."),
    ],
    "sound": [{"quote": "totals = {}", "line": 2, "reason": "It looks as if it were shared; each call makes its own."}],
    "estimated_minutes": [5, 10],
}


def finding(quote: str, said: str = "Gives a wrong number.") -> dict[str, Any]:
    """Return what a solver reports of a stretch of the exercise's code."""
    return {"quote": quote, "line": CODE[: CODE.index(quote)].count("\n") + 1, "description": said}


def solution(*quotes: str) -> dict[str, Any]:
    """Return what a solver says that reports these stretches."""
    return {"findings": [finding(quote) for quote in quotes]}


ERRORS = tuple(error["quote"] for error in ASSESSMENT["errors"])
GIVEN: dict[str, Any] = {
    "mid_implementation": MID,
    "weak_implementation": WEAK,
    "blind_solve": solution(*ERRORS),
    "categories": CATEGORIES,
    "error_catalog": CATALOG,
    "challenge": CHALLENGE,
    "assessment": ASSESSMENT,
}


def _lone(text: str) -> str:
    for error in ASSESSMENT["errors"][1:]:
        text = text.replace(error["quote"], error["correction"])
    return text


LONE = GIVEN | {
    "weak_implementation": _lone(WEAK),
    "assessment": {**ASSESSMENT, "code": _lone(CODE), "errors": ASSESSMENT["errors"][:1]},
}
"""Where the weak implementation makes the first mistake alone: its key is tried in a third of the time."""
