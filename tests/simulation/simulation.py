"""One history: a virtual world, the real engine in it, and what may happen to both."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.plan import Scope
from stigmer_pm.spec import ComponentSpec, ProjectSpec
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.records import EventRow
from stigmer_pm.supervisor.recovery import adopt_runs, load_project
from stigmer_pm.supervisor.unrecorded import end_unwanted, find_unrecorded

from .clockwork import Circles, VirtualClock, VirtualLoop
from .happenings import Happenings
from .listener import Listener
from .oracle import Oracle
from .story import Edit, Entry, Told
from .violation import Violation
from .virtual_memory import Tables, VirtualMemory
from .virtual_world import VirtualWorld
from .wishes import Command

#: Turns of both loops at one moment after which something goes round in circles.
_MOST_TURNS = 1000


class SupervisorDied(BaseException):
    """The supervisor was killed right here. (No ``Exception``, so that nothing in between can catch it.)"""


class Simulation(Happenings):
    """Everything that can happen, each as a method; after each, :meth:`settle` checks what must hold.

    Args:
        chance: decides what the world leaves open: jitter, attempts that come to nothing, statuses that nobody knows.
        components: the file.
        start_takes: seconds that pass while a run of a process is being started.
        sees_pids: the processes of containers are to be seen from here.
    """

    def __init__(
        self,
        chance: random.Random,
        components: Sequence[ComponentSpec],
        *,
        start_takes: float = 0.0,
        sees_pids: bool = True,
    ) -> None:
        super().__init__(VirtualWorld(VirtualClock(), chance, self._point))
        self.world.start_takes = start_takes
        self.world.engine.show_pids(are_shown=sees_pids)
        self.memory = VirtualMemory(self._point)
        self.oracle = Oracle(self.world)
        self.components = list(components)
        self.engine: Engine | None = None
        self.is_ending = False
        self.moments = 0
        self.loop = VirtualLoop(self.clock)
        self._chance = chance
        self._listener = Listener(self.oracle.decides, self._hear)
        self._fuses: deque[int] = deque()
        self._is_awake = False
        for component in components:
            self.tell(Edit(component))

    # --- the supervisor -----------------------------------------------------------------------------------------

    def up(self, scope: Scope = Scope()) -> None:  # noqa: B008 (frozen)
        """Apply the file; start a supervisor when there is none."""
        names = tuple(name for name in scope.names if any(c.name == name for c in self.components))
        if self.is_ending or (scope.names and not names):
            return
        scope = replace(scope, names=names)
        self.tell(f"up {' '.join((*names, *(f'--profile {p}' for p in scope.profiles)))}")
        self._guarded(lambda: self._up(scope))

    def begin_again(self) -> None:
        """A supervisor that goes on with what is on record, and with no file: after a bug, or for a ``down``.

        Not when the records are lost: only a file can tell what the runs that live are of.
        """
        if self.engine is None and self.memory.tables.instances:
            self.tell("begin again")
            self._guarded(lambda: self._start_supervisor(None))

    def edit(self, components: Sequence[ComponentSpec]) -> None:
        """Edit the file; an ``up`` applies it."""
        before, self.components = self.components, list(components)
        self.tell(
            "edit:", *(Edit(c) for c in components if c not in before), f"of {' '.join(c.name for c in components)}"
        )

    def light_fuses(self, fuses: Iterable[int]) -> None:
        """The supervisor will be killed at the n-th point from now between two effects or commits; with a second
        number, the one that then follows it as well, and so on: also while it recovers."""
        self._fuses = deque(fuses)

    def kill_supervisor(self) -> None:
        """It is killed now."""
        if self.engine is not None:
            self.tell("the supervisor is killed")
            self._die()

    def hand_over(self) -> None:
        """Another supervisor takes its place in the same process: it loads what is on record, and is told which runs
        have had their stop signal. (Engines may still be delivering theirs.)"""
        if self.engine is not None and not self.is_ending and len(self.engine.project):
            self.tell("the supervisor is replaced")
            self._guarded(self._hand_over)

    def _hand_over(self) -> None:
        engine = self.engine
        assert engine is not None
        engine.settle()
        engine.write_everything()
        had = {(p.instance, p.run) for p in self.world.all_living() if p.stop_began_at is not None}
        signalled = {key for key in had if not self.world.processes[key].is_container}
        self._die()
        self._start_supervisor(None, signalled)

    def lose_records(self) -> None:
        """The state folder is removed while no supervisor runs."""
        if self.engine is None:
            self.tell("the records are lost")
            self.memory.tables = Tables()
            self.world.engine.lose_records()
            self.oracle.loses_records()

    def reboot(self) -> None:
        """The machine is started again."""
        self.tell("the machine is started again")
        if self.engine is not None:
            self._die()
        self.world.reboot()
        self.oracle.reboots()

    def down(self) -> None:
        """Stop everything, and end the supervisor when that is done."""
        if self.engine is not None and not self.is_ending:
            self.tell("down")
            self.is_ending = True
            engine = self.engine
            self._command(self.oracle.stops_all(), lambda: engine.stop_all(self._ended))

    def kill(self) -> None:
        """The second Ctrl-C (the first is a ``down``): SIGKILL to everything."""
        if self.engine is not None and self.is_ending:
            self.tell("kill")
            self._command(self.oracle.kills_all(), self.engine.kill_all)

    # --- commands -----------------------------------------------------------------------------------------------

    def command(self, verb: str, names: Iterable[str]) -> None:
        """``start``, ``stop``, ``restart`` or ``reset`` of some instances."""
        chosen = [name for name in self.names() if name in names]
        if self.engine is not None and chosen and not self.is_ending:
            self.tell(f"{verb} {' '.join(chosen)}")
            engine = self.engine
            self._command(self.oracle.acts(verb, chosen), lambda: commands.act(engine, chosen, verb))

    def hurry(self) -> None:
        """Somebody waits for everything to be ready."""
        if self.engine is not None:
            engine, names = self.engine, self.names()
            self._guarded(lambda: engine.hurry(names))

    def signal(self, name: str, number: int) -> None:
        """A signal for the leader of a run, by the supervisor's hand."""
        if self.engine is not None and name in self.names():
            self.tell(f"signal {number} to {name}")
            self.engine.send_signal(name, number)

    # --- time ---------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with everything that comes on the way."""
        end = self.clock.at + seconds
        while True:
            self.settle()
            times = [at for at in (self.loop.next_at(), self.world.loop.next_at()) if at is not None and at <= end]
            if not times:
                self.clock.at = max(self.clock.at, end)
                return
            self.clock.at = max(self.clock.at, min(times))

    def pause(self, seconds: float) -> None:
        """The supervisor is suspended (SIGSTOP): time passes and it hears of nothing; then of all at once."""
        if self.engine is None:
            self.pass_time(seconds)
            return
        self.tell(f"the supervisor is suspended for {seconds} s")
        end = self.clock.at + seconds
        while (at := self.world.loop.next_at()) is not None and at <= end:
            self.clock.at = max(self.clock.at, at)
            self.world.loop.run_due()
        self.clock.at = max(self.clock.at, end)
        self.oracle.wakes()

    def settle(self) -> None:
        """Let everything that is due now happen, and check those that have moved."""
        for _ in range(_MOST_TURNS):
            now = self.clock.at
            if _is_due(self.world.loop.next_at(), now):
                self._guarded(self.world.loop.run_due)
            elif _is_due(self.loop.next_at(), now):
                self._guarded(self.loop.run_due)
            else:
                break
        else:
            raise Circles(f"the engine and the world never come to rest at {self.clock.at}")
        self.moments += 1
        if self.engine is not None:
            moved, self._listener.moved = self._listener.moved, set()
            self.oracle.check(self.loop.next_at(), moved)

    def check_all(self) -> None:
        """Check everything, also what hasn't moved."""
        if self.engine is not None:
            self.oracle.check(self.loop.next_at())

    # --- looking ------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The instances there are and stay."""
        if self.engine is None:
            return []
        return [i.state.name for i in self.engine.project if not i.state.is_removed]

    # --- inside -------------------------------------------------------------------------------------------------

    def _command(self, command: Command, carry_out: Callable[[], object]) -> None:
        self._guarded(lambda: self.oracle.commands(command, carry_out))

    def _up(self, scope: Scope) -> None:
        file = ProjectSpec("p", "/p/stigmer.yaml", "/p/.stigmer", tuple(self.components))
        if self.engine is None:
            self._start_supervisor(file)
        engine = self.engine
        assert engine is not None
        self.oracle.commands(
            self.oracle.applies(self.components, scope),
            lambda: commands.apply(engine, self.memory, file, scope, dry_run=False),
        )

    def _start_supervisor(self, file: ProjectSpec | None, signalled: Set[tuple[str, int]] = frozenset()) -> None:
        """As a service begins: what is lost is put on record again, what is on record is found again."""
        self._is_awake = True
        self.loop = VirtualLoop(self.clock)
        world = self.world
        unrecorded = find_unrecorded(self.memory, world, file, self.clock)
        project = load_project(self.memory, self.clock.at, world.boot_id(), world.pid_namespace(), unrecorded)
        if self.memory.meta("boot_id") != self.world.boot_id():
            # As load_project should: see test_found.py.
            self.memory.save_instances(enumerate(project))
        self.memory.tables.meta["boot_id"] = self.world.boot_id()
        self.oracle.revives(project)
        self.engine = Engine(self.loop, self.clock, self.memory, self.world, project, self._chance.random)
        self.engine.feed = self._listener
        self.engine.start()
        if file is not None:
            end_unwanted(world, project)
        self.oracle.is_told(signalled)
        adopt_runs(self.engine, self.memory, signalled)
        self.oracle.recovers()

    def _ended(self) -> None:
        """Nothing runs any more: what was applied is forgotten, and the supervisor ends."""
        self.tell("ended")
        # What was no part of the project any more has had its SIGKILL, and the kernel may still hold it.
        living = [p for p in self.world.all_living() if p.kill_began_at is None]
        if living:
            raise Violation(f"everything has stopped, and {living} live")
        self.world.engine.remove_all()
        self.oracle.commands(self.oracle.clears_all(), self._forget_all)
        self.oracle.forgets_all()
        self._die()

    def _forget_all(self) -> None:
        with self.memory.transaction():
            self.memory.clear_instances()

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except SupervisorDied as death:
            self.tell(f"the supervisor dies {death}")
            self._die()

    def _die(self) -> None:
        self.engine, self.is_ending, self._is_awake = None, False, False
        self.loop = VirtualLoop(self.clock)
        self.world.lose_supervisor()
        self.oracle.dies(self._record_of)

    def _record_of(self, name: str) -> Instance | None:
        found = self.memory.tables.instances.get(name)
        return None if found is None else found[1]

    def _point(self, where: str) -> None:
        if self._fuses and self._is_awake:
            self._fuses[0] -= 1
            if self._fuses[0] <= 0:
                self._fuses.popleft()
                raise SupervisorDied(where)

    def _hear(self, event: EventRow) -> None:
        self.told.append(Told(self.clock.at, (Entry(event),)))


def _is_due(at: float | None, now: float) -> bool:
    return at is not None and at <= now
