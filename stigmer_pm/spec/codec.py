"""Dataclasses to JSON values and back, for the socket and the store.

A library would do this (msgspec: 37 ms of import; pydantic: 57 ms and 8 MB), but it would cost the supervisor more
than everything else it imports together, so the few types that our own values use are handled here: dataclasses,
enums, tuples, string mappings, optionals and scalars. Decoding is strict about shape: it raises ``ValueError``.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Json = typing.Any  # a JSON value; the type of every value before it has been checked
_Decoder = Callable[[Json], object]


def encode(value: object) -> Json:
    """``value`` as something ``json.dumps`` takes. Fields that hold their default are written as well."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    return {name: encode(getattr(value, name)) for name in _field_names(cast(Hashable, type(value)))}


def decode(kind: type[T], value: Json) -> T:
    """The ``kind`` that ``value`` describes.

    Raises:
        ValueError: ``value`` has another shape; the message names the place.
    """
    return cast(T, _decoder(cast(Hashable, kind))(value))


@cache
def _field_names(kind: Hashable) -> tuple[str, ...]:
    if not is_dataclass(kind):
        raise TypeError(f"cannot encode a {kind!r}")
    return tuple(f.name for f in fields(kind))


@cache
def _decoder(kind: Hashable) -> _Decoder:
    origin = get_origin(kind)
    if origin is Union or origin is types.UnionType:
        return _optional(kind)
    if origin is tuple:
        return _tuple(kind)
    if origin in (dict, Mapping):
        return _mapping(get_args(kind)[1])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass(kind)
    if kind in _SCALARS:
        return _scalar(cast(type, kind))
    raise TypeError(f"cannot decode a {kind!r}")


_SCALARS: Mapping[object, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}


def _scalar(kind: type) -> _Decoder:
    accepted = _SCALARS[kind]

    def read(value: Json) -> object:
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"expected a {kind.__name__}, found {value!r:.60}")
        if kind is not float:
            return value
        try:
            return float(cast(float, value))
        except OverflowError:
            raise ValueError("expected a number that a float holds") from None

    return read


def _optional(kind: Hashable) -> _Decoder:
    inner = [arg for arg in get_args(kind) if arg is not type(None)]
    if len(inner) != 1:
        raise TypeError(f"cannot decode a union such as {kind!r}")
    read = _decoder(inner[0])
    return lambda value: None if value is None else read(value)


def _tuple(kind: Hashable) -> _Decoder:
    args = get_args(kind)
    if len(args) == 2 and args[1] is Ellipsis:
        read = _decoder(args[0])
        return lambda value: tuple(read(item) for item in _expect(list, value))
    readers = [_decoder(arg) for arg in args]

    def read_fixed(value: Json) -> object:
        items = _expect(list, value)
        if len(items) != len(readers):
            raise ValueError(f"expected {len(readers)} items, found {len(items)}")
        return tuple(read(item) for read, item in zip(readers, items, strict=True))

    return read_fixed


def _mapping(kind: Hashable) -> _Decoder:
    read = _decoder(kind)
    return lambda value: {str(key): read(item) for key, item in _expect(dict, value).items()}


def _dataclass(kind: type) -> _Decoder:
    hints = get_type_hints(kind)
    readers: dict[str, _Decoder] = {}  # filled at first use, so that a type may mention itself

    def read(value: Json) -> object:
        if not readers:
            readers.update({f.name: _decoder(hints[f.name]) for f in fields(kind)})
        found = _expect(dict, value)
        unknown = found.keys() - readers.keys()
        if unknown:
            raise ValueError(f"unknown field {min(unknown)!r} of {kind.__name__}")
        try:
            return kind(**{name: readers[name](item) for name, item in found.items()})
        except TypeError as error:
            raise ValueError(f"cannot make a {kind.__name__}: {error}") from error
        except ValueError as error:
            raise ValueError(f"{kind.__name__}: {error}") from error

    return read


def _expect(kind: type[T], value: Json) -> T:
    if not isinstance(value, kind):
        raise ValueError(f"expected a {kind.__name__}, found {value!r:.60}")
    return value
