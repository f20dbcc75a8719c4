"""What does not parse is told where it is mended, and how."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import BaseModel, ValidationError

from errorspan.answers.outputs import Challenge, Implementation
from errorspan.answers.shape import faults_in
from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import TopicFile
from errorspan.proof.proofs import Proof
from errorspan.proof.reviews import Review
from errorspan.record.manifest import Manifest
from errorspan.steps.table import SOLVE, STEPS
from errorspan.text import source
from errorspan.text.errors import InputError
from errorspan.text.expected import PATTERNS, Place, misfits, named, place_of, sentence
from errorspan.text.objects import lines
from errorspan.text.unparsed import in_json

SPACES = "; a text of several lines stands below `key: |`, all of it indented alike"
BRACKET = "expected {} that closes the {} that opens here, and commas between what stands within; quotes make it text"
OPEN_SINGLE = "expected another ' that closes the one that opens here"
OPEN_DOUBLE = 'expected another " that closes the one that opens here'
YAML: dict[str, tuple[str, str]] = {
    "a colon": ("title: a: b", "1: title: expected quotes around text with a colon (got 'a: b'); write \"a: b\""),
    "a colon, and quotes": (
        'title: T\nfocus: say "a": b',
        '2: focus: expected quotes around text with a colon (got \'say "a": b\'); write "say \\"a\\": b"',
    ),
    "a colon in a list": (
        "title: T\nconcepts:\n- a: b: c",
        "3: a: expected quotes around text with a colon (got 'b: c'); write \"b: c\"",
    ),
    "a colon on a second line": (
        "title: T\nbrief: one line,\n  and: another",
        f"3: expected the column of the keys above (got an indent of 2 before 'and: another'){SPACES}",
    ),
    "a second line": (
        "title: T\nbrief: one line,\nand another\nlevel: beginner",
        "3: expected `key: value` (got 'and another'); to go on with the text above, it is indented",
    ),
    "a key without a colon": (
        "title: T\nlevel\nfocus: f",
        "2: expected `key: value` (got 'level'); to go on with the text above, it is indented",
    ),
    "a key too far in": (
        "title: T\n level: beginner",
        f"2: expected the column of the keys above (got an indent of 1 before 'level: beginner'){SPACES}",
    ),
    "a key not far enough in": (
        "title: T\nmodels:\n    mid: a\n  weak: b",
        f"4: expected the column of the keys above (got an indent of 2 before 'weak: b'){SPACES}",
    ),
    "a block that goes back": (
        "title: |\n  a\n b",
        f"3: expected the column of the keys above (got an indent of 1 before 'b'){SPACES}",
    ),
    "text beside |": (
        "title: T\nbrief: | one\n  two",
        "2: brief: expected the text below the line of | or > (got it on the same); or quotes make it text",
    ),
    "a tab": ("title: T\n\tlevel: beginner", "2: expected spaces (got a tab)"),
    "a tab in a list": ("title: T\nconcepts:\n\t- a", "3: expected spaces (got a tab)"),
    "a quote that is not closed": ("title: 'T\nlevel: beginner\n", f"1: title: {OPEN_SINGLE}"),
    "a quote that is closed by another": ("title: 'T\nfocus: 'f'\n", f"1: title: {OPEN_SINGLE}"),
    "double quotes that are not closed": ('title: T\nfocus: "f\nlevel: beginner\n', f"2: focus: {OPEN_DOUBLE}"),
    "an apostrophe": (
        "title: 'it's'",
        "1: title: expected nothing behind the closing ' (got \"s'\"); a ' within '…' is written ''",
    ),
    "quotes within quotes": (
        'title: "say "hi" now"',
        '1: title: expected nothing behind the closing " (got \'hi" now"\'); a " within "…" is written \\"',
    ),
    "a backslash": (
        'title: "C:\\dir"',
        "1: title: expected no \\d within double quotes; within single ones a \\ is one",
    ),
    "an at sign": ("title: @a", "1: title: expected text that does not begin with '@'; write \"@a\""),
    "a backtick": ("title: `a` is", "1: title: expected text that does not begin with '`'; write \"`a` is\""),
    "a per cent sign": ("title: %a", "1: title: expected text that does not begin with '%'; write \"%a\""),
    "an asterisk": (
        "title: *args and **kwargs",
        "1: title: expected text that does not begin with '*'; write \"*args and **kwargs\"",
    ),
    "brackets before text": ("title: [a] b", "1: title: expected text that does not begin with '['; write \"[a] b\""),
    "braces before text": ("title: {a} b", "1: title: expected text that does not begin with '{'; write \"{a} b\""),
    "a first line that is indented": (
        "  title: T\nlevel: beginner",
        f"2: expected the column of the keys above (got an indent of 0 before 'level: beginner'){SPACES}",
    ),
    "a hyphen": ("title: - a", "1: title: expected text that does not begin with '-'; write \"- a\""),
    "an open bracket": (
        "title: T\nconcepts: [a, b\nlevel: l",
        f"2: concepts: {BRACKET.format(']', '[')}, if it is some",
    ),
    "an open brace, last": ("title: T\nmodels: {mid: m", f"2: models: {BRACKET.format('}', '{')}, if it is some"),
    "two documents": (
        "title: T\n---\ntitle: U",
        "2: expected one document (got '---', where another begins); remove that line",
    ),
    "an end, and more": (
        "title: T\n...\nlevel: l",
        "2: expected one document (got '...', where another begins); remove that line",
    ),
    "a merge": (
        "title: T\n<<<<<<< HEAD\nfocus: a\n=======\nfocus: b\n>>>>>>> other",
        (
            "2: expected no mark of a merge conflict (got '<<<<<<< HEAD'); "
            "choose one of the two versions, and remove the marks"
        ),
    ),
    "a control character": (
        "title: T\nbrief: |\n  a\n  b\x07\n",
        "4: expected text without the control character U+0007",
    ),
    "a line break that YAML takes": (
        "title: T\nbrief: |\n  a\n  b\u2028  c\n",
        "4: brief: expected text without the control character U+2028 (got 'a\\nb\\u2028c\\n')",
    ),
}


@pytest.mark.parametrize(("text", "fault"), YAML.values(), ids=YAML)
def test_what_is_no_yaml_is_told_with_the_cure(text: str, fault: str) -> None:
    with pytest.raises(InputError) as raised:
        source.parsed(text, "x.yml").validated(TopicFile)
    assert raised.value.faults == (f"x.yml:{fault}",)


JSON: dict[str, tuple[str, tuple[int, str]]] = {
    "nothing": ("", (1, "expected an object (got nothing)")),
    "a quote that is not closed": (
        '{\n "a": "x,\n "b": 1\n}',
        (2, 'expected another " that closes the one that opens here; a line break within is written \\n'),
    ),
    "the last quote is not closed": ('{\n "a": "x', (2, 'expected another " that closes the one that opens here')),
    "a tab within text": (
        '{\n "a": "x\ty"}',
        (2, "expected no control character within text (got U+0009); write \\u0009"),
    ),
    "quotes within text": (
        '{"a": "say "hi" now"}',
        (1, 'expected a comma behind "say " (got hi); a " within text is written \\"'),
    ),
    "no comma": ('{"a": "x"\n "b": 1}', (1, 'expected a comma behind "x" (got "b")')),
    "no comma in a list": ('{"a": [1 2]}', (1, "expected a comma behind 1 (got 2)")),
    "a comma too many": ('{\n "a": 1,\n}', (2, "expected no comma before }")),
    "a comma too many in a list": ("[\n1,\n]", (2, "expected no comma before ]")),
    "no colon": ('{"a" 1}', (1, "expected a colon behind the key (got 1)")),
    "a bare key": ("{\n a: 1}", (2, "expected a key in double quotes (got a)")),
    "a word of Python": (
        '{"a": None}',
        (1, "expected text in double quotes, a number, true, false, null, a list or an object (got None)"),
    ),
    "a backslash": ('{"a": "C:\\dir"}', (1, "expected an escape of JSON (got \\d); a backslash is written \\\\")),
    "the end is missing": ('{"a": [1,\n2', (2, "expected more (got the end of the text behind 2)")),
    "more behind it": ("{}\n}", (2, "expected nothing behind its end (got })")),
}


@pytest.mark.parametrize(("text", "fault"), JSON.values(), ids=JSON)
def test_what_is_no_json_is_told_with_its_line(text: str, fault: tuple[int, str]) -> None:
    line, what = fault
    assert in_json(text) == (line, f"is no JSON: {what}")


def test_each_key_of_json_has_its_line() -> None:
    text = '{\n"a": 1, "b": [\n 1,\n {"c": "]"}],\n\n"d": {"e":\n []}}'
    assert lines(text) == {
        ("a",): 2,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "c"): 4,
        ("d",): 6,
        ("d", "e"): 6,
    }
    assert lines('{"a": [1,\n"x') == {("a",): 1, ("a", 0): 1, ("a", 1): 2}  # as far as it goes


RECORDED: dict[str, tuple[str, list[str]]] = {
    "shape": (
        (
            '```json\n{\n"title": "T",\n"requirements": ["a", "b", "c",\n5],\n"question_text": "q",\n'
            '"context": "c", "success_criteria": " ", "language": "python", "more": 1}\n```'
        ),
        [
            "5: requirements.4: expected text (got 5); quotes make it text",
            "7: success_criteria: expected text that is not blank (got ' ')",
            (
                "7: more: is no key here; known are title, question_text, context, requirements, "
                "success_criteria, language"
            ),
        ],
    ),
    "no JSON": ('```json\n{\n"title" "T"}\n```', ['3: is no JSON: expected a colon behind the key (got "T")']),
}


@pytest.mark.parametrize(("text", "told"), RECORDED.values(), ids=RECORDED)
def test_a_fault_of_a_record_has_its_line(text: str, told: list[str]) -> None:
    with pytest.raises(ValidationError) as raised:
        Challenge.read(text)
    found = faults_in("x.json", raised.value, "mend it", text, Challenge)
    assert [one.removesuffix(" (mend it)").removeprefix("x.json:") for one in found] == told


def test_a_control_character_of_a_markdown_answer_has_its_line() -> None:
    text = "```python\na = 1\n\nb = '\x07'\n```\n\n{"
    with pytest.raises(ValidationError) as raised:
        Implementation.read(text)
    [told] = faults_in("x.md", raised.value, "mend it", text)
    assert told.startswith("x.md:4: text: expected text without the control character U+0007")


PLACES: dict[tuple[str, Place], Place] = {
    ("string_type", ("models", "mid", "none")): ("models", "mid"),
    ("string_type", ("models", "mid", "str")): ("models", "mid"),
    ("string_type", ("models", "mid", "function-after[named(), str]")): ("models", "mid"),
    ("extra_forbidden", ("models", "str")): ("models", "str"),
    ("int_type", ("prices", "str", "input")): ("prices", "str", "input"),
}


@pytest.mark.parametrize(("kind", "found"), PLACES)
def test_a_key_that_is_called_as_a_kind_is_kept(kind: str, found: Place) -> None:
    assert place_of({"type": kind, "loc": found}) == PLACES[kind, found]


READ = (TopicFile, Review, Settings, Manifest, Proof, *dict.fromkeys(step.output for step in STEPS + SOLVE))


@pytest.mark.parametrize("model", READ, ids=lambda model: model.__name__)
def test_what_a_schema_has_against_a_value_is_told_in_our_words(model: type[BaseModel]) -> None:
    """Every field with values of every kind, and every pattern."""
    for value in ("", "a\nb", -1, 1e9, 0.5, True, None, [], [1], {}, {"x": {}}, [{}], ["x"] * 99, "x" * 9999):
        try:
            model.model_validate(dict.fromkeys(model.model_fields, value) | {"surprise": 1})
        except ValidationError as error:
            for fault in misfits(error):
                where, said = named(place_of(fault)), sentence(fault, model)
                assert not re.search(r"[][]|function", where), where
                assert said.startswith(("expected ", "is no key here", "is missing", "what was asked", "an answer")), (
                    said
                )
                assert not re.search(r"Input|[Ss]hould|[Vv]alid|fits|instance", said.partition(" (got ")[0]), said
    patterns = set(re.findall(r'"pattern": ("[^"]*")', json.dumps(model.model_json_schema(mode="validation"))))
    assert {json.loads(pattern) for pattern in patterns} <= PATTERNS.keys()
