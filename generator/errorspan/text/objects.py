"""Read JSON into models, and find where in its text each key stands.

What stands in it twice is a fault, as in YAML, and no silent choice of the last.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from errorspan.text.expected import Place

M = TypeVar("M", bound=BaseModel)

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_DEEPEST = 20


def validated(model: type[M], text: str | bytes, context: dict[str, Any] | None = None) -> M:
    """Return JSON as a model.

    Raises:
        ValidationError: it is none, is not of this shape, or has a key twice in one object.
    """
    text = text.removeprefix(codecs.BOM_UTF8) if isinstance(text, bytes) else text
    read = model.model_validate_json(text, context=context)
    if found := _repeated(text if isinstance(text, str) else text.decode()):
        place, line = found
        said = PydanticCustomError("repeated", "is given twice, at line {line}", {"line": line})
        raise ValidationError.from_exception_data(model.__name__, [InitErrorDetails(type=said, loc=place, input=None)])
    return read


def lines(text: str) -> dict[Place, int]:
    """Return the line of each key, and of each item of a list; of text that is no JSON, as far as it is."""
    found: dict[Place, int] = {}
    for place, line in _places(text):
        found.setdefault(place, line)
    return found


def _repeated(text: str) -> tuple[Place, int] | None:
    """Return the first key of valid JSON that its object has already, and its line."""
    twice: list[bool] = []
    json.loads(text, object_pairs_hook=lambda pairs: twice.append(len(dict(pairs)) < len(pairs)))
    if not any(twice):
        return None
    known: set[Place] = set()
    for place, line in _places(text):
        if place in known:
            return place, line
        known.add(place)
    return None


def _places(text: str) -> Iterator[tuple[Place, int]]:
    """Yield each key's place and line, in the order of the text, down to a depth that no file of ours has."""
    inside: list[str | int | None] = []  # of each object its current key, of each list the number of its current item
    is_key, begins, line, at = False, False, 1, 0
    for found in _TOKEN.finditer(text):
        sign = found[0]
        line, at = line + text.count("\n", at, found.start()), found.start()
        if begins and sign not in "]},:" and len(inside) <= _DEEPEST:
            yield tuple(key for key in inside if key is not None), line
        begins = False
        match sign:
            case "{":
                inside.append(None)
                is_key = True
            case "[":
                inside.append(0)
                begins, is_key = True, False
            case "}" | "]" if inside:
                inside.pop()
                is_key = False
            case "," if inside and isinstance(number := inside[-1], int):
                inside[-1] = number + 1
                begins = True
            case ",":
                is_key = bool(inside)
            case _ if is_key and sign.startswith('"') and inside:
                inside[-1] = _key(sign)
                is_key = False
                if len(inside) <= _DEEPEST:
                    yield tuple(key for key in inside if key is not None), line


def _key(token: str) -> str:
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return token[1:-1]
