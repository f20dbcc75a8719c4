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


def spoken(comment: str) -> str:
    """Return the docstring of a function, without the function."""
    return comment.partition("def f():\n")[2].strip() or comment


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
NO_CODE = "the answer holds no fenced block of code"
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
            ('def f():\n    """One.\n\n    This should be a sum.\n    """', "python", "should be"),
            ("/** A flawed mean. */", "java", "flawed"),
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
        "mid_implementation": Implementation.read(answers.MID),
        "weak_implementation": WEAK,
        "judgment": Judgment.model_validate(answers.judgment("A")),
        "assessment": assessment(),
    }
    for step in STEPS:
        for check in step.checks:
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
    assert checks.traced(code, METHODS) == lines


def test_an_early_dead_end_is_no_end() -> None:
    """A line that stands at two depths is taken at the one that the lines behind it need."""
    weak = Implementation.read("```\n        go()\n    go()\n    stop()\n```")
    assert checks.traced("  go()\n  stop()\n", weak) == {1: 3, 2: 4}


def test_lines_are_counted_as_pages_count_them() -> None:
    odd = Implementation.read("```\na\u2028b\x85c\r\nd\n```\n")
    assert checks.traced("d", odd) == {1: 3}


def test_an_excerpt_of_a_long_program_is_traced_in_no_time() -> None:
    lines = [f"{'    ' * (n % 9)}step({n % 7})" for n in range(600)]
    weak = Implementation.read("\n".join(["```", *lines, "```"]))
    assert len(checks.traced("\n".join(lines), weak)) == 600


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
    assert not checks.traced(code, weak)


def test_a_line_that_was_written_twice_may_be_quoted_where_it_stands_again() -> None:
    """The judge quotes a line; the excerpt holds the second of two places where it stands."""
    line = "return items[0].name"
    weak = Implementation.read(f"```python\ndef a():\n    {line}\n\n\ndef b():\n    {line}\n```\n")
    errors = [answers.ASSESSMENT["errors"][0] | {"quote": line, "line": 2}] * 2
    second = assessment(code=f"def b():\n    {line}\n", errors=errors)
    verdict = Verdict({}, (Failure("F1", None, "d", line),), None)
    assert not list(checks.errors_were_judged(second, outputs(weak_implementation=weak, judgment=verdict)))
