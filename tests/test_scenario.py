"""What a student is told before the code, as one text."""

from __future__ import annotations

import pytest

import answers
from errorspan.answers.outputs import Assessment
from errorspan.site.scenario import LONG, told

CODE = "def top_words(byCount, lines):\n    return byCount.most_common(lines)\n" * 5


def said(scenario: str, **more: object) -> str:
    """Return what is told of a program with this scenario; no promises, unless they are given."""
    given = {name: value for name, value in answers.ASSESSMENT.items() if name not in {"promises", "not_shown"}}
    shown = Assessment.model_validate(given | {"scenario": scenario, "code": CODE} | more)
    return told(shown, "What callers rely on", "Not shown:")


def test_promises_are_a_list() -> None:
    text = said("You review it.\n", promises=["`top_words` is right.", "It is\nfast."], not_shown="`os`.")
    assert text == (
        "You review it.\n\n**What callers rely on**\n\n- `top_words` is right.\n- It is fast.\n\n**Not shown:** `os`."
    )
    assert "Not shown" not in said("You review it.", promises=["a", "b", "c"], not_shown=" ")


@pytest.mark.parametrize(
    ("scenario", "shown"),
    [
        ("Calls top_words() with byCount.", "Calls `top_words()` with `byCount`."),
        ("See report.top_words, then.", "See `report.top_words`, then."),
        ("`top_words` and ``a byCount b`` stay.", "`top_words` and ``a byCount b`` stay."),
        ("most_common lines of snake_case", "`most_common` lines of snake_case"),
        ("pre_top_words_post", "pre_top_words_post"),
        ("**top_words**", "**`top_words`**"),
        ("It has `an open end and top_words", "It has `an open end and `top_words`"),
    ],
)
def test_names_of_the_code_are_set_as_code_where_no_prose_has_them(scenario: str, shown: str) -> None:
    assert said(scenario) == shown


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    sentence = "It counts words, e.g. Those of v1.2 and of Dr. no one, for all who ask. "
    text = said(sentence * 9)
    parts = text.split("\n\n")
    assert len(parts) > 1
    assert all(part.endswith("who ask.") and len(part.split()) <= LONG for part in map(str.strip, parts))
    assert " ".join(text.split()) == " ".join((sentence * 9).split())


@pytest.mark.parametrize("text", ["word " * 200, "- a. B\n- " + "word. Word " * 100, "```\n" + "x. Y " * 100 + "\n```"])
def test_what_is_more_than_sentences_stays(text: str) -> None:
    assert said(text) == text
