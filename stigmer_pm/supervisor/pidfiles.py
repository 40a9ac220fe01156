"""``.stigmer/pids/NAME.pid``: for scripts that look there, and for whoever comes after a supervisor that was killed.

A run's file is written a moment after its fork, long before the record of its pid is committed with those of all that
were started in the same turn. So it tells of a run that had begun and has ended since that it did begin.
"""

from __future__ import annotations

import os
from contextlib import suppress

from stigmer_pm.plain_files import plain


class PidFiles:
    """The pid files of one project. A file that can't be written is no reason to disturb anything, so errors pass."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def make_room(self) -> None:
        """Make the state folder, should somebody have removed it under its supervisor: whatever is written into it next
        would make it as well, and for everybody to look into."""
        with suppress(OSError):
            os.mkdir(os.path.dirname(self._folder), 0o700)

    def write(self, name: str, pid: int) -> None:
        """Put the pid of an instance's run down."""
        with suppress(OSError), open(self._path(name), "w", encoding="ascii", opener=plain) as file:
            file.write(f"{pid}\n")

    def read(self, name: str) -> int | None:
        """The pid that was put down last, unless its run is known to be over."""
        try:
            with open(self._path(name), encoding="ascii", opener=plain) as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    def remove(self, name: str) -> None:
        """The run is over."""
        with suppress(OSError):
            os.unlink(self._path(name))

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, f"{name}.pid")
