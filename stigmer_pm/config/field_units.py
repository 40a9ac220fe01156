"""The types of durations (in seconds) and sizes (in bytes)."""

from __future__ import annotations

from dataclasses import dataclass

from stigmer_pm.config.durations import checked_seconds, parse_duration, parse_size
from stigmer_pm.config.fields import INTERPOLATED, JsonSchema, Reader, found_words, scalar_of, typed, wrong

_DURATION = {"type": "string", "pattern": r"^\s*(\d+(\.\d+)?(ms|s|m|h|d))+\s*$|^\s*\d+(\.\d+)?\s*$|\$"}
_SIZE = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([kKmMgGtT]([iI]?[bB])?|[bB])?\s*$|\$"}


@dataclass(frozen=True, slots=True)
class Duration(Reader):
    """``10s``, ``1m30s``, or a number of seconds. ``is_above_zero``: 0 is not taken."""

    is_above_zero: bool = False

    def read(self, value: object) -> float:
        """Seconds."""
        scalar = scalar_of(value, "a duration such as 10s")
        found = typed(scalar)
        if isinstance(found, bool) or not isinstance(found, (int, float, str)):
            raise wrong(f"expected a duration such as 10s, found {found_words(scalar)}")
        try:
            seconds = parse_duration(found) if isinstance(found, str) else checked_seconds(float(found))
        except ValueError as error:
            raise wrong(str(error)) from None
        if self.is_above_zero and not seconds:
            raise wrong("expected a duration above 0, found 0")
        return seconds

    def schema(self) -> JsonSchema:
        """A string, or a number."""
        bound = "exclusiveMinimum" if self.is_above_zero else "minimum"
        return {"anyOf": [_DURATION, {"type": "number", bound: 0}]}


@dataclass(frozen=True, slots=True)
class SecondsOnly(Reader):
    """A number of seconds, as Kubernetes has it (fractions are an extension)."""

    is_above_zero: bool = False

    def read(self, value: object) -> float:
        """Seconds."""
        expected = f"a number of seconds {'above 0' if self.is_above_zero else 'of 0 or more'}"
        scalar = scalar_of(value, expected)
        found = typed(scalar)
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            raise wrong(f"expected {expected}, found {found_words(scalar)}")
        if found < 0 or (self.is_above_zero and not found):
            raise wrong(f"expected {expected}, found {found}")
        try:
            return checked_seconds(float(found))
        except ValueError as error:
            raise wrong(str(error)) from None

    def schema(self) -> JsonSchema:
        """A number."""
        bound = "exclusiveMinimum" if self.is_above_zero else "minimum"
        return {"anyOf": [{"type": "number", bound: 0}, INTERPOLATED]}


@dataclass(frozen=True, slots=True)
class Size(Reader):
    """``512KiB``, ``10MB``, or a number of bytes. ``unlimited``: what that word stands for, if it is taken."""

    unlimited: int | None = None

    def read(self, value: object) -> int:
        """Bytes."""
        scalar = scalar_of(value, "a size such as 10MiB")
        found = typed(scalar)
        if self.unlimited is not None and found == "unlimited":
            return self.unlimited
        if isinstance(found, bool) or not isinstance(found, (int, str)) or (isinstance(found, int) and found < 0):
            raise wrong(f"expected a size such as 10MiB, found {found_words(scalar)}")
        try:
            return parse_size(str(found))
        except ValueError as error:
            raise wrong(str(error)) from None

    def schema(self) -> JsonSchema:
        """A string, or a number."""
        words: list[JsonSchema] = [] if self.unlimited is None else [{"enum": ["unlimited"]}]
        return {"anyOf": [_SIZE, {"type": "integer", "minimum": 0}, *words]}
