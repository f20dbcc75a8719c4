"""Give the JSON Schemas of what people write and a record holds, made from the models that read the files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from errorspan.answers.outputs import NoExercise
from errorspan.answers.shape import Output
from errorspan.authoring.settings import ASSETS_FOLDER, Settings
from errorspan.authoring.topics import TopicFile
from errorspan.proof.agreeing import Agreed
from errorspan.proof.proofs import Proof
from errorspan.proof.reviews import Review
from errorspan.record.manifest import Manifest
from errorspan.steps.table import SOLVE, STEPS, Step

FOLDER = f"{ASSETS_FOLDER}/schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _AsRead(GenerateJsonSchema):
    """Require of an answer what must stand in it to be read: what models are asked for now is more."""

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        made = super().model_schema(schema)
        kind = schema["cls"]
        if issubclass(kind, Output):
            made["required"] = [name for name, field in kind.model_fields.items() if field.is_required()]
        return made


def read_as(step: Step) -> Any:
    """Return as what the answer of a step is read from its file."""
    return step.output | NoExercise if step.declined else step.output


def files() -> Mapping[str, Any]:
    """Return as what each kind of file is read, by the schema's name; answers in Markdown are any text."""
    answers = {step.name: read_as(step) for step in STEPS + SOLVE if step.output.suffix == ".json"}
    return {
        "topic": TopicFile,
        "review": Review,
        "settings": Settings,
        "run": Manifest,
        "proof": Proof,
        "browser": Agreed,
        **answers,
    }


def schema(name: str) -> dict[str, Any]:
    """Return the schema of a kind of file."""
    made = TypeAdapter(files()[name]).json_schema(schema_generator=_AsRead)
    return {"$schema": DIALECT, "title": f"Errorspan: {name}", **{key: made[key] for key in made if key != "title"}}


@lru_cache
def written() -> dict[str, str]:
    """Return the schemas as files of the site, by their paths."""
    return {address(name): json.dumps(schema(name), indent=1, ensure_ascii=False) + "\n" for name in files()}


def address(name: str) -> str:
    """Return where the schema of a kind of file stands, from the site's root."""
    return f"{FOLDER}/{name}.schema.json"
