"""Untrusted text becomes HTML here and nowhere else: whatever goes in, only text and known markup come out."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from errorspan.text.markup import code, code_lines, document, plain, prose, raw, sentence, shown_at, visible

PROSE_TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "em", "strong",
    "code", "pre", "div", "span", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
PROSE = ("prose", "sentence", "document")
JOINING = set("\u200c\u200d\ufe0f")  # they stay within emoji, and words of some scripts
HIDES = {"Cc", "Cf", "Zl", "Zp"}
SENTENCE_TAGS = {"em", "strong", "code", "br"}
CODE_TAGS = {"div", "pre", "code", "span"}

MAKERS: dict[str, tuple[Callable[[str], Markup], set[str]]] = {
    "prose": (prose, PROSE_TAGS),
    "sentence": (sentence, SENTENCE_TAGS),
    "document": (lambda text: document(text, "mid-1"), PROSE_TAGS),
    "plain": (plain, set()),
    "code": (lambda text: code(text, "python"), CODE_TAGS),
    "code of a page": (lambda text: code(text, "html+php"), CODE_TAGS),
    "code in words": (lambda text: code(text, "no such language"), CODE_TAGS),
    "code lines": (lambda text: Markup("\n").join(code_lines(text, "javascript")), {"span"}),
}
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
HIDDEN = (
    "\u200b\u2060\u2061\u206a\ufeff\u00ad\u180e\u115f\u1160\u3164\uffa0\u034f\u2028\u2029\ufe01\ufff9\x07\x1b\x7f\x85"
    "\U000e0001\U000e0041\U000e007f\U000e0101\U0001d173\u200c\u200d\ufe0f"
)
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
MARKS = "\u00ad\u061c\u200e\u200f"  # at home in prose


class Page(HTMLParser):
    """Read HTML as a browser does: its tags, its attributes, its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"br", "hr"}:
            self.open.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"a processing instruction: {data}")


def page(html: Markup, tags: set[str]) -> Page:
    """Read HTML, and see that there is nothing in it but what may be."""
    assert isinstance(html, Markup)
    read = Page(str(html))
    assert not read.open
    assert set(read.tags) <= tags
    for tag, name, value in read.attributes:
        if name == "align":
            assert tag in {"th", "td"}
            assert value in {"left", "right", "center"}
        elif name == "start":
            assert tag == "ol"
            assert str(value).isdigit()
        else:
            assert name in {"class", "id"} or name.startswith("data-"), (tag, name, value)
            assert re.fullmatch(r"[\w -]*", str(value)), value
    return read


def text_of(html: str) -> str:
    """Return the text of some HTML."""
    return Page(html).text


ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "</code></pre></div><script>alert(1)</script>",
    "</span><a href=x>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    "[a](javascript:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "[a]: javascript:alert(1)\n\n[a]",
    "![a](https://evil.example/pixel.png)",
    "![a](x 'onerror=alert(1)')",
    "<https://evil.example>",
    "<javascript:alert(1)>",
    "https://evil.example",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "&#x3c;img src=x&#x3e;",
    "<!-- --><script>",
    "<![CDATA[<script>]]>",
    "<?php echo 1 ?>",
    "<!DOCTYPE html>",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "```js onload=alert(1) class=x\nx\n```",
    "```&quot;&gt;&lt;script&gt;\nx\n```",
    "~~~\n<script>\n~~~",
    "    </code></pre><script>alert(1)</script>",
    "| a | b |\n|---|:-:|\n| <script> | `<b>` |",
    "- <b>\n  - <i>\n\n1. x\n99999999. y",
    "0000123. x\n",
    "> <b>\n> > <i>",
    "`<script>`",
    "``` `<script>` ```",
    "**<b>**_<i>_",
    "# <script>\n<b>\n===",
    "a\\\n<b>  \nc",
    "{{ config }} {% raw %} {: onclick=alert(1) } {onclick=alert(1)}",
    '--8<-- "/etc/passwd"',
    ";--8<--\n/etc/passwd\n;--8<--",
    ':::python\n[TOC]\n*[HTML]: x\n[^1]: y\n!!! note\n    x\n??? x\n=== "tab"\n',
    "[[wiki]] ^^a^^ ==a== ++ctrl++ :smile: $x$ \\(x\\) @@",
    "javascript:/*--></title></style></textarea></script><svg/onload='+/\"/+/onmouseover=1/+/[*/[]/+alert(1)//'>",
    "\x00<script\x00>",
    "<\x00script>",
    "\u2028<b>\u2029",
    "<" * 2000,
    "[" * 2000,
    "*" * 2000,
    "`" * 2001,
    "> " * 300 + "x",
    BIDI + HIDDEN,
    "&#x202e;&rlm;&zwnj;&ZeroWidthSpace;&shy;&NoBreak;",
]


@pytest.mark.heavy
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("attack", ATTACKS, ids=[ascii(attack[:40]) for attack in ATTACKS])
def test_an_attack_stays_text(maker: str, attack: str) -> None:
    make, tags = MAKERS[maker]
    for around in ("{}", "a {} b", "- {}", "`{}`", "> {}", "{0}\n{0}"):
        html = make(around.format(attack))
        page(html, tags)
        page(raw(html), tags)


TEXTS = st.text(st.sampled_from("<>&\"'`~*_[]()!#|-=:;{}\\/ \n\t\rab1.") | st.characters(exclude_categories=["Cs"]))


@pytest.mark.heavy
@pytest.mark.parametrize("maker", MAKERS)
@settings(deadline=None, max_examples=150)
@given(text=TEXTS)
def test_any_text_stays_text(maker: str, text: str) -> None:
    make, tags = MAKERS[maker]
    html = make(text)
    read = page(html, tags)
    assert page(raw(html), tags).text == read.text
    assert not set(raw(html)) & set("`~{}")
    shown = JOINING | set(MARKS if maker in PROSE else "")
    assert not set(BIDI + HIDDEN) - shown & set(html)


def test_markdown_extensions_find_nothing_to_take() -> None:
    html = raw(Markup("<p>`a` ~~~ {{ b }} {% c %}</p>"))
    assert html == "<p>&#96;a&#96; &#126;&#126;&#126; &#123;&#123; b &#125;&#125; &#123;% c %&#125;</p>"
    assert text_of(html) == "`a` ~~~ {{ b }} {% c %}"


# The text is kept


@given(TEXTS)
def test_plain_text_is_kept(text: str) -> None:
    assert html_text(plain(text)) == html_text(visible(text))


@given(st.text(st.sampled_from("ab <>\"'[]()!&é🙂/=")))
def test_words_of_prose_are_kept(text: str) -> None:
    text = f"x{text}y"
    assert page(prose(text), {"p"}).text == f"{text}\n"
    assert page(sentence(text), set()).text == text
    assert page(document(text, "a"), {"p"}).text == f"{text}\n"


def html_text(text: str) -> str:
    """Return text as a parser hands it on, unescaped."""
    return Markup(text).unescape() if isinstance(text, Markup) else text


def parsed(line: str) -> str:
    """Return the text of one line of HTML, to the character."""
    return str(Markup(re.sub(r"</?span[^>]*>", "", line)).unescape())


LANGUAGES = [
    "python",
    "javascript",
    "html",
    "bash",
    "console",
    "text",
    "php",
    "rst",
    "robotframework",
    "psql",
    "pwsh-session",
    "no such",
]


@pytest.mark.parametrize("language", LANGUAGES)
@settings(deadline=None, max_examples=150)
@given(
    text=st.text(st.sampled_from("ab=(#'\"<&$>\\ \t\né🙂\u202e\r\ufeff%{}") | st.characters(exclude_categories=["Cs"]))
)
@example("\n\n  \n")
@example("  x  ")
@example("\tx\t")
@example("")
@example("\r\n\r")
@example("'''\n'''")
def test_code_has_an_entry_for_each_line(language: str, text: str) -> None:
    lines = code_lines(text, language)
    assert [parsed(line) for line in lines] == visible(text).split("\n")
    for line in lines:
        page(line, {"span"})


def test_code_keeps_every_line_but_the_last_empty_ones() -> None:
    assert text_of(code("\n\n  a\n\n\tb\n\n", "python")) == "\n\n  a\n\n\tb\n"


def test_known_code_is_coloured() -> None:
    (line,) = code_lines("def f(): pass", "python")
    assert '<span class="k">def</span>' in line
    assert '<span class="nf">f</span>' in line
    assert code_lines("def f(): pass", "no such language") == ["def f(): pass"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a *b* **c** `d`", "<p>a <em>b</em> <strong>c</strong> <code>d</code></p>\n"),
        ("a\n\nb", "<p>a</p>\n<p>b</p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("2. a\n3. b", '<ol start="2">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("a <b> & c", "<p>a &lt;b&gt; &amp; c</p>\n"),
        ("[a](b) ![c](d)", "<p>[a](b) ![c](d)</p>\n"),
        ("```no-such\nx\n```", '<div class="highlight"><pre><code>x\n</code></pre></div>\n'),
    ],
)
def test_prose_is_markdown_without_links(text: str, html: str) -> None:
    assert prose(text) == html


def test_a_sentence_has_no_paragraph() -> None:
    assert sentence("a *b* `c`") == "a <em>b</em> <code>c</code>"


def test_lines_of_code_in_a_document_can_be_linked_to() -> None:
    text = "Words.\n\n```python\nx = 1\n\ny = 2\n```\n\n- and\n\n  ~~~\n  z\n  ~~~\n"
    read = page(document(text, "weak-2"), PROSE_TAGS)
    ids = [value for _, name, value in read.attributes if name == "id"]
    assert ids == ["weak-2-4", "weak-2-5", "weak-2-6", "weak-2-12"]
    lines = re.findall(r'<span class="es-line" id="weak-2-(\d+)"[^>]*>(.*)</span>', document(text, "weak-2"))
    assert {int(number): text_of(line) for number, line in lines} == {4: "x = 1", 5: "", 6: "y = 2", 12: "z"}
    assert all(text.split("\n")[int(number) - 1].strip() == text_of(line) for number, line in lines)


# What hides or turns text is shown


@pytest.mark.parametrize("character", [*BIDI, *HIDDEN])
@pytest.mark.parametrize("maker", MAKERS)
def test_what_hides_is_shown(maker: str, character: str) -> None:
    make, tags = MAKERS[maker]
    spelled = f"a⟨U+{ord(character):04X}⟩b"
    text = page(make(f"a{character}b"), tags).text
    assert (f"a{character}b" if maker in PROSE and character in MARKS else spelled) in text
    if maker in PROSE:
        assert spelled in page(make(f"`a{character}b`"), tags).text
    if maker in {"prose", "document"}:
        assert spelled in page(make(f"```\na{character}b\n```\n\n    a{character}b"), tags).text


def test_nothing_that_unicode_calls_a_control_or_a_format_hides() -> None:
    signs = [sign for sign in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(sign) in HIDES]
    shown = {"\t", "\n", *"\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"}
    stacking = {chr(point) for point in range(0x13430, 0x13440)}  # of hieroglyphs
    assert {sign for sign in signs if visible(f"a{sign}b") == f"a{sign}b"} <= shown | stacking


@pytest.mark.parametrize("entity", ["&#x202e;", "&#8238;", "&NoBreak;", "&ZeroWidthSpace;", "&#xfeff;"])
@pytest.mark.parametrize("maker", ["prose", "sentence", "document"])
def test_what_hides_as_an_entity_is_shown(maker: str, entity: str) -> None:
    make, tags = MAKERS[maker]
    assert "a⟨U+" in page(make(f"a{entity}b"), tags).text


@pytest.mark.parametrize(
    "text",
    [
        "🙂",
        "👩🏽\u200d💻",
        "e\u0301",
        "नमस्\u200dते",
        "\u0645\u06cc\u200c\u062e\u0648",
        "שלום",
        "❤\ufe0f",
        "日本語",
        "1\ufe0f\u20e3",
        "#\ufe0f\u20e3",
        ENGLAND,
    ],
)
def test_scripts_and_emoji_stay_whole(text: str) -> None:
    assert visible(text) == text
    assert sentence(text) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("1\ufe0f", 1),
        ("a\ufe0f\u20e3", 1),
        ("1\ufe0e\u20e3", 1),
        (f"x{ENGLAND[1:]}", 6),
        (ENGLAND[:-1], 5),
        (f"{ENGLAND[0]}\U000e007f", 1),
        (f"{ENGLAND[:3]} {ENGLAND[3:]}", 6),
        (f"{ENGLAND[:3]}\U000e0041{ENGLAND[3:]}", 7),
        (f"{ENGLAND[0]}{ENGLAND[1:-1] * 9}\U000e007f", 40),
    ],
    ids=ascii,
)
def test_signs_that_make_no_emoji_are_spelled_out(text: str, hidden: int) -> None:
    assert len(re.findall("⟨U\\+", visible(text))) >= hidden
    assert len(re.findall("⟨U\\+", code("x = 1 # " + text, "python"))) >= hidden


@given(st.text(st.sampled_from("a\r\n\u202e\u200d\ufe0f❤🙂ی1\u20e3\U0001f3f4\U000e0067\U000e007f")))
def test_a_place_is_found_again_in_what_is_shown(text: str) -> None:
    places = [shown_at(text, at) for at in range(len(text) + 1)]
    assert (places[0], places[-1]) == (0, len(visible(text)))
    for character, (start, end) in zip(text, pairwise(places), strict=True):
        spelled = "\n" if character == "\r" else f"⟨U+{ord(character):04X}⟩"
        assert visible(text)[start:end] in {character, spelled, "" if character in "\r\n" else character}


def test_line_ends_become_one() -> None:
    assert visible("a\r\nb\rc\nd") == "a\nb\nc\nd"


# Marks

OPENING = Markup('<span class="error-span" data-error-id="{}">')


def marked(lines: list[Markup]) -> dict[str, list[str]]:
    """Return the marked text of each line, by the mark's id."""
    found: dict[str, list[str]] = {}
    for line in lines:
        on_line: dict[str, str] = {}
        for name, inner in re.findall(
            r'<span class="error-span" data-error-id="(\w+)">((?:<span[^>]*>)?[^<]*(?:</span>)?)</span>', line
        ):
            on_line[name] = on_line.get(name, "") + parsed(inner)
        for name, text in on_line.items():
            found.setdefault(name, []).append(text)
    return found


@pytest.mark.parametrize(
    ("text", "quotes", "wanted"),
    [
        ("x = sum(xs)\n", ["sum(xs)"], [["sum(xs)"]]),
        ("x = sum(xs)\n", ["x", "um", "xs)\n"], [["x"], ["um"], ["xs)"]]),
        ("f(\n    a,\n\n    b)\n", ["(\n    a,\n\n    b"], [["(", "    a,", "    b"]]),
        ("'''a\nb\nc'''\n", ["b"], [["b"]]),
        ("# 🙂 é wrong 👩🏽\u200d💻\n", ["wrong"], [["wrong"]]),
        ("# 🙂🙂x\n", ["🙂x"], [["🙂x"]]),
        ("a\u202eb\u200b = c\n", ["b", "c"], [["b"], ["c"]]),
        ("a = '\u202e'\n", ["\u202e"], [["⟨U+202E⟩"]]),
        ("a\r\nb = 1\r\nc\r\n", ["b = 1"], [["b = 1"]]),
        ("a < b && c\n", ["< b &&"], [["< b &&"]]),
        ("\ta\n", ["\ta"], [["\ta"]]),
    ],
    ids=[
        "a call",
        "side by side",
        "over lines",
        "in a string",
        "by emoji",
        "of emoji",
        "by what hides",
        "of what hides",
        "CRLF",
        "markup",
        "a tab",
    ],
)
@pytest.mark.parametrize("language", ["python", "javascript", "no such language"])
def test_marks_are_exactly_their_characters(
    text: str, quotes: list[str], wanted: list[list[str]], language: str
) -> None:
    marks = []
    for number, quote in enumerate(quotes):
        start = text.index(quote, marks[-1][1] if marks else 0)
        marks.append((start, start + len(quote), OPENING.format(number)))
    lines = code_lines(text, language, marks)
    assert list(marked(lines).values()) == wanted
    assert [parsed(line) for line in lines] == visible(text).split("\n")
    for line in lines:
        page(line, {"span"})


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab=(#'\"<& \t\né🙂\u202e"), min_size=1), st.data())
def test_any_mark_is_exactly_its_characters(text: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=6, unique=True)))
    pairs = list(zip(places[::2], places[1::2], strict=False))
    lines = code_lines(text, "python", [(*pair, OPENING.format(n)) for n, pair in enumerate(pairs)])
    assert [parsed(line) for line in lines] == visible(text).split("\n")
    wanted = {
        str(n): [part for part in visible(text[start:end]).split("\n") if part] for n, (start, end) in enumerate(pairs)
    }
    assert marked(lines) == {name: parts for name, parts in wanted.items() if parts}
