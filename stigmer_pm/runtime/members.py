"""Finding all processes of runs, wherever they put themselves, and ending them.

The supervisor is a subreaper, so what a dead leader leaves behind is its child; what an earlier supervisor started is
found by a count of the whole machine.
"""

from __future__ import annotations

import asyncio
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
        if is_child and not self._has_orphans_of(marks, known):
            return []
        machine = self.machine()
        return machine.tree(machine.roots(marks, known))

    def _has_orphans_of(self, marks: Marks, known: Collection[Known]) -> bool:
        """Whether anything of the run has come to us. Costs little when there are no orphans at all."""
        if any(table.started(pid) == started for pid, started in known):
            return True
        if self._orphans is None:
            self._orphans = Census(self._variable, self._list_orphans)
            self._keep()
        return bool(self._orphans.roots(marks))

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
        """
        seen: set[int] = set()
        for _ in range(_ROUNDS):
            census = Census(self._variable)
            roots = [pid for marks, known in runs for pid in census.roots(marks, known)]
            fresh = set(census.tree(roots)) - seen
            if not fresh:
                break
            for pid in fresh:
                system.send_signal(pid, system.STOP)
            seen |= fresh
        for pid in seen:
            system.send_signal(pid, system.KILL)
        self.forget()
        return sorted(seen)
