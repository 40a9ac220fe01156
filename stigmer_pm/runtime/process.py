"""Runs of local processes: started, watched, signalled, adopted and emptied, with what becomes of them told."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Protocol

from stigmer_pm.marks import MARK
from stigmer_pm.runtime import system, table
from stigmer_pm.runtime.adopted import AdoptedLeaders, is_still_ours, is_there
from stigmer_pm.runtime.census import Marks
from stigmer_pm.runtime.cgroups import Cgroups
from stigmer_pm.runtime.finding import find_leader, find_runs, find_unmarked_leader
from stigmer_pm.runtime.leftovers import LOOK_AGAIN, Leftovers, Watch, drop
from stigmer_pm.runtime.marked_environment import FINGERPRINT, MarkedEnvironment
from stigmer_pm.runtime.members import Members
from stigmer_pm.runtime.reaper import Reaper
from stigmer_pm.runtime.run import Started, open_log
from stigmer_pm.runtime.spawn import Program, spawn
from stigmer_pm.spec import ProcessExecution

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who is told what becomes of runs. ``status`` is a wait status; ``None``: nobody could tell."""

    def exited(self, instance: str, run: int, status: int | None, remaining: bool) -> None:
        """The leader is gone; ``remaining``: it left processes behind."""

    def emptied(self, instance: str, run: int) -> None:
        """The last process that the leader left behind is gone."""


class ProcessRuntime:
    """All runs of local processes of one supervisor. Lives on its event loop; every call is quick.

    Args:
        key: tells runs of this project apart from those of any other (part of the mark).
        base_environment: lies beneath what the file sets for a component.
        cgroups: of the runs, where they have any.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        reaper: Reaper,
        listener: Listener,
        *,
        key: str,
        base_environment: Mapping[str, str],
        cgroups: Cgroups | None = None,
    ) -> None:
        system.keep_descriptors()
        self._loop = loop
        self._reaper = reaper
        self._listener = listener
        self._environment = MarkedEnvironment(key, base_environment)
        self._watches: dict[tuple[str, int], Watch] = {}
        self._members = Members(loop, MARK, self._own_orphans)
        self._cgroups = cgroups
        self._adopted = AdoptedLeaders(loop, self._leader_gone)
        self._leftovers = Leftovers(loop, self._members, cgroups, self._emptied)
        self._to_kill: list[Watch] = []
        reaper.before_telling = self._members.forget

    def environment(self, execution: ProcessExecution, instance: str, run: int) -> dict[str, str]:
        """The complete environment of a program of a run."""
        return self._environment.of(execution, instance, run)

    def start(self, instance: str, run: int, execution: ProcessExecution) -> Started:
        """Start a run.

        Raises:
            SpawnFailure: it could not be started; nothing of it runs.
        """
        log = open_log(execution.log)
        try:
            log_from = os.fstat(log).st_size
            with nullcontext() if self._cgroups is None else self._cgroups.inside(instance, run):
                pid = spawn(_program(execution, self.environment(execution, instance, run)), log)
        finally:
            with suppress(OSError):  # of a network file system, about what others have written
                os.close(log)
        # It runs: whatever fails from here on must not make its start fail, or another one would be started beside it.
        watch = Watch(instance, run, Marks(MARK, self._environment.mark_of(instance, run), pid), is_child=True)
        self._watches[instance, run] = watch
        self._reaper.watch(pid, lambda status: self._leader_gone(watch, status))
        self._note_start(watch)
        return Started(pid, watch.marks.leader_started, log_from)

    def _note_start(self, watch: Watch) -> None:
        """Note when the leader began; later, where the table of processes can't be read now (no descriptor is free)."""
        try:
            watch.marks = replace(watch.marks, leader_started=table.started(watch.marks.leader) or 0)
        except OSError:
            watch.timer = self._loop.call_later(LOOK_AGAIN, self._note_start, watch)

    def adopt(self, instance: str, run: int, pid: int, started: int) -> bool:
        """Go on watching a run that an earlier supervisor started; ``False`` when its leader is gone.

        The process is taken for ours when it has the recorded pid and started at the recorded time.
        """
        marks = Marks(MARK, self._environment.mark_of(instance, run), pid, started, was_watched=False)
        if self._adopt_child(instance, run, replace(marks, was_watched=True)):
            return True
        watch = Watch(instance, run, marks, is_child=False)
        self._watches[instance, run] = watch
        return self._adopted.wait(watch)

    def _adopt_child(self, instance: str, run: int, marks: Marks) -> bool:
        """That supervisor was this very process, before an exec or a bug: the run is our child still, and its end is
        told by the reaper, also when it has ended meanwhile and nobody has collected it."""
        row = table.read_row(marks.leader)
        if row is None or row.started != marks.leader_started or row.parent != os.getpid():
            return False
        watch = self._watches[instance, run] = Watch(instance, run, marks, is_child=True)
        self._reaper.watch(marks.leader, lambda status: self._leader_gone(watch, status))
        return True

    def last_status(self, pid: int, started: int) -> int | None:
        """The wait status of a leader that ended while nobody watched; ``None``: its parent has collected it."""
        return table.zombie_status(pid, started)

    def find_started(
        self, instance: str, run: int, log: str | None = None, noted: int | None = None
    ) -> tuple[int, int] | None:
        """The leader of a run whose start was recorded but not its pid: (pid, started), if it lives.

        ``log`` is the file that it writes to, and ``noted`` the pid that was noted last for that instance.
        """
        census = self._members.machine()
        found = find_leader(census, self._environment.mark_of(instance, run))
        return found if found is not None or log is None else find_unmarked_leader(census, log, noted)

    def find_marked(self) -> dict[str, tuple[int, int, int, str]]:
        """Every run of this project of which something lives, by instance: (number, pid, started, fingerprint)."""
        return find_runs(self._members.machine(), self._environment.run_of, FINGERPRINT)

    def count_leftovers(self, instance: str, run: int, leader: tuple[int, int] = (0, 0)) -> int:
        """How many processes live of a run whose leader is gone; from now on ``emptied`` tells when none does.

        ``leader``: its pid and its start, where they are on record; 0: not known.
        """
        watch = self._watches.get((instance, run))
        if watch is None:
            marks = Marks(MARK, self._environment.mark_of(instance, run), *leader, was_watched=False)
            watch = Watch(instance, run, marks, is_child=False)
            self._watches[instance, run] = watch
        watch.is_gone = True
        return self._leftovers.wait(watch)

    def signal(self, instance: str, run: int, number: int) -> None:
        """Send a signal to the run's group and wake it up if it is suspended.

        After its leader is gone: to what is left, but for what has had this signal as part of the group. A second
        SIGTERM makes some programs end at once that were ending in good order.
        """
        watch = self._watches.get((instance, run))
        if watch is None:
            return
        if not watch.is_gone:
            if not is_still_ours(watch):
                return  # it is about to be told that the leader is gone
            self._learn(watch)
            system.send_group_signal(watch.marks.leader, number)
            system.send_group_signal(watch.marks.leader, system.CONTINUE)
            watch.group_had = number
            return
        had = watch.marks.leader if watch.group_had == number else None
        for pid in self._leftovers.find(watch):
            row = table.read_row(pid)
            if row is None or (had is not None and row.group == had):
                continue
            system.send_signal(pid, number)
            system.send_signal(pid, system.CONTINUE)

    def signal_leader(self, instance: str, run: int, number: int) -> bool:
        """Send a signal to the leader alone; ``False`` when it is gone, and its pid perhaps somebody else's."""
        watch = self._watches.get((instance, run))
        if watch is None or watch.is_gone or not is_still_ours(watch):
            return False
        return system.send_signal(watch.marks.leader, number)

    def kill(self, instance: str, run: int) -> None:
        """SIGKILL everything of the run in this turn of the loop; ``exited`` and ``emptied`` follow as they happen."""
        watch = self._watches.get((instance, run))
        if watch is None:
            return
        self._learn(watch)
        # All at once, for each kill looks through the whole machine, and a thousand may be due in one moment.
        if not self._to_kill:
            self._loop.call_soon(self._kill_all)
        self._to_kill.append(watch)

    def _kill_all(self) -> None:
        watches, self._to_kill = self._to_kill, []
        if self._cgroups is not None:
            for watch in watches:
                self._cgroups.kill(watch.instance, watch.run)
        try:
            self._members.kill([(watch.marks, watch.known) for watch in watches])
        except OSError as error:
            _log.error("cannot look for all that is to be killed: %s; trying again", error)
            for watch in watches:
                with suppress(OSError):  # what needs no look
                    if not watch.is_gone and is_still_ours(watch):
                        system.send_group_signal(watch.marks.leader, system.KILL)
            self._to_kill = watches
            self._loop.call_later(LOOK_AGAIN, self._kill_all)
            return
        for watch in watches:
            if watch.is_gone:
                self._leftovers.look_again(watch)

    def close(self) -> None:
        """Watch nothing any more; what runs goes on."""
        if self._to_kill:
            self._kill_all()
        for watch in self._watches.values():
            watch.is_forgotten = True
            drop(self._loop, watch)
        self._watches.clear()
        if self._cgroups is not None:
            self._cgroups.sweep()

    def end_strays(self, *, everything: bool) -> list[int]:
        """SIGKILL orphans that belong to no run any more; their pids.

        ``everything``: no run is left, so that every child of this process which it did not start is one.
        """
        found = []
        for pid in self._own_orphans():
            run = self._environment.run_of(table.read_mark(pid, MARK))
            is_over = run is not None and run not in self._watches
            if (everything or is_over) and table.started(pid) is not None and system.send_signal(pid, system.KILL):
                found.append(pid)
        return found

    def look_for_lost(self) -> None:
        """Tell the end of every run whose leader is gone without a word: whatever told it, something lost it."""
        if self._cgroups is not None:
            self._cgroups.sweep()
        self._reaper.collect()
        for watch in list(self._watches.values()):
            if not watch.is_gone and not is_there(watch):
                self._leader_gone(watch, None)

    # --- inside -------------------------------------------------------------------------------------------------

    def _learn(self, watch: Watch) -> None:
        """Note what belongs to a run that is about to be ended; that must not fail because the machine is short of
        something (descriptors)."""
        with suppress(OSError):
            if watch.is_gone:
                self._leftovers.distrust(watch)
            elif is_still_ours(watch):
                self._leftovers.learn(watch)

    def _own_orphans(self) -> list[int]:
        return [pid for pid in table.own_children() if not self._reaper.is_watched(pid)]

    def _leader_gone(self, watch: Watch, status: int | None) -> None:
        watch.is_gone = True
        if not watch.is_child and self._adopted.was_held_up:
            watch.marks = replace(watch.marks, was_watched=False)
        remaining = self._leftovers.wait(watch)
        if not remaining:
            self._forget(watch)
        self._listener.exited(watch.instance, watch.run, status, remaining > 0)

    def _emptied(self, watch: Watch) -> None:
        self._forget(watch)
        self._listener.emptied(watch.instance, watch.run)

    def _forget(self, watch: Watch) -> None:
        watch.is_forgotten = True
        drop(self._loop, watch)
        self._watches.pop((watch.instance, watch.run), None)
        if self._cgroups is not None:
            self._cgroups.remove(watch.instance, watch.run)


def _program(execution: ProcessExecution, environment: Mapping[str, str]) -> Program:
    return Program(
        argv=execution.argv,
        working_dir=execution.working_dir,
        environment=environment,
        user=execution.user,
        group=execution.group,
        umask=execution.umask,
        nice=execution.nice,
        limits=execution.limits,
    )
