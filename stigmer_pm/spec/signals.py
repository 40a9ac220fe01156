"""Signal numbers and their names. The numbers are this machine's; the names are POSIX'."""

from __future__ import annotations

import signal


def signal_name(number: int) -> str:
    """``SIGTERM`` for 15; ``signal 77`` for a number without a name; real-time signals as ``SIGRTMIN+n``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        first = getattr(signal, "SIGRTMIN", None)
        last = getattr(signal, "SIGRTMAX", None)
        if first is not None and last is not None and first < number < last:
            return f"SIGRTMIN+{number - first}"
        return f"signal {number}"


def signal_number(name: str) -> int:
    """The number of ``TERM``, ``SIGTERM``, ``sigterm``, ``SIGRTMIN+3`` or ``15``.

    Raises:
        ValueError: there is no such signal here.
    """
    word = name.strip().upper()
    if not word.isascii():  # digits of other scripts are digits for int
        raise ValueError(f"no signal is called '{name:.60}'")
    if word.isdecimal():
        number = int(word)
        if number in set(signal.Signals):
            return number
        raise ValueError(f"no signal has the number {number}")
    full = word if word.startswith("SIG") else f"SIG{word}"
    if full.startswith("SIGRTMIN+") and full[9:].isdecimal():
        number = int(getattr(signal, "SIGRTMIN", 0)) + int(full[9:])
        if getattr(signal, "SIGRTMIN", 0) < number < getattr(signal, "SIGRTMAX", 0):
            return number
    try:
        return int(signal.Signals[full])
    except KeyError:
        raise ValueError(f"no signal is called '{name:.60}'") from None
