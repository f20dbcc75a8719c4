"""Hold what every output has: text that is checked, a reading that is kind, and faults in words.

New fields have defaults, so that what was answered before they were asked for can be read. A reply to a request is read
as `asked`: then it must have them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from errorspan.text import objects
from errorspan.text.errors import shown
from errorspan.text.expected import CONTROL, LACKING, Place, line_of, misfits, named, place_of, sentence
from errorspan.text.unparsed import conflict, in_json

FORMAT = 2
"""Which fields, limits and checks answers are asked for now. A record says of each answer which it was."""

PLACEHOLDER = "…"
"""What stands for a text in the form of an answer."""

_LONGEST = 2**20
"""Characters of a reply in which lines are looked for."""

_NO_JSON = "is no JSON: holds half of a character, or a number without end"

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def _asked(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("asked"))


def _written(text: str, info: ValidationInfo) -> str:
    if not text.strip():
        raise ValueError("expected text that is not blank")
    if _asked(info) and text.strip() == PLACEHOLDER:
        raise ValueError("is what stands in the form; write your own text in its place")
    return _printable(text)


def _printable(text: str) -> str:
    if found := _UNPRINTABLE.search(text):
        raise PydanticCustomError(CONTROL, "holds {sign}", {"sign": f"U+{ord(found[0]):04X}"})
    return text.replace("\r\n", "\n").replace("\r", "\n")


Text = Annotated[str, AfterValidator(_written)]
TextOrNone = Annotated[str, AfterValidator(_printable)]


def _as_asked(schema: dict[str, Any]) -> None:
    """Make every field required in a schema: defaults are for reading what was answered before."""
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["required"] = list(schema["properties"])


class Output(BaseModel):
    """Base of every output: read-only, and no field beyond those named."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_as_asked)

    suffix: ClassVar[str] = ".json"

    @classmethod
    def read(cls, text: str, *, asked: bool = False) -> Self:
        """Read an answer's text, with or without a fence or a sentence around its JSON.

        Raises:
            pydantic.ValidationError: the text is no JSON, or not of this shape.
        """
        return objects.validated(cls, bare_json(text), context={"asked": asked})

    def recorded(self) -> str:
        """Return the text that stands in the record: the same values, laid out for a reviewer."""
        return self.model_dump_json(indent=2, exclude_unset=True) + "\n"

    @model_validator(mode="after")
    def _whole(self, info: ValidationInfo) -> Self:
        if _asked(info):
            for name, field in type(self).model_fields.items():
                unsaid = field.default is None and getattr(self, name) is None
                if unsaid or name not in self.model_fields_set:
                    raise PydanticCustomError(LACKING, "lacks {key}", {"key": name})
        return self


def bare_json(text: str) -> str:
    """Return the first JSON object within a reply: some servers ignore the schema and wrap it in a fence or a sentence.

    One that has no end is returned as far as it goes.
    """
    begin = re.search(r'\{\s*"', text) or re.search(r"\{", text)
    if begin is None:
        return text
    start = begin.start()
    try:
        return text[start : json.JSONDecoder().raw_decode(text, start)[1]]
    except (ValueError, RecursionError):
        end = text.rfind("}")
        return text[start : end + 1 if end > start else None]


def faults_in(
    file: str, error: Any, way_out: str, text: str | bytes, model: type[BaseModel] | None = None
) -> list[str]:
    """Say each fault of a pydantic.ValidationError in a file as `file:line: where: what (way out)`.

    `text` is the file's; with the `model` that it does not fit, keys that are none are told with those there are.
    """
    whole = text if isinstance(text, str) else text.decode("utf-8", "replace")
    return [shown(f"{file}:{line}: {said[:300]} ({way_out})") for line, said in _told(error, whole, model)]


def faults(error: Any, text: str = "", model: type[BaseModel] | None = None) -> list[str]:
    """Say each fault of a pydantic.ValidationError in a reply as `where: what`; with its line where it is no JSON."""
    unread = any(fault["type"] == "json_invalid" for fault in error.errors(include_url=False, include_input=False))
    return [
        shown(f"line {line}: {said}" if unread else said, 300)
        for line, said in _told(error, text if len(text) < _LONGEST else "", model)
    ]


def _told(error: Any, text: str, model: type[BaseModel] | None) -> Iterator[tuple[int, str]]:
    """Yield the line and the words of each fault."""
    json_text = bare_json(text)
    above = text.count("\n", 0, max(text.find(json_text), 0))
    lines: dict[Place, int] | None = None
    for fault in misfits(error):
        place, what = place_of(fault), sentence(fault, model)
        if fault["type"] == "json_invalid":
            if marked := conflict(text):
                yield marked
                continue
            found = in_json(json_text)
            yield (
                above + (found.line if found else 1),
                found.what if found else _NO_JSON,
            )
            continue
        lines = objects.lines(json_text) if lines is None else lines
        line = above + (fault.get("ctx", {}).get("line") or line_at(place, lines))
        if fault["type"] == CONTROL:  # Markdown is all text, and has no keys
            line = line_of(fault["ctx"]["sign"], text, line if place in lines else 1)
        yield line, ": ".join(filter(None, (named(place), what)))


def line_at(place: Place, lines: Mapping[Place, int]) -> int:
    """Return the line of a place, or of what it is within."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)
