"""Write the reference of the record's format, from the schemas and from a record that the tests make."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import answers
from errorspan.site import schemas
from errorspan.steps.table import ATTEMPT, SOLVE, STEPS

JUDGMENTS = {order: json.dumps(answers.judgment(better), indent=2) for order, better in (("ab", "A"), ("ba", "B"))}
EXAMPLE = {
    "categories.json": json.dumps(answers.CATEGORIES, indent=2),
    "error_catalog.json": json.dumps(answers.CATALOG, indent=2),
    "attempt-1/challenge.json": json.dumps(answers.CHALLENGE, indent=2),
    "attempt-1/mid_implementation.md": answers.MID.rstrip(),
    "attempt-1/weak_implementation.md": answers.WEAK.rstrip(),
    "attempt-1/judgment-ab.json": JUDGMENTS["ab"],
    "attempt-1/judgment-ba.json": JUDGMENTS["ba"],
    "assessment.json": json.dumps(answers.ASSESSMENT, indent=2),
}


def record() -> str:
    """Return what is said of each file of a record."""
    parts = []
    for step in STEPS + SOLVE:
        names = " and ".join(f"`{step.file(int(step in ATTEMPT), order)}`" for order in step.passes)
        said = f"### {step.title}\n\n{names}"
        if step.output.suffix == ".md":
            parts.append(f"{said}: Markdown. Its code is what stands in fences; where nothing does, the whole text.")
        else:
            parts.append(f"{said} ([schema]({link(step.name)})):\n\n{table(step.name)}")
    others = {"run": "Where answers came from", "proof": "The proof", "browser": "What a browser showed"}
    for name, title in others.items():
        parts.append(f"### {title}\n\n`{name}.json` ([schema]({link(name)})):\n\n{table(name)}")
    return "\n\n".join(parts)


def example() -> str:
    """Return a whole record, file by file."""
    kinds = {"json": "json", "md": "markdown"}
    return "\n\n".join(
        f"`{file}`:\n\n````{kinds[file.rpartition('.')[2]]}\n{text}\n````" for file, text in EXAMPLE.items()
    )


def link(name: str) -> str:
    """Return the way from the page to a schema, as the site has it."""
    return f"../{schemas.address(name)}"


def table(name: str) -> str:
    """Return a row for each key of a kind of file, those of its parts after a dot; `[]` is each of a list's items."""
    made = schemas.schema(name)
    rows = ["| key | what stands there | what it says |", "|---|---|---|"]
    for kind in made.get("anyOf", [made]):
        if len(rows) > 2:
            rows.append("| | *or, in its place:* | |")
        rows += list(_rows(_found(kind, made), made, ""))
    return "\n".join(rows)


def _rows(kind: Mapping[str, Any], made: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, field in kind.get("properties", {}).items():
        needed = key in kind.get("required", [])
        said = field.get("description", "")
        shown = ", ".join(filter(None, ["" if needed else "may lack", _said(field, made)]))
        yield f"| `{path}{key}` | {shown} | {said} |"
        yield from _inside(field, made, f"{path}{key}")


def _inside(field: Mapping[str, Any], made: Mapping[str, Any], path: str) -> Iterator[str]:
    for one in field.get("anyOf", [field]):
        if "$ref" in one:
            yield from _rows(_found(one, made), made, f"{path}.")
        elif isinstance(one.get("items"), dict):
            yield from _inside(one["items"], made, f"{path}[]")
        elif isinstance(one.get("additionalProperties"), dict):
            yield from _inside(one["additionalProperties"], made, f"{path}.*")


def _found(kind: Mapping[str, Any], made: Mapping[str, Any]) -> Mapping[str, Any]:
    return made["$defs"][kind["$ref"].rpartition("/")[2]] if "$ref" in kind else kind


def _said(field: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    kinds = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
    return " or ".join(dict.fromkeys(_kind(one, made) for one in kinds))


def _kind(one: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    if "enum" in one or "const" in one:
        return " or ".join(f"`{json.dumps(value)}`" for value in one.get("enum", [one.get("const")]))
    if "$ref" in one:
        return "keys and values"
    kind, least, most = one.get("type"), one.get("minItems"), one.get("maxItems")
    if kind == "array":
        several = f"{least} to {most} of " if least and most else f"at least {least} of " if least else ""
        several = several or (f"at most {most} of " if most else "a list: ")
        several = f"{least} of " if least and least == most else several
        return f"{several}{_said(one['items'], made)}"
    if kind in {"integer", "number"}:
        bounds = [f"from {one['minimum']:g}"] if "minimum" in one else []
        bounds += [f"to {one['maximum']:g}"] if "maximum" in one else []
        return " ".join([{"integer": "a whole number", "number": "a number"}[kind], *bounds])
    if kind == "string":
        limit = f", {one['maxLength']} characters at most" if "maxLength" in one else ""
        pattern = one.get("pattern", "").replace("|", "\\|")
        return f"text{limit}" + (f" as `{pattern}`" if pattern else "")
    return {"boolean": "true or false", "object": "keys and values"}.get(str(kind), "any value")
