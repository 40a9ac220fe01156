"""Durations and sizes as people write them: ``1m30s``, ``10MiB``. No dependency, for the command line uses it too."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from itertools import pairwise

_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
_NUMBER = r"\d{1,15}(?:\.\d{1,9})?"
_PART = re.compile(rf"({_NUMBER})(ms|s|m|h|d)", re.ASCII)
_PARTS = re.compile(rf"(?:{_NUMBER}(?:ms|s|m|h|d))+", re.ASCII)
_PLAIN = re.compile(_NUMBER, re.ASCII)

# 10 000 years: longer than anything that is meant, and short enough for every clock that it is added to.
_LONGEST_S = 10_000 * 366 * 86400.0

_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1000, "kib": 1 << 10, "m": 1000**2, "mb": 1000**2, "mib": 1 << 20}
_UNITS |= {"g": 1000**3, "gb": 1000**3, "gib": 1 << 30, "t": 1000**4, "tb": 1000**4, "tib": 1 << 40}
# A size has more digits than a duration: the largest in bytes has nineteen.
_SIZE = re.compile(r"(\d{1,30}(?:\.\d{1,9})?)\s*([A-Za-z]*)", re.ASCII)
_LARGEST_BYTES = (1 << 63) - 1  # the largest that an rlimit and a file offset take


def parse_duration(text: str) -> float:
    """Seconds of ``500ms``, ``10s``, ``1m30s``, ``2h``, ``1d`` or a plain number of seconds.

    Raises:
        ValueError: it is none of these, or longer than 10 000 years.
    """
    word = text.strip()
    if _PLAIN.fullmatch(word):
        return checked_seconds(float(word))
    if not _PARTS.fullmatch(word):
        raise ValueError(f"expected a duration such as 500ms, 10s, 1m30s or 2h, found '{_short(text)}'")
    found = [(Decimal(number), unit) for number, unit in _PART.findall(word)]
    order = [_SECONDS[unit] for _, unit in found]
    if any(later >= earlier for earlier, later in pairwise(order)):
        raise ValueError(f"expected the units of a duration from large to small, each once, found '{_short(text)}'")
    return checked_seconds(float(sum((number * _SECONDS[unit] for number, unit in found), Decimal(0))))


def checked_seconds(seconds: float) -> float:
    """``seconds``, if it is a length of time.

    Raises:
        ValueError: it is negative, not finite, or longer than 10 000 years.
    """
    if not math.isfinite(seconds) or seconds > _LONGEST_S:
        raise ValueError("expected a duration of at most 10000 years")
    if seconds < 0:
        raise ValueError("expected a duration of 0 or more, found a negative one")
    return seconds


def parse_size(text: str) -> int:
    """Bytes of ``512KiB``, ``10MB``, ``2GiB`` or a plain number of bytes; ``k`` is 1000, ``Ki`` is 1024.

    Raises:
        ValueError: it is none of these, or beyond 2**63 - 1.
    """
    found = _SIZE.fullmatch(text.strip())
    unit = None if found is None else _UNITS.get(found[2].lower())
    if found is None or unit is None:
        raise ValueError(f"expected a size such as 512KiB, 10MB or 2GiB, found '{_short(text)}'")
    size = Decimal(found[1]) * unit
    if size > _LARGEST_BYTES:
        raise ValueError(f"expected a size of at most 2**63-1 bytes, found '{_short(text)}'")
    return int(size)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
