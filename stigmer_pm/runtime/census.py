"""The processes of the machine at one moment, and which of them belong to a run.

A process belongs to a run when it carries the run's mark in its environment, is in the group or session of the run's
leader, or descends from one that does. To read them all costs some 40 µs each, and a thousand runs may end in one
moment. So whoever asks about many runs counts the machine once, and each answer is a few look-ups.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from stigmer_pm.runtime import table

#: A process by its pid, and its start, which tells it apart from a later one of the same pid.
Known = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Marks:
    """How the processes of one run are known.

    ``leader`` is the pid of the run's first process and ``leader_started`` tells it apart from a stranger that was
    given the same pid later; with 0, group and session are not looked at. ``was_watched``: it has been watched from its
    life to its end, so that its session can't have become a stranger's meanwhile.
    """

    variable: str
    value: str
    leader: int = 0
    leader_started: int = 0
    was_watched: bool = True


class Census:
    """A count of the machine. What has been forked or has ended since then is not in it."""

    def __init__(self, variable: str, pids: Collection[int] | None = None) -> None:
        """Count now; ``pids``: these alone. ``variable`` is the mark of runs."""
        if pids is None:
            self._rows = table.read_table()
        else:
            self._rows = {pid: row for pid in pids if (row := table.read_row(pid)) is not None}
        self._marks: dict[int, str] = {}
        self._by_mark: dict[str, list[int]] = {}
        self._by_place: dict[int, list[int]] = {}
        self._children: dict[int, list[int]] = {}
        me = os.getpid()
        for pid, row in self._rows.items():
            self._children.setdefault(row.parent, []).append(pid)
            if pid != me and not row.is_zombie:
                self._place(pid, row, table.read_mark(pid, variable))

    def _place(self, pid: int, row: table.ProcessRow, mark: str | None) -> None:
        for place in {row.session, row.group}:
            self._by_place.setdefault(place, []).append(pid)
        if mark is not None:
            self._marks[pid] = mark
            self._by_mark.setdefault(mark, []).append(pid)

    def row(self, pid: int) -> table.ProcessRow | None:
        """One process, if it was counted."""
        return self._rows.get(pid)

    def marked(self) -> dict[int, str]:
        """Every living process that carries a mark, and which."""
        return self._marks

    def with_mark(self, mark: str) -> list[int]:
        """The living processes that carry one mark."""
        return self._by_mark.get(mark, [])

    def roots(self, marks: Marks, known: Collection[Known] = ()) -> list[int]:
        """What belongs to a run by itself: by its mark, session or group, or since it was ``known`` to."""
        found = [pid for pid, started in known if (row := self.row(pid)) is not None and row.started == started]
        found += self.with_mark(marks.value)
        found += self._in_place_of(marks)
        return list(dict.fromkeys(found))

    def _in_place_of(self, marks: Marks) -> list[int]:
        """Those in the leader's session or group; none when it may be a stranger's by now.

        The kernel gives no pid to anybody as long as a session or group goes by it. So one that has a process with the
        mark is still the run's; of another one nobody knows, after a time in which nobody watched.
        """
        if not marks.leader:
            return []
        leader, found = table.read_row(marks.leader), self._by_place.get(marks.leader, [])
        if leader is not None:
            return found if leader.started == marks.leader_started else []
        is_ours = marks.was_watched or any(self._marks.get(pid) == marks.value for pid in found)
        return found if is_ours else []

    def tree(self, roots: Iterable[int]) -> list[int]:
        """``roots`` and all that descends from them, as far as it lives."""
        found: set[int] = set()
        pending = list(roots)
        while pending:
            pid = pending.pop()
            if pid in self._rows and pid not in found:
                found.add(pid)
                pending.extend(self._children.get(pid, ()))
        return [pid for pid in found if not self._rows[pid].is_zombie]
