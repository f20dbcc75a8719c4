"""The shapes of answers: what is read, what is not, and what is made of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import answers
from errorspan.answers.outputs import (
    Assessment,
    Categories,
    Challenge,
    Error,
    ErrorCatalog,
    Fence,
    Implementation,
    Judgment,
    NoExercise,
    Span,
)
from errorspan.answers.shape import Output, faults
from errorspan.steps import form
from errorspan.text.markup import document

GOOD: dict[type[Output], dict[str, Any]] = {
    Categories: answers.CATEGORIES,
    ErrorCatalog: answers.CATALOG,
    Challenge: answers.CHALLENGE,
    Judgment: answers.judgment("A"),
    Assessment: answers.ASSESSMENT,
}


def shape(kind: type[Output]) -> str:
    """Name an output in a test's id."""
    return kind.__name__


def wrong(kind: type[Output], change: Callable[[Any], object]) -> list[str]:
    """Return the faults of a good answer with a change."""
    answer = deepcopy(GOOD[kind])
    change(answer)
    with pytest.raises(ValidationError) as raised:
        kind.read(json.dumps(answer))
    return faults(raised.value, model=kind)


def put(value: object, *place: str | int) -> Callable[[Any], object]:
    """Return a change that puts a value somewhere."""

    def change(answer: Any) -> None:
        *path, last = place
        for key in path:
            answer = answer[key]
        answer[last] = value

    return change


# Reading


@pytest.mark.parametrize("kind", GOOD, ids=shape)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "\n {}\n\n",
        "```json\n{}\n```",
        "```\n{}\n```",
        "Here it is:\n\n{}\n\nAnything else?",
        "\ufeff{}",
        "JSON:{}.",
        "~~~\n{}\n~~~",
    ],
    ids=["bare", "blanks", "fence with a name", "fence", "sentences", "BOM", "no blank", "tildes"],
)
def test_json_is_read_out_of_what_is_around_it(kind: type[Output], around: str) -> None:
    text = json.dumps(GOOD[kind], ensure_ascii=False, indent=1)
    assert kind.read(around.replace("{}", text)) == kind.model_validate(GOOD[kind])


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "}",
        "}{",
        "{}",
        "[]",
        "null",
        "5",
        '"text"',
        "Sorry, no.",
        "{}{}",
        "\ud800",
        "{" * 5000,
        "[" * 5000,
        '{"beginner": NaN}',
        "\0",
    ],
)
def test_what_is_no_answer_has_faults(text: str) -> None:
    for kind in GOOD:
        with pytest.raises(ValidationError) as raised:
            kind.read(text)
        assert faults(raised.value)


@pytest.mark.heavy
@given(st.text() | st.text(st.sampled_from('{}[]",:` \n1eE-\\u')))
def test_any_text_is_an_answer_or_has_faults(text: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Categories.read(text)
    assert all("\n" not in fault for fault in faults(raised.value))


@pytest.mark.parametrize("kind", GOOD, ids=shape)
def test_an_output_is_not_changed(kind: type[Output]) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(kind.model_validate(GOOD[kind]), next(iter(kind.model_fields)), None)


# Limits


def few(place: str, least: int, got: int) -> str:
    """Return what is said of too short a list."""
    return f"{place}: expected at least {least} (got {got})"


def many(place: str, most: int, got: int) -> str:
    """Return what is said of too long a list."""
    return f"{place}: expected at most {most} (got {got})"


CONTROL = "expected text without the control character U+"
DIGIT = "expected a digit in quotes, '1' to '9'"
PATTERN = "name, why_wrong, impact, severity, strong_avoids, weak_makes"
BLANK = "expected text that is not blank"
LIMITS: list[tuple[type[Output], Callable[[Any], object], str]] = [
    (Categories, put(["a", "b"], "beginner"), few("beginner", 3, 2)),
    (Categories, put(list("abcdef"), "advanced"), many("advanced", 5, 6)),
    (Categories, put(["a", "b", ""], "advanced"), f"advanced.3: {BLANK} (got '')"),
    (Categories, put(["a", "b", " \n"], "advanced"), f"advanced.3: {BLANK} (got ' \\n')"),
    (Categories, put(["a", "b", 5], "advanced"), "advanced.3: expected text (got 5); quotes make it text"),
    (Categories, put("a, b, c", "advanced"), "advanced: expected a list (got 'a, b, c')"),
    (Categories, put([], "expert"), "expert: is no key here; known are beginner, intermediate, advanced"),
    (Categories, lambda answer: answer.pop("beginner"), "beginner: is missing"),
    (ErrorCatalog, put(answers.CATALOG["patterns"][:3], "patterns"), few("patterns", 4, 3)),
    (ErrorCatalog, put(answers.CATALOG["patterns"] * 3, "patterns"), many("patterns", 8, 12)),
    (
        ErrorCatalog,
        put("grave", "patterns", 0, "severity"),
        "patterns.1.severity: expected 'high', 'medium' or 'low' (got 'grave')",
    ),
    (ErrorCatalog, put(1.01, "patterns", 0, "weak_makes"), "patterns.1.weak_makes: expected at most 1 (got 1.01)"),
    (
        ErrorCatalog,
        put(-0.1, "patterns", 0, "strong_avoids"),
        "patterns.1.strong_avoids: expected at least 0 (got -0.1)",
    ),
    (
        ErrorCatalog,
        put(float("nan"), "patterns", 0, "strong_avoids"),
        "patterns.1.strong_avoids: expected at most 1 (got nan)",
    ),
    (
        ErrorCatalog,
        put("x", "patterns", 1, "note"),
        f"patterns.2.note: is no key here; known are {PATTERN}",
    ),
    (Challenge, put(list("abc"), "requirements"), few("requirements", 4, 3)),
    (Challenge, put(list("abcdefg"), "requirements"), many("requirements", 6, 7)),
    (Challenge, put("a\x00b", "title"), f"title: {CONTROL}0000 (got 'a\\x00b')"),
    (Challenge, put("a\x1b[2Jb", "title"), f"title: {CONTROL}001B (got 'a\\x1b[2Jb')"),
    (Challenge, put("a\x7fb", "language"), f"language: {CONTROL}007F (got 'a\\x7fb')"),
    (Challenge, put("a\x84b", "title"), f"title: {CONTROL}0084 (got 'a\\x84b')"),
    (Challenge, put("a\x9bb", "title"), f"title: {CONTROL}009B (got 'a\\x9bb')"),
    (Challenge, put("a\ufffeb", "title"), f"title: {CONTROL}FFFE (got 'a\\ufffeb')"),
    (Challenge, put("a\uffffb", "title"), f"title: {CONTROL}FFFF (got 'a\\uffffb')"),
    (Judgment, put("C", "better"), "better: expected 'A' or 'B' (got 'C')"),
    (Judgment, put(0, "quality_score"), "quality_score: expected at least 1 (got 0)"),
    (Judgment, put(11, "quality_score"), "quality_score: expected at most 10 (got 11)"),
    (
        Judgment,
        put(7.5, "quality_score"),
        "quality_score: expected a whole number (got 7.5)",
    ),
    (Judgment, put([], "analysis"), few("analysis", 1, 0)),
    (Judgment, put("", "failures", 0, "quote"), f"failures.1.quote: {BLANK} (got '')"),
    (Judgment, put("", "failures", 0, "pattern"), f"failures.1.pattern: {BLANK} (got '')"),
    (Judgment, put(6, "rubric", "subtlety", "score"), "rubric.subtlety.score: expected at most 5 (got 6)"),
    (Judgment, put(0, "rubric", "subtlety", "score"), "rubric.subtlety.score: expected at least 1 (got 0)"),
    (Judgment, lambda answer: answer["rubric"].pop("subtlety"), "rubric.subtlety: is missing"),
    (Assessment, put([], "errors"), few("errors", 1, 0)),
    (Assessment, put(answers.ASSESSMENT["errors"] * 2, "errors"), many("errors", 5, 6)),
    (Assessment, put("0", "errors", 0, "id"), f"errors.1.id: {DIGIT} (got '0')"),
    (Assessment, put("1\n", "errors", 0, "id"), f"errors.1.id: {DIGIT} (got '1\\n')"),
    (Assessment, put(0, "errors", 0, "line"), "errors.1.line: expected at least 1 (got 0)"),
    (
        Assessment,
        put("F0", "errors", 0, "failure"),
        "errors.1.failure: expected the name of a judged failure, such as 'F2' (got 'F0')",
    ),
    (Assessment, put("\x00", "errors", 0, "correction"), f"errors.1.correction: {CONTROL}0000 (got '\\x00')"),
    (Assessment, put([5], "estimated_minutes"), few("estimated_minutes", 2, 1)),
    (Assessment, put([0, 5], "estimated_minutes"), "estimated_minutes.1: expected at least 1 (got 0)"),
    (Assessment, put([5, 6, 7], "estimated_minutes"), many("estimated_minutes", 2, 3)),
]


@pytest.mark.parametrize(
    ("kind", "change", "fault"), LIMITS, ids=[f"{kind.__name__} {fault}" for kind, _, fault in LIMITS]
)
def test_a_limit_is_kept(kind: type[Output], change: Callable[[Any], object], fault: str) -> None:
    assert wrong(kind, change) == [fault]


LACKING: list[tuple[type[Output], Callable[[Any], object], str]] = [
    (Judgment, lambda answer: answer.pop("not_attempted"), "not_attempted: is missing"),
    (Judgment, lambda answer: answer.pop("keep"), "keep: is missing"),
    (Judgment, put(None, "keep"), "keep: is missing"),
    (Judgment, lambda answer: answer["failures"][1].pop("severity"), "failures.2.severity: is missing"),
    (Judgment, lambda answer: answer["failures"][0].pop("local"), "failures.1.local: is missing"),
    (Assessment, lambda answer: answer.pop("promises"), "promises: is missing"),
    (Assessment, lambda answer: answer.pop("sound"), "sound: is missing"),
    (Categories, put(["…", "a", "b"], "beginner"), "beginner.1: is what stands in the form; write your own text"),
]


@pytest.mark.parametrize(("kind", "change", "fault"), LACKING, ids=[fault for _, _, fault in LACKING])
def test_what_is_asked_for_now_may_lack_in_what_was_answered_before(
    kind: type[Output], change: Callable[[Any], object], fault: str
) -> None:
    answer = deepcopy(GOOD[kind])
    change(answer)
    text = json.dumps(answer)
    recorded = kind.read(text).recorded()
    assert json.loads(recorded) == answer  # and nothing is added to it
    with pytest.raises(ValidationError) as raised:
        kind.read(text, asked=True)
    assert [told[: len(fault)] for told in faults(raised.value)] == [fault]


@pytest.mark.parametrize("kind", GOOD, ids=shape)
def test_a_schema_asks_for_all_fields(kind: type[Output]) -> None:
    assert kind.read(json.dumps(GOOD[kind]), asked=True)
    schemas = [kind.model_json_schema(), *kind.model_json_schema().get("$defs", {}).values()]
    assert all(set(schema["required"]) == set(schema["properties"]) for schema in schemas if "properties" in schema)


@pytest.mark.parametrize("kind", GOOD, ids=shape)
def test_a_form_has_the_shape_of_an_answer(kind: type[Output]) -> None:
    """All of it but its texts: they must be written."""
    filled = json.loads(form.form(kind.model_json_schema()))

    def same(one: Any, other: Any) -> bool:
        if isinstance(one, dict):
            return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
        if isinstance(one, list):
            return not one or not other or same(one[0], other[0])
        return type(one) is type(other) or {type(one), type(other)} == {int, float} or other is None

    assert same(filled, GOOD[kind])
    with pytest.raises(ValidationError, match="stands in the form"):
        kind.read(json.dumps(filled), asked=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"no_exercise": "Nothing works."}', "Nothing works."),
        ('Well:\n```json\n{"no_exercise": "Nothing works.", "title": "", "errors": []}\n```', "Nothing works."),
        (json.dumps(answers.ASSESSMENT), None),
        ('{"no_exercise": " "}', None),
        ('{"no_exercise": 5}', None),
        ('["no_exercise"]', None),
        ("{" * 5000 + "}" * 5000, None),
    ],
)
def test_an_author_may_say_that_there_is_no_exercise(text: str, reason: str | None) -> None:
    said = NoExercise.said(text)
    assert (said.no_exercise if said else None) == reason


def test_all_faults_of_an_answer_are_told() -> None:
    def change(answer: Any) -> None:
        answer["better"] = "mid"
        answer["quality_score"] = 0
        del answer["analysis"]

    assert len(wrong(Judgment, change)) == 3


@pytest.mark.parametrize("text", ["é 🙂\t\u202e\u2028", "a\nb", "<script>", "a\u0085", "{}", "```"])
def test_other_characters_are_text(text: str) -> None:
    answer = Categories.read(json.dumps(GOOD[Categories] | {"beginner": ["a", "b", text]}))
    assert answer.beginner[2] == text


@pytest.mark.parametrize(("line_end", "lines"), [("\n", 2), ("\r\n", 2), ("\r", 2), ("\n\r", 3)])
def test_line_ends_become_one(line_end: str, lines: int) -> None:
    """The lines that an error span counts are those that a reader sees."""
    challenge = Challenge.model_validate(answers.CHALLENGE | {"context": f"a{line_end}b"})
    assert challenge.context == "\n".join(["a", *[""] * (lines - 2), "b"])


# The record

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), min_size=1).filter(str.strip)


@given(st.lists(WORDS, min_size=3, max_size=5), st.lists(WORDS, min_size=3, max_size=5))
def test_what_is_recorded_is_read_as_the_same(some: list[str], others: list[str]) -> None:
    output = Categories(beginner=some, intermediate=others, advanced=some)
    assert Categories.read(output.recorded()) == output


@pytest.mark.parametrize("kind", GOOD, ids=shape)
def test_the_record_is_laid_out_for_a_reviewer(kind: type[Output]) -> None:
    output = kind.model_validate(GOOD[kind])
    text = output.recorded()
    assert kind.read(text) == output
    assert text.endswith("}\n")
    assert list(json.loads(text)) == list(kind.model_fields)
    assert max(map(len, text.split("\n"))) < 1000


@given(st.text(st.sampled_from("ab`~ \t\r\n") | st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_recorded_implementation_is_read_as_the_same(text: str) -> None:
    try:
        output = Implementation.read(text)
    except ValidationError:
        assert not text.strip()
        return
    again = Implementation.read(output.recorded())
    assert again.recorded() == output.recorded()
    assert again.text.rstrip("\n") == output.text.rstrip("\n")
    assert again.fences == output.fences
    assert output.recorded() == re.sub("\r\n?", "\n", text).removesuffix("\n") + "\n"


# Implementations


@pytest.mark.parametrize(
    ("text", "fences"),
    [
        ("Words.\n\n```python\nx = 1\n```\n\nMore.\n", [("python", "x = 1\n")]),
        ("```python\nx = 1\n```", [("python", "x = 1\n")]),
        ("```\nx\n```\n", [("", "x\n")]),
        ("``` python \nx\n```  \n", [("python", "x\n")]),
        ('```python title="a b" {1,2}\nx\n```\n', [("python", "x\n")]),
        ("```c++\n```\n", [("c++", "")]),
        ("```a\n1\n```\nand\n```b\n2\n```\n", [("a", "1\n"), ("b", "2\n")]),
        ("~~~python\nx\n~~~\n", [("python", "x\n")]),
        ("~~~python\n```\nx\n```\n~~~\n", [("python", "```\nx\n```\n")]),
        ("````markdown\n```python\nx\n```\n````\n", [("markdown", "```python\nx\n```\n")]),
        ("```\nx\n`````\n", [("", "x\n")]),
        ("````\nx\n```\ny\n", [("", "x\n```\ny\n")]),
        ("```python\nx\n", [("python", "x\n")]),
        ("```python\nx", [("python", "x\n")]),
        ("```python\nx\n~~~\n", [("python", "x\n~~~\n")]),
        ("```python\nx\n```python\n", [("python", "x\n```python\n")]),
        ("```python\r\nx\r\n\r\ny\r\n```\r\n", [("python", "x\n\ny\n")]),
        ("1. This:\n\n   ```python\n   def f():\n       1\n   ```\n\n2. Run.\n", [("python", "def f():\n    1\n")]),
        ("> ```python\n> x = 1\n> ```\n", [("python", "x = 1\n")]),
        ("  ```python\n  x = 1\n  ```\n", [("python", "x = 1\n")]),
        ("```python\nx = 1\n  ```\n\nMore.\n", [("python", "x = 1\n")]),
        ("```python\n'\n  ```\n  A()\n  ```\n'\n```\nMore.\n", [("python", "'\n  ```\n  A()\n  ```\n'\n")]),
        ("```a\n1\n  ```\nand\n```b\n2\n```\n", [("a", "1\n"), ("b", "2\n")]),
        ("Write ```x``` here.\n\n```inline``` too.\n\nThe end.\n", []),
        ("No code at all.\n", []),
        ("``\nx\n``\n", []),
    ],
    ids=[
        "one", "no final line end", "no language", "blanks", "attributes", "empty", "two", "tildes",
        "backticks in tildes", "nested", "longer end", "shorter fence inside", "not closed", "not closed, no line end",
        "closed by another kind", "closed with a name", "CRLF", "in a list", "in a quote", "indented",
        "closed further in", "a fence in a docstring", "two, one closed further in", "inline code", "none",
        "two backticks",
    ],
)  # fmt: skip
def test_code_is_what_is_fenced(text: str, fences: list[tuple[str, str]]) -> None:
    read = Implementation.read(text)
    assert read.fences == [Fence(*fence) for fence in fences]
    assert [read.plain[start:end].rstrip("\n") for start, end in read.fenced] == [
        code.rstrip("\n") for _, code in fences
    ]
    assert read.plain.count("\n") == read.recorded().count("\n")
    shown = document(read.recorded(), "a").count('<span class="es-line"')
    assert shown == sum(max(code.count("\n"), 1) for _, code in fences)
    assert read.code == ("\n".join(code for _, code in fences) or read.text)


@settings(max_examples=500)
@given(st.text(st.sampled_from("`~ \nab"), min_size=1).filter(str.strip))
def test_fences_are_those_of_markdown(text: str) -> None:
    from markdown_it import MarkdownIt

    text = re.sub(r"(?m)^ +", "", text)  # what is indented may be another thing
    if not text.strip():
        return
    tokens = MarkdownIt("commonmark").disable(["link", "code", "lheading"]).parse(text)
    opened = [token for token in tokens if token.type == "fence"]
    fences = [(token.info.strip().split(" ")[0], token.content) for token in opened]
    if not any("`" in token.info for token in opened):  # tildes with backticks behind them open no fence here
        assert [(language, code.rstrip("\n")) for language, code in Implementation.read(text).fences] == [
            (language, code.rstrip("\n")) for language, code in fences
        ]


@pytest.mark.parametrize(
    "unit", ["```a\n  ```\n", "> ", "- ", "```\n", "> ```a\n", "1. ```a\n", "~~~a\n   ~~~\n", " ```a\n"]
)
def test_fences_are_found_in_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = f"{unit * (size // len(unit))}end"
        started = time.process_time()
        assert all(start <= end <= len(text) + 1 for start, end in Implementation.read(text).fenced)
        return time.process_time() - started

    rounds = ((seconds(20_000), seconds(80_000)) for _ in range(4))  # others may hold one of them up
    assert any(long < 10 * max(short, 0.05) for short, long in rounds)


def test_a_key_that_stands_twice_is_a_fault() -> None:
    text = json.dumps(answers.CHALLENGE, indent=2)
    with pytest.raises(ValidationError) as caught:
        Challenge.read(text.replace("{\n", '{\n  "ti\\u0074le": "Old",\n', 1))
    assert faults(caught.value) == ["title: is given twice"]
    nested = json.dumps(answers.CATALOG).replace('"impact"', '"impact": "x", "impact"', 1)
    with pytest.raises(ValidationError, match="is given twice"):
        ErrorCatalog.read(nested)


# Judgments and catalogs


def test_a_pattern_is_found_by_its_name() -> None:
    catalog = ErrorCatalog.model_validate(answers.CATALOG)
    assert catalog.named(answers.ALPHABET) == catalog.patterns[1]
    assert catalog.named(answers.ALPHABET.upper()) is None
    assert catalog.named(None) is None


def test_the_rubric_has_a_mean() -> None:
    judgment = answers.judgment("A")
    judgment["rubric"] = judgment["rubric"] | {"subtlety": {"score": 1, "reason": "r"}}
    assert Judgment.model_validate(judgment).rubric.mean == pytest.approx(3.5)


# Error spans

CODE = "a = 1\nb = a + 1\nc = a + 1; d = a + 1\nif c:\n    e = (b +\n         c)\n"


def assessment(*errors: dict[str, object], code: str = CODE) -> Assessment:
    """Make an assessment with these errors first."""
    filled = [dict(answers.ASSESSMENT["errors"][0]) | {"id": str(n)} | error for n, error in enumerate(errors, start=1)]
    unplaced = [
        dict(answers.ASSESSMENT["errors"][0]) | {"id": str(n), "quote": "nowhere"} for n in range(len(errors) + 1, 4)
    ]
    return Assessment.model_validate(answers.ASSESSMENT | {"code": code, "errors": filled + unplaced})


@pytest.mark.parametrize(
    ("quote", "line", "span"),
    [
        ("a = 1", 1, Span(0, 5, 1, 1)),
        ("b = a + 1", 2, Span(6, 15, 2, 2)),
        ("b = a + 1", 99, Span(6, 15, 2, 2)),
        ("d = a + 1", 1, Span(27, 36, 3, 3)),
        ("a + 1", 2, Span(10, 15, 2, 2)),
        ("a + 1", 3, None),
        ("a + 1", 1, None),
        ("nowhere", 1, None),
        ("A = 1", 1, None),
        ("(b +\n         c)", 5, Span(51, 67, 5, 6)),
        ("(b +\n         c)", 6, Span(51, 67, 5, 6)),
        ("(b +\nc)", 5, None),
        ("a = 1\n", 1, Span(0, 6, 1, 1)),
        ("1\nb", 1, Span(4, 7, 1, 2)),
        ("c)\n", 6, Span(65, 68, 6, 6)),
    ],
    ids=[
        "right line", "also right", "wrong line, stands once", "second on its line", "stands thrice, once on the line",
        "stands thrice, twice on the line", "stands thrice, not on the line", "nowhere", "other case", "two lines",
        "two lines, wrong line", "other indentation", "with its line end", "over a line end", "to the end",
    ],
)  # fmt: skip
def test_a_quote_is_found(quote: str, line: int, span: Span | None) -> None:
    made = assessment({"quote": quote, "line": line})
    assert made.span(made.errors[0]) == span
    if span:
        assert made.code[span.start : span.end] == quote


@pytest.mark.parametrize(("code", "quote", "found"), [("aaa", "aa", False), ("aa", "aa", True), ("(a)(a", "(a)", True)])
def test_a_quote_that_overlaps_itself_stands_more_often(code: str, quote: str, found: bool) -> None:  # noqa: FBT001
    made = assessment({"quote": quote, "line": 2}, code=code)
    assert (made.span(made.errors[0]) is not None) is found


@given(st.text(st.sampled_from("ab\n🙂\u2028"), min_size=1), st.data())
def test_a_span_is_its_quote(code: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(code) - 1))
    end = data.draw(st.integers(start + 1, len(code)))
    if not code[start:end].strip():
        return
    line = code.count("\n", 0, start) + 1
    made = assessment({"quote": code[start:end], "line": line}, code=code)
    if span := made.span(made.errors[0]):
        assert (span.start, span.first) == (start, line)
        assert code[span.start : span.end] == code[start:end]
        assert span.first <= span.last <= code.count("\n") + 1
    else:
        assert code.count(code[start:end], start + 1) or code.count(code[start:end], 0, end - 1)


def test_corrections_go_in_at_their_places() -> None:
    made = assessment(
        {"quote": "b = a + 1", "line": 2, "correction": "b = a + 10"},
        {"quote": "d = a + 1", "line": 3, "correction": "d = b"},
        {"quote": "(b +\n         c)", "line": 5, "correction": "b"},
    )
    assert made.corrected() == "a = 1\nb = a + 10\nc = a + 1; d = b\nif c:\n    e = b\n"
    assert made.corrected("2") == CODE.replace("d = a + 1", "d = b")
    assert made.corrected("1", "3") == "a = 1\nb = a + 10\nc = a + 1; d = a + 1\nif c:\n    e = b\n"


def test_what_is_not_found_is_not_corrected() -> None:
    made = assessment({"quote": "nowhere", "line": 1, "correction": "x"})
    assert made.corrected() == made.corrected("1") == CODE


def test_the_small_topic_can_be_corrected() -> None:
    made = Assessment.model_validate(answers.ASSESSMENT)
    names: dict[str, Any] = {}
    exec(made.corrected(), names)
    assert names["top"](names["count"](["a", "b", "b"]), 1) == ["b"]
    assert names["mean"]([1, 2]) == 1.5


def test_every_error_has_a_field_for_what_a_student_is_told() -> None:
    assert set(Error.model_fields) == set(answers.ASSESSMENT["errors"][0])


STRAY = "```python\na = 1\n```\n"
FENCES: dict[str, tuple[str, str]] = {
    "prose behind one fence too many": (f"{STRAY}```\n\nThis program counts.\n\n- It is short.\n", "a = 1\n"),
    "prose between two": (f"{STRAY}Why:\n```\nIt is short (and right).\n", "a = 1\n"),
    "code that has no end": (f"{STRAY}Then:\n```\nb = 2\nprint(b)\n", "a = 1\n\nb = 2\nprint(b)\n"),
    "code that has no end, in braces": (f"{STRAY}```\nfn main() {{\n", "a = 1\n\nfn main() {\n"),
    "a language that has no end": (f"{STRAY}```text\nWords only.\n", "a = 1\n\nWords only.\n"),
    "the first one has no end": ("```\nThis is all.\n", "This is all.\n"),
    "code without signs that has no end": (f"{STRAY}```\nputs total\nend\n", "a = 1\n\nputs total\nend\n"),
    "prose that ends in bold": (f"{STRAY}```\nIt is **short (and right.)**\n", "a = 1\n"),
    "closed words": (f"{STRAY}```\nWords only.\n```\n", "a = 1\n\nWords only.\n"),
}


@pytest.mark.parametrize(("text", "code"), FENCES.values(), ids=FENCES)
def test_prose_behind_a_stray_fence_is_no_code(text: str, code: str) -> None:
    read = Implementation.read(text)
    assert read.code == code
    assert [read.recorded()[start:end] for start, end in read.fenced] == [fence.code for fence in read.fences]
