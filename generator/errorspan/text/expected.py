"""Say what a schema has against a value in our own words: what was expected, and what was found.

The library's words are about its types, and change with its versions; an author, a reviewer and a model read these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Place = tuple[str | int, ...]
"""Where a value stands: keys, and numbers of items of lists, from 0."""

UNTOLD = "untold"
"""The kind of a fault whose value may be a secret, and is not repeated."""

CONTROL = "control_character"
"""The kind of a fault of one character, `sign`, that has no place in a text; its line is looked for."""

LACKING = "lacking"
"""The kind of a fault of a key that may lack in what is read, and not in what is asked for: `key` is not there."""

PATTERNS = {
    r"^[^\n]*$": "one line of text",
    r"^[1-9]$": "a digit in quotes, '1' to '9'",
    r"^F[1-9][0-9]?$": "the name of a judged failure, such as 'F2'",
    r"^[0-9a-f]{64}$": "a SHA-256: 64 digits of 0-9 and a-f",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a day, such as '2026-01-31'",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$": "a time in UTC, such as '2026-01-31T12:00:00Z'",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$": "a time in UTC, such as "
    "'2026-01-31T12:00:00.000Z'",
    r"^[0-9a-f]{12}$": "a digest: 12 digits of 0-9 and a-f",
    r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$": "a model's name of letters, digits and ._:/@-, without spaces",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": "a name of at most 64 letters, digits and ._-, without spaces",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "the name of an environment variable",
    r"^[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)*$": "a function's name, such as 'merge' or 'Cart.total'",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "a name of a-z, 0-9 and single hyphens",
}
"""What each pattern in use asks for; a test finds those that lack."""

_OF_A_UNION = re.compile(r"[a-z-]+\[.*\]", re.DOTALL)
_KINDS = {
    "bool": "true or false",
    "date": "a day, such as 2026-01-31",
    "decimal": "a number",
    "dict": "keys and values",
    "finite": "a finite number",
    "float": "a number",
    "int": "a whole number",
    "json": "JSON",
    "list": "a list",
    "model": "keys and values",
    "tuple": "a list",
    "url": "an address",
}
"""What a value has to be, by the first word of the kinds of fault that say it is not."""

_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def place_of(fault: Mapping[str, Any]) -> Place:
    """Return where a fault of the schema library is, without what it says of a union's kinds."""
    place = tuple(part for part in fault["loc"] if not (isinstance(part, str) and _OF_A_UNION.fullmatch(part)))
    if fault["type"] != "extra_forbidden" and place[-1:] in {("none",), ("str",)}:  # kinds, where they are no keys
        place = place[:-1]
    return (*place, fault["ctx"]["key"]) if fault["type"] == LACKING else place


def misfits(error: Any) -> list[Any]:
    """Return the faults of a pydantic.ValidationError that say something: what is no text need not be null either."""
    return [fault for fault in error.errors(include_url=False) if fault["type"] != "none_required"]


def sentence(fault: Mapping[str, Any], model: type[BaseModel] | None = None) -> str:  # noqa: C901, PLR0911, PLR0912 - a case for each kind
    """Return what a fault of the schema library is about; with its `model`, also which keys are known there."""
    kind, context, got = str(fault["type"]), fault.get("ctx", {}), described(fault.get("input"))
    match kind:
        case "extra_forbidden":
            known = ", ".join(_fields(model, fault["loc"][:-1])) if model else ""
            return f"is no key here; known are {known}" if known else "is no key here"
        case _ if kind in {"missing", LACKING}:
            return "is missing"
        case "repeated":
            return "is given twice"
        case "literal_error" | "enum":
            return f"expected {context['expected']} (got {got})"
        case "string_type":
            hint = "" if isinstance(fault["input"], list | dict | None) else "; quotes make it text"
            return f"expected text (got {got}){hint}"
        case "string_unicode":
            return f"expected text without halves of characters (got {got})"
        case "string_pattern_mismatch":
            pattern = str(context["pattern"])
            return f"expected {PATTERNS.get(pattern, f'text that fits {pattern}')} (got {got})"
        case "string_too_long":
            return f"expected at most {context['max_length']:,} characters (got {len(fault['input']):,}: {got})"
        case "string_too_short":
            return f"expected at least {context['min_length']:,} characters (got {got})"
        case "too_long":
            return f"expected at most {context['max_length']} (got {context['actual_length'] or 'more'})"
        case "too_short":
            return f"expected at least {context['min_length']} (got {context['actual_length']})"
        case "value_error" | "assertion_error":
            return f"{context['error']} (got {got})"
        case _ if kind == CONTROL:
            return f"expected text without the control character {context['sign']} (got {got})"
        case _ if kind == UNTOLD:
            return str(fault["msg"])
        case _ if kind in _BOUNDS:
            bound, name = _BOUNDS[kind]
            limit = context[name]
            return f"expected {bound} {int(limit) if limit == int(limit) else limit:,} (got {got})"
        case _ if (first := kind.partition("_")[0]) in _KINDS:
            return f"expected {_KINDS[first]} (got {got})"
        case _:
            return f"{fault['msg'][0].lower()}{fault['msg'][1:]} (got {got})"


def keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by their keys in what people write."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def named(place: Place) -> str:
    """Return a place as messages name it, on one line: items are counted from 1."""
    parts = [str(part + 1) if isinstance(part, int) else part for part in place]
    key = ".".join(part if part and part.isprintable() else repr(part) for part in parts)
    return key if len(key) <= 120 else f"{key[:117]}…"


def described(value: Any) -> str:
    """Return a value as messages show what was found."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        text = "a huge number"
    return text if len(text) <= 60 else f"{text[:57]}…"


def line_of(sign: str, text: str, line: int = 1) -> int:
    """Return the line of a character that is named as `U+0000`, from a line on; that one where it is only escaped."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    at = text.find(chr(int(sign.removeprefix("U+"), 16)), start)
    return line + text.count("\n", start, at) if at >= 0 else line


def _fields(model: type[BaseModel], place: Iterable[str | int]) -> list[str]:
    for key in (part for part in place if isinstance(part, str)):
        kind = keys(model)[key].annotation if key in keys(model) else None
        inner = [one for one in _within(kind) if issubclass(one, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return list(keys(model))


def _within(kind: Any) -> list[type]:
    """Return the classes within an annotation, however deep: `list[Error] | None` holds `Error`."""
    return (
        [kind]
        if isinstance(kind, type) and not get_args(kind)
        else [one for arg in get_args(kind) for one in _within(arg)]
    )
