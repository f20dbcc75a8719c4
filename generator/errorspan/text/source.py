"""Read YAML that people write, keeping the line of every key.

Authors are strangers: duplicate keys, anchors, tags and huge files are faults with a line, not surprises.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from errorspan.text import disk
from errorspan.text.errors import InputError
from errorspan.text.expected import CONTROL, Place, described, line_of, misfits, named, place_of, sentence
from errorspan.text.unparsed import QUOTES, in_yaml

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20

M = TypeVar("M", bound=BaseModel)
Mark = tuple[str, int]
"""A file, as messages name it, and a line of it."""


@dataclass(frozen=True)
class Source:
    """A YAML mapping and where its keys stand, as file and line. `name` is the file as messages name it."""

    name: str
    values: Mapping[str, Any]
    marks: Mapping[Place, Mark] = field(repr=False)
    prefix: Place = ()
    text: str = field(default="", repr=False)

    def fault(self, place: Place, what: str, sign: str | None = None) -> str:
        """Say a fault at the deepest known part of a place; that of a `sign`, where that stands from there on."""
        place = self.prefix + place
        known = place
        while known and known not in self.marks:
            known = known[:-1]
        file, line = self.marks.get(known, (self.name, 1))
        key = named(place)
        return f"{file}:{line_of(sign, self.text, line) if sign else line}: {f'{key}: ' if key else ''}{what}"

    def validated(self, model: type[M]) -> M:
        """Return the mapping as a model.

        Raises:
            InputError: with a fault for each key that does not fit.
        """
        try:
            return model.model_validate(self.values)
        except ValidationError as error:
            raise InputError(self._told(fault, model) for fault in misfits(error)) from None

    def _told(self, fault: Any, model: type[BaseModel]) -> str:
        sign = fault["ctx"]["sign"] if fault["type"] == CONTROL else None
        return self.fault(place_of(fault), sentence(fault, model), sign)


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
    try:
        events, faults = _events(text, name)
        loader = _Loader(events)
        node = loader.get_single_node() if not faults else None
        marks = dict(_marks(node, (), name, faults)) if node else {}
        values = loader.construct_document(node) if node and not faults else None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        line, what = in_yaml(error, text)
        raise InputError([f"{name}:{line}: {what}"]) from None
    if faults:
        raise InputError(faults)
    if not isinstance(values, dict):
        got = "a list" if isinstance(values, list) else described(values)
        raise InputError([f"{name}:1: expected keys and values, such as `title: …` (got {got})"])
    return Source(name, values, marks, text=text)


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


class _Loader(Composer, SafeConstructor, Resolver):
    """Make nodes and values of events that were read before: reading a file takes nearly all of the time.

    It names the line of a value that looks like a date or a number and cannot be one.
    """

    def __init__(self, events: Iterable[yaml.Event]) -> None:
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)
        self._events = deque(events)

    def check_event(self, *kinds: type[yaml.Event]) -> bool:
        return bool(self._events) and (not kinds or isinstance(self._events[0], kinds))

    def peek_event(self) -> yaml.Event:
        return self._events[0]

    def get_event(self) -> yaml.Event:
        return self._events.popleft()

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's own
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            raise yaml.constructor.ConstructorError(None, None, f"{error}; {QUOTES}", node.start_mark) from None


def _events(text: str, name: str) -> tuple[list[yaml.Event], list[str]]:
    """Return the events of a text, and what in them is more than plain keys and values."""
    events: list[yaml.Event] = []
    faults: list[str] = []
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        events.append(event)
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            faults.append(f"{name}:{line}: is nested too deeply")
            break
        if getattr(event, "anchor", None):
            faults.append(f"{name}:{line}: anchors and aliases (& and *) are not allowed; {QUOTES}")
        if getattr(event, "tag", None):
            faults.append(f"{name}:{line}: tags (!) are not allowed; {QUOTES}")
    return events, faults


def _marks(node: yaml.Node, place: Place, name: str, faults: list[str]) -> Iterator[tuple[Place, Mark]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            line, inner = key.start_mark.line + 1, (*place, str(key.value))
            if key.tag != "tag:yaml.org,2002:str" or not key.value.isprintable():
                got = described(key.value) if isinstance(key, yaml.ScalarNode) else "a list or a mapping"
                faults.append(
                    f"{name}:{line}: {f'{named(place)}: ' if place else ''}expected text as a key (got {got})"
                )
            elif inner in seen:
                faults.append(f"{name}:{line}: {named(inner)}: is given twice")
            seen.add(inner)
            yield inner, (name, line)
            yield from _marks(value, inner, name, faults)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            inner = (*place, number)
            yield inner, (name, value.start_mark.line + 1)
            yield from _marks(value, inner, name, faults)
