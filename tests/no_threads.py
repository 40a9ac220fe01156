"""A process that can have no further thread, as at the end of ``ulimit -u``."""

from __future__ import annotations

import threading

import pytest


class Threads:
    """``left``: how many more there may be; ``None``: as many as anybody wants. ``lacking``: those whose names begin
    like this can't be made, and ``refused`` tells how often that was so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.lacking: tuple[str, ...] = ()
        self.refused = 0
        start = threading.Thread.start

        def start_if_allowed(thread: threading.Thread) -> None:
            if self.left == 0 or thread.name.startswith(self.lacking):
                self.refused += 1
                raise RuntimeError("can't start new thread")
            if self.left is not None:
                self.left -= 1
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", start_if_allowed)
