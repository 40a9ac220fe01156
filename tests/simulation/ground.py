"""What virtual processes and containers stand on: time, chance, who is told, and what lives."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from stigmer_pm.core.probing import Outcome
from stigmer_pm.spec import ProbeKind, ProbeSpec
from stigmer_pm.supervisor.surroundings import News

from .clockwork import VirtualClock, VirtualLoop
from .processes import Process, Program

#: How often a supervisor isn't told how a run ended (as of runs that were adopted, and of containers that somebody has
#: removed).
_UNKNOWN_STATUS = 0.05


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

    def tells_health(self, process: Process) -> None:
        """The supervisor is told what the HEALTHCHECK of a container says."""
        ...

    def changes(self, process: Process) -> None:
        """Something of it has begun or ended."""
        ...


class Ground:
    """What lives, and who is told of it.

    Attributes:
        programs: how the next run of each component behaves.
        processes: every run that was started since the machine was, by instance and number.
        watcher: the oracle, if there is one; ``news``: the supervisor, while there is one.
        generation: counts supervisors, so that nothing that one of them has begun reaches another.
        on_point: called where a supervisor may die.
    """

    def __init__(self, clock: VirtualClock, chance: random.Random, on_point: Callable[[str], None]) -> None:
        self.clock = clock
        self.loop = VirtualLoop(clock)
        self.chance = chance
        self.on_point = on_point
        self.programs: dict[str, Program] = {}
        self.processes: dict[tuple[str, int], Process] = {}
        self.watcher: Watcher | None = None
        self.news: News | None = None
        self.generation = 0
        self._pid = 100
        self._living: dict[str, list[Process]] = {}

    def living(self, instance: str) -> list[Process]:
        """The runs of an instance of which something lives."""
        return self._living.get(instance, [])

    def all_living(self) -> list[Process]:
        """Every run of which something lives."""
        return [process for processes in self._living.values() for process in processes]

    def next_pid(self) -> int:
        """One that no run has had."""
        self._pid += 1
        return self._pid

    def comes_to_life(self, process: Process, ends_itself: Callable[[Process], object]) -> None:
        """Its program runs from now on; ``ends_itself`` is called when it is over by itself."""
        self._living.setdefault(process.instance, []).append(process)
        if process.program.lives is not None:
            process.own_end = self.loop.call_later(process.program.lives, ends_itself, process)

    def has_changed(self, process: Process) -> None:
        """Something of it has ended."""
        if not process.lives and process in self.living(process.instance):
            self._living[process.instance].remove(process)
        if self.watcher is not None:
            self.watcher.changes(process)

    def drop(self, process: Process) -> None:
        """Nobody counts it among what lives any more."""
        self._living[process.instance].remove(process)

    def call_for_supervisor(self, seconds: float, callback: Callable[..., object], *arguments: object) -> None:
        """Call it in so many seconds, unless the supervisor that it is for is gone by then."""

        def call(generation: int) -> None:
            if generation == self.generation:
                callback(*arguments)

        self.loop.call_later(seconds, call, self.generation)

    def clear(self) -> None:
        """The machine is started again."""
        self.loop = VirtualLoop(self.clock)
        self.processes.clear()
        self._living.clear()

    def told_status(self, status: int | None) -> int | None:
        """What of a wait status a supervisor is told."""
        return status if self.chance.random() >= _UNKNOWN_STATUS else None
