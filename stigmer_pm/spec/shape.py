"""The JSON Schema of what :mod:`stigmer_pm.spec.codec` encodes and decodes, made from the same dataclasses."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

Schema = dict[str, Any]

_SCALARS: Mapping[object, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
}


def shape_of(kind: object, known: dict[str, Schema], where: str) -> Schema:
    """The schema of a ``kind``. Dataclasses go to ``known`` by their names, and are referred to as ``where`` + name."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Union or origin is types.UnionType:
        inner = next(arg for arg in args if arg is not types.NoneType)
        return {"anyOf": [shape_of(inner, known, where), {"type": "null"}]}
    if origin is tuple and args[1:] == (Ellipsis,):
        return {"type": "array", "items": shape_of(args[0], known, where)}
    if origin is tuple:
        items = [shape_of(arg, known, where) for arg in args]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": shape_of(args[1], known, where)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    if isinstance(kind, type) and is_dataclass(kind):
        if kind.__name__ not in known:
            known[kind.__name__] = {}  # so that a type may mention itself
            known[kind.__name__] = _shape_of_fields(kind, known, where)
        return {"$ref": where + kind.__name__}
    return dict(_SCALARS[kind])


def _shape_of_fields(kind: type, known: dict[str, Schema], where: str) -> Schema:
    hints = get_type_hints(kind)
    found = fields(kind)
    return {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").strip().split("\n\n")[0].split()),
        "properties": {field.name: shape_of(hints[field.name], known, where) for field in found},
        "required": [f.name for f in found if f.default is MISSING and f.default_factory is MISSING],
        "additionalProperties": False,
    }
