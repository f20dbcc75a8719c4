"""Exercises as values: offsets that JavaScript agrees with, a key that is safe anywhere, a page that tells nothing."""

from __future__ import annotations

import gzip
import html
import json
import re
from dataclasses import replace
from pathlib import Path

import markdown
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorspan.answers.outputs import Assessment
from errorspan.answers.verdicts import Failure
from errorspan.site import filling, pages
from errorspan.site.exercise import Exercise, Places, in_words, segments
from errorspan.text import markup

CODE = "def f(xs):\n\ttotal = 0 # 🙂 é\n    return sum(xs) / len(xs), max(xs)\n\nprint(\n    f([]))\n"


def error(number: int, quote: str, line: int, correction: str) -> dict[str, object]:
    """Describe an error in as few words as its shape allows."""
    return {
        "id": str(number), "quote": quote, "line": line, "failure": f"F{number}", "description": f"describes {number}",
        "correction": correction, "hint": "look `closer`", "severity": "high", "concept": f"concept {number}",
        "learning_value": "worth it",
    }  # fmt: skip


def exercise(code: str = CODE, *errors: dict[str, object]) -> Exercise:
    """Make an exercise of a code and its errors."""
    chosen = errors or (
        error(1, "sum(xs)", 3, "fsum(xs)"),
        error(2, "max(xs)", 3, "min(xs)"),
        error(3, "(\n    f([])", 5, "(f([1])"),
    )
    assessment = Assessment.model_validate(
        {
            "title": "T", "learning_objective": "L", "scenario": "S", "language": "python", "code": code,
            "errors": list(chosen), "estimated_minutes": [15, 10],
        }
    )  # fmt: skip
    failures = (Failure("F1", None, "what the judge saw", "quote"),)
    return Exercise("topic", "Title", "beginner", ("a",), assessment, failures, "../../runs/topic/")


@pytest.fixture
def render():
    """Return a function that renders the page's part for an exercise."""
    return lambda of: filling.templates().get_template("exercise.html.j2").render(exercise=of)


def key_of(made: Exercise) -> dict[str, object]:
    """Read a key script as a browser would: JSON is JavaScript."""
    call = re.fullmatch(r"errorspanKey\((.*)\);\n", made.key_script)
    assert call
    name, key = json.loads(f"[{call[1]}]")
    assert name == made.id
    return key


def cut(text: str, start: int, end: int) -> str:
    """Return columns of a text as JavaScript counts them."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


def shown(line: str) -> str:
    """Return the characters of a line's HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", line))


def asset(name: str) -> str:
    """Return the text of a script or style."""
    return (Path(pages.__file__).parent / "assets" / name).read_text("utf-8")


def test_a_line_of_html_for_each_line_of_code() -> None:
    assert [shown(line) for line in exercise().lines] == CODE.splitlines()


def test_a_line_tells_how_deep_it_is_indented(render) -> None:
    code = "a\n  b = sum(xs)\n\n\tmax(xs)\n   \tc\n     min(xs)\n" + " " * 30 + "d\n"
    made = exercise(code, *(error(n, f"{name}(xs)", 2, "0") for n, name in enumerate(("sum", "max", "min"), 1)))
    assert made.indents == [0, 1, 0, 2, 2, 2, 6]
    assert re.findall(r"es-in(\d)", render(made)) == [str(depth) for depth in made.indents]


def test_two_errors_on_one_line_keep_apart() -> None:
    assert exercise().spans["1"] == ((3, 11, 18),)
    assert exercise().spans["2"] == ((3, 30, 37),)


def test_a_span_from_mid_line_has_a_piece_on_each_line() -> None:
    assert exercise().spans["3"] == ((5, 5, 6), (6, 0, 9))


def test_columns_count_utf_16_units() -> None:
    assert segments("a🙂b", 2, 3) == ((1, 3, 4),)
    assert segments("e\u0301x", 2, 3) == ((1, 2, 3),)
    assert segments("\tx", 1, 2) == ((1, 1, 2),)


def test_columns_count_what_is_shown_of_an_invisible_character() -> None:
    assert segments("\u202eab", 2, 3) == ((1, len("⟨U+202E⟩a"), len("⟨U+202E⟩ab")),)


def test_a_final_newline_belongs_to_its_line() -> None:
    assert segments("ab\ncd\n", 1, 3) == ((1, 1, 2),)
    assert segments("ab\n\ncd", 0, 4) == ((1, 0, 2), (2, 0, 0))


@given(st.text(st.sampled_from("ab \t\né\u0301🙂👩🏽\u200d\u202e\r")), st.data())
def test_the_pieces_of_a_span_are_its_characters(code: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(code)))
    end = data.draw(st.integers(start, len(code)))
    lines = markup.visible(code).split("\n")
    pieces = segments(code, start, end)
    joined = "\n".join(cut(lines[line - 1], *columns) for line, *columns in pieces)
    first, last = markup.shown_at(code, start), markup.shown_at(code, end)
    assert joined == markup.visible(code)[first:last].removesuffix("\n") or joined == markup.visible(code)[first:last]
    assert [line for line, *_ in pieces] == list(range(pieces[0].line, pieces[0].line + len(pieces)))


@given(st.text(st.sampled_from("ab=(#'\" \t\né\u0301🙂\u202e"), min_size=1))
def test_html_and_columns_speak_of_the_same_lines(code: str) -> None:
    made = exercise(f"x{code}y")
    assert [shown(line) for line in made.lines] == markup.visible(f"x{code}y").split("\n")


def test_a_span_knows_the_lines_that_the_assessment_knows() -> None:
    made = exercise()
    for wrong in made.assessment.errors:
        span, pieces = made.assessment.span(wrong), made.spans[wrong.id]
        assert span
        assert (span.first, span.last) == (pieces[0].line, pieces[-1].line)


def test_an_exercise_without_its_quote_says_so() -> None:
    broken = exercise(CODE, *[error(n, "absent", 1, "b") for n in (1, 2, 3)])
    with pytest.raises(ValueError, match="error 1: its quote does not stand in the code"):
        _ = broken.spans


def test_the_key_holds_before_and_after() -> None:
    third = key_of(exercise())["errors"][2]
    assert [shown(line) for line in third["before"]] == ["print(", "    f([]))"]
    assert [shown(line) for line in third["after"]] == ["print(f([1]))"]


@pytest.mark.parametrize(
    ("quote", "correction", "before", "after"),
    [
        ("b\n", "B\n", ["b"], ["B"]),
        ("b\n", "B;", ["b", "c"], ["B;c"]),
        ("b", "B\nB", ["b"], ["B", "B"]),
        ("b\nc", "B", ["b", "c"], ["B"]),
        ("d\n", "D", ["d"], ["D"]),
        ("b\n", "", ["b", "c"], ["c"]),
        ("b", "", ["b"], [""]),
    ],
)
def test_an_excerpt_shows_whole_lines(quote: str, correction: str, before: list[str], after: list[str]) -> None:
    code = "a\nb\nc\nd\n"
    made = exercise(code, error(1, quote, 2, correction), error(2, "a", 1, "A"), error(3, "d", 4, "D"))
    first = next(wrong for wrong in key_of(made)["errors"] if wrong["id"] == "1")
    assert [shown(line) for line in first["before"]] == before
    assert [shown(line) for line in first["after"]] == after


@pytest.mark.parametrize(
    ("code", "quote", "correction", "before", "after"),
    [
        ("if a:\n    if b:\n\n        c\n", "if b:\n\n        c", "if d:\n        c",
         ["if b:", "", "    c"], ["if d:", "    c"]),
        ("if a:\n    if b:\n        c\n", "c", "c\n    d", ["    c"], ["    c", "d"]),
        ('f\n    """a\n      b"""\n', '"""a\n      b', '"""A\n    b', ['"""a', '  b"""'], ['"""A', 'b"""']),
        ("f\n\tb = 'é🙂'\n\t\tc\n", "b = 'é🙂'\n\t\tc", "b", ["b = 'é🙂'", "\tc"], ["b"]),
        ("f\n\tb\n        c\n", "b\n        c", "b", ["\tb", "        c"], ["\tb"]),
        ("f\n   b\n", "   b\n", "", ["b"], []),
    ],
)  # fmt: skip
def test_what_indents_all_lines_of_an_excerpt_is_left_out(code, quote, correction, before, after) -> None:
    made = exercise(code, error(1, quote, 2, correction), error(2, code[0], 1, "x"))
    first = next(wrong for wrong in key_of(made)["errors"] if wrong["id"] == "1")
    assert [shown(line) for line in first["before"]] == before
    assert [shown(line) for line in first["after"]] == after


def test_an_excerpt_is_highlighted_as_what_it_is_in_the_code() -> None:
    code = 'def f():\n    """Say:\n    for x in y\n    """\n    for x in y:\n        print(x)\n'
    text, loop = error(1, "for x in y\n", 3, "for x in z\n"), error(2, "for x in y:", 5, "for x in z:")
    made = exercise(code, text, loop)
    quoted, run = key_of(made)["errors"]
    assert quoted["after"] == ['<span class="sd">for x in z</span>']
    assert run["after"] == markup.code_lines("for x in z:", "python")


def test_the_key_lists_errors_from_the_top() -> None:
    made = exercise("a\nb c\n", error(1, "c", 2, "C"), error(2, "b", 2, "B"), error(3, "a", 1, "A"))
    assert [wrong["id"] for wrong in key_of(made)["errors"]] == ["3", "2", "1"]


def test_the_key_says_prose_as_html_and_links_to_the_run() -> None:
    first, second, _ = key_of(exercise())["errors"]
    assert first["hint"] == "look <code>closer</code>"
    assert first["failure"] == "<p>what the judge saw</p>\n"
    assert second["failure"] is None
    assert first["url"] == "../../runs/topic/#error-1"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(lambda text: f"x{text}"))
def test_a_key_is_safe_in_a_script_in_a_page(text: str) -> None:
    nasty = error(1, "sum(xs)", 3, "fsum(xs)") | {"concept": f"</script><!--\u2028{text}", "description": text}
    made = exercise(CODE, nasty, *(error(n, "max(xs)", 3, "min(xs)") for n in (2, 3)))
    assert made.key_script.isascii()
    assert not set("<>&\n") & set(made.key_script[:-1])
    assert key_of(made)["errors"][0]["concept"] == markup.visible(f"</script><!--\u2028{text}")


def test_the_digest_follows_what_grades_and_nothing_else() -> None:
    plain = exercise()
    assert re.fullmatch("[0-9a-f]{12}", plain.digest)
    assert replace(plain, title="Other", explained_at="x", failures=()).digest == plain.digest
    first, *others = (item.model_dump() for item in plain.assessment.errors)
    assert exercise(CODE, first | {"description": "better words"}, *others).digest == plain.digest
    assert exercise(CODE, first | {"correction": "other"}, *others).digest != plain.digest
    assert exercise(CODE + "# more\n", first, *others).digest != plain.digest
    assert exercise(CODE, first | {"quote": "sum(xs) "}, *others).digest != plain.digest


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("test_an_empty_list_is_fine", "an empty list is fine"),
        ("test_words[a_b]", "words [a_b]"),
        ("TestMean::test_of_one[test_x::y]", "of one [test_x::y]"),
        ("the box emptied asks nothing", "the box emptied asks nothing"),
        ("it's test_driven [1]", "it's test_driven [1]"),
        ("", ""),
    ],
)
def test_a_test_is_called_as_a_sentence_has_it(test: str, said: str) -> None:
    assert in_words(test) == said


def test_minutes_are_in_order() -> None:
    assert exercise().minutes == (10, 15)


def test_the_page_tells_nothing(render) -> None:
    page = render(exercise())
    assert "3 errors" in page  # it is for beginners
    for told in ("concept 1", "describes", "closer", "worth it", "fsum", "judge saw", "error-span", "Overwrites"):
        assert told not in page
    rows = re.findall(r'<span class="es-entry">.*?</label></span>', page)
    bare = {re.sub(r"(</i> )\d+|<code.*</code>", r"\1", row) for row in rows}
    assert len(rows) == len(CODE.splitlines())
    assert len(bare) == 2  # with code, and blank
    assert [" disabled" in row for row in rows] == [not line for line in CODE.splitlines()]


def test_the_page_survives_markdown(render) -> None:
    code = "a = '''\n```\n{{ x }} --8<-- \"f\"\n\n\n\tb ~~~\n&amp; <b> *[x]: y\n'''\nsum(xs), max(xs), min(xs)\n"
    made = exercise(code, *(error(n, f"{name}(xs)", 9, "0") for n, name in enumerate(("sum", "max", "min"), 1)))
    page = str(markup.raw(render(made)))
    extensions = ["abbr", "attr_list", "footnotes", "md_in_html", "tables", "pymdownx.superfences", "pymdownx.snippets"]
    rendered = markdown.markdown(f"# Title\n\n{page}\n\nMore.\n", extensions=extensions)
    texts = [shown(line) for line in re.findall(r'<code class="es-text es-in\d">(.*?)</code>', rendered)]
    assert texts == made.assessment.code.splitlines()
    assert rendered.count('<input class="es-mark"') == len(made.lines)


def test_script_and_style_stay_small() -> None:
    sizes = [len(gzip.compress(asset(name).encode(), 9)) for name in ("errorspan.js", "exercise.css")]
    assert sum(sizes) < 20_000


PATTERNS = {f"Pattern {name}": f"It <does> {name}." for name in "fedcba"}


def test_a_pattern_is_chosen_among_the_likeliest_in_an_order_that_tells_nothing() -> None:
    named = Failure("F1", "Pattern a", "what the judge saw", "quote")
    key = key_of(replace(exercise(), patterns=PATTERNS, failures=(named,)))
    one, two, _ = key["errors"]
    assert one["pattern"] == "Pattern a"
    assert key["kinds"] == {
        f"Pattern {name}": f"<p>It &lt;does&gt; {name}.</p>\n" for name in "def"
    }  # not the right one
    assert one["kinds"] == ["Pattern a", "Pattern d", "Pattern e", "Pattern f"]
    assert two["pattern"] == "describes 2"  # of no judged failure: as the key says it
    assert two["kinds"] == ["describes 2", "Pattern d", "Pattern e", "Pattern f"]


def test_the_key_says_where_an_error_was_made_and_avoided() -> None:
    one, two, _ = key_of(replace(exercise(), places={"1": Places("#weak", "#mid")}))["errors"]
    assert (one["weak"], one["mid"]) == ("#weak", "#mid")
    assert (two["weak"], two["mid"]) == (None, None)


def test_a_correction_may_be_empty() -> None:
    made = exercise(CODE, error(1, "sum(xs)", 3, ""), error(2, "max(xs)", 3, "0"), error(3, "print", 5, "p"))
    first = key_of(made)["errors"][0]
    assert [shown(line) for line in first["after"]] == ["return  / len(xs), max(xs)"]


def test_beginners_are_guided(render) -> None:
    assert "data-guided" in render(exercise())
    for level in ("intermediate", "advanced", None):
        page = render(replace(exercise(), level=level))
        assert "data-guided" not in page
        assert "data-errors" not in page
        assert " errors</output>" not in page
