"""Whether the logs of processes are still where people look for them.

A process writes to its log itself, through a descriptor that nobody else can exchange. When the file is deleted or
renamed, it goes on writing to a file without a name, or with another one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

_DELETED = " (deleted)"


class LogWatch:
    """Looks at the logs of runs, and tells of each that is lost once."""

    def __init__(self) -> None:
        self._folders: dict[str, int | None] = {}
        self._told: set[tuple[str, int]] = set()

    def look(self, runs: Iterable[tuple[str, int, int, str]]) -> Iterator[tuple[str, int, str]]:
        """For each run (instance, number, pid, log) whose log isn't there: instance, number, and what has become of it.

        A file can't go without a trace in its folder, so it costs one look at each folder as long as nothing changes.
        """
        runs = list(runs)
        seen = {folder: _changed_at(folder) for folder in {os.path.dirname(log) for *_, log in runs}}
        self._told &= {(instance, run) for instance, run, *_ in runs}
        for instance, run, pid, log in runs:
            folder = os.path.dirname(log)
            if self._folders.get(folder, 0) == seen[folder] or (instance, run) in self._told:
                continue
            words = _lost(pid, log)
            if words:
                self._told.add((instance, run))
                yield instance, run, words
        self._folders = seen


def _changed_at(folder: str) -> int | None:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return None


def _lost(pid: int, log: str) -> str:
    """What has become of the file that the process writes to; empty when it is there, or can't be told."""
    path = os.path.join(os.path.realpath(os.path.dirname(log)), os.path.basename(log))
    for descriptor in (1, 2):
        try:
            writes_to = os.readlink(f"/proc/{pid}/fd/{descriptor}")
        except OSError:
            continue
        if writes_to == path + _DELETED:
            return "was deleted"
        if writes_to.startswith("/") and not os.path.lexists(path) and os.path.exists(writes_to):
            return f"was moved to '{writes_to}'" if writes_to != os.devnull else ""
    return ""
