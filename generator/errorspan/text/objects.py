"""Read JSON into models: what stands in it twice is a fault, as in YAML, and no silent choice of the last."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

M = TypeVar("M", bound=BaseModel)

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]:]', re.DOTALL)


def validated(model: type[M], text: str | bytes, context: dict[str, Any] | None = None) -> M:
    """Return JSON as a model.

    Raises:
        ValidationError: it is none, is not of this shape, or has a key twice in one object.
    """
    read = model.model_validate_json(text, context=context)
    if found := _repeated(text if isinstance(text, str) else text.decode()):
        key, line, column = found
        where = {"line": line, "column": column}
        said = PydanticCustomError("repeated", "is given twice at line {line} column {column}", where)
        raise ValidationError.from_exception_data(model.__name__, [InitErrorDetails(type=said, loc=(key,), input=None)])
    return read


def _repeated(text: str) -> tuple[str, int, int] | None:
    """Return the first key of valid JSON that its object has already, and its line and column."""
    twice: list[bool] = []
    json.loads(text, object_pairs_hook=lambda pairs: twice.append(len(dict(pairs)) < len(pairs)))
    if not any(twice):
        return None
    keys: list[set[str]] = []
    before = None
    for found in _TOKEN.finditer(text):
        match found[0]:
            case "{" | "[":
                keys.append(set())
            case "}" | "]":
                keys.pop()
            case ":" if before:
                key = json.loads(before[0])
                if key in keys[-1]:
                    at = before.start()
                    return key, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
                keys[-1].add(key)
            case _:
                before = found
    return None
