"""What the engine stands on, as protocols: the time, the loop, the world, and what is remembered.

The real ones are ``clock``, asyncio's event loop, ``world`` and ``store``. The simulation in tests/ puts others in
their place, and so runs this very engine through hours and deaths in milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.events import ProbeDone
from stigmer_pm.core.state import InstanceState, Run
from stigmer_pm.runtime import process
from stigmer_pm.runtime.containers import listener as containers
from stigmer_pm.runtime.run import Started
from stigmer_pm.spec import ComponentSpec, ProbeSpec
from stigmer_pm.supervisor.records import EventRow, RunRow


class Clock(Protocol):
    """Two clocks: one to count with, one to show to people."""

    def now(self) -> float:
        """Seconds of a clock that never goes back while the machine is up, and that outlives the supervisor."""
        ...

    def wall(self) -> float:
        """Seconds since 1970, by a clock that somebody may set at any time."""
        ...


class Cancellable(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """It is not to come after all."""
        ...


class Scheduler(Protocol):
    """The part of an event loop that the engine uses."""

    def call_soon(self, callback: Callable[..., object], *args: object) -> Cancellable:
        """Call it when what is under way is done."""
        ...

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> Cancellable:
        """Call it in ``delay`` seconds."""
        ...


class News(process.Listener, containers.Listener, Protocol):
    """Who is told what happens in the world: to processes, to containers, and to probes."""

    def probed(self, instance: str, result: ProbeDone) -> None:
        """An attempt of a probe has ended."""
        ...


class World(Protocol):
    """Runs to start, to find again and to end, and probes to ask. No call blocks."""

    def begin(self, news: News) -> None:
        """From now on, tell what happens."""
        ...

    def start(self, instance: str, run: int, spec: ComponentSpec) -> Started | None:
        """Start a run; ``None``: it takes its time, and what comes of it is told.

        Raises:
            SpawnFailure: it could not be started; nothing of it runs.
        """
        ...

    def cancel_start(self, instance: str, run: int) -> None:
        """A start that takes its time is not wanted any more."""
        ...

    def take_over(self, instance: str, run: Run, spec: ComponentSpec, started: int | None) -> bool:
        """Find a run again whose finding takes its time (a container), and tell what has become of it.

        ``started`` is that of its record. ``False``: it is none of those, and has to be adopted here and now.
        """
        ...

    def adopt(self, instance: str, run: int, pid: int, started: int) -> bool:
        """Watch a run that an earlier supervisor started; ``False`` when its leader is gone."""
        ...

    def last_status(self, pid: int, started: int) -> int | None:
        """The wait status of a leader that could not be adopted, if the kernel still tells it."""
        ...

    def find_started(self, instance: str, run: int, spec: ComponentSpec) -> tuple[int, int] | None:
        """The leader, as (pid, started), of a run whose start was recorded but not its pid; ``None``: there is none."""
        ...

    def noted_pid(self, instance: str) -> int | None:
        """The pid that was noted when the newest run that has begun did so; ``None``: there is no such note."""
        ...

    def find_marked(self) -> dict[str, tuple[int, int, int, str]]:
        """Every run of this project of which something lives, by instance.

        Its number, the pid and the start of its leader (0 when only what it left behind lives), and the fingerprint of
        what was executed.
        """
        ...

    def fingerprint(self, spec: ComponentSpec) -> str:
        """Tells what is executed apart from what would be executed after an edit."""
        ...

    def boot_id(self) -> str:
        """A word that is another one after every start of the machine."""
        ...

    def pid_namespace(self) -> str:
        """A word that is another one where the same pids are those of other processes."""
        ...

    def count_leftovers(self, instance: str, run: int, leader: tuple[int, int] = (0, 0)) -> int:
        """How many processes live of a run whose leader is gone; from now on it is told when none does."""
        ...

    def signal(self, instance: str, run: int, number: int) -> None:
        """Send a signal to the processes of a run."""
        ...

    def signal_leader(self, instance: str, run: int, number: int) -> bool:
        """Send a signal to the first process of a run alone; ``False`` when it is gone."""
        ...

    def kill(self, instance: str, run: int) -> None:
        """SIGKILL to everything of a run."""
        ...

    def attempt(self, instance: Instance, run: int, probe: ProbeSpec, log_from: int) -> None:
        """Make one attempt of a probe."""
        ...

    def forget(self, instance: str, run: int) -> None:
        """The run is over: let go of what was kept for it, and answer no attempt of its probes any more."""
        ...

    def end_strays(self, *, everything: bool) -> list[int]:
        """SIGKILL what belongs to no run any more (``everything``: no run is left); the pids."""
        ...

    def look_for_lost(self) -> None:
        """Tell the ends of runs that nothing told: the level behind the edges."""
        ...

    def facts(self, instance: str) -> Mapping[str, object]:
        """What is worth showing of its run beside what the core knows; empty for a process."""
        ...

    def what_stays(self) -> str:
        """What :meth:`clear_away` can't remove now, and why; empty when it can, or has nothing to."""
        ...

    def what_was_not_reached(self) -> str:
        """What couldn't be asked and has nothing of the project, as far as is known; empty when all was reached."""
        ...

    async def clear_away(self) -> None:
        """No run is left, and none is to come: remove what was made for the project, but for what holds data."""
        ...

    async def close(self) -> None:
        """Let go of everything; what runs goes on."""
        ...


class Memory(Protocol):
    """What survives the supervisor, as far as the engine and recovery use it. Every call may raise ``StoreError``."""

    def transaction(self) -> AbstractContextManager[None]:
        """All writes inside happen, or none does."""
        ...

    def meta(self, key: str) -> str | None:
        """A single value."""
        ...

    def set_meta(self, values: Mapping[str, str]) -> None:
        """Set single values."""
        ...

    def remember(self, values: Mapping[str, str]) -> None:
        """Go by these single values from now on, and write them with the next that is written; raises nothing."""
        ...

    @property
    def has_unwritten(self) -> bool:
        """There are single values that are remembered and not yet written."""
        ...

    def load_instances(self) -> list[Instance]:
        """Every instance as it was last written."""
        ...

    def save_instances(self, instances: Iterable[tuple[int, Instance]]) -> None:
        """Write instances with their position."""
        ...

    def save_order(self, names: Iterable[str]) -> None:
        """Write the positions of instances that are known: the order in which they are loaded."""
        ...

    def save_states(self, states: Iterable[InstanceState]) -> None:
        """Write the states of instances that are known."""
        ...

    def delete_instances(self, names: Iterable[str]) -> None:
        """Forget instances."""
        ...

    def save_runs(self, rows: Iterable[RunRow]) -> None:
        """Write runs; what is ``None`` keeps what is there."""
        ...

    def find_run(self, instance: str, run: int) -> RunRow | None:
        """One run."""
        ...

    def last_run_numbers(self) -> dict[str, int]:
        """The newest run number of every instance that ever was."""
        ...

    def latest_log_offsets(self) -> dict[str, int]:
        """Where the output of each instance's newest run begins."""
        ...

    def append_events(self, rows: Sequence[EventRow]) -> list[EventRow]:
        """Write entries of the journal; the same with their ids."""
        ...
