"""Runs that are watched, and what lives of one whose leader is gone: found, and watched until none is left."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from stigmer_pm.runtime import system, table
from stigmer_pm.runtime.census import Known, Marks
from stigmer_pm.runtime.cgroups import Cgroups
from stigmer_pm.runtime.members import Members

#: Seconds between looks at processes of which no descriptor tells the end (no pidfd).
LOOK_AGAIN = 0.1


@dataclass(slots=True)
class Watch:
    """A run that is watched. ``group_had``: the stop signal that its group has been sent.

    ``known`` are its processes as they were when the stop began, for what has lost both the mark and the session.
    ``in_place`` are those that were seen in the session or group of its leader after that was gone; ``None``: nobody
    has looked.
    ``pidfds`` are those whose end is waited for: of its leader, if that is not our child, or of what it left behind.
    """

    instance: str
    run: int
    marks: Marks
    is_child: bool
    is_gone: bool = False
    group_had: int | None = None
    known: set[Known] = field(default_factory=set)
    in_place: set[Known] | None = None
    pidfds: dict[int, int] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None
    is_forgotten: bool = False


class Leftovers:
    """Waits until nothing of a run is left; ``emptied`` is called then."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        members: Members,
        cgroups: Cgroups | None,
        emptied: Callable[[Watch], None],
    ) -> None:
        self._loop = loop
        self._members = members
        self._cgroups = cgroups
        self._emptied = emptied

    def learn(self, watch: Watch) -> None:
        """Remember the processes of a run that is about to be ended, while they still hang together."""
        for pid in table.descendants(watch.marks.leader):
            started = table.started(pid)
            if started is not None:
                watch.known.add((pid, started))

    def find(self, watch: Watch) -> list[int]:
        """What lives of a run whose leader is gone."""
        self.distrust(watch)
        found = self._members.leftovers(watch.marks, watch.known, is_child=watch.is_child)
        watch.in_place = self._members.in_place(watch.marks) if found else set()
        if self._cgroups is not None:
            found += [pid for pid in self._cgroups.pids(watch.instance, watch.run) if table.started(pid) is not None]
        return list(dict.fromkeys(found))

    def distrust(self, watch: Watch) -> None:
        """The session and the group of the leader are known by its pid, which the kernel gives to somebody else once
        nothing is in them. Only while one is in them that was so at the last look, they are still those of the run."""
        if watch.in_place is not None and not any(_is_in(watch.marks.leader, *known) for known in watch.in_place):
            watch.marks = replace(watch.marks, was_watched=False)

    def wait(self, watch: Watch) -> int:
        """How many live, at least; with any, ``emptied`` is called when none does any more."""
        drop(self._loop, watch)
        try:
            found = self.find(watch)
        except OSError:
            # No descriptor is free to look with. Something may be left, so the end is not told before that is known.
            watch.timer = self._loop.call_later(LOOK_AGAIN, self._count_again, watch)
            return 1
        for pid in found:
            try:
                pidfd = system.open_pidfd(pid)
            except ProcessLookupError:
                continue
            if pidfd is not None:
                watch.pidfds[pid] = pidfd
                try:
                    self._loop.add_reader(pidfd, self._one_gone, watch, pid)
                except OSError:
                    os.close(watch.pidfds.pop(pid))
        if found and not watch.pidfds:
            watch.timer = self._loop.call_later(LOOK_AGAIN, self._count_again, watch)
        return len(found)

    def look_again(self, watch: Watch) -> None:
        """Something of it may have ended."""
        if not watch.is_forgotten and self.wait(watch) == 0:
            self._emptied(watch)

    def _one_gone(self, watch: Watch, pid: int) -> None:
        pidfd = watch.pidfds.pop(pid, None)
        if pidfd is None:
            return
        self._loop.remove_reader(pidfd)
        os.close(pidfd)
        if not watch.pidfds:
            self.look_again(watch)

    def _count_again(self, watch: Watch) -> None:
        self._members.forget()
        self.look_again(watch)


def _is_in(leader: int, pid: int, started: int) -> bool:
    row = table.read_row(pid)
    return row is not None and row.started == started and leader in (row.session, row.group)


def drop(loop: asyncio.AbstractEventLoop, watch: Watch) -> None:
    """Wait for nothing of it any more."""
    for pidfd in watch.pidfds.values():
        loop.remove_reader(pidfd)
        os.close(pidfd)
    watch.pidfds.clear()
    if watch.timer is not None:
        watch.timer.cancel()
        watch.timer = None
