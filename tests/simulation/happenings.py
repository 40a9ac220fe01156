"""What happens in the world by itself or by somebody's hand, whatever the supervisor does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .processes import Program
from .story import Told
from .virtual_world import VirtualWorld


class Happenings:
    """Each is a method. ``told`` is what has happened, for whoever reads a failure."""

    def __init__(self, world: VirtualWorld) -> None:
        self.world = world
        self.clock = world.clock
        self.told: list[Told] = []

    def tell(self, *what: object) -> None:
        """Keep what happened, for whoever reads a failure."""
        self.told.append(Told(self.clock.at, what))

    def change_program(self, name: str, program: Program) -> None:
        """A component behaves otherwise from its next run on."""
        self.tell(f"{name} becomes", program)
        self.world.programs[name] = program

    def fall_sick(self, names: Iterable[str]) -> None:
        """The probes of what lives begin or cease to fail."""
        for process in [p for name in names for p in self.world.living(name)]:
            self.tell(f"{process} falls sick or gets well")
            process.program = replace(process.program, sick=not process.program.sick)
            self.world.engine.check_health(process)

    def kill_process(self, name: str, status: int) -> None:
        """The leader of a run ends, by its own or somebody else's hand."""
        for process in [p for p in self.world.living(name) if p.leader]:
            self.tell(f"{process} ends with {status}")
            self.world.end_leader(process, status)

    def stop_engine(self, seconds: float, *, ends_containers: bool) -> None:
        """The engine of the containers goes away for so long, with its containers or without them."""
        self.tell(f"the engine is away for {seconds} s, {'and its' if ends_containers else 'without its'} containers")
        self.world.engine.go_away(seconds, ends_containers=ends_containers)

    def pause_container(self, name: str) -> None:
        """Somebody pauses a container, or lets it go on."""
        for process in [p for p in self.world.living(name) if p.is_container]:
            self.tell(f"{process} is paused, or goes on")
            self.world.engine.pause(process)
