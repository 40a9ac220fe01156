"""Runs that live and of which nothing is on record, found by their marks among the processes of the machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from stigmer_pm.runtime import table
from stigmer_pm.runtime.census import Census


def find_leader(census: Census, mark: str) -> tuple[int, int] | None:
    """The first process of the run that carries ``mark``: (pid, started); ``None``: it doesn't live.

    The oldest is the leader, for the others descend from it. It leads a session of its own.
    """
    rows = [row for pid in census.with_mark(mark) if (row := table.read_row(pid)) is not None and not row.is_zombie]
    leaders = sorted((row.started, row.pid) for row in rows if row.session == row.pid)
    return (leaders[0][1], leaders[0][0]) if leaders else None


def find_unmarked_leader(census: Census, log: str, noted: int | None) -> tuple[int, int] | None:
    """The first process of a run that carries no mark, and writes to ``log``, which is that of one component alone.

    It is being executed, and the kernel still reads its program: it has no environment until that is done, which takes
    long where a file system doesn't answer. Or it has emptied its environment; then it is known by the pid that was
    ``noted`` when it was forked.
    """
    leaders = []
    for pid in census.living():
        row = census.row(pid)
        if row is None or row.session != pid or pid in census.marked() or not _writes(pid, log):
            continue
        if table.shares_namespace(pid) and (pid == noted or table.is_being_executed(pid)):
            leaders.append((row.started, pid))
    return (min(leaders)[1], min(leaders)[0]) if leaders else None


def _writes(pid: int, log: str) -> bool:
    """Its output goes into that file, as that of a run does when it begins. Every program writes to /dev/null."""
    try:
        there = os.stat(log)
        if not stat.S_ISREG(there.st_mode):
            return False
        return any(os.path.samestat(there, os.stat(f"/proc/{pid}/fd/{number}")) for number in (1, 2))
    except OSError:
        return False


def find_runs(
    census: Census, run_of: Callable[[str], tuple[str, int] | None], fingerprint: str
) -> dict[str, tuple[int, int, int, str]]:
    """Every run of a project of which something lives, by instance: (number, pid, started, fingerprint).

    Pid and start are 0 when there is no leader. The leader leads a session, and is the oldest of those that do.
    ``run_of`` tells whose a mark is; ``fingerprint`` is the variable that tells what was executed.
    """
    found: dict[str, tuple[int, int, int, str]] = {}
    for pid, mark in census.marked().items():
        run, row = run_of(mark), table.read_row(pid)
        if run is None or row is None or row.is_zombie:
            continue
        instance, number = run
        executed = table.read_mark(pid, fingerprint) or ""
        is_leader = row.session == pid
        this = (number, pid if is_leader else 0, row.started if is_leader else 0, executed)
        found[instance] = min(this, found.get(instance, this), key=_leaders_first)
    return found


def _leaders_first(run: tuple[int, int, int, str]) -> tuple[int, bool, int]:
    number, pid, started, _ = run
    return (-number, pid == 0, started)
