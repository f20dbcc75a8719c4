"""What a schema cannot say: each check with answers that pass and answers that do not."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import answers
import pytest

from generator import checks
from generator.outputs import Assessment, Challenge, ErrorCatalog, Implementation, Judgment, Output
from generator.steps import STEPS
from generator.topics import Topic
from generator.verdicts import Failure, Verdict

CHECKS = {
    name: check
    for name, check in inspect.getmembers(checks, inspect.isfunction)
    if list(inspect.signature(check).parameters.values())[1:]
    and list(inspect.signature(check).parameters.values())[1].annotation == "Outputs"
}
CATALOG = ErrorCatalog.model_validate(answers.CATALOG)
WEAK = Implementation.read(answers.WEAK)
FAILURES = tuple(Failure(f"F{n}", None, "d", "q") for n in (1, 2, 3))


def outputs(**more: Any) -> dict[str, Any]:
    """Return what the answers of the small topic were built on."""
    topic = Topic(id="words", path="topics/words.yml", title="Words", language="python")
    return {
        "topic": topic,
        "error_catalog": CATALOG,
        "weak_implementation": WEAK,
        "judgment": Verdict({}, FAILURES, None),
    } | more


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
NO_LANGUAGE = Topic(id="words", path="topics/words.yml", title="Words")
INDENTED = "    return totals\n"
CASES = [
    case("names_are_unique", "four names", CATALOG),
    case("names_are_unique", "another case is another name", catalog("a", "A", "b", "c")),
    case("names_are_unique", "a name twice", catalog("a", "b", "a", "c"), "patterns: two are named 'a'"),
    case(
        "names_are_unique",
        "two names twice",
        catalog("b", "b", "a", "a"),
        "patterns: two are named 'a'",
        "patterns: two are named 'b'",
    ),
    case("language_is_the_topics", "the same", challenge()),
    case("language_is_the_topics", "another case", challenge(language="Python")),
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
        "language: 'python 3 with asyncio' is no language that the highlighter knows",
    ),
    case(
        "language_is_known",
        "a made-up one of an assessment",
        assessment(language="pseudo"),
        "language: 'pseudo' is no language that the highlighter knows",
    ),
    case("no_pattern_is_named", "none", challenge()),
    *(
        case(
            "no_pattern_is_named",
            f"in {field}",
            challenge(**{field: value}),
            f"the challenge gives the pattern {answers.FLOORS!r} away",
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
        'the challenge gives the pattern \'Uses "==" where "is" is meant\' away',
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
        "failures.1.pattern: 'Floors' is no name in the catalog; copy one, or give null",
    ),
    case(
        "patterns_are_in_the_catalog",
        "a made-up strength",
        judgment("null", "strengths"),
        "strengths.1.pattern: 'null' is no name in the catalog; copy one, or give null",
    ),
    case("ids_count_up", "1, 2, 3", assessment()),
    case("ids_count_up", "1, 3, 3", assessment({"id": "3"}), "errors: the ids are 1, 3, 3, not 1 to 3 in this order"),
    case("quotes_stand_in_the_code", "each once", assessment()),
    case("quotes_stand_in_the_code", "on another line", assessment({"line": 1})),
    case("quotes_stand_in_the_code", "twice, once on its line", assessment({"quote": "totals", "line": 2})),
    case(
        "quotes_stand_in_the_code",
        "nowhere",
        assessment({"quote": "x"}),
        "errors.2.quote: stands 0 times in the code, and not once on line 9",
    ),
    case(
        "quotes_stand_in_the_code",
        "too often",
        assessment({"quote": "return", "line": 3}),
        "errors.2.quote: stands 3 times in the code, and not once on line 3",
    ),
    case(
        "quotes_stand_in_the_code",
        "with an ellipsis",
        assessment({"quote": "def top(…"}),
        "errors.2.quote: stands 0 times in the code, and not once on line 9",
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
        "errors.2.failure: F9 is none of the judged failures",
    ),
    case("errors_were_made", "each was", assessment()),
    case("errors_were_made", "spacing aside", assessment({"quote": "return  sorted( totals )[:n]\n\n"})),
    case("errors_were_made", "over two lines", assessment({"quote": "totals[word] = 1\n return totals"})),
    case(
        "errors_were_made",
        "a planted line",
        assessment({"quote": "return totals\nreturn sorted(n)"}),
        "errors.2.quote: 'return sorted(n)' stands nowhere in the weak implementation",
    ),
    case("no_comment_gives_an_error_away", "no comment", assessment()),
    case("no_comment_gives_an_error_away", "a comment on the job", commented("# the weekly report")),
    case("no_comment_gives_an_error_away", "code is no comment", commented("bug = 'wrong'")),
    case("no_comment_gives_an_error_away", "part of a word", commented("# debugging, prefixes, incorrigible")),
    case("no_comment_gives_an_error_away", "an unknown language", commented("# BUG", "pseudo")),
    *(
        case(
            "no_comment_gives_an_error_away",
            comment,
            commented(comment, language),
            f"code: the comment {comment!r} gives an answer away ({told!r})",
        )
        for comment, language, told in [
            ("# BUG: counts once", "python", "BUG"),
            ("# this is wrong", "python", "wrong"),
            ("# should be +=", "python", "should be"),
            ("# FIXME later", "python", "FIXME"),
            ("# todo", "python", "todo"),
            ("# naive", "python", "naive"),
            ("// race condition", "javascript", "race condition"),
            ("/* no\n   mistake */", "c", "mistake"),
            ("-- incorrect", "sql", "incorrect"),
        ]
    ),
    case("minutes_go_up", "from 5 to 10", assessment()),
    case("minutes_go_up", "just 5", assessment(estimated_minutes=[5, 5])),
    case(
        "minutes_go_up", "from 10 to 5", assessment(estimated_minutes=[10, 5]), "estimated_minutes: 10 to 5 goes down"
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
    assert told.endswith(".")
    assert "\n" not in told
    assert told[0].isupper()


def test_every_check_is_made_by_a_step() -> None:
    assert {check for step in STEPS for check in step.checks} == set(CHECKS.values())


@pytest.mark.parametrize("step", [step for step in STEPS if step.checks], ids=lambda step: step.name)
def test_a_step_makes_checks_of_its_own_output(step: Any) -> None:
    for check in step.checks:
        wanted = next(iter(inspect.signature(check, eval_str=True).parameters.values())).annotation
        assert issubclass(step.output, wanted)


def test_the_small_topic_passes_every_check() -> None:
    good = {
        "error_catalog": CATALOG,
        "challenge": challenge(),
        "judgment": Judgment.model_validate(answers.judgment("A")),
        "assessment": assessment(),
    }
    for step in STEPS:
        for check in step.checks:
            assert list(check(good[step.name], outputs())) == [], check


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("totals[word] = 1", 7),
        ("  totals [word]=1 ", 7),
        ("return sorted(totals)[:n]", 12),
        ("Sure!", 1),
        ("totals[word] = 2", None),
    ],
)
def test_a_line_is_found_where_the_weak_tier_wrote_it(line: str, number: int | None) -> None:
    assert checks.made_on_line(line, WEAK) == number


def test_lines_are_counted_as_pages_count_them() -> None:
    odd = Implementation.read("a\u2028b\x85c\r\nd\n")
    assert checks.made_on_line("d", odd) == 2
