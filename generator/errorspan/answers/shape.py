"""Hold what every output has: text that is checked, a reading that is kind, and faults in words.

New fields have defaults, so that what was answered before they were asked for can be read. A reply to a request is read
as `asked`: then it must have them all.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo, model_validator

from errorspan.text import objects
from errorspan.text.errors import shown
from errorspan.text.source import named

FORMAT = 2
"""Which fields, limits and checks answers are asked for now. A record says of each answer which it was."""

PLACEHOLDER = "…"
"""What stands for a text in the form of an answer."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def _asked(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("asked"))


def _written(text: str, info: ValidationInfo) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    if _asked(info) and text.strip() == PLACEHOLDER:
        raise ValueError("is what stands in the form; write your own text in its place")
    return _printable(text)


def _printable(text: str) -> str:
    if found := _UNPRINTABLE.search(text):
        raise ValueError(f"holds the control character U+{ord(found[0]):04X}")
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
                    raise ValueError(f"{name}: is missing")
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


def faults_in(file: str, error: Any, way_out: str) -> list[str]:
    """Say each fault of a pydantic.ValidationError in a file as `file:line: where: what (way out)`."""
    told = [(fault, re.search(r" at line (\d+) column \d+$", fault)) for fault in faults(error)]
    return [f"{file}:{line[1] if line else 1}: {fault} ({way_out})" for fault, line in told]


def faults(error: Any) -> list[str]:
    """Say each fault of a pydantic.ValidationError as `where: what`."""
    return [
        shown(": ".join(filter(None, (named(fault["loc"]), fault["msg"].removeprefix("Value error, ")))), 300)
        for fault in error.errors(include_url=False, include_input=False)
    ]
