"""What a request carries in its body and its address, read strictly: a slip must not change what it is about.

Each function raises ``Refused`` for what it can't read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from datetime import datetime
from typing import Any

from stigmer_pm.spec.soundness import LONGEST_S
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.selection import Selection

#: Names, labels or targets of one request; ten times the components of a large project.
_MOST_NAMES = 10_000


def named(body: Mapping[str, Any], *others: str) -> Selection:
    """What an acting request is about. A slip in it must not widen it to everything."""
    unknown = sorted(body.keys() - {"names", "labels", "all", *others})
    if unknown:
        raise Refused(f"unknown key '{unknown[0]:.60}'; there is: names, labels, all")
    selection = selection_of(body)
    if not (selection.names or selection.labels or selection.all):
        raise Refused("nothing is named; give names, labels, or all: true")
    return selection


def selection_of(body: object) -> Selection:
    """Which instances a body is about."""
    if not isinstance(body, dict):
        raise Refused("a selection must be an object")
    labels = body.get("labels") or {}
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise Refused("labels must be an object of strings")
    refuse_many("labels", labels)
    return Selection(strings_of(body, "names"), labels, flag_of(body, "all"))


def flag_of(body: Mapping[str, Any], key: str) -> bool:
    """Whether something is so; without the key it isn't. A word such as "no" would be taken for yes."""
    found = body.get(key, False)
    if not isinstance(found, bool):
        raise Refused(f"{key} must be true or false")
    return found


def strings_of(body: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of strings in a body; without the key, none."""
    found = body.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise Refused(f"{key} must be a list of strings")
    refuse_many(key, found)
    return tuple(found)


def refuse_many(key: str, found: Sized) -> None:
    """Turn away a request that names more than any project has."""
    if len(found) > _MOST_NAMES:
        raise Refused(f"too many {key}: {len(found)}; at most {_MOST_NAMES}", code="too-many", status=413)


def number_of(body: Mapping[str, Any], key: str, default: float | None) -> float | None:
    """Seconds in a body, or ``None``: no limit."""
    found = body.get(key, default)
    if found is None:
        return None
    if not isinstance(found, (int, float)) or isinstance(found, bool) or found < 0:
        raise Refused(f"{key} must be a number of seconds, or null")
    if found > LONGEST_S:
        raise Refused(f"{key} must be at most 10000 years in seconds, or null: no limit")
    return float(found)


def label_of(text: str) -> tuple[str, str]:
    """A label in an address, written ``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Refused(f"a label is selected as KEY=VALUE, found '{text:.60}'")
    return key, value


def wall_of(text: str | None) -> float:
    """A time in an address, in seconds since 1970; without one, the beginning of all."""
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise Refused(f"'{text:.60}' is no time; expected one such as 2026-01-22T10:00:00Z") from None


def limit_of(text: str | None) -> int | None:
    """A count in an address; ``None``: no limit."""
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise Refused(f"limit must be a whole number, found '{text:.60}'")
    return min(int(text[:9]), 1_000_000)
