"""Read YAML that people write, keeping the line of every key.

Authors are strangers: duplicate keys, anchors, tags and huge files are faults with a line, not surprises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from errorspan.text import disk
from errorspan.text.errors import InputError

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20

UNTOLD = "untold"
"""The kind of a fault whose value may be a secret, and is not repeated."""

Place = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Source:
    """A YAML mapping and where its keys stand, as `file:line`. `name` is the file as messages name it."""

    name: str
    values: Mapping[str, Any]
    marks: Mapping[Place, str] = field(repr=False)
    prefix: Place = ()

    def fault(self, place: Place, what: str) -> str:
        """Say a fault at the deepest known part of a place."""
        place = self.prefix + place
        known = place
        while known and known not in self.marks:
            known = known[:-1]
        key = named(place)
        return f"{self.marks.get(known, f'{self.name}:1')}: {f'{key}: ' if key else ''}{what}"

    def validated(self, model: type[M]) -> M:
        """Return the mapping as a model.

        Raises:
            InputError: with a fault for each key that does not fit.
        """
        try:
            return model.model_validate(self.values)
        except ValidationError as error:
            raise InputError(
                self.fault(tuple(fault["loc"]), _expected(fault, model)) for fault in error.errors(include_url=False)
            ) from None


def read(path: Path, name: str) -> Source:
    """Read a file that must hold one YAML mapping of plain values.

    Raises:
        InputError: it cannot be read, or is no such mapping.
    """
    return parsed(_text(path, name), name)


def parsed(text: str, name: str) -> Source:
    """Read a text that must hold one YAML mapping of plain values.

    Raises:
        InputError: it is no such mapping.
    """
    faults: list[str] = []
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader) if not (faults := list(_tricks(text, name))) else None
        marks = dict(_marks(node, (), name, faults)) if node else {}
        values = yaml.load(text, _Loader) if not faults else None  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise InputError([no_yaml(error, text, name)]) from None
    if faults:
        raise InputError(faults)
    if not isinstance(values, dict):
        found = "nothing" if values is None else type(values).__name__
        raise InputError([f"{name}:1: expected keys and values, such as `title: …` (got {found})"])
    return Source(name, values, marks)


def _text(path: Path, name: str) -> str:
    try:
        if disk.waits(path):
            raise InputError([f"{name}:1: cannot be read (it is no file)"])
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError([f"{name}:1: cannot be read ({error.strerror})"]) from None
    if len(content) > MAX_BYTES:
        raise InputError([f"{name}:1: expected at most {MAX_BYTES:,} bytes (got more)"])
    text = decoded(content, name)
    if not text.strip():
        raise InputError([f"{name}:1: is empty; keys and values are expected"])
    return text


def decoded(content: bytes, name: str) -> str:
    """Return the text of a file.

    Raises:
        InputError: it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError([f"{name}:{line}: expected UTF-8 (got the byte 0x{content[error.start]:02x})"]) from None


def no_yaml(error: Exception, text: str, name: str) -> str:
    """Say why a text does not parse, and where."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return f"{name}:{mark.line + 1 if mark else 1}: {_problem(error)}"
    line = text.count("\n", 0, getattr(error, "position", 0)) + 1
    problem = str(error).splitlines()[0]
    if "chr()" in problem or "C int" in problem:  # by version of Python
        problem = "a \\U beyond the last character, U+10FFFF"
    return f"{name}:{line}: is no YAML ({problem})"


class _Loader(yaml.SafeLoader):
    """Name the line of a value that looks like a date or a number and cannot be one."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's own
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            problem = f"{error}; quotes make it text"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


def _tricks(text: str, name: str) -> Iterator[str]:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            yield f"{name}:{line}: is nested too deeply"
            return
        if getattr(event, "anchor", None):
            yield f"{name}:{line}: anchors and aliases (& and *) are not allowed"
        if getattr(event, "tag", None):
            yield f"{name}:{line}: tags (!) are not allowed"


def _marks(node: yaml.Node, place: Place, name: str, faults: list[str]) -> Iterator[tuple[Place, str]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            line, inner = key.start_mark.line + 1, (*place, str(key.value))
            if key.tag != "tag:yaml.org,2002:str" or not key.value.isprintable():
                got = _shown(key.value) if isinstance(key, yaml.ScalarNode) else "a list or a mapping"
                faults.append(
                    f"{name}:{line}: {f'{named(place)}: ' if place else ''}expected text as a key (got {got})"
                )
            elif inner in seen:
                faults.append(f"{name}:{line}: {named(inner)}: is given twice")
            seen.add(inner)
            yield inner, f"{name}:{line}"
            yield from _marks(value, inner, name, faults)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            inner = (*place, number)
            yield inner, f"{name}:{value.start_mark.line + 1}"
            yield from _marks(value, inner, name, faults)


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem or error.context)
    if "'\\t'" in problem:
        return "expected spaces (got a tab)"
    return f"is no YAML: {problem}"


def _expected(fault: Mapping[str, Any], model: type[BaseModel]) -> str:  # noqa: C901, PLR0911, PLR0912 - a case for each kind
    context, got = fault.get("ctx", {}), _shown(fault.get("input"))
    match fault["type"]:
        case "extra_forbidden":
            known = ", ".join(_fields(model, fault["loc"][:-1]))
            return f"is no key here; known are {known}" if known else "is no key here"
        case "missing":
            return "is missing"
        case "literal_error":
            return f"expected {context['expected']} (got {got})"
        case "string_type":
            hint = "" if isinstance(fault["input"], list | dict | None) else "; quotes make it text"
            return f"expected text (got {got}){hint}"
        case "string_unicode":
            return f"expected text without halves of characters (got {got})"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"expected keys and values (got {got})"
        case "too_long":
            return f"expected at most {context['max_length']} (got {context['actual_length']})"
        case "too_short":
            return f"expected at least {context['min_length']} (got {context['actual_length']})"
        case "list_type":
            return f"expected a list (got {got})"
        case "int_type" | "int_parsing" | "int_from_float":
            return f"expected a whole number (got {got})"
        case "value_error":
            return f"{context['error']} (got {got})"
        case kind if kind == UNTOLD:
            return str(fault["msg"])
        case _:
            message = str(fault["msg"]).replace("Input should be", "expected")
            message = message.replace("String should", "expected text to")
            return f"{message[0].lower()}{message[1:]} (got {got})"


def _fields(model: type[BaseModel], place: Place) -> list[str]:
    for key in (part for part in place if isinstance(part, str)):
        kind = model.model_fields[key].annotation if key in model.model_fields else None
        inner = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)


def named(place: Place) -> str:
    """Return a place as messages name it, on one line."""
    parts = [str(part) for part in place]
    key = ".".join(part if part and part.isprintable() else repr(part) for part in parts)
    return key if len(key) <= 120 else f"{key[:117]}…"


def _shown(value: Any) -> str:
    try:
        text = "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        text = "a huge number"
    return text if len(text) <= 60 else f"{text[:57]}…"
