"""Finding all processes of a run, wherever they put themselves, and ending them.

A process belongs to a run when it carries the run's mark in its environment, is in the group or session of the run's
leader, or descends from one that does. The supervisor is a subreaper, so what a dead leader leaves behind is its child.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from stigmer_pm.runtime import system, table

#: Rounds of stopping what forks while it is being looked for. Each round leaves only what was forked during the one
#: before, so even a program that forks without end is caught in two or three.
_ROUNDS = 50

#: A process by its pid, and its start, which tells it apart from a later one of the same pid.
Known = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Marks:
    """How the processes of one run are known.

    ``leader`` is the pid of the run's first process and ``leader_started`` tells it apart from a stranger that was
    given the same pid later; with 0, group and session are not looked at.
    """

    variable: str
    value: str
    leader: int = 0
    leader_started: int = 0


def leftovers(marks: Marks, orphans: Callable[[], list[int]] | None, known: Collection[Known]) -> list[int]:
    """What lives of a run whose leader is gone and has been collected.

    ``orphans`` looks up the children of this process that it did not start; ``None``: the leader was not our child, so
    the whole machine is searched. ``known`` are processes that were seen to be of the run while its leader lived.
    """
    alive = [pid for pid, started in known if table.started(pid) == started]
    if orphans is None:
        return _living_tree([*alive, *_roots(marks, rows := table.read_table())], rows)
    before: set[int] | None = None
    for _ in range(_ROUNDS):
        pids = orphans()
        rows = {pid: row for pid in pids if (row := table.read_row(pid)) is not None}
        roots = [*alive, *_roots(marks, rows)]
        if roots:
            return _living_tree(roots, table.read_table())
        if before == set(pids):
            break
        # One that has died while we looked may have left children of its own, which are ours now: look again.
        before = set(pids)
    return []


def find(marks: Marks) -> list[int]:
    """Every living process of a run, its leader included if it lives; a search of the whole machine."""
    rows = table.read_table()
    return _living_tree(_roots(marks, rows), rows)


def kill_all(marks: Marks, known: Collection[Known]) -> list[int]:
    """SIGKILL every process of a run; the pids that were signalled.

    They are stopped first, round by round, so that nothing forks itself out of reach while it is being looked for.
    """
    seen: set[int] = set()
    for _ in range(_ROUNDS):
        rows = table.read_table()
        alive = [pid for pid, started in known if pid in rows and rows[pid].started == started]
        fresh = set(_living_tree([*alive, *_roots(marks, rows)], rows)) - seen
        if not fresh:
            break
        for pid in fresh:
            system.send_signal(pid, system.STOP)
        seen |= fresh
    for pid in seen:
        system.send_signal(pid, system.KILL)
    return sorted(seen)


def _living_tree(roots: list[int], rows: Mapping[int, table.ProcessRow]) -> list[int]:
    return [pid for pid in table.tree(roots, rows) if not rows[pid].is_zombie]


def _roots(marks: Marks, rows: Mapping[int, table.ProcessRow]) -> list[int]:
    leader = table.read_row(marks.leader) if marks.leader else None
    # A process with the leader's pid that started at another time is a stranger, and its session is no sign of ours.
    by_session = bool(marks.leader) and (leader is None or leader.started == marks.leader_started)
    me = os.getpid()
    return [
        pid
        for pid, row in rows.items()
        if pid != me
        and not row.is_zombie
        and (
            (by_session and marks.leader in (row.session, row.group))
            or table.read_mark(pid, marks.variable) == marks.value
        )
    ]
