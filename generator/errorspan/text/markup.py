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
from pygments.token import STANDARD_TYPES, Name, Whitespace, _TokenType
from pygments.token import Text as TextToken

from errorspan.text import fences
from errorspan.text.lexing import ended, lexed

# Preprocessors of Markdown extensions look for these before HTML is recognised: fences, snippets, macros, tabs.
_MARKDOWN = {"`": "&#96;", "~": "&#126;", "{": "&#123;", "}": "&#125;", "\t": "&#9;"}

_SIGNS = re.compile(r"[!-/:-@\[-`{-~\n]")  # whatever is no letter, no digit and no space, as far as ASCII goes

# What reorders the words around it, and what shows nothing, could tell a reader one thing and a machine another:
# controls, overrides and isolates, what Unicode calls default ignorable, and blanks that count as letters.
_HIDING = (
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0080-\U000e0fff]"
)
_EMOJI = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff"
_JOINED = f"{_EMOJI}\u0600-\u0dff\u0f00-\u109f\u1780-\u18ff"  # scripts whose letters are joined, or kept apart
_JOINING = (  # what words and emoji are made with, where there is no such word and no emoji
    f"(?<![{_JOINED}\ufe0f])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])"
    f"|(?<![{_EMOJI}])(?!(?<=[0-9#*])\ufe0f\u20e3)[\ufe0e\ufe0f]"  # keycaps
)
_TAGS = "[\U000e0030-\U000e0039\U000e0061-\U000e007a]"  # of a region: they make a black flag its flag
_WITHIN = "".join(f"(?<!\U0001f3f4{_TAGS * tags})" for tags in range(7))
_TAGGING = (  # all that are in no flag, or in one without an end
    f"(?<=\U0001f3f4)\U000e007f|{_WITHIN}[\U000e0000-\U000e007f]|(?!{_TAGS}{{0,6}}\U000e007f)[\U000e0000-\U000e007f]"
)
_RARE = "[\u200c\u200d\ufe0e\ufe0f\U000e0000-\U000e007f]"  # what is around is looked at only where one of them stands
_JOINED_WRONGLY = f"(?={_RARE})(?:{_JOINING}|{_TAGGING})"
_MARKS = "[\u00ad\u061c\u200e\u200f]"  # hyphens, and directions of single words: harmless, and at home in prose
_IN_PROSE = re.compile(f"\r\n?|{_HIDING}|{_JOINED_WRONGLY}")
_IN_CODE = re.compile(f"\r\n?|{_HIDING}|{_JOINED_WRONGLY}|{_MARKS}")


def raw(html: str) -> Markup:
    """Return HTML such that no Markdown extension takes a part of it for its own."""
    html = str(html)  # the replace of a Markup would escape the entities
    for sign, entity in _MARKDOWN.items():  # several times as fast as str.translate
        html = html.replace(sign, entity)
    return Markup(html)


def visible(text: str) -> str:
    """Return the text with its invisible and direction-changing characters spelled out, as in `⟨U+202E⟩`."""
    return _IN_CODE.sub(_spelled, text)


def shown_at(text: str, at: int) -> int:
    """Return where a place of the text is once the text is visible."""
    longer = 0
    for found in _IN_CODE.finditer(text):
        if found.end() > at:
            return min(at, found.start()) + longer
        longer += len(_spelled(found)) - len(found[0])
    return at + longer


def _spelled(found: re.Match[str]) -> str:
    return "\n" if found[0].startswith("\r") else f"⟨U+{ord(found[0]):04X}⟩"


def plain(text: str) -> Markup:
    """Return text as text."""
    return Markup(escape(visible(text)))


def inert(text: str) -> Markup:
    """Return text as text, within a line of Markdown too, such as a heading: no sign of it is one of Markdown's."""
    return Markup(_SIGNS.sub(lambda found: f"&#{ord(found[0])};", visible(text)))


def prose(text: str) -> Markup:
    """Return a model's prose with its paragraphs, lists, emphasis and code; links, images and HTML stay text.

    What turns text around is spelled out, so nothing of it reaches the words beside. Marks that some languages are
    written with stay, outside of code.
    """
    return Markup(_markdown().render(text))


def sentence(text: str) -> Markup:
    """Return prose of one line, without a paragraph around it."""
    return Markup(_markdown().renderInline(text))


def document(text: str, anchor: str) -> Markup:
    """Return a Markdown answer whose lines of code can be linked to: line 7 of the text has the id `<anchor>-7`."""
    return Markup(_markdown().render(text, {"anchor": anchor}))


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
    cuts = [(shown_at(text, start), shown_at(text, end), opening) for start, end, opening in marks]
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


_PLAIN = {Whitespace, Name, Name.Other}
"""What themes give the colour of all code needs no element, and is nearly half of what there is."""


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
    name = STANDARD_TYPES.get(kind) if kind not in _PLAIN else None
    html = f'<span class="{name}">{escape(piece.text)}</span>' if name else str(escape(piece.text))
    return f"{piece.opening}{html}</span>" if piece.opening else html


@lru_cache(maxsize=16)  # the same code stands on two pages, and in the key many times
def _tokens(text: str, language: str) -> list[tuple[_TokenType, str]]:
    tokens = [(kind, written) for _, kind, written in lexed(text, language) or () if written]
    whole = ended(text)
    if "".join(written for _, written in tokens) != whole:  # some lexers drop spaces, or spell tabs out
        return [(TextToken, text)]
    if whole != text:
        tokens[-1] = (tokens[-1][0], tokens[-1][1][:-1])
    return tokens


@lru_cache
def _markdown() -> MarkdownIt:
    markdown = fences.parser()
    markdown.add_render_rule("fence", _fence)
    markdown.add_render_rule("th_open", _cell)
    markdown.add_render_rule("td_open", _cell)
    markdown.add_render_rule("text", _words)
    markdown.add_render_rule("code_inline", _inline)
    markdown.add_render_rule("code_block", _indented)
    return markdown


def _cell(
    renderer: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """Render a cell's beginning; its alignment is no inline style, which a strict Content-Security-Policy forbids."""
    attributes = tokens[place].attrs
    if style := attributes.pop("style", None):
        attributes["align"] = str(style).removeprefix("text-align:")
    return renderer.renderToken(tokens, place, options, env)


def _words(_: RendererProtocol, tokens: Sequence[Token], place: int, *__: Any) -> str:
    return str(escape(_IN_PROSE.sub(_spelled, tokens[place].content)))


def _inline(_: RendererProtocol, tokens: Sequence[Token], place: int, *__: Any) -> str:
    return f"<code>{plain(tokens[place].content)}</code>"


def _indented(_: RendererProtocol, tokens: Sequence[Token], place: int, *__: Any) -> str:
    return f"<pre><code>{plain(tokens[place].content)}</code></pre>\n"


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
