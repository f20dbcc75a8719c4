"""Whatever the language and the text, code is lexed within a time that grows with its length, or is plain."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from pygments.lexers import get_all_lexers
from pygments.token import Comment

import answers
import readers
from conftest import ROOT
from errorspan.authoring.settings import Settings
from errorspan.authoring.topics import read_topics
from errorspan.checks.tracing import traced
from errorspan.course import Course
from errorspan.site import pages
from errorspan.text import lexing, markup, syntax
from errorspan.text.lexing import LONGEST, PATIENCE, PER_CHARACTER, lexed

HOLDING_UP = [("c", "def " + " " * 4000), ("cpp", "a " + " " * 4000)]
"""Many times as long as they may take, were they not ended."""


@pytest.mark.heavy
@pytest.mark.parametrize(("language", "text"), HOLDING_UP)
def test_what_takes_too_long_is_plain_and_the_next_text_is_not(language: str, text: str) -> None:
    began = time.monotonic()
    assert lexed(text, language) is None
    assert time.monotonic() - began < 10 * allowed(text) + 5  # others may want the processor, too
    assert markup.code_lines(text, language)[0] == text.partition("\n")[0]
    assert [token.text for token in syntax.comments("x = 1  # one", "python")] == ["# one"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a system without these signals")
def test_one_who_is_interrupted_goes_on_lexing_as_does_one_whose_process_was_ended() -> None:
    assert lexed("x = 'before'", "python")
    process = lexing._LEXER._process
    assert process
    process.send_signal(signal.SIGINT)  # as a terminal sends it to all that a command has started
    assert lexed("x = 'interrupted'", "python")
    assert lexing._LEXER._process is process
    process.kill()
    process.wait()
    assert lexed("x = 'killed'", "python")


def allowed(text: str) -> float:
    return PATIENCE + PER_CHARACTER * len(text)


def test_a_record_that_holds_a_build_up_is_shown(tmp_path: Path) -> None:
    readers.project(tmp_path)
    fence = f"\n```c\ndef {' ' * 3000}\n```\n"
    began = time.monotonic()
    faults = readers.record(tmp_path, "attempt-1/weak_implementation.md", (answers.WEAK + fence).encode())
    assert not faults
    assert time.monotonic() - began < 60


def test_what_is_no_language_too_long_or_makes_a_lexer_fail_is_plain() -> None:
    assert lexed("x", "no language") is None
    assert lexed("x" * (LONGEST + 1), "python") is None
    assert [kind for _, kind, _ in lexed("# ⟨\ud800", "python") or ()][:1] == [Comment.Single]


def test_no_text_is_lexed_twice_for_one_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    for kept in (lexing._lexed, syntax.tokens, markup._tokens, traced):
        kept.cache_clear()
    asked: list[tuple[str, str]] = []
    ask = lexing._LEXER.ask
    monkeypatch.setattr(lexing._LEXER, "ask", lambda what: asked.append((what[0], what[1])) or ask(what))
    [run] = Course(ROOT, Settings(), *read_topics(ROOT / "topics", ROOT)).replay(["durations"])
    assert run.assessment
    assert asked == [(run.assessment.language, run.assessment.code)]  # what it was cut from is only compared
    assert [*pages.render([run], Settings())]
    assert len(asked) == len(set(asked)) > 3


def test_a_last_line_is_lexed_as_if_it_had_an_end() -> None:
    assert lexed("x  # one", "python") == lexed("x  # one\n", "python")
    assert markup.code_lines("x  # one", "python") == markup.code_lines("x  # one\n", "python")[:-1]


SHAPES = ("a", "a ", " ", "\n", "(", "a(", "{", "<", '"', "\\", "/*", "- ", "=", "a:", "0", "#", "<a ", "\t")


@pytest.mark.heavy
@pytest.mark.timeout(3600)
def test_no_lexer_there_is_holds_a_build_up() -> None:
    names = [aliases[0] for _, aliases, _, _ in get_all_lexers() if aliases]
    texts = [shape * (1000 // len(shape)) for shape in SHAPES]
    late = []
    for name in names:
        began = time.monotonic()
        for text in texts:
            lexed(text, name)
        if time.monotonic() - began > 10 * sum(map(allowed, texts)):
            late.append(name)
    assert not late
