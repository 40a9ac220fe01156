"""The base of all mappings of the file: strict about keys, tolerant of an empty mapping, open to short forms."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from stigmer_pm.config.fields import FieldError, JsonSchema, found_words, wrong
from stigmer_pm.config.nodes import Scalar

# Ports or volumes of one component: each is a model of its own, and a thousand times what anybody has.
_MOST_ITEMS = 10_000


class Block(BaseModel):
    """A mapping with known keys. Fields that are ``None`` were not given; their defaults are those of the spec."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)

    expected: ClassVar[str] = "a mapping"
    short_schema: ClassVar[JsonSchema | None] = None

    @classmethod
    def from_short(cls, scalar: Scalar) -> dict[str, object] | None:
        """The fields that a single value in place of the mapping stands for; ``None``: it stands for nothing."""
        return None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        if isinstance(value, (dict, cls)):
            return value
        if value is None or (isinstance(value, Scalar) and value.value is None):
            return {}
        if isinstance(value, (str, int, float)):
            value = Scalar(str(value), value, 0, 0)
        if isinstance(value, Scalar):
            if value.is_unfilled:
                raise FieldError()
            fields = cls.from_short(value)
            if fields is not None:
                return fields
        raise wrong(f"expected {cls.expected}, found {found_words(value)}")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema_core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(schema_core))
        schema["patternProperties"] = {"^x-": {}}
        if cls.short_schema is None:
            return schema
        description = schema.pop("description", "")
        return {"description": description, "anyOf": [cls.short_schema, schema]}


class ListOf:
    """A list, which may be left empty: ``ports:`` alone is none."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    @staticmethod
    def _read(value: object) -> object:
        if value is None or (isinstance(value, Scalar) and value.value is None):
            return []
        if isinstance(value, Scalar) and value.is_unfilled:
            raise FieldError()
        if isinstance(value, Scalar) or not isinstance(value, (list, tuple)):
            raise wrong(f"expected a list, found {found_words(value)}")
        if len(value) > _MOST_ITEMS:
            raise wrong(f"expected a list of at most {_MOST_ITEMS} items, found {len(value)}")
        return value


class ListAs:
    """A list in place of a mapping whose one field ``name`` it is."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def _read(self, value: object) -> object:
        is_list = isinstance(value, (list, tuple)) and not isinstance(value, Scalar)
        return {self._name: value} if is_list else value
