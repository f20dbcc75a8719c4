"""Find the fenced code of a Markdown text, as the pages show it.

CommonMark, but for two things: where a fence ends further in than it began, and one that is not follows, the code goes
on; and a fence that is one too many, with nothing but prose behind it, opens nothing. Models fence whole programs, and
do not look whether a docstring holds a fence of its own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

_OPENS = re.compile(r"(?P<fence>(?P<mark>[`~])(?P=mark){2,}+)[^\S\n]*(?P<info>[^\n]*)")

_CODE = re.compile(
    r"[;{}=(\[]\s*$|^[)}\]@]|^(?:#include|\w[\w.]*\s*(?:[-+*/|&]?=|\()|(?:export|pub|async|static)\s)"
    r"|^(?:def|class|import|return|function|const|let|var|public|private|package|func|fn|if|for|while)\b.*[^.!?]$"
)
"""A line that no prose has."""

_ENDS_PROSE, _CLOSES = frozenset(".!?:。！？：।؟…"), "*_)'\"”»"  # noqa: RUF001 - full stops of all scripts


class Block(NamedTuple):
    """A fenced block: its language, its code, and the lines of the text (from 0, up to) on which the code stands.

    One that is not `closed` goes on to the end.
    """

    language: str
    code: str
    first: int
    last: int
    closed: bool


def parser() -> MarkdownIt:
    """Return a parser of Markdown with these fences; links, images and HTML are text to it."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.disable(["link", "image", "autolink", "html_block", "html_inline", "reference"])
    markdown.block.ruler.at("fence", _fence, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    return markdown


@lru_cache(maxsize=32)
def blocks(text: str) -> tuple[Block, ...]:
    """Return the fenced blocks of a text, in order."""
    found = [token for token in _blocks_only().parse(text) if token.type == "fence" and token.map]
    return tuple(
        Block(
            (token.info.split() or [""])[0],
            token.content,
            first := (token.map or [0])[0] + 1,
            first + token.content.count("\n"),
            token.meta["closed"],
        )
        for token in found
    )


@lru_cache
def _blocks_only() -> MarkdownIt:
    markdown = parser()
    markdown.core.ruler.enableOnly(["normalize", "block"])
    return markdown


def _fence(state: StateBlock, first: int, end: int, silent: bool) -> bool:  # noqa: C901, FBT001 - as the parser calls it
    """Take a fenced block that starts on a line, if one does."""
    if state.is_code_block(first):
        return False
    opened = _OPENS.fullmatch(_line(state, first))
    if opened is None or "`" in opened["info"]:
        return False
    if silent:
        return True
    margin = state.sCount[first]
    closing = re.compile(rf"{re.escape(opened['fence'])}{re.escape(opened['mark'])}*\s*")
    last = closed = None
    for line in range(first + 1, end):
        text = _line(state, line)
        if text and state.sCount[line] < state.blkIndent:
            break  # the list or quote that it stands in is over
        last = line
        fence = closing.fullmatch(text) if not state.is_code_block(line) else None
        if fence and state.sCount[line] <= margin:
            closed = line
            break
        if fence and closed is None:
            closed = line
        elif closed is not None and state.sCount[line] <= margin and _OPENS.fullmatch(text):
            break  # another block begins: the one before had its end
    if closed is None and not opened["info"] and _is_stray(state, first, end):
        return False
    if closed is None:
        until = after = (last or first) + 1
    else:
        until, after = closed, closed + 1
    state.line = after
    token = state.push("fence", "code", 0)
    token.info, token.markup, token.map = opened["info"], opened["fence"], [first, after]
    token.meta["closed"] = closed is not None
    token.content = state.getLines(first + 1, until, margin, keepLastLF=True)
    return True


def _is_stray(state: StateBlock, first: int, end: int) -> bool:
    """Tell whether a fence is one too many: code is closed before it, and prose follows to the end, or nothing."""
    before = any(token.type == "fence" and token.meta["closed"] for token in state.tokens)
    rest = [text for line in range(first + 1, end) if (text := _line(state, line).rstrip())]
    return before and not any(map(_CODE.search, rest)) and (not rest or rest[-1].rstrip(_CLOSES)[-1:] in _ENDS_PROSE)


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
