"""The JSON Schema of stigmer.yaml (draft 2020-12), made from the models. ``tools/schema.py`` writes it."""

from __future__ import annotations

import json

from pydantic.json_schema import GenerateJsonSchema

from stigmer_pm.config.fields import JsonSchema
from stigmer_pm.config.model import File

# What pydantic says of a field that may be absent, and what it makes up from the field's name.
_NULL: JsonSchema = {"type": "null"}
_DROPPED = frozenset(("title",))


def schema() -> JsonSchema:
    """The schema. It takes what the models take, but for values that only resolving can judge."""
    found = File.model_json_schema(schema_generator=GenerateJsonSchema)
    cleaned = _cleaned(found, is_names=False)
    assert isinstance(cleaned, dict), "a mapping stays a mapping"
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": "stigmer.yaml", **cleaned}


def schema_text() -> str:
    """The content of ``schemas/stigmer.schema.json``."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _cleaned(value: object, *, is_names: bool) -> object:
    """``value`` without titles and nulls. ``is_names``: its keys are names of fields, and no keywords."""
    if isinstance(value, list):
        return [_cleaned(item, is_names=False) for item in value]
    if not isinstance(value, dict):
        return value
    value = value if is_names else _without_null(value)
    return {
        key: item
        if key in ("examples", "default", "enum") and not is_names
        else _cleaned(item, is_names=_holds_names(key) and not is_names)
        for key, item in value.items()
        if is_names or not (key in _DROPPED or (key == "default" and item is None))
    }


def _holds_names(keyword: str) -> bool:
    return keyword in ("properties", "$defs", "patternProperties")


def _without_null(value: JsonSchema) -> JsonSchema:
    """``anyOf: [X, null]`` as X: a field that is not given is left out, and not null."""
    options = value.get("anyOf")
    if not isinstance(options, list) or _NULL not in options:
        return value
    rest = [option for option in options if option != _NULL]
    others = {key: item for key, item in value.items() if key != "anyOf"}
    return {**others, **rest[0]} if len(rest) == 1 else {**others, "anyOf": rest}
