"""Whether the logs of processes are still where people look for them.

A process writes to its log itself, through a descriptor that nobody else can exchange. When the file is deleted or
renamed, it goes on writing to a file without a name, or with another one. That there is a file of the old name again
(logrotate's ``create``) changes nothing about that, so files are told apart by device and inode.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stigmer_pm.runtime import system

_DELETED = " (deleted)"
#: Seconds after which a change of a folder is sure to have another time than the one before it. A kernel's clock for
#: files ticks every few milliseconds, the coarsest file systems' every two seconds.
_SETTLED = 2.0

_File = tuple[int, int]  # device and inode


@dataclass(slots=True)
class _Log:
    """What is known of the log of one run: its path at the start of the run, and the file that was seen there."""

    pid: int
    path: str
    file: _File | None = None
    name: str = ""
    is_new: bool = True
    is_told: bool = False


class LogWatch:
    """Looks at the logs of runs, and tells of each that is lost once."""

    def __init__(self) -> None:
        self._folders: dict[str, int | None] = {}
        self._logs: dict[tuple[str, int], _Log] = {}

    def look(self, runs: Iterable[tuple[str, int, int, str]]) -> Iterator[tuple[str, int, str]]:
        """For each run (instance, number, pid, log) whose log isn't there: instance, number, and what has become of it.

        A file can't go without a trace in its folder, so it costs one look at each run, and then one at each folder as
        long as nothing changes. The log of a run is the one that it was first seen with, whatever is declared later.
        """
        before = self._logs
        self._logs = {(name, run): before.get((name, run)) or _Log(pid, path) for name, run, pid, path in runs}
        seen = {folder: _changed_at(folder) for folder in {os.path.dirname(log.path) for log in self._logs.values()}}
        for (instance, run), log in self._logs.items():
            folder = os.path.dirname(log.path)
            if log.is_told or not (log.is_new or self._folders.get(folder, 0) != seen[folder]):
                continue
            log.is_new = False
            words = _lost(log)
            if words:
                log.is_told = True
                yield instance, run, words
        settled = (system.wall_time() - _SETTLED) * 1e9
        self._folders = {folder: at for folder, at in seen.items() if at is None or at < settled}


def _changed_at(folder: str) -> int | None:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return None


def _lost(log: _Log) -> str:
    """What has become of the file that the process writes to; empty when it is there, or can't be told."""
    path = os.path.join(os.path.realpath(os.path.dirname(log.path)), os.path.basename(log.path))
    there = _file_at(path)
    for descriptor in (1, 2):
        link = f"/proc/{log.pid}/fd/{descriptor}"
        try:
            writes_to = os.readlink(link)
        except OSError:
            continue
        file = _file_at(link)
        if file is not None and file == there:
            log.file, log.name = file, writes_to
            return ""
        name, is_deleted = writes_to.removesuffix(_DELETED), writes_to.endswith(_DELETED)
        if not name.startswith("/") or name == os.devnull:
            continue
        is_known = file is not None and file == log.file
        if is_known or (is_deleted and name == path) or _was_at(path, name, is_gone=there is None):
            return _lost_words(name, log.name or path, is_deleted=is_deleted)
    return ""


def _file_at(path: str) -> _File | None:
    """Which file it is; ``None``: there is none, or it is out of reach."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _was_at(path: str, name: str, *, is_gone: bool) -> bool:
    """The file that has this name now was at ``path`` once, as far as can be told of one that was never seen there.

    A process may have turned to another file by itself, so only what rotation makes of a name counts, when there is
    another file at ``path``.
    """
    if is_gone and os.path.exists(name):
        return True
    return name.startswith((f"{path}.", f"{path}-"))


def _lost_words(name: str, old_name: str, *, is_deleted: bool) -> str:
    if name == old_name:
        return "was deleted" if is_deleted else f"is no longer '{name}'"
    return f"was moved to '{name}'{' and deleted' if is_deleted else ''}"
