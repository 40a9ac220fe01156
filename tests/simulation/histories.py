"""Histories from seeds."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stigmer_pm.core.plan import Scope

from .calm import calm_down
from .simulation import Simulation
from .specs import NAMES, PROFILE, Taste, edited, random_components, random_image, random_program


@dataclass(frozen=True, slots=True)
class Kind:
    """What kind of history: its file, how much time passes at a time, and how long a start takes."""

    taste: Taste
    times: tuple[float, ...]
    start_takes: float = 0.0


_USUAL = Kind(Taste(), (0.05, 0.4, 0.05, 0.4, 1.0, 1.0, 3.0, 3.0, 12.0))
#: Long enough for every window and every backoff to come to its end, with few probes, for those cost the most.
_LONG = Kind(Taste(most=2, probes=0.1, periods=(10.0,), profiles=False), (0.4, 3.0, 15.0, 70.0, 70.0, 300.0))
#: One start after another takes longer than the engine carries out effects for in one turn.
_SLOW = Kind(Taste(probes=0.2), (0.05, 0.4, 1.0, 3.0, 15.0), start_takes=0.006)
#: Nearly all of it on an engine.
_CONTAINERS = Kind(Taste(probes=0.2, containers=0.9), (0.05, 0.4, 1.0, 1.0, 3.0, 12.0))
_KINDS = (_USUAL, _CONTAINERS, _LONG, _USUAL, _USUAL, _LONG, _USUAL, _SLOW, _CONTAINERS, _LONG)

#: How often each thing happens, beside the others.
_WEIGHTS: Mapping[str, float] = {
    "time": 30,
    "program": 14,
    "end": 10,
    "sick": 5,
    "engine": 3,
    "freeze": 2,
    "stop": 4,
    "start": 4,
    "restart": 4,
    "reset": 2,
    "up": 4,
    "up some": 2,
    "edit": 7,
    "edit quietly": 2,
    "hurry": 3,
    "fuse": 6,
    "supervisor": 3,
    "begin again": 2,
    "lost": 1,
    "reboot": 0.5,
    "down": 1.5,
    "kill": 1,
    "pause": 2,
    "signal": 1,
}

#: Of a history.
STEPS = 40


class History:
    """A history from a seed: :meth:`run` it; what happened stands in ``simulation.told``."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (what is wanted is that it can be repeated)
        self.kind = _KINDS[seed % len(_KINDS)]
        components = random_components(self.chance, self.kind.taste)
        self.simulation = Simulation(
            random.Random(seed),  # noqa: S311
            components,
            start_takes=self.kind.start_takes,
            sees_pids=self.chance.random() < 0.6,
        )
        for component in components:
            if component.container is not None:
                self.simulation.world.programs[component.name] = random_image(self.chance)
        self._actions = self._make_actions()

    def run(self, steps: int = STEPS) -> None:
        """So many steps, and a quiet end in which everything that is wanted must come to be.

        Raises:
            Violation: something does not hold that always must.
        """
        chance, simulation = self.chance, self.simulation
        names, weights = list(_WEIGHTS), list(_WEIGHTS.values())
        simulation.up()
        simulation.settle()
        for name in chance.choices(names, weights, k=steps):
            self._actions[name]()
            # Now and then the next thing happens before the engine has had a turn.
            if chance.random() < 0.85:
                simulation.settle()
                simulation.check_all()
        simulation.settle()
        calm_down(simulation, with_up=chance.random() < 0.8, with_down=chance.random() < 0.4)

    def story(self) -> str:
        """What happened, for whoever reads a failure."""
        return "what happened:\n" + "\n".join(map(str, self.simulation.told))

    def _make_actions(self) -> Mapping[str, Callable[[], object]]:
        chance, simulation = self.chance, self.simulation

        def verb(name: str) -> Callable[[], None]:
            return lambda: simulation.command(name, self._some_names())

        return {
            "time": lambda: simulation.pass_time(chance.choice(self.kind.times)),
            "program": lambda: simulation.change_program(self._name(), random_program(chance)),
            "end": lambda: simulation.kill_process(self._name(), chance.choice([9, 11, 15, 256, 0])),
            "sick": lambda: simulation.fall_sick(self._some_names()),
            "engine": lambda: simulation.stop_engine(
                chance.choice(self.kind.times) + chance.choice([0.0, 3.0]), ends_containers=chance.random() < 0.5
            ),
            "freeze": lambda: simulation.pause_container(self._name()),
            "stop": verb("stop"),
            "start": verb("start"),
            "restart": verb("restart"),
            "reset": verb("reset"),
            "up": simulation.up,
            "up some": lambda: simulation.up(
                Scope(profiles=(PROFILE,)) if chance.random() < 0.3 else Scope((self._name(),))
            ),
            "edit": self._edit_and_apply,
            "edit quietly": self._edit,
            "hurry": simulation.hurry,
            "fuse": lambda: simulation.light_fuses(chance.randint(1, 6) for _ in range(chance.choice([1, 1, 2, 3]))),
            "supervisor": self._end_supervisor,
            "begin again": simulation.begin_again,
            "lost": simulation.lose_records,
            "reboot": simulation.reboot,
            "down": simulation.down,
            "kill": self._kill_everything,
            "pause": self._pause,
            "signal": lambda: simulation.signal(self._name(), chance.choice([15, 9])),
        }

    def _name(self) -> str:
        return self.chance.choice(self.simulation.components).name

    def _some_names(self) -> list[str]:
        return [name for name in NAMES if self.chance.random() < 0.5] or [self._name()]

    def _edit(self) -> None:
        self.simulation.edit(edited(self.simulation.components, self.chance, self.kind.taste))

    def _edit_and_apply(self) -> None:
        self._edit()
        self.simulation.up()

    def _end_supervisor(self) -> None:
        """Mostly by SIGKILL; now and then another one takes its place."""
        if self.simulation.moments % 3:
            self.simulation.kill_supervisor()
        else:
            self.simulation.hand_over()

    def _kill_everything(self) -> None:
        self.simulation.down()
        self.simulation.kill()

    def _pause(self) -> None:
        for _ in range(self.chance.randint(0, 2)):
            self.simulation.kill_process(self._name(), self.chance.choice([9, 256]))
        self.simulation.pause(self.chance.choice(self.kind.times))
