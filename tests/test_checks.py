"""What a schema cannot say: each check with answers that pass and answers that do not."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import answers
from errorspan.answers.outputs import (
    Assessment,
    Categories,
    Challenge,
    Error,
    ErrorCatalog,
    Implementation,
    Judgment,
)
from errorspan.answers.shape import Output
from errorspan.answers.verdicts import Failure, Verdict
from errorspan.authoring.topics import Topic
from errorspan.checks import answers as checks
from errorspan.checks import briefing, giveaways, tracing
from errorspan.checks import exercise as exercise_checks
from errorspan.checks.check import Undecided, faults
from errorspan.steps.table import STEPS
from errorspan.text import syntax

CHECKS = {
    name: check
    for module in (checks, exercise_checks, briefing)
    for name, check in inspect.getmembers(module, inspect.isfunction)
    if list(inspect.signature(check).parameters.values())[1:]
    and list(inspect.signature(check).parameters.values())[1].annotation == "Outputs"
}
CATALOG = ErrorCatalog.model_validate(answers.CATALOG)
MID, WEAK = Implementation.read(answers.MID), Implementation.read(answers.WEAK)
FAILURES = tuple(
    Failure(f"F{number}", seen["pattern"], "d", seen["quote"])
    for number, seen in enumerate(answers.judgment("A")["failures"], start=1)
)


def outputs(**more: Any) -> dict[str, Any]:
    """Return what the answers of the small topic were built on."""
    topic = Topic(id="words", path="topics/words.yml", title="Words", language="python")
    return {
        "topic": topic,
        "error_catalog": CATALOG,
        "challenge": challenge(),
        "mid_implementation": MID,
        "weak_implementation": WEAK,
        "order": "ab",
        "judgment": Verdict({}, FAILURES, None),
    } | more


def judgment_of(better: str, *, quotes: bool = True) -> Judgment:
    """Return what a judge says who prefers the mid-tier implementation under this label."""
    return Judgment.model_validate(answers.judgment(better, quotes=quotes))


def catalog(*names: str) -> ErrorCatalog:
    """Return a catalog of patterns with these names."""
    return ErrorCatalog.model_validate(
        {"patterns": [answers.CATALOG["patterns"][0] | {"name": name} for name in names]}
    )


def challenge(**more: Any) -> Challenge:
    """Return the small topic's challenge with some fields set otherwise."""
    return Challenge.model_validate(answers.CHALLENGE | more)


def judgment(pattern: str | None, kind: str = "failures") -> Judgment:
    """Return a judgment whose second strength or failure shows a pattern."""
    said = answers.judgment("A")
    said[kind] = [*said[kind][:1], {"pattern": pattern, "description": "d", "quote": "q"}]
    return Judgment.model_validate(said)


def judged(failures: int, **more: Any) -> Judgment:
    """Return a judgment with so many failures, and something set otherwise in all of them."""
    said = answers.judgment("A")
    return Judgment.model_validate(said | {"failures": [said["failures"][0] | more] * failures})


def named(told: str) -> Assessment:
    """Return an assessment of a program with names like code, of which a student is told."""
    code = f"by_name = byCount = 1\n{answers.CODE}"
    first = told.partition(" and ")[0]
    return assessment(code=code, scenario=told, promises=[told, "b", "c"], not_shown=first)


def long(lines: int) -> Assessment:
    """Return an assessment whose code has so many lines, and blank ones and comments beside."""
    return assessment(code=f"{answers.CODE}\n" + "x = 1\n\n# so\n" * (lines - 9))


def assessment(error: dict[str, Any] | None = None, /, **more: Any) -> Assessment:
    """Return the small topic's assessment with some fields, and some of its second error, set otherwise."""
    first, second, third = answers.ASSESSMENT["errors"]
    return Assessment.model_validate(answers.ASSESSMENT | {"errors": [first, second | (error or {}), third]} | more)


def swapped() -> Assessment:
    """Return an assessment whose errors are not in the order of the code."""
    first, second, third = answers.ASSESSMENT["errors"]
    return assessment(errors=[second | {"id": "1"}, first | {"id": "2"}, third])


def commented(comment: str, language: str = "python") -> Assessment:
    """Return an assessment with a comment in its code."""
    return assessment(code=f"{answers.CODE}{comment}\n", language=language)


def spoken(comment: str) -> str:
    """Return the docstring of a function, without the function."""
    return comment.partition("def f():\n")[2].strip() or comment


def categories(**more: Any) -> Categories:
    """Return the small topic's categories with some levels set otherwise."""
    return Categories.model_validate(answers.CATEGORIES | more)


def likely(*pairs: tuple[float, float]) -> ErrorCatalog:
    """Return a catalog of patterns with these likelihoods."""
    pattern = answers.CATALOG["patterns"][0]
    patterns = [
        pattern | {"name": str(place), "strong_avoids": strong, "weak_makes": weak}
        for place, (strong, weak) in enumerate(pairs)
    ]
    return ErrorCatalog.model_validate({"patterns": patterns})


def written(code: str, quote: str, language: str = "python") -> Assessment:
    """Return an assessment of other code, in which the second error has a quote that stands there."""
    return assessment({"quote": quote, "line": code[: code.index(quote)].count("\n") + 1}, code=code, language=language)


def looped() -> Assessment:
    """Return an assessment in which two corrections leave a loop without a body, and none does so alone."""
    code = "def f(xs):\n    for x in xs:\n        a(x)\n        b(x)\n    return xs\n"
    first, second, _ = answers.ASSESSMENT["errors"]
    errors = [
        first | {"quote": "        a(x)\n", "line": 3, "correction": ""},
        second | {"quote": "        b(x)\n", "line": 4, "correction": ""},
    ]
    return assessment(code=code, errors=errors)


class Case(NamedTuple):
    """A check, the answer, what it was built on, and what is said: nothing where it passes."""

    check: str
    why: str
    output: Output
    outputs: dict[str, Any]
    faults: list[str]


def case(check: str, why: str, output: Output, *faults: str, **built_on: Any) -> Case:
    """Describe a case in one line."""
    return Case(check, why, output, outputs(**built_on), list(faults))


QUOTED = catalog('Uses "==" where "is" is meant', *(f"Forgets lock {n}" for n in "bcd"))
PROGRAMS = {
    "bash": 'for f in *.txt; do\n  echo "$f"\ndone\n',
    "c": "int f(int x) { return x; }\n",
    "c#": "public int F(int x) { return x; }\n",
    "cpp": "template <class T> T f(T x) { return x; }\n",
    "go": "package a\n\nfunc f(x int) int { return x }\n",
    "java": "int f(int x) { return x; }\n",
    "jsx": "const a = <b>{c}</b>;\n",
    "php": "function f($x) { return $x; }\n",
    "py2": "print 'a'\n",
    "ruby": "def f(x) = x\n",
    "rust": "fn f(x: i32) -> i32 { x }\n",
    "ts": "const f = <T>(x: T): T => x;\n",
    "tsx": "const a: C = <b>{c}</b>;\n",
}
NO_CODE = "text: holds no fenced block of code"
NO_LANGUAGE = Topic(id="words", path="topics/words.yml", title="Words")
BEGINNERS = Topic(id="words", path="topics/words.yml", title="Words", level="beginner")
LONG = Topic(id="words", path="topics/words.yml", title="Words", level="beginner", lines="40-60")
INDENTED = "    return totals\n"
CASES = [
    case("names_are_unique", "four names", CATALOG),
    case("names_are_unique", "another case is another name", catalog("a", "A", "b", "c")),
    case("names_are_unique", "a name twice", catalog("a", "b", "a", "c"), "patterns.3.name: two are named 'a'"),
    case(
        "names_are_unique",
        "two names twice",
        catalog("b", "b", "a", "a"),
        "patterns.2.name: two are named 'b'",
        "patterns.4.name: two are named 'a'",
    ),
    case("language_is_the_topics", "the same", challenge()),
    case("language_is_the_topics", "another case", challenge(language="Python")),
    case("language_is_the_topics", "another name", challenge(language="py3")),
    case(
        "language_is_the_topics",
        "a made-up one",
        challenge(language="pseudo"),
        "language: the topic asks for 'python', not 'pseudo'",
    ),
    case("language_is_the_topics", "the topic has none", challenge(language="rust"), topic=NO_LANGUAGE),
    case(
        "language_is_the_topics",
        "another one",
        challenge(language="rust"),
        "language: the topic asks for 'python', not 'rust'",
    ),
    case("language_is_known", "of a challenge", challenge()),
    case("language_is_known", "of an assessment", assessment()),
    case("language_is_known", "under another name", challenge(language="c++")),
    case(
        "language_is_known",
        "a made-up one",
        challenge(language="python 3 with asyncio"),
        "language: 'python 3 with asyncio' is no language that the highlighter knows, such as 'python'",
    ),
    case(
        "language_is_known",
        "a made-up one of an assessment",
        assessment(language="pseudo"),
        "language: 'pseudo' is no language that the highlighter knows, such as 'python'",
    ),
    case("no_pattern_is_named", "none", challenge()),
    *(
        case(
            "no_pattern_is_named",
            f"in {field}",
            challenge(**{field: value}),
            f"{field}{'.4' if field == 'requirements' else ''}: gives the pattern {answers.FLOORS!r} away",
        )
        for field, value in {
            "title": answers.FLOORS,
            "question_text": f"Nobody {answers.FLOORS.lower()}.",
            "context": f"It {answers.FLOORS.upper()}!",
            "requirements": ["a", "b", "c", f"No code {answers.FLOORS}"],
            "success_criteria": f"\n{answers.FLOORS}\n",
        }.items()
    ),
    case("no_pattern_is_named", "a name with quotes", challenge(), error_catalog=QUOTED),
    case(
        "no_pattern_is_named",
        "a name with quotes is found",
        challenge(context='Nobody uses "==" where "is" is meant.'),
        'context: gives the pattern \'Uses "==" where "is" is meant\' away',
        error_catalog=QUOTED,
    ),
    case(
        "no_pattern_is_named",
        "a name of the shape's own words",
        challenge(),
        error_catalog=catalog('"title"', *(f"Forgets lock {n}" for n in "xyz")),
    ),
    case("patterns_are_in_the_catalog", "a failure of the catalog", judgment(answers.FLOORS)),
    case("patterns_are_in_the_catalog", "a failure of its own", judgment(None)),
    case("patterns_are_in_the_catalog", "a strength of the catalog", judgment(answers.FLOORS, "strengths")),
    case(
        "patterns_are_in_the_catalog",
        "a made-up failure",
        judgment("Floors"),
        "failures.2.pattern: 'Floors' is no name in the catalog; copy one, or give null",
    ),
    case(
        "patterns_are_in_the_catalog",
        "a made-up strength",
        judgment("null", "strengths"),
        "strengths.2.pattern: 'null' is no name in the catalog; copy one, or give null",
    ),
    case("ids_count_up", "1, 2, 3", assessment()),
    case("ids_count_up", "1, 3, 3", assessment({"id": "3"}), "errors: the ids are 1, 3, 3, not 1 to 3 in this order"),
    case("quotes_stand_in_the_code", "each once", assessment()),
    case(
        "quotes_stand_in_the_code",
        "on another line",
        assessment({"line": 1}),
        "errors.2.line: expected 9, where the quote stands (got 1); the quote decides",
    ),
    case("quotes_stand_in_the_code", "twice, once on its line", assessment({"quote": "totals", "line": 2})),
    case(
        "quotes_stand_in_the_code",
        "nowhere",
        assessment({"quote": "x"}),
        "errors.2.quote: stands 0 times in the code: 'x' does not; no line is like it",
    ),
    case(
        "quotes_stand_in_the_code",
        "too often",
        assessment({"quote": "return", "line": 3}),
        "errors.2.quote: stands 3 times in the code, on lines 5, 9, 13, and not once on line 3",
    ),
    case(
        "quotes_stand_in_the_code",
        "with an ellipsis",
        assessment({"quote": "def top(…"}),
        "errors.2.quote: stands 0 times in the code: 'def top(…' does not; nearest is line 8, 'def top(totals, n):'",
    ),
    case(
        "quotes_stand_in_the_code",
        "with other blanks",
        assessment({"quote": "def top(totals, n):\n        return sorted(totals)[:n]"}),
        "errors.2.quote: stands 0 times in the code: '        return sorted(totals)[:n]' does not; nearest is line 9, "
        "'    return sorted(totals)[:n]'",
    ),
    case(
        "quotes_stand_in_the_code",
        "without the lines between",
        assessment({"quote": "def top(totals, n):\ndef mean(values):"}),
        "errors.2.quote: stands 0 times in the code: each of its lines does, but not together; blanks and blank lines "
        "count",
    ),
    case("spans_are_apart", "in order", assessment()),
    case(
        "spans_are_apart",
        "side by side",
        assessment({"quote": "\n    return totals\n", "line": 4}),
    ),
    case(
        "spans_are_apart",
        "one within another",
        assessment({"quote": "[word] = 1", "line": 4}),
        "errors.2.quote: overlaps error 1, or stands before it",
    ),
    case(
        "spans_are_apart",
        "one over the end of another",
        assessment({"quote": "= 1\n    return totals", "line": 4}),
        "errors.2.quote: overlaps error 1, or stands before it",
    ),
    case(
        "spans_are_apart",
        "in another order",
        swapped(),
        "errors.2.quote: overlaps error 1, or stands before it",
    ),
    case("spans_are_apart", "what is nowhere is another check's", assessment({"quote": "nowhere"})),
    case("corrections_change_something", "each does", assessment()),
    case(
        "corrections_change_something",
        "indentation is something",
        assessment({"quote": INDENTED, "correction": INDENTED.replace("    ", "        ")}),
    ),
    case(
        "corrections_change_something",
        "the quote again",
        assessment({"correction": "return sorted(totals)[:n]"}),
        "errors.2.correction: is the quote again",
    ),
    case(
        "corrections_change_something",
        "the quote again, with blanks behind",
        assessment({"correction": "return sorted(totals)[:n]  \n"}),
        "errors.2.correction: is the quote again",
    ),
    case("errors_were_judged", "each was", assessment()),
    case(
        "errors_were_judged",
        "one was not",
        assessment({"failure": "F9"}),
        "errors.2.failure: F9 is none of the judged failures, which are F1, F2, F3",
    ),
    case(
        "errors_were_judged",
        "one shows another failure's line",
        assessment({"failure": "F3"}),
        "errors.2.failure: the quote of F3 holds no line of this error",
    ),
    case(
        "errors_were_judged",
        "one starts on a line of the quote",
        assessment({"quote": "return totals\n\n\ndef top(totals, n):\n    return sorted(totals)[:n]", "line": 5}),
    ),
    case(
        "errors_were_judged",
        "a line beside the quote",
        assessment({"quote": "def top(totals, n):", "line": 8}),
        "errors.2.failure: the quote of F2 holds no line of this error",
    ),
    case("errors_were_judged", "where it stands is another check's", assessment({"quote": "nowhere"})),
    case("errors_were_judged", "whose code it is is another check's", assessment(code=f"x = 0\n{answers.CODE}")),
    case("holds_code", "a block", WEAK),
    case("holds_code", "an empty block and one with code", Implementation.read("```\n```\n~~~py\nx = 1\n~~~\n")),
    case("holds_code", "words", Implementation.read("x = 1"), NO_CODE),
    case("holds_code", "code in words", Implementation.read("Try `x = 1`."), NO_CODE),
    case("holds_code", "an empty block", Implementation.read("```python\n\n \n```\n"), NO_CODE),
    case("code_is_the_weak_tiers", "all of it", assessment()),
    *(
        case("code_is_the_weak_tiers", why, assessment(code=code))
        for why, code in {
            "a function": "def top(totals, n):\n    return sorted(totals)[:n]\n",
            "two of three": answers.CODE.replace("def top(totals, n):\n    return sorted(totals)[:n]\n", ""),
            "lines left out": "def count(words):\n    for word in words:\n    return totals\n",
            "blank lines elsewhere": answers.CODE.replace("\n", "\n\n"),
            "blanks behind": answers.CODE.replace("\n", "  \n"),
            "from inside a block": "totals = {}\nfor word in words:\n    totals[word] = 1\n",
            "two blocks from different depths": "totals[word] = 1\nreturn totals\ndef top(totals, n):\n",
        }.items()
    ),
    *(
        case(
            "code_is_the_weak_tiers",
            why,
            assessment(code=code),
            f"code: line {line} ({told!r}) does not follow in the weak implementation, "
            "with this indentation, on the lines before it",
        )
        for why, code, line, told in [
            ("a planted line", f"{answers.CODE}x = 0\n", answers.CODE.count("\n") + 1, "x = 0"),
            ("a planted first line", f"import os\n\n{answers.CODE}", 1, "import os"),
            ("a line of the prose", f"Sure! This does it.\n{answers.CODE}", 1, "Sure! This does it."),
            ("the fence", f"{answers.CODE}```\n", answers.CODE.count("\n") + 1, "```"),
            ("another order", "    return totals\n    totals = {}\n", 2, "totals = {}"),
            ("a line twice", "def count(words):\ndef count(words):\n", 2, "def count(words):"),
            ("half a line", "def count(words):\n    totals =\n", 2, "totals ="),
            ("spacing within a line", "def count( words ):\n", 1, "def count( words ):"),
            ("a planted comment", "def count(words):  # counts\n", 1, "def count(words):  # counts"),
            ("deeper", "def count(words):\n        totals = {}\n", 2, "totals = {}"),
            (
                "out of its loop",
                answers.CODE.replace("        totals[word]", "    totals[word]"),
                4,
                "totals[word] = 1",
            ),
            ("into the loop", answers.CODE.replace("    return totals", "        return totals"), 5, "return totals"),
        ]
    ),
    case("no_hint_is_the_answer", "none is", assessment()),
    case("no_hint_is_the_answer", "numbers are no lines", assessment({"hint": "Try 3 words in the pipeline 2 times."})),
    case("no_hint_is_the_answer", "lines without numbers", assessment({"hint": "Look at the lines that sort."})),
    case("no_hint_is_the_answer", "a deletion", assessment({"correction": ""})),
    case("no_hint_is_the_answer", "a short correction", assessment({"correction": "+=", "hint": "Is it = or +=?"})),
    *(
        case("no_hint_is_the_answer", hint, assessment({"hint": hint}), f"errors.2.hint: names a line ({told!r})")
        for hint, told in [("See line 9.", "line 9"), ("Lines 8 and 9", "Lines 8"), ("On LINE 9?", "LINE 9")]
    ),
    *(
        case(
            "no_hint_is_the_answer",
            f"the correction, {why}",
            assessment({"correction": "sorted(totals, key=f)", "hint": hint}),
            "errors.2.hint: holds the correction",
        )
        for why, hint in {
            "as it is": "sorted(totals, key=f)",
            "as code": "Would `sorted(totals, key=f)` do?",
            "spaced": "Is it sorted( totals,key = f ) ?",
        }.items()
    ),
    case(
        "no_hint_is_the_answer",
        "both",
        assessment({"correction": "sorted(totals, key=f)", "hint": "On line 9: sorted(totals, key=f)"}),
        "errors.2.hint: names a line ('line 9')",
        "errors.2.hint: holds the correction",
    ),
    case("no_comment_gives_an_error_away", "no comment", assessment()),
    case("no_comment_gives_an_error_away", "a comment on the job", commented("# the weekly report")),
    case("no_comment_gives_an_error_away", "code is no comment", commented("bug = 'wrong'")),
    case("no_comment_gives_an_error_away", "part of a word", commented("# debugging, prefixes, incorrigible")),
    case("no_comment_gives_an_error_away", "work to do", commented("# todo: a corrected report")),
    case("no_comment_gives_an_error_away", "a text", commented('print("""wrong""")')),
    case("no_comment_gives_an_error_away", "a preprocessor's line", commented("#define BUG 1", "c")),
    case("no_comment_gives_an_error_away", "a docstring on the job", commented('def f():\n    """Report."""')),
    case("no_comment_gives_an_error_away", "an unknown language", commented("# BUG", "pseudo")),
    *(
        case("no_comment_gives_an_error_away", comment, commented(comment))
        for comment in [
            "# see bug #1669",
            "# https://bugs.example/7",
            "# a naive datetime",
            "# dir_fd should be a descriptor",
            'def f():\n    """Return 0 instead of raising."""',
            "# sorted",
        ]
    ),
    case(
        "no_comment_gives_an_error_away",
        "a correction",
        commented("# totals[word] = totals.get(word,0)+1"),
        "code: '# totals[word] = totals.get(word,0)+1' gives an answer away ('a correction')",
    ),
    *(
        case(
            "no_comment_gives_an_error_away",
            comment,
            commented(comment, language),
            f"code: {spoken(comment)!r} gives an answer away ({told!r})",
        )
        for comment, language, told in [
            ("# BUG: counts once", "python", "BUG"),
            ("# this is wrong", "python", "wrong"),
            ("# should be +=", "python", "should be"),
            ("# FIXME later", "python", "FIXME"),
            ("# naive", "python", "naive"),
            ("// race condition", "javascript", "race condition"),
            ("/* no\n   mistake */", "c", "mistake"),
            ("-- incorrect", "sql", "incorrect"),
            ('def f():\n    """Wrong for two."""', "python", "Wrong"),
            ('def f():\n    """One.\n\n    This should be a sum.\n    """', "python", "This should be"),
            ("/** A flawed mean. */", "java", "flawed"),
        ]
    ),
    case("minutes_are_plausible", "from 5 to 10", assessment()),
    case("minutes_are_plausible", "just 5", assessment(estimated_minutes=[5, 5])),
    case(
        "minutes_are_plausible",
        "from 10 to 5",
        assessment(estimated_minutes=[10, 5]),
        "estimated_minutes: 10 to 5 goes down",
    ),
    case(
        "minutes_are_plausible",
        "19 lines in one",
        assessment(code=answers.CODE + "x = 0\n" * 10, estimated_minutes=[1, 1]),
        "estimated_minutes: 19 lines take longer than 1 to read with care",
    ),
    case(
        "minutes_are_plausible",
        "a day",
        assessment(estimated_minutes=[5, 480]),
        "estimated_minutes: 480 is too long for one exercise; 90 is the most",
    ),
    case("subtopics_are_unique", "nine", categories()),
    case(
        "subtopics_are_unique",
        "one on two levels",
        categories(advanced=["a", "b", "splitting a  line into words"]),
        "advanced.3: 'splitting a line into words' is a subtopic twice",
    ),
    case("likelihoods_are_sane", "each of its own", CATALOG),
    case(
        "likelihoods_are_sane",
        "all alike",
        catalog(*"abcd"),
        "patterns: all have the same two likelihoods; estimate each on its own",
    ),
    case(
        "likelihoods_are_sane",
        "strong engineers make it as often",
        likely((0.9, 0.7), (0.8, 0.2), (0.3, 0.8), (0.5, 0.2)),
        "patterns.2.weak_makes: 0.2 is no more than the 0.2 that strong_avoids leaves to strong engineers",
        "patterns.4.weak_makes: 0.2 is no more than the 0.5 that strong_avoids leaves to strong engineers",
    ),
    case("no_pattern_is_hinted_at", "no hint", challenge()),
    case(
        "no_pattern_is_hinted_at",
        "two words of three",
        challenge(context="A count is never overwritten. It goes on."),
    ),
    case(
        "no_pattern_is_hinted_at",
        "the name in other words",
        challenge(context="It is weekly. No mean is floored by dividing integers with a division sign."),
        "context: 'No mean is floored by dividing integers with a division sign.' hints at the pattern "
        f"{answers.FLOORS!r}",
    ),
    case("no_pattern_is_hinted_at", "the name itself is another check's", challenge(context=answers.FLOORS)),
    case(
        "no_pattern_is_hinted_at",
        "a warning",
        challenge(success_criteria="Make sure that it counts correctly."),
        "success_criteria: 'Make sure' is a hint",
    ),
    case(
        "no_pattern_is_hinted_at",
        "a run of the explanation",
        challenge(title="See that no value is replaced where it should grow"),
        *(
            f"title: 'See that no value is replaced where it should grow' hints at the pattern {name!r}"
            for name in (answers.OVERWRITES, answers.ALPHABET, answers.FLOORS, answers.UNFOLDED)
        ),
    ),
    case("code_is_of_a_size", "9 lines, 3 of them wrong", assessment()),
    case("code_is_of_a_size", "150 lines", assessment(code=answers.CODE + "x = 0\n" * 141)),
    case(
        "code_is_of_a_size",
        "151 lines",
        assessment(code=answers.CODE + "x = 0\n" * 142),
        "code: has 151 lines that are not blank; 8 to 150 are an exercise",
    ),
    case(
        "code_is_of_a_size",
        "a line and blank ones",
        assessment(code="\n" * 20 + "totals[word] = 1"),
        "code: has 1 lines that are not blank; 8 to 150 are an exercise",
        "errors: their quotes cover 1 of 1 lines; a third is the most",
    ),
    case(
        "code_is_of_a_size",
        "half of it wrong",
        assessment({"quote": "    return totals\n\n\ndef top(totals, n):\n", "line": 5}),
        "errors: their quotes cover 6 of 9 lines; a third is the most",
    ),
    case("spans_hold_code", "each does", assessment()),
    case("spans_hold_code", "a comment behind code", written("x = 1  # one\n", "x = 1  # one")),
    case("spans_hold_code", "a comment within", written("x = 1\n# two\ny = 2\n", "x = 1\n# two\ny = 2\n")),
    case("spans_hold_code", "a text that looks like one", written('x = (\n"""\n# one\n"""\n)\n', "# one")),
    case("spans_hold_code", "what is nowhere is another check's", assessment({"quote": "nowhere"})),
    *(
        case(
            "spans_hold_code",
            why,
            written(code, quote, language),
            *(
                f"errors.2.quote: {edge} with a blank line, or one that holds nothing but a comment"
                for edge in edges.split()
            ),
        )
        for why, code, quote, language, edges in [
            ("a comment", "x = 1  # one\n", "# one", "python", "begins ends"),
            ("a blank line first", "x = 1\n\ny = 2\n", "\ny = 2", "python", "begins"),
            ("a blank line last", "x = 1\n\ny = 2\n", "x = 1\n\n", "python", "ends"),
            ("a comment first", "x = 1\n# two\ny = 2\n", "# two\ny = 2", "python", "begins"),
            ("inside a comment", "x = 1\n/* one\ntwo */", "one\ntwo", "c", "begins ends"),
        ]
    ),
    case("code_parses", "python", assessment()),
    *(case("code_parses", language, assessment(code=code, language=language)) for language, code in PROGRAMS.items()),
    case("code_parses", "an older python", assessment(code="print 'a'\n")),
    case("code_parses", "deeper as a whole", assessment(code="    def f(self):\n        return 1\n")),
    case("code_parses", "a method without its class", assessment(code="f(x) {\n  return x;\n}\n", language="js")),
    *(
        case(
            "code_parses",
            f"{language} that does not",
            assessment(code=code, language=language),
            f"code: does not parse as {language}, at line {line} ({told!r})",
        )
        for language, code, line, told in [
            ("python", "x = 1\ny = (1,\n", 2, "y = (1,"),
            ("python", "for x in y:\nprint(x)\n", 2, "print(x)"),
            ("python", "x = 1\n  y = 2\n", 2, "y = 2"),
            ("javascript", "let x = 1;\nlet y = ;\n", 2, "let y = ;"),
            ("go", "package a\nfunc f( {\n}\n", 2, "func f( {"),
        ]
    ),
    case("code_parses", "no grammar", assessment(language="sql"), "whether the code parses: no grammar for sql"),
    case(
        "code_parses",
        "too long",
        assessment(code="x = 1\n" * 9_000),
        "whether the code parses: longer than 50,000 characters",
    ),
    case(
        "code_parses",
        "a macro of c",
        assessment(code="BEGIN(x)\nint f(void) { return 1; }\nEND(x) }\n", language="c"),
        "code: does not parse as c, at line 2 ('int f(void) { return 1; }'); macros can be why",
    ),
    case("corrections_parse", "each does", assessment()),
    case("corrections_parse", "a deletion", assessment({"quote": "[:n]", "line": 9, "correction": ""})),
    case(
        "corrections_parse",
        "one does not",
        assessment({"correction": "return sorted(totals[:n]"}),
        "errors.2.correction: with it the code does not parse as python, at line 9",
    ),
    case(
        "corrections_parse",
        "one of another depth",
        assessment({"correction": "totals = sorted(totals)\n      return totals[:n]"}),
        "errors.2.correction: with it the code does not parse as python, at line 10",
    ),
    case(
        "corrections_parse",
        "both of a loop's lines are gone",
        looped(),
        "errors: with all corrections the code does not parse as python, at line 3",
    ),
    case(
        "corrections_parse",
        "no grammar",
        assessment(language="sql"),
        "whether the corrections parse: no grammar for sql",
    ),
    case(
        "corrections_parse",
        "broken before",
        assessment(code=f"{answers.CODE}(\n"),
        "whether the corrections parse: the code without them does not",
    ),
    case("errors_differ", "three", assessment()),
    case(
        "errors_differ",
        "one failure twice",
        assessment({"failure": "F1"}),
        "errors.2.failure: error 1 shows F1 already",
    ),
    case(
        "errors_differ",
        "one description twice",
        assessment({"description": "Gives a wrong number: each word was counted once."}),
        "errors.2.description: tells the same as that of error 1",
    ),
    case(
        "errors_differ",
        "one change twice",
        assessment({"quote": "totals[word] = 1", "correction": "totals[word] = totals.get(word, 0) + 1"}),
        "errors.2.correction: is the same change as that of error 1",
    ),
    case("no_name_gives_an_error_away", "plain ones", assessment()),
    *(
        case("no_name_gives_an_error_away", name, assessment(code=f"{name}\n"))
        for name in [
            "wrong_guesses = error_count + bug_report",
            "vulnerable = True",
            "def handle_error(bad_request): pass",
            "class BrokenPipeError(Exception): pass",
            "def is_wrong(x): pass",
            "print('buggy_mean')  # def buggy_mean",
        ]
    ),
    *(
        case(
            "no_name_gives_an_error_away",
            code,
            assessment(code=f"{code}\n", language=language),
            f"code: the name {name!r} gives an answer away ({told!r}); leave out what it names",
        )
        for code, language, name, told in [
            ("x = buggy_mean(1) + buggy_mean(2)", "python", "buggy_mean", "buggy"),
            ("def mean_wrong(x): pass", "python", "mean_wrong", "wrong"),
            ("class NaiveCache: pass", "python", "NaiveCache", "naive"),
            ("function brokenSum(x) { return x; }", "javascript", "brokenSum", "broken"),
            ("const q = vulnerableQuery;", "typescript", "vulnerableQuery", "vulnerable"),
        ]
    ),
    case("nothing_tells_how_many", "nothing does", assessment()),
    case("nothing_tells_how_many", "other numbers", assessment(scenario="Two colleagues wrote 40 lines.")),
    *(
        case("nothing_tells_how_many", text, assessment(scenario=text), f"scenario: tells too much ({told!r})")
        for text, told in [
            ("Find the three errors.", "three errors"),
            ("There are 2 subtle logic bugs in it.", "2 subtle logic bugs"),
            ("Look at line 4.", "line 4"),
        ]
    ),
    case(
        "nothing_tells_how_many",
        "in what is promised",
        assessment(promises=["`mean` has two bugs."]),
        "promises.1: tells too much ('two bugs')",
    ),
    *(
        case("quotes_are_of_what_they_tell", why, judgment_of(better, quotes=quotes), order=order)
        for why, better, quotes, order in [
            ("the mid-tier first", "A", True, "ab"),
            ("the weak one first", "B", True, "ba"),
            ("quotes that stand nowhere", "B", False, "ab"),
        ]
    ),
    *(
        case(
            "quotes_are_of_what_they_tell",
            f"the other order, {order}",
            judgment_of(better),
            f"better: is {better}, but none of the quotes stands where it should, and 4 in the other implementation; A "
            "and B are taken for each other, or this answers the judgment in the other order",
            order=order,
        )
        for better, order in [("B", "ab"), ("A", "ba")]
    ),
    case("failures_are_few", "eight", judged(8)),
    case(
        "failures_are_few",
        "nine",
        judged(9),
        "failures: has 9; 8 are the most, the gravest; one cause is one failure",
    ),
    *(
        case("what_settles_is_told", why, judged(1, settled_by=by, settles=words))
        for why, by, words in [
            ("a requirement", "requirement", answers.CHALLENGE["requirements"][1]),
            ("part of one, between quotation marks", "requirement", "“The n most  frequent words”"),
            ("the interface", "interface", "`top(totals, n)`"),
            ("the craft", "craft", "Counts are summed."),
        ]
    ),
    case(
        "what_settles_is_told",
        "no word of the challenge",
        judged(1, settled_by="requirement", settles="Every word counts."),
        "failures.1.settles: 'Every word counts.' does not stand in the challenge; copy its words, name a rule of the "
        "craft (settled_by: craft), or leave out what nothing settles",
    ),
    case("code_is_no_longer_than_asked", "short", assessment()),
    *(
        case("code_is_no_longer_than_asked", f"{lines} lines and comments", long(lines), *faults, topic=BEGINNERS)
        for lines, faults in [
            (50, []),
            (51, ["code: has 51 lines that are neither blank nor comments; 40 are the most; leave functions out"]),
        ]
    ),
    case("code_is_no_longer_than_asked", "as the topic says", long(75), topic=LONG),
    case("errors_stand_in_one_place", "all", assessment()),
    case(
        "errors_stand_in_one_place",
        "none that does",
        assessment(),
        "errors.2.failure: no single stretch mends F2; make no error of it",
        judgment=Verdict({}, (FAILURES[0], FAILURES[1]._replace(local=False), FAILURES[2]), None),
    ),
    case("scenario_is_short", "60 words", assessment(scenario="word " * 60)),
    case(
        "scenario_is_short",
        "61 words",
        assessment(scenario="word " * 61),
        "scenario: has 61 words; 60 are the most, what the code promises goes into promises",
    ),
    case("promises_are_short", "three", assessment()),
    case(
        "promises_are_short",
        "two, and a long one",
        assessment(promises=["short", "word " * 41]),
        "promises: has 2 statements; 3 to 8 are wanted",
        "promises.2: has 41 words; 40 are the most",
    ),
    case("names_are_set_as_code", "plain words", assessment(scenario="It tells the mean and the top.")),
    case("names_are_set_as_code", "as code", named("`by_name` and `byCount` and ``x by_name``")),
    case("names_are_set_as_code", "other names", named("the `mean` of snake_case and camelCase")),
    case(
        "names_are_set_as_code",
        "in plain words",
        named("by_name and byCount()"),
        "scenario: byCount, by_name must stand between backticks, as code",
        "not_shown: by_name must stand between backticks, as code",
        "promises.1: byCount, by_name must stand between backticks, as code",
    ),
    case("sound_places_stand_apart", "one", assessment()),
    case("sound_places_stand_apart", "none", assessment(sound=[])),
    case(
        "sound_places_stand_apart",
        "nowhere",
        assessment(sound=[{"quote": "nowhere", "line": 1, "reason": "r"}]),
        "sound.1.quote: stands 0 times in the code: 'nowhere' does not; no line is like it",
    ),
    case(
        "sound_places_stand_apart",
        "on an error's line",
        assessment(sound=[{"quote": "sorted(totals)", "line": 9, "reason": "r"}]),
        "sound.1.quote: shares a line with error 2",
    ),
]


@pytest.mark.parametrize("told", CASES, ids=[f"{told.check}: {told.why}" for told in CASES])
def test_a_check(told: Case) -> None:
    assert list(CHECKS[told.check](told.output, told.outputs)) == told.faults


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_is_shown_to_pass_and_to_fail(name: str) -> None:
    assert {bool(told.faults) for told in CASES if told.check == name} == {True, False}


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_says_on_a_page_what_holds(name: str) -> None:
    told = CHECKS[name].__doc__ or ""
    line, _, rest = told.partition("\n")
    assert line.endswith(".")
    assert not rest or rest.startswith("\n")
    assert line[0].isupper()


def test_every_check_is_made_by_a_step() -> None:
    assert {check for step in STEPS for check in step.asked()} == set(CHECKS.values())


@pytest.mark.parametrize("step", [step for step in STEPS if step.checks], ids=lambda step: step.name)
def test_a_step_makes_checks_of_its_own_output(step: Any) -> None:
    for check in step.asked():
        wanted = next(iter(inspect.signature(check, eval_str=True).parameters.values())).annotation
        assert issubclass(step.output, wanted)


def test_the_small_topic_passes_every_check() -> None:
    good = {
        "categories": Categories.model_validate(answers.CATEGORIES),
        "error_catalog": CATALOG,
        "challenge": challenge(),
        "mid_implementation": Implementation.read(answers.MID),
        "weak_implementation": WEAK,
        "judgment": Judgment.model_validate(answers.judgment("A")),
        "assessment": assessment(),
    }
    for step in STEPS:
        for check in step.asked():
            assert list(check(good[step.name], outputs())) == [], check


# Where a line was written

METHODS = Implementation.read("""\
A class.

```python
class Report:
    def one(self):
        value = self.items[0]  # the first
        return value

    def two(self):
        value = self.items[1]
        return value
```

And how to use it:

~~~python
report = Report()
return value
~~~
""")


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("", {}),
        ("class Report:\n    def one(self):", {1: 4, 2: 5}),
        ("def two(self):\n    value = self.items[1]\n    return value\n", {1: 9, 2: 10, 3: 11}),
        ("\n\ndef two(self):\n\n    return value\n", {3: 9, 5: 11}),
        ("    def two(self):\n        return value\n", {1: 9, 2: 11}),
        ("  def two(self):\n      return value\n", {1: 9, 2: 11}),
        ("return value\nreturn value\nreturn value\n", {1: 7, 2: 11, 3: 18}),
        ("    return value\ndef two(self):\n    return value\n", {1: 7, 2: 9, 3: 11}),
        ("class Report:\n    def one(self):\nreport = Report()\n", {1: 4, 2: 5, 3: 17}),
        ("value = self.items[0]\n", {1: 6}),
        ("value = self.items[0]  # the first\n", {1: 6}),
        ("value = self.items[0]  # the last\n", {}),
        ("A class.\n", {}),
        ("class Report:\nplanted()\n    def one(self):", {1: 4}),
        ("def one(self):\n        return value\n", {1: 5}),
        ("    class Report:\n", {}),
    ],
)
def test_a_line_is_found_where_the_weak_tier_wrote_it(code: str, lines: dict[int, int]) -> None:
    assert tracing.traced(code, METHODS) == lines


def test_an_early_dead_end_is_no_end() -> None:
    """A line that stands at two depths is taken at the one that the lines behind it need."""
    weak = Implementation.read("```\n        go()\n    go()\n    stop()\n```")
    assert tracing.traced("  go()\n  stop()\n", weak) == {1: 3, 2: 4}


@pytest.mark.parametrize(
    ("code", "lines"), [("go()\nstop()\n", {1: 3, 2: 5}), ("go()\nwait()\nstop()\n", {1: 2, 2: 4, 3: 5})]
)
def test_lines_as_they_stand_count_before_those_whose_comments_are_gone(code: str, lines: dict[int, int]) -> None:
    weak = Implementation.read("```python\ngo()  # at once\ngo()\nwait()  # for it\nstop()\n```\n")
    assert tracing.traced(code, weak) == lines


def test_lines_are_counted_as_pages_count_them() -> None:
    odd = Implementation.read("```\na\u2028b\x85c\r\nd\n```\n")
    assert tracing.traced("d", odd) == {1: 3}


@pytest.mark.parametrize(("excerpt", "whole"), [("def run():\n    for one in all_of_them:\n", 2), ("", 1)])
def test_a_line_does_not_leave_what_encloses_it(excerpt: str, whole: int) -> None:
    weak = Implementation.read(
        "```python\ndef run():\n    for one in all_of_them:\n        keep(one)\n        drop(one)\n```\n"
    )
    placed = tracing.traced(f"{excerpt}drop(one)\n", weak)
    assert len(placed) == whole


def test_an_excerpt_of_a_long_program_is_traced_in_no_time() -> None:
    lines = [f"{'    ' * (n % 9)}step({n % 7})" for n in range(600)]
    weak = Implementation.read("\n".join(["```", *lines, "```"]))
    assert len(tracing.traced("\n".join(lines), weak)) == 600


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("return total // count", "return total"),
        ("return n % 10", "return n"),
        ("x = y --z", "x = y"),
    ],
)
def test_half_a_computation_is_no_line_without_its_comment(written: str, code: str) -> None:
    weak = Implementation.read(f"```python\n{written}\n```\n")
    assert not tracing.traced(code, weak)


def test_a_line_that_was_written_twice_may_be_quoted_where_it_stands_again() -> None:
    """The judge quotes a line; the excerpt holds the second of two places where it stands."""
    line = "return items[0].name"
    weak = Implementation.read(f"```python\ndef a():\n    {line}\n\n\ndef b():\n    {line}\n```\n")
    errors = [answers.ASSESSMENT["errors"][0] | {"quote": line, "line": 2}] * 2
    second = assessment(code=f"def b():\n    {line}\n", errors=errors)
    verdict = Verdict({}, (Failure("F1", None, "d", line),), None)
    assert not list(exercise_checks.errors_were_judged(second, outputs(weak_implementation=weak, judgment=verdict)))


@pytest.mark.parametrize("name", syntax.GRAMMARS)
def test_every_grammar_is_one_of_a_lexer_and_takes_a_program(name: str) -> None:
    language = next(language for language in [*PROGRAMS, "python", "javascript"] if syntax.lexer(language) == name)
    code = PROGRAMS.get(language, "x = 1\n")
    assert syntax.unknown(code, language) is None
    assert syntax.broken(code, language) is None
    assert syntax.broken(f"{code}\n)(", language)


def test_what_cannot_be_told_is_neither_a_fault_nor_a_pass() -> None:
    said = list(exercise_checks.code_parses(assessment(language="sql"), {}))
    assert [type(sentence) for sentence in said] == [Undecided]
    assert faults(said) == ()
    assert faults([*said, "a fault"]) == ("a fault",)


HOSTILE = st.one_of(
    st.text(st.characters(exclude_characters="\r"), max_size=300),  # outputs read it as the end of a line
    st.sampled_from(
        ["(", "[", "{", "{}", "if x:\n ", '"', "`${", "/*", "#\n", "a<", "lambda:", "\x00", "é\u2028", "<?"]
    ).map(lambda part: part * 1_000),
    st.sampled_from(["()", "{}", "[]"]).map(lambda pair: pair[0] * 2_000 + pair[1] * 2_000),
)


@pytest.mark.heavy
@given(
    code=HOSTILE, quote=st.text(max_size=20), language=st.sampled_from([*PROGRAMS, "python", "javascript", "sql", "x"])
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_check_raises_at_hostile_text(code: str, quote: str, language: str) -> None:
    good = answers.ASSESSMENT["errors"]
    errors = [
        error | {"quote": part, "correction": code, "description": code}
        for error, part in zip(good, (quote, code[:9], code[-9:]), strict=True)
    ]
    hostile = Assessment.model_construct(
        **answers.ASSESSMENT
        | {
            "code": code,
            "title": code,
            "language": language,
            "errors": [Error.model_construct(**error) for error in errors],
        }
    )
    told = Challenge.model_construct(**answers.CHALLENGE | {"context": code, "title": quote})
    for step in STEPS:
        for check in step.checks:
            if step.output in (Assessment, Challenge):
                assert all(
                    isinstance(said, str) for said in check(hostile if step.output is Assessment else told, outputs())
                )


@given(st.text(), st.text())
def test_likeness_is_a_share(one: str, other: str) -> None:
    assert 0 <= giveaways.alike(one, other) <= 1
    assert giveaways.alike(one, one) == 1
    assert giveaways.alike(one, other) == giveaways.alike(other, one)


@pytest.mark.heavy
def test_pythons_own_names_give_nothing_away() -> None:
    """A false alarm would keep an exercise from being published, and no author could mend it."""
    modules = sorted(Path(inspect.getfile(ast)).parent.glob("[a-m]*.py"))
    nodes = [node for module in modules for node in ast.walk(ast.parse(module.read_bytes()))]
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    used = {node.id for node in nodes if isinstance(node, ast.Name)} - defined
    assert min(len(defined), len(used)) > 1_000
    assert [name for name in sorted(defined) if giveaways.told_by_name(name, defined=True)] == []
    assert [name for name in sorted(used) if giveaways.told_by_name(name, defined=False)] == []
