"""A world of virtual processes that do what their program is told to do."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.events import ProbeDone
from stigmer_pm.core.probing import Outcome
from stigmer_pm.runtime.process import Started
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.spec import ComponentSpec, ProbeKind, ProbeSpec
from stigmer_pm.supervisor.surroundings import News

from .clockwork import VirtualClock, VirtualLoop
from .processes import Process, Program

_SIGKILL = 9

#: How often a supervisor isn't told how a run ended (as of runs that were adopted), and how often an attempt of a probe
#: comes to nothing.
_UNKNOWN_STATUS, _DISCARDED = 0.05, 0.02


class Watcher(Protocol):
    """Who is told what a supervisor does to the world, before it is done, and what the world does."""

    def starts(self, process: Process) -> None:
        """A run is being started."""
        ...

    def signals(self, process: Process) -> None:
        """A run is being sent its stop signal."""
        ...

    def kills(self, process: Process) -> None:
        """A run is being sent SIGKILL."""
        ...

    def asks(self, process: Process, probe: ProbeSpec) -> None:
        """A probe is being asked."""
        ...

    def answers(self, process: Process, kind: ProbeKind, outcome: Outcome) -> None:
        """A probe has answered, and the supervisor knows."""
        ...

    def changes(self, process: Process) -> None:
        """Something of it has begun or ended."""
        ...


class VirtualWorld:
    """See :class:`stigmer_pm.supervisor.surroundings.World`. ``on_point`` is called where a supervisor may die.

    ``start_takes``: seconds that pass while a run is being started.
    """

    def __init__(self, clock: VirtualClock, chance: random.Random, on_point: Callable[[str], None]) -> None:
        self.clock = clock
        self.loop = VirtualLoop(clock)
        self.programs: dict[str, Program] = {}
        self.processes: dict[tuple[str, int], Process] = {}
        self.start_takes = 0.0
        self.watcher: Watcher | None = None
        self._chance = chance
        self._on_point = on_point
        self._news: News | None = None
        self._pid = 100
        self._boot = 1
        self._generation = 0
        self._living: dict[str, list[Process]] = {}

    # --- what the simulation does -------------------------------------------------------------------------------

    def lose_supervisor(self) -> None:
        """Nobody watches any more. What runs goes on."""
        self._news = None
        self._generation += 1
        for processes in self._living.values():
            for process in processes:
                process.is_watched = False
                process.attempts.clear()

    def reboot(self) -> None:
        """The machine is started again: nothing lives, and its clock begins anew."""
        self.lose_supervisor()
        self._boot += 1
        self.clock.at = 10.0
        self.loop = VirtualLoop(self.clock)
        self.processes.clear()
        self._living.clear()

    def living(self, instance: str) -> list[Process]:
        """The runs of an instance of which something lives."""
        return self._living.get(instance, [])

    def all_living(self) -> list[Process]:
        """Every run of which something lives."""
        return [process for processes in self._living.values() for process in processes]

    def end_leader(self, process: Process, status: int) -> None:
        """The leader of a run ends."""
        if not process.leader:
            return
        process.leader, process.status, process.ended_at = False, status, self.clock.at
        process.leftovers = process.program.leaves
        self._changed(process)
        if process.is_watched and self._news is not None:
            process.exit_is_told = True
            process.told_status = status if self._chance.random() >= _UNKNOWN_STATUS else None
            self._news.exited(process.instance, process.run, process.told_status, process.leftovers > 0)

    def end_leftovers(self, process: Process) -> None:
        """What a leader left behind ends."""
        if process.leftovers:
            process.leftovers = 0
            self._changed(process)
            if process.is_watched and process.exit_is_told and self._news is not None:
                self._news.emptied(process.instance, process.run)

    # --- World --------------------------------------------------------------------------------------------------

    def begin(self, news: News) -> None:
        self._news = news

    def start(self, instance: str, run: int, spec: ComponentSpec) -> Started:
        self._on_point(f"before the start of {instance}/{run}")
        self.clock.at += self.start_takes
        program = self.programs.setdefault(instance, Program())
        self._pid += 1
        process = Process(instance, run, self._pid, self.clock.at, spec, program)
        if self.watcher is not None:
            self.watcher.starts(process)
        self.processes[instance, run] = process
        if program.cannot_start:
            process.is_started = process.leader = process.is_watched = False
            process.ended_at = self.clock.at
            self._on_point(f"after the failed start of {instance}/{run}")
            raise SpawnFailure("run its command", instance, 2, "not found")
        self._living.setdefault(instance, []).append(process)
        if program.lives is not None:
            process.own_end = self.loop.call_later(program.lives, self.end_leader, process, program.exit_status)
        self._on_point(f"after the start of {instance}/{run}")
        return Started(process.pid, process.pid, 0)

    def adopt(self, instance: str, run: int, pid: int, started: int) -> bool:
        process = self.processes.get((instance, run))
        if process is None or not process.leader or process.pid != pid:
            return False
        process.is_watched = True
        return True

    def find_started(self, instance: str, run: int) -> tuple[int, int] | None:
        process = self.processes.get((instance, run))
        return (process.pid, process.pid) if process is not None and process.leader else None

    def find_marked(self) -> dict[str, tuple[int, int, int, str]]:
        return {
            p.instance: (p.run, p.pid if p.leader else 0, p.pid if p.leader else 0, self.fingerprint(p.spec))
            for p in self.all_living()
        }

    def fingerprint(self, spec: ComponentSpec) -> str:
        return str(spec.process)

    def boot_id(self) -> str:
        return f"boot {self._boot}"

    def count_leftovers(self, instance: str, run: int) -> int:
        process = self.processes.get((instance, run))
        if process is None:
            return 0
        process.is_watched = process.exit_is_told = True
        return process.leftovers

    def signal(self, instance: str, run: int, number: int) -> None:
        self._on_point(f"before a signal to {instance}/{run}")
        process = self.processes[instance, run]
        if self.watcher is not None:
            self.watcher.signals(process)
        program = process.program
        if process.stop_began_at is None:
            process.stop_began_at = self.clock.at
        if process.leader and program.stops_in is not None:
            self.loop.call_later(program.stops_in, self.end_leader, process, number)
        if not process.leader and process.leftovers and program.leftovers_stop:
            self.loop.call_later(0.05, self.end_leftovers, process)

    def signal_leader(self, instance: str, run: int, number: int) -> bool:
        process = self.processes[instance, run]
        if process.leader and (number == _SIGKILL or process.program.stops_in is not None):
            takes = 0.0 if number == _SIGKILL else process.program.stops_in or 0.0
            self.loop.call_later(takes, self.end_leader, process, number)
        return process.leader

    def kill(self, instance: str, run: int) -> None:
        self._on_point(f"before a kill of {instance}/{run}")
        process = self.processes.get((instance, run))
        if process is None:
            return
        if self.watcher is not None:
            self.watcher.kills(process)
        process.kill_began_at = self.clock.at
        if process.leader:
            # The kernel ends a leader and what hides elsewhere in no particular order.
            process.program = replace(process.program, leaves=0)
            self.loop.call_later(process.program.dies_in, self.end_leader, process, _SIGKILL)
        else:
            self.loop.call_later(process.program.dies_in, self.end_leftovers, process)

    def attempt(self, instance: Instance, run: int, probe: ProbeSpec, log_from: int) -> None:
        process = self.processes[instance.state.name, run]
        if self.watcher is not None:
            self.watcher.asks(process, probe)
        process.attempts.add(probe.kind)
        takes = min(process.program.answers_in, probe.timeout)
        self.loop.call_later(takes, self._answer, process, probe, self._generation)

    def forget(self, instance: str, run: int) -> None:
        process = self.processes.get((instance, run))
        if process is not None:
            process.is_watched = False
            process.attempts.clear()

    def end_strays(self, *, everything: bool) -> list[int]:
        return []

    def look_for_lost(self) -> None:
        """Every end is told here."""

    async def close(self) -> None:
        """Nothing to let go of."""

    # --- inside -------------------------------------------------------------------------------------------------

    def _changed(self, process: Process) -> None:
        if not process.lives:
            self._living[process.instance].remove(process)
        if self.watcher is not None:
            self.watcher.changes(process)

    def _answer(self, process: Process, probe: ProbeSpec, generation: int) -> None:
        if not process.is_watched or generation != self._generation or self._news is None:
            return
        outcome = self._outcome(process, probe)
        process.attempts.discard(probe.kind)
        if self.watcher is not None:
            self.watcher.answers(process, probe.kind, outcome)
        self._news.probed(process.instance, ProbeDone(process.run, probe.kind, outcome, outcome.value))

    def _outcome(self, process: Process, probe: ProbeSpec) -> Outcome:
        program = process.program
        if self._chance.random() < _DISCARDED:
            return Outcome.DISCARDED
        if not process.leader or program.sick or program.answers_in >= probe.timeout or program.healthy_after is None:
            return Outcome.FAILURE
        return Outcome.SUCCESS if self.clock.at - process.began_at >= program.healthy_after else Outcome.FAILURE
