"""Turn untrusted text into HTML: the one edge where it may become markup.

Topic files and answers may hold anything. What leaves here is safe inside an HTML page, and also inside a block of raw
HTML in a Markdown file, whatever Markdown extensions a site has switched on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML, RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.token import STANDARD_TYPES, _TokenType
from pygments.util import ClassNotFound

# Preprocessors of Markdown extensions look for these before HTML is recognised: fences, snippets, macros, tabs.
_MARKDOWN = {"`": "&#96;", "~": "&#126;", "{": "&#123;", "}": "&#125;", "\t": "&#9;"}

# Left-to-right overrides and their kin reorder what a reader sees; zero-width characters hide from one.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\u3164\ufeff\uffa0"
    "\U000e0000-\U000e007f]"
)


def raw(html: str) -> Markup:
    """Return HTML such that no Markdown extension takes a part of it for its own."""
    html = str(html)  # the replace of a Markup would escape the entities
    for sign, entity in _MARKDOWN.items():  # several times as fast as str.translate
        html = html.replace(sign, entity)
    return Markup(html)


def visible(text: str) -> str:
    """Return the text with its invisible and direction-changing characters spelled out, as in `⟨U+202E⟩`."""
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text.replace("\r\n", "\n").replace("\r", "\n"))


def plain(text: str) -> Markup:
    """Return text as text."""
    return Markup(escape(visible(text)))


def prose(text: str) -> Markup:
    """Return a model's prose with its paragraphs, lists, emphasis and code; links, images and HTML stay text."""
    return Markup(visible(_markdown().render(visible(text))))  # again: an entity may hide a character


def sentence(text: str) -> Markup:
    """Return prose of one line, without a paragraph around it."""
    return Markup(visible(_markdown().renderInline(visible(text))))


def document(text: str, anchor: str) -> Markup:
    """Return a Markdown answer whose lines of code can be linked to: line 7 of the text has the id `<anchor>-7`."""
    return Markup(visible(_markdown().render(visible(text), {"anchor": anchor})))


def code(text: str, language: str) -> Markup:
    """Return highlighted code, as a block."""
    return Markup('<div class="highlight"><pre><code>{}\n</code></pre></div>').format(
        Markup("\n").join(code_lines(text.rstrip("\n"), language))
    )


def code_lines(text: str, language: str, marks: Sequence[tuple[int, int, Markup]] = ()) -> list[Markup]:
    """Return highlighted code, a piece of HTML for each line.

    Each mark is a stretch of the text (its characters from, up to) and the opening `<span …>` to put around it; marks
    are in order and do not overlap. One that crosses lines is opened again on each.
    """
    cuts = [(len(visible(text[:start])), len(visible(text[:end])), opening) for start, end, opening in marks]
    lines: list[list[str]] = [[]]
    place = 0
    for kind, written in _tokens(visible(text), language):
        end = place + len(written)
        whole = "\n" not in written and all(end <= start or stop <= place for start, stop, _ in cuts)
        for piece in (_Piece(written, None),) if whole else _cut(written, place, cuts):
            if piece.text == "\n":
                lines.append([])
            elif piece.text:
                lines[-1].append(_token(kind, piece))
        place = end
    return [Markup("".join(line)) for line in lines]


class _Piece(NamedTuple):
    text: str
    opening: Markup | None


def _cut(text: str, place: int, cuts: Sequence[tuple[int, int, Markup]]) -> Iterator[_Piece]:
    """Cut a token, which starts at a place of the code, at line ends and where marks begin and end."""
    for found in re.finditer(r"\n|[^\n]+", text):
        start, end = place + found.start(), place + found.end()
        edges = sorted({start, end, *(edge for cut in cuts for edge in cut[:2] if start < edge < end)})
        for one, other in pairwise(edges):
            opening = next((cut[2] for cut in cuts if cut[0] <= one and other <= cut[1]), None)
            yield _Piece(text[one - place : other - place], opening)


def _token(kind: _TokenType, piece: _Piece) -> str:
    while kind not in STANDARD_TYPES and kind.parent:
        kind = kind.parent
    name = STANDARD_TYPES.get(kind)
    html = f'<span class="{name}">{escape(piece.text)}</span>' if name else str(escape(piece.text))
    return f"{piece.opening}{html}</span>" if piece.opening else html


@lru_cache(maxsize=16)  # the same code stands on two pages, and in the key many times
def _tokens(text: str, language: str) -> list[tuple[_TokenType, str]]:
    tokens = list(_lexer(language).get_tokens(text))
    lost = "".join(written for _, written in tokens) != text  # some lexers drop spaces, or spell tabs out
    return list(_lexer("text").get_tokens(text)) if lost else tokens


@lru_cache
def _lexer(language: str) -> Lexer:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return TextLexer(stripnl=False, ensurenl=False)


@lru_cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.disable(["link", "image", "autolink", "html_block", "html_inline", "reference"])
    markdown.add_render_rule("fence", _fence)
    markdown.add_render_rule("th_open", _cell)
    markdown.add_render_rule("td_open", _cell)
    return markdown


def _cell(
    renderer: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """Render a cell's beginning; its alignment is no inline style, which a strict Content-Security-Policy forbids."""
    attributes = tokens[place].attrs
    if style := attributes.pop("style", None):
        attributes["align"] = str(style).removeprefix("text-align:")
    return renderer.renderToken(tokens, place, options, env)


def _fence(
    _: RendererProtocol, tokens: Sequence[Token], place: int, __: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """Render a fenced block, each line with its number in the whole text."""
    token = tokens[place]
    language = token.info.split()[0] if token.info.strip() else "text"
    lines = code_lines(token.content.removesuffix("\n"), language)
    first = token.map[0] + 2 if token.map else 1
    if anchor := env.get("anchor"):
        line = Markup('<span class="es-line" id="{0}-{1}" data-line="{1}">{2}</span>')
        lines = [line.format(anchor, number, content) for number, content in enumerate(lines, start=first)]
    return Markup('<div class="highlight"><pre><code>{}\n</code></pre></div>\n').format(Markup("\n").join(lines))
