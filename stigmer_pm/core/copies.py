"""Copies of frozen values with one field changed, for where that happens some hundred times a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, fields
from operator import attrgetter
from typing import ClassVar, Protocol, TypeVar


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[object]]]


T = TypeVar("T", bound=_Dataclass)


def changer(kind: type[T], field: str) -> Callable[[T, object], T]:
    """What copies a value of the dataclass ``kind`` and gives ``field`` another value.

    The same as ``dataclasses.replace`` in half the time: it looks at all fields at once, and asks none what it is.
    """
    names = tuple(each.name for each in fields(kind))
    values_of, place = attrgetter(*names), names.index(field)

    def change(value: T, changed: object) -> T:
        values = list(values_of(value))
        values[place] = changed
        return kind(*values)

    return change
