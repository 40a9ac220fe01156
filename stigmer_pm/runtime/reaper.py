"""Collecting every child that dies: leaders of runs, exec probes, and orphans that came to us as subreaper.

One collector for all, because ``waitpid(-1)`` would take the status away from anybody else who waits.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable

from stigmer_pm.runtime import system

_log = logging.getLogger(__name__)

OnExit = Callable[[int], None]


class Reaper:
    """Calls back with the wait status when a child that was watched ends. Runs on one event loop, in one thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched: dict[int, OnExit] = {}
        #: Called when dead children have been collected, before anybody is told of them.
        self.before_telling: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to collect; children that are dead already are collected at once."""
        self._loop.add_signal_handler(signal.SIGCHLD, self.collect)
        self._loop.call_soon(self.collect)

    def close(self) -> None:
        """Collect no more."""
        self._loop.remove_signal_handler(signal.SIGCHLD)

    def watch(self, pid: int, on_exit: OnExit) -> None:
        """Call ``on_exit`` with the wait status of child ``pid``. Must be called before the loop runs again."""
        self._watched[pid] = on_exit

    def is_watched(self, pid: int) -> bool:
        """The child was started here, in contrast to an orphan that came from one."""
        return pid in self._watched

    def collect(self) -> None:
        """Collect every dead child, then call back: so that the callbacks see a table without zombies of ours."""
        dead: list[tuple[OnExit, int]] = []
        while (found := system.reap_one()) is not None:
            pid, status = found
            on_exit = self._watched.pop(pid, None)
            if on_exit is not None:
                dead.append((on_exit, status))
        if dead:
            self.before_telling()
        for on_exit, status in dead:
            try:
                on_exit(status)
            except OSError as error:
                # The death of one must not be lost for the others, nor theirs for its sake.
                _log.error("cannot tell the end of a process: %s", error)
