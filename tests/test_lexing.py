"""Whatever the language and the text, code is lexed within a time that grows with its length, or is plain."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pygments.lexers import get_all_lexers
from pygments.token import Comment

import answers
import readers
from errorspan.text import markup, syntax
from errorspan.text.lexing import LONGEST, PATIENCE, PER_CHARACTER, lexed

HOLDING_UP = [("lilypond", "a" * 2000), ("c", "def " + " " * 2000)]
"""Minutes and hours, were they not ended."""


@pytest.mark.parametrize(("language", "text"), HOLDING_UP)
def test_what_takes_too_long_is_plain_and_the_next_text_is_not(language: str, text: str) -> None:
    began = time.monotonic()
    assert lexed(text, language) is None
    assert time.monotonic() - began < 10 * allowed(text) + 5  # others may want the processor, too
    assert markup.code_lines(text, language)[0] == text.partition("\n")[0]
    assert [token.text for token in syntax.comments("x = 1  # one", "python")] == ["# one"]


def allowed(text: str) -> float:
    return PATIENCE + PER_CHARACTER * len(text)


def test_a_record_that_holds_a_build_up_is_shown(tmp_path: Path) -> None:
    readers.project(tmp_path)
    fence = f"\n```lilypond\n{'a' * 2000}\n```\n"
    began = time.monotonic()
    faults = readers.record(tmp_path, "attempt-1/weak_implementation.md", (answers.WEAK + fence).encode())
    assert not faults
    assert time.monotonic() - began < 60


def test_what_is_no_language_too_long_or_makes_a_lexer_fail_is_plain() -> None:
    assert lexed("x", "no language") is None
    assert lexed("x" * (LONGEST + 1), "python") is None
    assert [kind for _, kind, _ in lexed("# ⟨\ud800", "python") or ()] == [Comment.Single]


SHAPES = ("a", "a ", " ", "\n", "(", "a(", "{", "<", '"', "\\", "/*", "- ", "=", "a:", "0", "#", "<a ", "\t")


@pytest.mark.heavy
@pytest.mark.timeout(3600)
def test_no_lexer_there_is_holds_a_build_up() -> None:
    names = [aliases[0] for _, aliases, _, _ in get_all_lexers() if aliases]
    texts = [shape * (2000 // len(shape)) for shape in SHAPES]
    late = []
    for name in names:
        began = time.monotonic()
        for text in texts:
            lexed(text, name)
        if time.monotonic() - began > 10 * sum(map(allowed, texts)):
            late.append(name)
    assert not late
