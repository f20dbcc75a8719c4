"""Say why a text that people write does not parse, where that is mended, and how: YAML, and JSON.

A parser stops where it can go on no more, which is often behind what is wrong: a quote that is not closed ends with the
text. Told is the line where a person must change something.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import yaml

from errorspan.text.errors import shown

QUOTES = "quotes make it text"
CONFLICT = "expected no mark of a merge conflict (got '{}'); choose one of the two versions, and remove the marks"

_CONFLICT = re.compile(r"^(?:<{7}|>{7}) .*$", re.MULTILINE)
_PAIR = re.compile(r"(?P<before>\s*(?:- +)*(?P<key>[\w.-]+) *:[ \t]+)(?P<value>.*?)\s*")
_NEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[^\s"\[\]{}:,]+|\S')
_LAST = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"|[^\s"\[\]{}:,]+|\S)\Z')
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*+"?')


class Fault(NamedTuple):
    """Why a text does not parse: the line to change, from 1, and what is wrong there."""

    line: int
    what: str


def in_yaml(error: Exception, text: str) -> Fault:
    """Say why PyYAML does not take a text."""
    if marked := conflict(text):
        return marked
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        opened = error.context_mark or mark
        problem, line = str(error.problem or error.context), mark.line + 1 if mark else 1
        for words, told in _PROBLEMS.items():
            if words in problem and mark and opened:
                return told(_Stop(text, problem, mark, opened))
        return Fault(line, f"is no YAML: {problem}")
    line = text.count("\n", 0, getattr(error, "position", 0)) + 1
    if isinstance(error, yaml.reader.ReaderError):
        return Fault(line, f"expected text without the control character U+{_code(error):04X}")
    problem = str(error).splitlines()[0]
    if "chr()" in problem or "C int" in problem:  # by version of Python
        return Fault(line, "expected a character (got a \\U beyond the last one, U+10FFFF)")
    return Fault(line, f"is no YAML ({problem})")


class _Stop(NamedTuple):
    """Where PyYAML stopped, and where what it was reading began."""

    text: str
    problem: str
    mark: yaml.Mark
    opened: yaml.Mark

    @property
    def line(self) -> str:
        """Return the line on which it stopped."""
        return self.line_at(self.mark.line)

    @property
    def pair(self) -> re.Match[str] | None:
        """Return the key and its value on that line, if there is one."""
        return _PAIR.fullmatch(self.line)

    def line_at(self, number: int) -> str:
        """Return a line, from 0, as PyYAML counts them."""
        found = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", self.text)
        return found[number] if number < len(found) else ""

    def told(self, what: str, line: int | None = None) -> Fault:
        """Return a fault at a line, from 0; with the key that stands there."""
        at = self.mark.line if line is None else line
        pair = _PAIR.fullmatch(self.line_at(at))
        return Fault(at + 1, f"{pair['key']}: {what}" if pair else what)


def _code(error: yaml.reader.ReaderError) -> int:
    return error.character if isinstance(error.character, int) else ord(error.character)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _colon(stop: _Stop) -> Fault:
    """Tell a colon within a text from a key that is indented too far."""
    pair = stop.pair
    if pair and stop.mark.column > len(pair["before"]):
        value = pair["value"]
        return stop.told(f"expected quotes around text with a colon (got {value!r}); write {_quoted(value)}")
    return _indented(stop)


def _indented(stop: _Stop) -> Fault:
    line = stop.line
    return Fault(
        stop.mark.line + 1,
        f"expected the column of the keys above (got an indent of {len(line) - len(line.lstrip())} before "
        f"{shown(line.strip(), 40)!r}); a text of several lines stands below `key: |`, all of it indented alike",
    )


def _open_quote(stop: _Stop) -> Fault:
    quote = stop.line_at(stop.opened.line)[stop.opened.column : stop.opened.column + 1] or "quote"
    return stop.told(f"expected another {quote} that closes the one that opens here", stop.opened.line)


def _open_bracket(stop: _Stop) -> Fault:
    bracket = stop.line_at(stop.opened.line)[stop.opened.column : stop.opened.column + 1]
    closing = {"[": "]", "{": "}"}.get(bracket, "a bracket")
    said = f"expected {closing} that closes the {bracket} that opens here, and commas between what stands within"
    return stop.told(f"{said}; {QUOTES}, if it is some", stop.opened.line)


def _unclosed(stop: _Stop) -> Fault:
    """Tell the bracket within which a text ends."""
    opened: list[yaml.Token] = []
    with suppress(yaml.YAMLError):
        for token in yaml.scan(stop.text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
                opened.append(token)
            elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
                opened.pop()
    return _open_bracket(stop._replace(opened=opened[-1].start_mark if opened else stop.opened))


_ENDS = (yaml.AliasToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)
"""What ends a value of YAML's own, so that text behind it shows that it was none: `*args and **kwargs`, `[a] b`."""


def _surplus(stop: _Stop) -> Fault:
    """Tell text behind a closing quote from a line that is indented wrongly; the quote may have opened lines before."""
    before = None
    with suppress(yaml.YAMLError):
        for token in yaml.scan(stop.text, Loader=yaml.SafeLoader):
            if token.start_mark.index >= stop.mark.index:
                break
            before = token
    if isinstance(before, _ENDS) and before.end_mark.line == stop.mark.line and stop.pair:
        return _begins(stop)
    if not isinstance(before, yaml.ScalarToken) or before.style not in {"'", '"'}:
        return _indented(stop)
    quote, first, last = str(before.style), before.start_mark.line, before.end_mark.line
    if first != last:
        return stop.told(f"expected another {quote} that closes the one that opens here", first)
    within = {"'": "a ' within '…' is written ''", '"': 'a " within "…" is written \\"'}[quote]
    behind = shown(stop.line[stop.mark.column :], 40)
    return stop.told(f"expected nothing behind the closing {quote} (got {behind!r}); {within}")


def _keyless(stop: _Stop) -> Fault:
    line = stop.line_at(stop.opened.line)
    return Fault(
        stop.opened.line + 1,
        f"expected `key: value` (got {shown(line.strip(), 40)!r}); to go on with the text above, it is indented",
    )


def _begins(stop: _Stop) -> Fault:
    """Tell a value whose first character means something else in YAML."""
    if "'\\t'" in stop.problem:
        return Fault(stop.mark.line + 1, "expected spaces (got a tab)")
    if not stop.line.strip():
        return _unclosed(stop)
    if pair := stop.pair:
        value = pair["value"]
        return stop.told(f"expected text that does not begin with {value[:1]!r}; write {_quoted(value)}")
    return stop.told(f"expected text that does not begin with {stop.line.strip()[:1]!r}; {QUOTES}")


def _escape(stop: _Stop) -> Fault:
    sign = stop.line[stop.mark.column : stop.mark.column + 1]
    return stop.told(f"expected no \\{sign} within double quotes; within single ones a \\ is one")


def _below(stop: _Stop) -> Fault:
    return stop.told(f"expected the text below the line of | or > (got it on the same); or {QUOTES}")


def _second(stop: _Stop) -> Fault:
    """Tell where another document begins: there, or where the one before was ended; else a first line is indented."""
    ends = [number for number in range(stop.mark.line) if stop.line_at(number).rstrip() == "..."]
    mark = "..." if ends else stop.line.strip()[:3]
    if mark not in {"...", "---"}:
        return _indented(stop)
    at = ends[-1] if ends else stop.mark.line
    return Fault(at + 1, f"expected one document (got {mark!r}, where another begins); remove that line")


def _value(stop: _Stop) -> Fault:
    return Fault(stop.mark.line + 1, f"{stop.problem}; {QUOTES}")


_PROBLEMS: dict[str, Callable[[_Stop], Fault]] = {
    "mapping values are not allowed": _colon,
    "found unexpected end of stream": _open_quote,
    "found unexpected document separator": _open_quote,
    "expected ',' or": _open_bracket,
    "expected <block end>, but found '<document": _second,
    "expected <block end>": _surplus,
    "could not find expected ':'": _keyless,
    "cannot start any token": _begins,
    "entries are not allowed": _begins,
    "mapping keys are not allowed": _begins,
    "expected the node content": _begins,
    "expected alphabetic or numeric": _begins,
    "found unknown directive": _begins,
    "found unknown escape": _escape,
    "escape sequence of": _escape,
    "expected a comment or a line break": _below,
    "expected chomping or indentation": _below,
    "but found another document": _second,
    "expected '<document start>'": _second,
}
"""What PyYAML says, and who tells it better."""


def in_json(text: str) -> Fault | None:
    """Say why a text is no JSON; None where it is some to Python."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        line, what = _json_problem(text, error)
        return Fault(line, f"is no JSON: {what}")
    except RecursionError:
        return Fault(1, "is nested too deeply")
    except ValueError:  # a number of thousands of digits
        return None
    return None


def _json_problem(text: str, error: json.JSONDecodeError) -> tuple[int, str]:  # noqa: C901, PLR0911, PLR0912 - a case for each problem
    at = error.pos
    here = text.count("\n", 0, at) + 1
    before = text[:at].rstrip()
    line_before = before.count("\n") + 1
    got = _token(_NEXT.match(text, at))
    behind = _token(_LAST.search(before[-200:]))
    match error.msg:
        case msg if "trailing comma" in msg:  # Python's own word for it, from 3.13 on
            return here, f"expected no comma before {text[at + 1 :].lstrip()[:1]}"
        case msg if msg.startswith("Unterminated string"):
            return here, 'expected another " that closes the one that opens here'
        case msg if msg.startswith("Invalid control character"):
            opened = max((found.start() for found in _STRING.finditer(text[:at])), default=at)
            if text[at] == "\n":
                said = 'expected another " that closes the one that opens here; a line break within is written \\n'
                return text.count("\n", 0, opened) + 1, said
            return (
                here,
                f"expected no control character within text (got U+{ord(text[at]):04X}); write \\u{ord(text[at]):04x}",
            )
        case msg if "escape" in msg:
            return here, f"expected an escape of JSON (got {shown(text[at : at + 2])}); a backslash is written \\\\"
        case _ if not text.strip():
            return 1, "expected an object (got nothing)"
        case _ if not before:
            return here, f"expected an object (got {got})"
        case _ if not text[at:].strip():
            return line_before, f"expected more (got the end of the text behind {behind})"
        case _ if before.endswith(",") and text[at] in "}]":
            return line_before, f"expected no comma before {text[at]}"
        case msg if "',' delimiter" in msg:
            within = '; a " within text is written \\"' if before.endswith('"') and line_before == here else ""
            return line_before, f"expected a comma behind {behind} (got {got}){within}"
        case msg if "':' delimiter" in msg:
            return line_before, f"expected a colon behind the key (got {got})"
        case msg if "property name" in msg:
            return here, f"expected a key in double quotes (got {got})"
        case msg if "Extra data" in msg:
            return here, f"expected nothing behind its end (got {got})"
        case _:
            return here, f"expected text in double quotes, a number, true, false, null, a list or an object (got {got})"


def _token(found: re.Match[str] | None) -> str:
    return shown(found[0].strip(), 30) if found else "nothing"


def conflict(text: str) -> Fault | None:
    """Tell of the first mark that a merge has left in a text."""
    found = _CONFLICT.search(text)
    return Fault(text.count("\n", 0, found.start()) + 1, CONFLICT.format(shown(found[0], 40))) if found else None
