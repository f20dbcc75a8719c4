"""Lay out what an answer looks like: a form that is filled in, and what goes where, in words.

Small models answer with a schema when they are shown one. A form they fill in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from errorspan.answers.shape import PLACEHOLDER

Schema = Mapping[str, Any]

_SIMPLE = {"boolean": True, "integer": 1, "number": 0.5, "string": PLACEHOLDER}


def form(schema: Schema) -> str:
    """Return an answer of this shape with a placeholder for each text."""
    return json.dumps(_filled(schema, schema), indent=2, ensure_ascii=False)


def rules(schema: Schema) -> list[str]:
    """Say what goes into each field that the form alone does not tell, a line each."""
    of: dict[str, list[str]] = {}
    for place, rule in _rules(schema, schema, ""):
        of.setdefault(rule, []).append(f"`{place}`")
    return [f"{', '.join(places)}: {rule}" for rule, places in of.items()]


def _filled(schema: Schema, root: Schema) -> Any:
    schema = _resolved(schema, root)
    if examples := schema.get("examples", schema.get("enum")):
        return examples[0]
    match schema["type"]:
        case "object":
            return {name: _filled(field, root) for name, field in schema["properties"].items()}
        case "array":
            item = schema["items"]
            many = 1 if _resolved(item, root).get("type") == "object" else max(schema.get("minItems", 1), 1)
            return [_filled(item, root)] * many
        case simple:
            return _SIMPLE[simple]


def _rules(schema: Schema, root: Schema, path: str) -> Iterator[tuple[str, str]]:
    for name, field in schema["properties"].items():
        place = f"{path}{name}"
        found = _resolved(field, root)
        said = [field.get("description", ""), _limits(found)]
        if nullable := "anyOf" in field:
            said.append("or null")
        if told := "; ".join(filter(None, said)):
            yield place, told
        inner = _resolved(found["items"], root) if found.get("type") == "array" else found
        if inner.get("type") == "object" and not nullable:
            yield from _rules(inner, root, f"{place}." if inner is found else f"{place}[].")


def _limits(schema: Schema) -> str:
    match schema:
        case {"enum": values}:
            return "one of " + ", ".join(json.dumps(value) for value in values)
        case {"type": "array", "minItems": least, "maxItems": most}:
            return f"{least} to {most} of them" if least != most else f"{least} of them"
        case {"type": "array", "maxItems": most}:
            return f"{most} at most"
        case {"type": "integer" | "number", "minimum": least, "maximum": most}:
            return f"from {least:g} to {most:g}"
        case _:
            return ""


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Return a schema without a reference, and without the null that may stand in its place."""
    if "$ref" in schema:
        return root["$defs"][schema["$ref"].rpartition("/")[2]]  # type: ignore[no-any-return]
    if "anyOf" in schema:
        return next(_resolved(one, root) for one in schema["anyOf"] if one.get("type") != "null")
    return schema
