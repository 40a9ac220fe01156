"""One history: a virtual world, the real engine in it, and what may happen to both."""

from __future__ import annotations

import random
from dataclasses import replace

from stigmer_pm.core.plan import Scope
from stigmer_pm.core.state import RESTING, Desired, Phase
from stigmer_pm.spec import ComponentSpec, ProjectSpec
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.recovery import adopt_runs, load_project, reconstruct

from .clockwork import VirtualClock, VirtualLoop
from .oracle import Oracle, Violation
from .specs import edited, random_components
from .virtual_memory import Tables, VirtualMemory
from .virtual_world import Program, VirtualWorld

#: Steps of one moment after which something goes round in circles.
_MOST_CALLS = 10_000

#: Seconds in which everything comes to be what it is to be: the longest backoff and the slowest stop, and some more.
_QUIET = 100.0


#: In which phases a command makes the next start one that was asked for. In the others it comes too late, or to what
#: is so already; a restart of what runs shows in the cause of its end.
_AT_REST = {*RESTING, Phase.BACKOFF, Phase.STOPPING}
_ASKED = {
    "start": _AT_REST,
    "restart": {*_AT_REST, Phase.STARTING, Phase.RUNNING},
    "reset": {*_AT_REST, Phase.WAITING},
    "stop": set(Phase),
}


class SupervisorDied(BaseException):
    """The supervisor was killed right here. (No ``Exception``, so that nothing in between can catch it.)"""


class Simulation:
    """Everything that can happen, each as a method; after each, :meth:`settle` checks the invariants."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (what is wanted is that it can be repeated)
        self.clock = VirtualClock()
        self.world = VirtualWorld(self.clock, self.chance, self._point)
        self.memory = VirtualMemory(self._point)
        self.memory.tables.meta["boot_id"] = self.world.boot_id()
        self.oracle = Oracle(self.world)
        self.components = random_components(self.chance)
        self.told: list[str] = []
        self._fuse: int | None = None
        self.engine: Engine | None = None
        self.loop = VirtualLoop(self.clock)
        self.up()

    # --- the supervisor -----------------------------------------------------------------------------------------

    def up(self) -> None:
        """Apply the file; start a supervisor when there is none."""
        self.tell("up")
        self._guarded(self._up)

    def edit(self) -> None:
        """Edit the file and apply it."""
        self.components = edited(self.components, self.chance)
        self.tell(f"edit: {', '.join(c.name for c in self.components)}")
        self.oracle.disturb()
        self._guarded(self._up)

    def light_fuse(self) -> None:
        """The supervisor will be killed at one of the next points between two effects or commits."""
        self._fuse = self.chance.randint(1, 6)

    def kill_supervisor(self) -> None:
        """It is killed now."""
        if self.engine is not None:
            self._die()

    def lose_records(self) -> None:
        """The state folder is removed while no supervisor runs."""
        if self.engine is None:
            self.tell("the records are lost")
            self.memory.tables = Tables(meta={"boot_id": self.world.boot_id()})
            self.oracle.disturb()

    def down(self) -> None:
        """Stop everything, and end the supervisor when that is done."""
        if self.engine is not None:
            self.tell("down")
            engine = self.engine
            self.oracle.asked(self.names())
            self._guarded(lambda: engine.stop_all(self._ended))

    # --- commands -----------------------------------------------------------------------------------------------

    def command(self, verb: str) -> None:
        """``start``, ``stop``, ``restart`` or ``reset`` of some instances."""
        if self.engine is None or not self.names():
            return
        names = [name for name in self.names() if self.chance.random() < 0.5] or [self.chance.choice(self.names())]
        self.tell(f"{verb} {' '.join(names)}")
        engine = self.engine
        for name in self.names():
            phase = engine.project[name].state.phase
            if name in names and phase in _ASKED[verb]:
                self.oracle.asked([name])
            elif name in names and verb == "reset":
                self.oracle.cleared(name)
            elif verb != "stop" and phase in RESTING:
                self.oracle.asked([name])  # what they need is started as well
        self._guarded(lambda: commands.act(engine, names, verb))

    def hurry(self) -> None:
        """Somebody waits for everything to be ready."""
        if self.engine is not None:
            engine, names = self.engine, self.names()
            self._guarded(lambda: engine.hurry(names))

    # --- the world ----------------------------------------------------------------------------------------------

    def change_program(self) -> None:
        """A component behaves otherwise: its next run always, the one that lives now at once."""
        name = self.chance.choice([c.name for c in self.components])
        program = Program(
            cannot_start=self.chance.random() < 0.1,
            lives=self.chance.choice([None, None, None, 0.0, 0.3, 2.5, 11.0]),
            exit_status=self.chance.choice([0, 256, 768, 11, 15]),
            stops_in=self.chance.choice([0.0, 0.1, 2.0, None]),
            leaves=self.chance.choice([0, 0, 0, 2]),
            leftovers_stop=self.chance.random() < 0.7,
            healthy_after=self.chance.choice([0.0, 0.0, 1.0, 9.0, None]),
            sick=self.chance.random() < 0.15,
            answers_in=self.chance.choice([0.0, 0.01, 0.5, 5.0]),
        )
        self.tell(f"{name} becomes {program}")
        self.world.programs[name] = program

    def fall_sick(self) -> None:
        """The probes of what lives begin or cease to fail."""
        for process in self.world.processes.values():
            if process.lives and self.chance.random() < 0.5:
                process.program = replace(process.program, sick=not process.program.sick)

    def kill_process(self) -> None:
        """The leader of a run is killed by somebody else."""
        living = [p for p in self.world.processes.values() if p.leader]
        if living:
            process = self.chance.choice(living)
            self.tell(f"kill {process.instance}/{process.run}")
            self.world.end_leader(process, self.chance.choice([9, 11, 256, 0]))

    # --- time ---------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with everything that comes on the way."""
        end = self.clock.at + seconds
        while True:
            self.settle()
            times = [at for at in (self.loop.next_at(), self.world.loop.next_at()) if at is not None and at <= end]
            if not times:
                self.clock.at = end
                return
            self.clock.at = max(self.clock.at, min(times))

    def settle(self) -> None:
        """Let everything that is due now happen, and check."""
        for _ in range(_MOST_CALLS):
            now = self.clock.at
            if _is_due(self.world.loop.next_at(), now):
                self._guarded(self.world.loop.run_due)
            elif _is_due(self.loop.next_at(), now):
                self._guarded(self.loop.run_due)
            else:
                break
        else:
            raise Violation("the engine goes round in circles")
        if self.engine is not None:
            self.oracle.check(self.loop.next_at())

    def calm(self) -> None:
        """Nothing bad happens any more; after some minutes everything that is wanted must be there."""
        self.tell("calm")
        self._fuse = None
        for component in self.components:
            self.world.programs[component.name] = Program()
        for process in self.world.processes.values():
            process.program = replace(process.program, sick=False, healthy_after=0.0, answers_in=0.01, stops_in=0.1)
        for _ in range(2):
            self.up()
            self.pass_time(_QUIET)
        self._check_wanted()

    # --- inside -------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The instances there are and stay."""
        if self.engine is None:
            return []
        return [i.state.name for i in self.engine.project if not i.state.is_removed]

    def tell(self, words: str) -> None:
        """Keep what happened, for whoever reads a failure."""
        self.told.append(f"{self.clock.at:.3f} {words}")

    def _up(self) -> None:
        file = ProjectSpec("p", "/p/stigmer.yaml", "/p/.stigmer", tuple(self.components))
        if self.engine is None:
            self._start_supervisor(file)
        assert self.engine is not None
        self.oracle.asked(
            [
                name
                for name in self.names()
                if self.engine.project[name].state.phase in (Phase.STOPPED, Phase.FAILED, Phase.COMPLETED)
            ]
        )
        commands.apply(self.engine, self.memory, file, Scope(), dry_run=False)

    def _start_supervisor(self, file: ProjectSpec) -> None:
        """As a service begins: what is lost is put on record again, what is on record is found again."""
        self.loop = VirtualLoop(self.clock)
        reconstruct(self.memory, self.world, file, self.clock)
        project = load_project(self.memory, self.clock.at, self.world.boot_id())
        self.engine = Engine(self.loop, self.clock, self.memory, self.world, project, self.chance.random)
        self.oracle.project = project
        self.engine.start()
        adopt_runs(self.engine, self.memory)

    def _ended(self) -> None:
        self.tell("ended")
        for name in self.names():
            if self.world.living(name):
                raise Violation(f"everything has stopped, and {name} lives")
        with self.memory.transaction():
            self.memory.clear_instances()
        self._die()

    def _guarded(self, action: object) -> None:
        assert callable(action)
        try:
            action()
        except SupervisorDied as death:
            self.tell(f"the supervisor died {death}")
            self._die()

    def _die(self) -> None:
        self.engine = None
        self._fuse = None
        self.loop = VirtualLoop(self.clock)
        self.world.lose_supervisor()
        self.oracle.disturb()

    def _point(self, where: str) -> None:
        if self._fuse is not None and self.engine is not None:
            self._fuse -= 1
            if self._fuse <= 0:
                raise SupervisorDied(where)

    def _check_wanted(self) -> None:
        assert self.engine is not None
        by_name: dict[str, ComponentSpec] = {c.name: c for c in self.components}
        if set(self.names()) != set(by_name):
            raise Violation(f"the file has {sorted(by_name)}, and there is {sorted(self.names())}")
        for instance in self.engine.project:
            state, spec = instance.state, by_name[instance.state.name]
            if instance.spec != spec:
                raise Violation(f"{state.name} has another spec than the file")
            if state.desired is Desired.STOPPED or state.phase in (Phase.COMPLETED, Phase.FAILED):
                continue
            if state.phase is Phase.WAITING and spec.depends_on:
                continue
            if not state.is_ready:
                raise Violation(f"{state.name} is {state.phase} when all has been quiet: {state}")
            (process,) = self.world.living(state.name)
            if process.spec.process != spec.process:
                raise Violation(f"{state.name} runs what the file said before")


def _is_due(at: float | None, now: float) -> bool:
    return at is not None and at <= now
