"""Times, durations and sizes as people read them: short, and without a space, so that ``awk`` finds its columns."""

from __future__ import annotations

from datetime import datetime

#: Units from the largest, in seconds.
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_SIZES = ("B", "K", "M", "G", "T")


def seconds_words(seconds: float) -> str:
    """``300ms``, ``12s``, ``2m5s``, ``3h10m``, ``12d4h``: the two largest units."""
    if seconds < 0.0005:
        return "0s"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    whole = max(1, int(seconds))
    for index, (unit, length) in enumerate(_UNITS):
        if whole >= length:
            text = f"{whole // length}{unit}"
            if index + 1 < len(_UNITS):
                smaller, smaller_length = _UNITS[index + 1]
                rest = whole % length // smaller_length
                text += f"{rest}{smaller}" if rest else ""
            return text
    return "0s"


def bytes_words(size: int) -> str:
    """``512B``, ``22.4M``, ``1.2G``, in units of 1024."""
    amount = float(size)
    for unit in _SIZES[:-1]:
        if amount < 1024:
            return f"{amount:.0f}{unit}" if unit == "B" or amount >= 100 else f"{amount:.1f}{unit}"
        amount /= 1024
    return f"{amount:.1f}{_SIZES[-1]}"


def unix_time(stamp: str) -> float:
    """Seconds since 1970 of an RFC 3339 time."""
    return datetime.fromisoformat(stamp).timestamp()


def local_time(stamp: str) -> str:
    """An RFC 3339 time as the clock on this machine's wall shows it, to the second."""
    return datetime.fromisoformat(stamp).astimezone().strftime("%Y-%m-%dT%H:%M:%S")
