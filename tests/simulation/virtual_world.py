"""A world of virtual processes that do what their program is told to do."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.events import ProbeDone
from stigmer_pm.core.probing import Outcome
from stigmer_pm.runtime.process import Started
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.spec import ComponentSpec, ProbeKind, ProbeSpec
from stigmer_pm.supervisor.surroundings import News

from .clockwork import VirtualClock, VirtualLoop

_SIGKILL = 9


@dataclass
class Program:
    """How the runs of one component behave from now on; the simulation changes it at will.

    Attributes:
        cannot_start: the command is not found.
        lives: seconds after which a run ends by itself; ``None``: never.
        exit_status: the wait status of such an end.
        stops_in: seconds from the stop signal to the end; ``None``: it ignores the signal.
        leaves: processes that stay behind when the leader ends.
        leftovers_stop: whether they obey the stop signal.
        healthy_after: seconds from the start until probes pass; ``None``: never.
        sick: probes fail now.
        answers_in: seconds that an attempt of a probe takes; at most its timeout counts.
    """

    cannot_start: bool = False
    lives: float | None = None
    exit_status: int = 256
    stops_in: float | None = 0.1
    leaves: int = 0
    leftovers_stop: bool = True
    healthy_after: float | None = 0.0
    sick: bool = False
    answers_in: float = 0.01


@dataclass
class Process:
    """One run in the world. ``leader`` and ``leftovers`` live; ``status`` is known once the leader is gone."""

    instance: str
    run: int
    pid: int
    began_at: float
    spec: ComponentSpec
    program: Program
    leader: bool = True
    leftovers: int = 0
    status: int | None = None
    ended_at: float | None = None
    stop_began_at: float | None = None
    is_watched: bool = False
    exit_is_told: bool = False
    outcomes: dict[ProbeKind, list[Outcome]] = field(default_factory=dict)

    @property
    def lives(self) -> bool:
        """Something of it lives."""
        return self.leader or self.leftovers > 0


class VirtualWorld:
    """See :class:`stigmer_pm.supervisor.surroundings.World`. ``on_point`` is called where a supervisor may die."""

    def __init__(self, clock: VirtualClock, chance: random.Random, on_point: Callable[[str], None]) -> None:
        self.clock = clock
        self.loop = VirtualLoop(clock)
        self.programs: dict[str, Program] = {}
        self.processes: dict[tuple[str, int], Process] = {}
        self.on_start: Callable[[Process], None] = lambda process: None
        self._chance = chance
        self._on_point = on_point
        self._news: News | None = None
        self._pid = 100
        self._generation = 0

    # --- what the simulation does -------------------------------------------------------------------------------

    def lose_supervisor(self) -> None:
        """Nobody watches any more. What runs goes on."""
        self._news = None
        self._generation += 1
        for process in self.processes.values():
            process.is_watched = False

    def living(self, instance: str) -> list[Process]:
        """The runs of an instance of which something lives."""
        return [p for p in self.processes.values() if p.instance == instance and p.lives]

    def end_leader(self, process: Process, status: int) -> None:
        """The leader of a run ends."""
        if not process.leader:
            return
        process.leader, process.status, process.ended_at = False, status, self.clock.at
        process.leftovers = process.program.leaves
        self._tell_end(process)

    def end_leftovers(self, process: Process) -> None:
        """What a leader left behind ends."""
        if process.leftovers:
            process.leftovers = 0
            if process.is_watched and process.exit_is_told and self._news is not None:
                self._news.emptied(process.instance, process.run)

    # --- World --------------------------------------------------------------------------------------------------

    def begin(self, news: News) -> None:
        self._news = news

    def start(self, instance: str, run: int, spec: ComponentSpec) -> Started:
        self._on_point(f"before the start of {instance}/{run}")
        program = self.programs.setdefault(instance, Program())
        if program.cannot_start:
            raise SpawnFailure("run its command", instance, 2, "not found")
        self._pid += 1
        process = Process(instance, run, self._pid, self.clock.at, spec, program, is_watched=True)
        self.on_start(process)
        self.processes[instance, run] = process
        if program.lives is not None:
            self.loop.call_later(program.lives, self.end_leader, process, program.exit_status)
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
            for p in self.processes.values()
            if p.lives
        }

    def fingerprint(self, spec: ComponentSpec) -> str:
        return str(spec.process)

    def boot_id(self) -> str:
        return "one boot"

    def count_leftovers(self, instance: str, run: int) -> int:
        process = self.processes.get((instance, run))
        if process is None:
            return 0
        process.is_watched = process.exit_is_told = True
        return process.leftovers

    def signal(self, instance: str, run: int, number: int) -> None:
        self._on_point(f"before a signal to {instance}/{run}")
        process = self.processes[instance, run]
        program = process.program
        if process.stop_began_at is None:
            process.stop_began_at = self.clock.at
        if process.leader and program.stops_in is not None:
            self.loop.call_later(program.stops_in, self.end_leader, process, number)
        if not process.leader and process.leftovers and program.leftovers_stop:
            self.loop.call_later(0.05, self.end_leftovers, process)

    def signal_leader(self, instance: str, run: int, number: int) -> bool:
        return self.processes[instance, run].leader

    def kill(self, instance: str, run: int) -> None:
        self._on_point(f"before a kill of {instance}/{run}")
        process = self.processes.get((instance, run))
        if process is None:
            return
        # The kernel ends a leader and what hides elsewhere in no particular order.
        if process.leader:
            process.leftovers = 0
            process.program = Program()
            self.loop.call_soon(self.end_leader, process, _SIGKILL)
        else:
            self.loop.call_soon(self.end_leftovers, process)

    def attempt(self, instance: Instance, run: int, probe: ProbeSpec, log_from: int) -> None:
        process = self.processes[instance.state.name, run]
        takes = min(process.program.answers_in, probe.timeout)
        self.loop.call_later(takes, self._answer, process, probe, self._generation)

    def forget(self, instance: str, run: int) -> None:
        process = self.processes.get((instance, run))
        if process is not None:
            process.is_watched = False

    async def close(self) -> None:
        """Nothing to let go of."""

    # --- inside -------------------------------------------------------------------------------------------------

    def _tell_end(self, process: Process) -> None:
        if process.is_watched and self._news is not None:
            process.exit_is_told = True
            # Of a run that was adopted, nobody may be able to tell.
            status = process.status if self._chance.random() < 0.9 else None
            self._news.exited(process.instance, process.run, status, process.leftovers > 0)

    def _answer(self, process: Process, probe: ProbeSpec, generation: int) -> None:
        if not process.is_watched or generation != self._generation or self._news is None:
            return
        outcome = self._outcome(process, probe)
        process.outcomes.setdefault(probe.kind, []).append(outcome)
        self._news.probed(process.instance, ProbeDone(process.run, probe.kind, outcome, outcome.value))

    def _outcome(self, process: Process, probe: ProbeSpec) -> Outcome:
        program = process.program
        if self._chance.random() < 0.02:
            return Outcome.DISCARDED
        if not process.leader or program.sick or program.answers_in >= probe.timeout or program.healthy_after is None:
            return Outcome.FAILURE
        return Outcome.SUCCESS if self.clock.at - process.began_at >= program.healthy_after else Outcome.FAILURE
