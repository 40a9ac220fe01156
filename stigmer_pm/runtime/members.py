"""Finding all processes of runs, wherever they put themselves, and ending them.

The supervisor is a subreaper, so what a dead leader leaves behind is its child; what an earlier supervisor started is
found by a count of the whole machine.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Sequence

from stigmer_pm.runtime import system, table
from stigmer_pm.runtime.census import Census, Known, Marks

#: Rounds of stopping what forks while it is being looked for. Each round leaves only what was forked during the one
#: before, so even a program that forks without end is caught in two or three.
_ROUNDS = 50


class Members:
    """Looks for the processes of runs. All that is asked in one turn of the loop is answered from one count.

    ``orphans`` looks up the children of this process that it did not start.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, variable: str, orphans: Callable[[], list[int]]) -> None:
        self._loop = loop
        self._variable = variable
        self._list_orphans = orphans
        self._machine: Census | None = None
        self._orphans: Census | None = None
        self._is_kept = False

    def forget(self) -> None:
        """Count anew: something may have ended, or been forked, that matters and isn't counted."""
        self._machine = self._orphans = None

    def machine(self) -> Census:
        """Everything that runs on the machine."""
        if self._machine is None:
            self._machine = Census(self._variable)
            self._keep()
        return self._machine

    def leftovers(self, marks: Marks, known: Collection[Known], *, is_child: bool) -> list[int]:
        """What lives of a run whose leader is gone, and has been collected if it was our child (``is_child``).

        ``known`` are processes that were seen to be of the run while its leader lived.
        """
        if is_child and not self._may_have_orphans(marks, known):
            return []
        machine = self.machine()
        return machine.tree(self._roots(machine, marks, known))

    def in_place(self, marks: Marks) -> set[Known]:
        """What is in the session or group of the leader of a run."""
        return self.machine().in_place(marks.leader) if marks.leader else set()

    def _may_have_orphans(self, marks: Marks, known: Collection[Known]) -> bool:
        """Whether anything of the run may have come to us. Costs little when there are no orphans at all.

        One without a mark may be the parent of one that has it: a program may change what is seen of its environment.
        """
        if any(table.started(pid) == started for pid, started in known):
            return True
        if self._orphans is None:
            self._orphans = Census(self._variable, self._list_orphans)
            self._keep()
        marked = self._orphans.marked()
        return any(marked.get(pid, marks.value) == marks.value for pid in self._orphans.living())

    def _roots(self, machine: Census, marks: Marks, known: Collection[Known]) -> list[int]:
        """What belongs to a run by itself, and what leads from an orphan that has come to us to such a process: that is
        of the run as well, even if nothing else tells."""
        roots = machine.roots(marks, known)
        paths = [path for pid in roots if (path := machine.path(pid, os.getpid()))]
        if paths:
            orphans = set(self._list_orphans())
            roots += [pid for path in paths if path[-1] in orphans for pid in path]
        return roots

    def _keep(self) -> None:
        """What was counted is good for what has ended before this turn of the loop, and for no longer."""
        if not self._is_kept:
            self._is_kept = True
            self._loop.call_soon(self._let_go)

    def _let_go(self) -> None:
        self._is_kept = False
        self.forget()

    def kill(self, runs: Sequence[tuple[Marks, Collection[Known]]]) -> list[int]:
        """SIGKILL every process of these runs; the pids that were signalled.

        They are stopped first, round by round, so that nothing forks itself out of reach while it is being looked for.

        Raises:
            OSError: not all could be looked for (no descriptor is free); what was found is killed.
        """
        seen: set[int] = set()
        try:
            for _ in range(_ROUNDS):
                census = Census(self._variable)
                roots = [pid for marks, known in runs for pid in self._roots(census, marks, known)]
                fresh = set(census.tree(roots)) - seen
                if not fresh:
                    break
                for pid in fresh:
                    system.send_signal(pid, system.STOP)
                seen |= fresh
        finally:  # what was stopped must not stay so
            for pid in seen:
                system.send_signal(pid, system.KILL)
            self.forget()
        return sorted(seen)
