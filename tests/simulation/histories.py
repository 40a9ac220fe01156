"""Histories from seeds."""

from __future__ import annotations

from collections.abc import Callable

from .simulation import Simulation

#: How often each thing happens, beside the others.
_WEIGHTS: dict[str, int] = {
    "time": 30,
    "program": 12,
    "kill": 8,
    "sick": 6,
    "stop": 4,
    "start": 4,
    "restart": 4,
    "reset": 2,
    "up": 5,
    "edit": 5,
    "hurry": 3,
    "fuse": 5,
    "supervisor": 3,
    "lost": 1,
    "down": 1,
}


def run_history(seed: int, steps: int = 40) -> Simulation:
    """A history of so many steps, and a quiet end in which everything that is wanted must come to be."""
    simulation = Simulation(seed)
    actions = _actions(simulation)
    names, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    for _ in range(steps):
        (name,) = simulation.chance.choices(names, weights)
        actions[name]()
        simulation.settle()
    simulation.calm()
    return simulation


def _actions(simulation: Simulation) -> dict[str, Callable[[], None]]:
    def some_time() -> None:
        simulation.pass_time(simulation.chance.choice([0.0, 0.05, 0.05, 0.4, 0.4, 1.0, 1.0, 3.0, 3.0, 15.0, 70.0]))

    return {
        "time": some_time,
        "program": simulation.change_program,
        "kill": simulation.kill_process,
        "sick": simulation.fall_sick,
        "stop": lambda: simulation.command("stop"),
        "start": lambda: simulation.command("start"),
        "restart": lambda: simulation.command("restart"),
        "reset": lambda: simulation.command("reset"),
        "up": simulation.up,
        "edit": simulation.edit,
        "hurry": simulation.hurry,
        "fuse": simulation.light_fuse,
        "supervisor": simulation.kill_supervisor,
        "lost": simulation.lose_records,
        "down": simulation.down,
    }
