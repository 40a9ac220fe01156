"""Durations as text, to be read again."""

from __future__ import annotations


def format_duration(seconds: float) -> str:
    """``1m30s`` for 90.0: the shortest that is read as the same."""
    milliseconds = round(seconds * 1000)
    parts = []
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
