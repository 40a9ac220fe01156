"""A world of virtual processes and containers that do what their program is told to do."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.events import ProbeDone
from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.state import Run
from stigmer_pm.runtime.run import Started
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.spec import ComponentSpec, ProbeKind, ProbeSpec
from stigmer_pm.supervisor.surroundings import News

from .clockwork import VirtualClock
from .ground import Ground
from .processes import Process, Program
from .virtual_engine import VirtualEngine

_SIGKILL = 9

#: How often an attempt of a probe comes to nothing.
_DISCARDED = 0.02


class VirtualWorld(Ground):
    """See :class:`stigmer_pm.supervisor.surroundings.World`. ``on_point`` is called where a supervisor may die.

    ``start_takes``: seconds that pass while a run of a process is being started. ``notes``: the pid files, which are
    there still when all records are lost.
    """

    def __init__(self, clock: VirtualClock, chance: random.Random, on_point: Callable[[str], None]) -> None:
        super().__init__(clock, chance, on_point)
        self.engine = VirtualEngine(self, self.end_leader)
        self.start_takes = 0.0
        self.notes: dict[str, int] = {}
        self._boot = 1

    # --- what the simulation does -------------------------------------------------------------------------------

    def lose_supervisor(self) -> None:
        """Nobody watches any more. What runs goes on."""
        self.news = None
        self.generation += 1
        self.engine.lose_supervisor()
        for process in self.all_living():
            process.is_watched = False
            process.attempts.clear()

    def reboot(self) -> None:
        """The machine is started again: nothing lives, and its clock begins anew."""
        self.lose_supervisor()
        self._boot += 1
        self.clock.at = 10.0
        self.clear()
        self.engine.reboot()

    def end_leader(self, process: Process, status: int) -> None:
        """The leader of a run ends."""
        if not process.leader:
            return
        process.leader, process.status, process.ended_at = False, status, self.clock.at
        process.leftovers = 0 if process.is_container else process.program.leaves
        self.has_changed(process)
        if process.is_container:
            self.engine.tell_end(process)
        elif process.is_watched and self.news is not None:
            process.exit_is_told = True
            process.told_status = self.told_status(status)
            self.news.exited(process.instance, process.run, process.told_status, process.leftovers > 0)

    def end_leftovers(self, process: Process) -> None:
        """What a leader left behind ends."""
        if process.leftovers:
            process.leftovers = 0
            self.has_changed(process)
            if process.is_watched and process.exit_is_told and self.news is not None:
                self.news.emptied(process.instance, process.run)

    # --- World --------------------------------------------------------------------------------------------------

    def begin(self, news: News) -> None:
        self.news = news

    def start(self, instance: str, run: int, spec: ComponentSpec) -> Started | None:
        self.on_point(f"before the start of {instance}/{run}")
        if spec.process is not None:
            self.clock.at += self.start_takes
        process = Process(
            instance, run, self.next_pid(), self.clock.at, spec, self.programs.setdefault(instance, Program())
        )
        if self.watcher is not None:
            self.watcher.starts(process)
        self.processes[instance, run] = process
        if process.is_container:
            process.is_started = process.leader = False
            self.engine.start(process)
        elif process.program.cannot_start or process.program.is_short:
            process.is_started = process.leader = process.is_watched = False
            process.ended_at = self.clock.at
            self.on_point(f"after the failed start of {instance}/{run}")
            if process.program.is_short:
                raise SpawnFailure("make a process", instance, errno.EAGAIN, "there is none")
            raise SpawnFailure("run its command", instance, errno.ENOENT, "not found")
        else:
            self.comes_to_life(process, self._ends_itself)
            self.notes[instance] = process.pid
        self.on_point(f"after the start of {instance}/{run}")
        return None if process.is_container else Started(process.pid, process.pid, 0)

    def cancel_start(self, instance: str, run: int) -> None:
        self.on_point(f"before the start of {instance}/{run} is taken back")
        process = self.processes.get((instance, run))
        if process is not None and process.is_container:
            self.engine.recall(process)

    def take_over(self, instance: str, run: Run, spec: ComponentSpec, started: int | None) -> bool:
        if run.container is None:
            return False  # by the run: an edit that has not come to its end may have made a container of a process
        # The row of a run is written a moment before its state.
        self.engine.seek(instance, run.number, is_known=run.pid is not None and started is not None)
        return True

    def adopt(self, instance: str, run: int, pid: int, started: int) -> bool:
        process = self.processes.get((instance, run))
        if process is None or not process.leader or process.pid != pid or process.is_container:
            return False
        process.is_watched = True
        self.notes[instance] = pid
        return True

    def last_status(self, pid: int, started: int) -> int | None:
        return None

    def find_started(self, instance: str, run: int, spec: ComponentSpec) -> tuple[int, int] | None:
        process = self.processes.get((instance, run))
        is_found = process is not None and process.leader and not process.is_container
        return (process.pid, process.pid) if process is not None and is_found else None

    def noted_pid(self, instance: str) -> int | None:
        return self.notes.get(instance)

    def find_marked(self) -> dict[str, tuple[int, int, int, str]]:
        return {
            p.instance: (p.run, p.pid if p.leader else 0, p.pid if p.leader else 0, self.fingerprint(p.spec))
            for p in self.all_living()
            if not p.is_container
        }

    def fingerprint(self, spec: ComponentSpec) -> str:
        return str(spec.process)

    def boot_id(self) -> str:
        return f"boot {self._boot}"

    def pid_namespace(self) -> str:
        return "of the machine"

    def count_leftovers(self, instance: str, run: int, leader: tuple[int, int] = (0, 0)) -> int:
        process = self.processes.get((instance, run))
        if process is None or process.is_container:
            return 0
        process.is_watched = process.exit_is_told = True
        return process.leftovers

    def signal(self, instance: str, run: int, number: int) -> None:
        self.on_point(f"before a signal to {instance}/{run}")
        process = self.processes.get((instance, run))
        if process is None:
            return  # it is looked for, and there is nothing
        if self.watcher is not None:
            self.watcher.signals(process)
        program = process.program
        if process.stop_began_at is None:
            process.stop_began_at = self.clock.at
        if process.is_container:
            self.engine.signal(process, number)
        elif process.leader and program.stops_in is not None:
            self.loop.call_later(program.stops_in, self.end_leader, process, number)
        if not process.leader and process.leftovers and program.leftovers_stop:
            self.loop.call_later(0.05, self.end_leftovers, process)

    def signal_leader(self, instance: str, run: int, number: int) -> bool:
        process = self.processes[instance, run]
        if process.is_container:
            self.engine.signal(process, number)
        elif process.leader and (number == _SIGKILL or process.program.stops_in is not None):
            takes = 0.0 if number == _SIGKILL else process.program.stops_in or 0.0
            self.loop.call_later(takes, self.end_leader, process, number)
        return process.leader

    def kill(self, instance: str, run: int) -> None:
        self.on_point(f"before a kill of {instance}/{run}")
        process = self.processes.get((instance, run))
        if process is None:
            return
        if self.watcher is not None:
            self.watcher.kills(process)
        process.kill_began_at = self.clock.at
        if process.is_container:
            self.engine.recall(process)
            self.engine.signal(process, _SIGKILL)
        elif process.leader:
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
        self.loop.call_later(takes, self._answer, process, probe, self.generation)

    def forget(self, instance: str, run: int) -> None:
        process = self.processes.get((instance, run))
        if process is not None:
            process.is_watched = False
            process.attempts.clear()
        self.engine.forget(instance, run)
        self.notes.pop(instance, None)

    def end_strays(self, *, everything: bool) -> list[int]:
        return []

    def look_for_lost(self) -> None:
        """Every end is told here."""

    def facts(self, instance: str) -> Mapping[str, object]:
        return {}

    def what_stays(self) -> str:
        return ""

    def what_was_not_reached(self) -> str:
        return ""

    async def clear_away(self) -> None:
        """Nothing is made for a project."""

    async def close(self) -> None:
        """Nothing to let go of."""

    # --- inside -------------------------------------------------------------------------------------------------

    def _ends_itself(self, process: Process) -> None:
        self.end_leader(process, process.program.exit_status)

    def _answer(self, process: Process, probe: ProbeSpec, generation: int) -> None:
        if not process.is_watched or generation != self.generation or self.news is None:
            return
        outcome = self._outcome(process, probe)
        process.attempts.discard(probe.kind)
        if self.watcher is not None:
            self.watcher.answers(process, probe.kind, outcome)
        self.news.probed(process.instance, ProbeDone(process.run, probe.kind, outcome, outcome.value))

    def _outcome(self, process: Process, probe: ProbeSpec) -> Outcome:
        if self.chance.random() < _DISCARDED:
            return Outcome.DISCARDED
        if self._passes(process, probe):
            return Outcome.SUCCESS
        # What an engine that is away keeps from being seen is not the component's doing.
        is_unseen = process.is_container and (self.engine.is_away or self.engine.seeks(process.instance, process.run))
        return Outcome.DISCARDED if is_unseen and probe.kind is not ProbeKind.READINESS else Outcome.FAILURE

    def _passes(self, process: Process, probe: ProbeSpec) -> bool:
        program = process.program
        if not process.leader or process.is_paused or program.sick:
            return False
        if program.answers_in >= probe.timeout or program.healthy_after is None:
            return False
        return self.clock.at - process.began_at >= program.healthy_after
