"""``python -m tests.simulation.day --hours 24``: the real engine and the real store through a day of flapping.

Time is virtual, the database isn't. Each component dies again and again; once an hour the supervisor is killed, and
another one goes on from what is on record. What is looked at is what must not grow.
"""

from __future__ import annotations

import argparse
import gc
import logging
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.plan import Scope
from stigmer_pm.core.state import Run
from stigmer_pm.runtime.run import Started
from stigmer_pm.spec import ComponentSpec, ProbeSpec, ProcessExecution, ProjectSpec
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.recovery import adopt_runs, load_project
from stigmer_pm.supervisor.store import Store
from stigmer_pm.supervisor.surroundings import News

from .clockwork import VirtualClock, VirtualLoop

#: Seconds between two deaths of the supervisor.
_HOUR = 3600.0


class FlappingWorld:
    """See :class:`stigmer_pm.supervisor.surroundings.World`: every run ends by itself after a while."""

    def __init__(self, loop: VirtualLoop, chance: random.Random, life: float) -> None:
        self.runs_begun = 0
        self._loop = loop
        self._chance = chance
        self._life = life
        self._news: News | None = None
        self._living: dict[tuple[str, int], int] = {}

    def begin(self, news: News) -> None:
        self._news = news

    def start(self, instance: str, run: int, spec: ComponentSpec) -> Started:
        self.runs_begun += 1
        self._living[instance, run] = self.runs_begun
        self._loop.call_later(self._chance.uniform(0.1, 2.0) * self._life, self._end, instance, run)
        return Started(self.runs_begun, self.runs_begun, 0)

    def _end(self, instance: str, run: int) -> None:
        if self._living.pop((instance, run), None) is not None and self._news is not None:
            self._news.exited(instance, run, self._chance.choice([0, 256, 9]), remaining=False)

    def take_over(self, instance: str, run: Run, spec: ComponentSpec, started: int | None) -> bool:
        return False

    def adopt(self, instance: str, run: int, pid: int, started: int) -> bool:
        return self._living.get((instance, run)) == pid

    def last_status(self, pid: int, started: int) -> int | None:
        return None

    def find_started(self, instance: str, run: int, spec: ComponentSpec) -> tuple[int, int] | None:
        pid = self._living.get((instance, run))
        return None if pid is None else (pid, pid)

    def noted_pid(self, instance: str) -> int | None:
        return None

    def find_marked(self) -> dict[str, tuple[int, int, int, str]]:
        return {}

    def fingerprint(self, spec: ComponentSpec) -> str:
        return ""

    def pid_namespace(self) -> str:
        return "pids"

    def what_stays(self) -> str:
        return ""

    def what_was_not_reached(self) -> str:
        return ""

    def boot_id(self) -> str:
        return "boot"

    def count_leftovers(self, instance: str, run: int, leader: tuple[int, int] = (0, 0)) -> int:
        return 0

    def signal(self, instance: str, run: int, number: int) -> None:
        self._loop.call_soon(self._end, instance, run)

    def signal_leader(self, instance: str, run: int, number: int) -> bool:
        return False

    def kill(self, instance: str, run: int) -> None:
        self._loop.call_soon(self._end, instance, run)

    def cancel_start(self, instance: str, run: int) -> None:
        """Every start is over at once."""

    def attempt(self, instance: Instance, run: int, probe: ProbeSpec, log_from: int) -> None:
        """There are no probes."""

    def forget(self, instance: str, run: int) -> None:
        """Nothing is kept."""

    def end_strays(self, *, everything: bool) -> list[int]:
        return []

    def look_for_lost(self) -> None:
        """Nothing is lost."""

    def facts(self, instance: str) -> Mapping[str, object]:
        return {}

    async def clear_away(self) -> None:
        """Nothing was made."""

    async def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Hour:
    """How things stand after an hour: bytes on the disk, what lives in memory, and what is on record."""

    number: int
    runs_begun: int
    database_bytes: int
    objects: int
    resident_bytes: int
    events: int
    runs: int


class Day:
    """``count`` components, whose runs last ``life`` seconds on average."""

    def __init__(self, folder: Path, count: int, life: float, seed: int = 1) -> None:
        chance = random.Random(seed)  # noqa: S311 (how long runs last)
        self._clock = VirtualClock()
        self._outside = VirtualLoop(self._clock)
        self._loop = VirtualLoop(self._clock)
        self._path = folder / "state.db"
        self.world = FlappingWorld(self._outside, chance, life)
        self.store = Store(str(self._path))
        components = (
            ComponentSpec(
                f"c{n:03}",
                ProcessExecution(("serve",), "/", "/log"),
                min_uptime=life / 4,
                max_restarts=chance.choice([None, 10]),
            )
            for n in range(count)
        )
        self.file = ProjectSpec("p", "/p/stigmer.yaml", "/p/.stigmer", tuple(components))
        self.engine = self._start_supervisor()
        commands.apply(self.engine, self.store, self.file, Scope(), dry_run=False)

    def hours(self, count: int) -> Iterator[Hour]:
        """Let so many pass, and look after each."""
        for number in range(1, count + 1):
            end = self._clock.at + _HOUR
            while (at := self._next_at()) <= end:
                self._clock.at = max(self._clock.at, at)
                self._outside.run_due()
                self._loop.run_due()
            yield self._look(number)
            self.store.close()
            self.store = Store(str(self._path))
            self.engine = self._start_supervisor()

    def _next_at(self) -> float:
        return min((at for at in (self._outside.next_at(), self._loop.next_at()) if at is not None), default=inf)

    def _start_supervisor(self) -> Engine:
        self._loop = VirtualLoop(self._clock)  # what the last one was about to do comes to nothing
        project = load_project(self.store, self._clock.at, self.world.boot_id(), self.world.pid_namespace())
        engine = Engine(self._loop, self._clock, self.store, self.world, project, lambda: 0.5)
        engine.start()
        adopt_runs(engine, self.store)
        return engine

    def _look(self, number: int) -> Hour:
        gc.collect()
        return Hour(
            number,
            self.world.runs_begun,
            sum(path.stat().st_size for path in self._path.parent.glob("state.db*")),
            len(gc.get_objects()),
            _resident_bytes(),
            len(self.store.events()),
            sum(len(self.store.runs(c.name, limit=10**9)) for c in self.file.components),
        )


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main() -> int:
    """The exit status: 1 when something has grown."""
    parser = argparse.ArgumentParser(description="A virtual day of components that flap.")
    parser.add_argument("--hours", type=int, default=24, help="how many (%(default)s)")
    parser.add_argument("--components", type=int, default=200, help="how many flap (%(default)s)")
    parser.add_argument("--life", type=float, default=30.0, metavar="S", help="of a run, on average (%(default)s)")
    options = parser.parse_args()
    logging.getLogger("stigmer_pm").addHandler(logging.NullHandler())
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        hours = []
        for hour in Day(Path(folder), options.components, options.life).hours(options.hours):
            hours.append(hour)
            print(hour)
    before, after = hours[len(hours) // 4], hours[-1]
    grown = [
        name
        for name in ("database_bytes", "objects", "resident_bytes")
        if getattr(after, name) > 1.03 * getattr(before, name)
    ]
    print(f"{after.runs_begun} runs in {options.hours} hours, {time.perf_counter() - began:.0f} s of yours")
    print(f"grown: {', '.join(grown) or 'nothing'}")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
