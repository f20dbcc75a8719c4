"""Read code as its language does: the highlighter's lexers say what is a comment, grammars say whether it parses.

The grammars are those that the tree-sitter project itself keeps. They took each of 1,900 files of Python and each of
1,100 in C#, Go, Java, JavaScript, PHP, Ruby, Rust and Bash, all from known projects, and 278 of 279 in TypeScript. In C
and C++ they stumbled over macros in four files of ten: there a fault is no proof.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from textwrap import dedent
from threading import Lock
from typing import Any, NamedTuple

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Name
from pygments.util import ClassNotFound

from errorspan.text.lexing import LONGEST, lexed

GRAMMARS = {  # a lexer's name, a package, and the grammars in it: what one of them takes does parse
    "Bash": ("tree_sitter_bash", ("language",)),
    "C": ("tree_sitter_c", ("language",)),
    "C#": ("tree_sitter_c_sharp", ("language",)),
    "C++": ("tree_sitter_cpp", ("language",)),
    "Go": ("tree_sitter_go", ("language",)),
    "Java": ("tree_sitter_java", ("language",)),
    "JavaScript": ("tree_sitter_javascript", ("language",)),
    "JSX": ("tree_sitter_javascript", ("language",)),
    "PHP": ("tree_sitter_php", ("language_php", "language_php_only")),
    "Python": ("tree_sitter_python", ("language",)),
    "Python 2.x": ("tree_sitter_python", ("language",)),
    "Ruby": ("tree_sitter_ruby", ("language",)),
    "Rust": ("tree_sitter_rust", ("language",)),
    "TSX": ("tree_sitter_typescript", ("language_tsx",)),
    "TypeScript": ("tree_sitter_typescript", ("language_typescript", "language_tsx")),
}
"""A grammar needs more than a second for hostile text of twice the length that is read."""

_CODE_LIKE = re.compile(r"\w_\w|[a-z][A-Z]")
_METHODS = {"JavaScript", "JSX", "PHP", "TSX", "TypeScript"}  # where one stands nowhere but in a class
_MACROS = {"C", "C++"}
_WARNINGS = Lock()


class Token(NamedTuple):
    """A token of the highlighter, and where in the code it starts."""

    start: int
    kind: Any
    text: str


@lru_cache
def lexer(language: str) -> str | None:
    """Return the name of a language's lexer, if there is one."""
    try:
        return str(get_lexer_by_name(language).name)
    except ClassNotFound:
        return None


@lru_cache(maxsize=16)
def tokens(code: str, language: str) -> tuple[Token, ...]:
    """Return the code's tokens; none where the language has no lexer, or that takes too long."""
    return tuple(Token(*token) for token in lexed(code, language) or ())


def comments(code: str, language: str) -> Iterator[Token]:
    """Yield the code's comments, and no line of a preprocessor."""
    for token in tokens(code, language):
        if token.kind in Comment and token.kind not in {Comment.Preproc, Comment.PreprocFile}:
            yield token


def code_like(code: str, language: str) -> set[str]:
    """Return the code's names that no prose has, such as `top_words` and `topWords`."""
    return {token.text for token in tokens(code, language) if token.kind in Name and _CODE_LIKE.search(token.text)}


def bare(code: str, language: str) -> str:
    """Return the code with a blank in place of each character of a comment, line ends aside."""
    blank = list(code)
    for token in comments(code, language):
        blank[token.start : token.start + len(token.text)] = (c if c == "\n" else " " for c in token.text)
    return "".join(blank)


def unknown(code: str, language: str) -> str | None:
    """Say why nothing can be said of whether the code parses, where that is so."""
    if lexer(language) not in GRAMMARS:
        return f"no grammar for {language}"
    return f"longer than {LONGEST:,} characters" if len(code) > LONGEST else None


def is_exact(language: str) -> bool:
    """Tell whether code that a grammar does not take is surely wrong: where macros are, it need not be."""
    return lexer(language) not in _MACROS


@lru_cache(maxsize=64)
def broken(code: str, language: str) -> int | None:
    """Return a line on which the code does not parse, None where all of it does.

    It may stand deeper as a whole, and may be the inside of a class. Grammars read Python's indentation kindly and
    Python reads only the syntax of its own version: so Python's word counts for indentation, and for the rest either's.
    """
    name, stumbled = str(lexer(language)), None
    package, grammars = GRAMMARS[name]
    if name == "PHP":  # what stands outside of its tags is text
        grammars = grammars[:1] if "<?" in code else grammars[1:]
    if name == "Python":
        stumbled, surely = _python(code)
        if surely:
            return stumbled
    for found in _attempts(code, package, grammars, in_class=name in _METHODS):
        if found is None:
            return None
        stumbled = stumbled or found
    return stumbled


def _python(code: str) -> tuple[int | None, bool]:
    """Return the line on which Python itself stumbles, if it does, and whether that settles it."""
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(dedent(code))
    except IndentationError as error:
        return error.lineno or 1, True
    except SyntaxError as error:
        return error.lineno, False
    except (ValueError, MemoryError, RecursionError):
        return None, False
    return None, True


def _attempts(code: str, package: str, grammars: tuple[str, ...], *, in_class: bool) -> Iterator[int | None]:
    for grammar in grammars:
        yield _stumbles(code, package, grammar)
        if in_class:
            yield _stumbles(f"class _ {{\n{code}\n}}", package, grammar)


def _stumbles(code: str, package: str, grammar: str) -> int | None:
    """Return the line of the first node that a grammar could make nothing of, or had to add."""
    from tree_sitter import Parser  # noqa: PLC0415 - a course in other languages needs none of it

    node = Parser(_language(package, grammar)).parse(code.encode("utf-8", "replace")).root_node
    if not node.has_error:
        return None
    while inner := next((child for child in node.children if child.has_error), None):
        node = inner
    return int(node.start_point.row) + 1


@lru_cache
def _language(package: str, grammar: str) -> Any:
    from tree_sitter import Language  # noqa: PLC0415

    return Language(getattr(import_module(package), grammar)())
