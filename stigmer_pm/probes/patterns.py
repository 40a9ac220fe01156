"""Searching with a pattern that somebody else has written, for so long and no longer.

A pattern with nested repetition, such as ``(a+)+b``, takes twice as long for each further character, and several
``.*`` take a power of the length of the line. Python's engine has no limit of its own, but it heeds signals while it
searches. (google-re2 takes a time that grows with the line, but has no look-around and no references, costs 50 ms and
2 MB to import, and 10 µs for a line where this takes 0.1.)
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooSlow(Exception):
    """A search has taken all the time that it had."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End the searches of the block after so much processor time. Only the main thread is told of signals; in another
    one there is no limit.

    Processor time, so that neither a busy machine nor a suspended supervisor ends a search that is quick.

    Raises:
        TooSlow: they took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _interrupt)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
    finally:
        signal.signal(signal.SIGVTALRM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise TooSlow
