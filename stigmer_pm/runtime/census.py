"""The processes of the machine at one moment, and which of them belong to a run.

A process belongs to a run when it carries the run's mark in its environment, is in the group or session of the run's
leader, or descends from one that does. To read them all costs some 40 µs each, and a thousand runs may end in one
moment. So whoever asks about many runs counts the machine once, and each answer is a few look-ups.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from stigmer_pm.runtime import table

#: Listings of one count. Where more are needed, what forks without end is in it by then.
_ROUNDS = 50

#: Seconds that a count waits for processes that are just becoming other programs, and between looks at them.
_EXECUTED_WITHIN = 0.1
_LOOK = 0.0005

#: A process by its pid, and its start, which tells it apart from a later one of the same pid.
Known = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Marks:
    """How the processes of one run are known.

    ``leader`` is the pid of the run's first process and ``leader_started`` tells it apart from a stranger that was
    given the same pid later; with 0, group and session are not looked at. ``was_watched``: it, or what was in its
    session after its end, has been watched without a gap, so that the session can't have become a stranger's meanwhile.
    """

    variable: str
    value: str
    leader: int = 0
    leader_started: int = 0
    was_watched: bool = True


class Census:
    """A count of the machine. What has been forked or has ended since then is not in it.

    Of a run of which anything lives, something is in it that was alive when it was counted: the pids are listed until
    there is none that has not been looked at. So whatever has been forked during the count was forked by one of those.
    """

    def __init__(self, variable: str, list_pids: Callable[[], Iterable[int]] = table.all_pids) -> None:
        """Count what ``list_pids`` lists, now. ``variable`` is the mark of runs."""
        self._variable = variable
        self._rows: dict[int, table.ProcessRow] = {}
        self._marks: dict[int, str] = {}
        self._by_mark: dict[str, list[int]] = {}
        self._by_place: dict[int, list[int]] = {}
        self._children: dict[int, list[int]] = {}
        seen = {os.getpid()}
        for _ in range(_ROUNDS):
            fresh = [pid for pid in list_pids() if pid not in seen]
            if not fresh:
                break
            seen.update(fresh)
            self._read_late([pid for pid in fresh if self._count(pid)])

    def _count(self, pid: int) -> bool:
        """Look at a process; ``True``: it lives, and its environment is to be read again."""
        row = table.read_row(pid)
        if row is None:
            return False
        self._rows[pid] = row
        self._children.setdefault(row.parent, []).append(pid)
        if row.is_zombie:
            return False
        for place in {row.session, row.group}:
            self._by_place.setdefault(place, []).append(pid)
        return not self._read_mark(pid)

    def _read_mark(self, pid: int) -> bool:
        """Note the mark of a process, if it has one; ``False``: its environment is empty."""
        environment = table.read_environment(pid)
        mark = table.value_in(environment, self._variable)
        if mark is not None and self._is_of_here(pid):
            self._marks[pid] = mark
            self._by_mark.setdefault(mark, []).append(pid)
        return environment != b""

    def _is_of_here(self, pid: int) -> bool:
        """Its pids are ours, or it has come to us from one of our runs. In a container the same path is another project
        with a supervisor of its own, and its processes are to be seen from the machine."""
        return self._rows[pid].parent == os.getpid() or table.shares_namespace(pid)

    def _read_late(self, unread: list[int]) -> None:
        """A process that has just left its session and is becoming another program would be seen as nobody's, and what
        is nobody's is never looked for again. The kernel needs microseconds for it, on a busy machine some more."""
        ends_at = time.monotonic() + _EXECUTED_WITHIN
        while unread:
            # Asked in this order: what is no longer being executed has the environment that is then read.
            executing = {pid for pid in unread if table.is_being_executed(pid)}
            unread = [pid for pid in unread if not self._read_mark(pid) and pid in executing]
            if not unread or time.monotonic() > ends_at:
                break
            time.sleep(_LOOK)

    def row(self, pid: int) -> table.ProcessRow | None:
        """One process, if it was counted."""
        return self._rows.get(pid)

    def marked(self) -> dict[int, str]:
        """Every living process that carries a mark, and which."""
        return self._marks

    def living(self) -> list[int]:
        """Everything that lives."""
        return [pid for pid, row in self._rows.items() if not row.is_zombie]

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

    def in_place(self, leader: int) -> set[Known]:
        """Those in the session or group of that number."""
        return {(pid, self._rows[pid].started) for pid in self._by_place.get(leader, ())}

    def path(self, pid: int, end: int) -> list[int]:
        """What lies between a process and its ancestor ``end``; empty when that is none."""
        found: list[int] = []
        row = self.row(pid)
        while row is not None and row.parent != end and row.parent not in found:
            found.append(row.parent)
            row = self.row(row.parent)
        return found if row is not None and row.parent == end else []

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
