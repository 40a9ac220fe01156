"""``python -m tests.chaos.soak --minutes 60``: what a supervisor needs while 200 components flap, and whether it grows.

Memory, descriptors, the database with its write-ahead log, and the supervisor's own log are looked at every few
seconds. What grows until as much is there as is kept of runs and of the journal is no growth, so the first part is left
out: it ends when every component has had that many runs, and when half of the time is over at the latest.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from statistics import fmean, median

from stigmer_pm.supervisor.store import KEEP_RUNS
from tests.project import Project, Result, eventually, make_project

from .churn import Churn

#: By how much more than after the first part each may be at the end: a share of bytes, or a number of descriptors. A
#: heap has its ups and downs; the database is pruned at every thousandth entry, and its log is as long as its longest
#: transaction; what is being ended, or asks something, has a descriptor for that long.
_MORE_SHARE = {"memory": 0.05, "database": 0.15, "log": 0.0}
_MORE_DESCRIPTORS = 20

#: Seconds that everything may take to stop.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the supervisor needs at a moment; ``at`` in seconds from the beginning, all but descriptors in bytes."""

    at: float
    memory: int
    descriptors: int
    database: int
    log: int


def look(project: Project, pid: int, began: float) -> Sample:
    """Now."""
    state = project.dir / ".stigmer"
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return Sample(
        time.monotonic() - began,
        resident * 1024,
        len(os.listdir(f"/proc/{pid}/fd")),
        sum(path.stat().st_size for path in state.glob("state.db*")),
        (state / "supervisor.log").stat().st_size,
    )


def slope_an_hour(samples: list[Sample], what: str) -> float:
    """How much more it gets in an hour, by the line that fits best."""
    times, values = [s.at for s in samples], [getattr(s, what) for s in samples]
    middle, mean = fmean(times), fmean(values)
    spread = fsum((t - middle) ** 2 for t in times)
    together = fsum((t - middle) * (v - mean) for t, v in zip(times, values, strict=True))
    return 3600 * together / (spread or 1.0)


def growth(samples: list[Sample], what: str) -> tuple[float, float]:
    """Its median in the first and in the last quarter: one peak is no growth."""
    quarter = max(1, len(samples) // 4)
    values = [getattr(s, what) for s in samples]
    return median(values[:quarter]), median(values[-quarter:])


def has_grown(samples: list[Sample], what: str) -> bool:
    """By more than what comes and goes."""
    before, after = growth(samples, what)
    share = _MORE_SHARE.get(what)
    return after > (before + _MORE_DESCRIPTORS if share is None else before * (1 + share))


def answered(project: Project) -> Result:
    """What ``ps`` says. On a machine with ten times as much to do as it can, it may have to be asked again."""

    def ask() -> Result | None:
        result = project.run("ps", "--json")
        return result if result.code == 0 else None

    return eventually(ask, "ps is answered", _PATIENCE)


def soak(
    project: Project, count: int, life_ms: int, seconds: float, every: float, say: Callable[[str], None]
) -> list[Sample]:
    """Let ``count`` components flap for so long; the samples after the first part."""
    churn = Churn(project, count, random.Random(1), life_ms)  # noqa: S311 (kills nobody)
    project.up("--no-wait")
    pid, began = project.supervisor_pid(), time.monotonic()
    samples: list[Sample] = []
    is_warm = False
    while (elapsed := time.monotonic() - began) < seconds:
        time.sleep(every)
        is_full = churn.fewest_runs() > KEEP_RUNS
        if not is_warm and (is_full or elapsed > seconds / 2):
            say(f"after {elapsed:.0f} s {'all that is kept is there' if is_full else 'half of the time is over'}")
            is_warm, samples = True, []
        samples.append(look(project, pid, began))
        if int(elapsed // 60) != int((elapsed - every) // 60):
            count = answered(project).out.count("restarts")
            say(f"{elapsed / 60:3.0f} min: {samples[-1]}, {count} components")
    project.ok("down", timeout=2 * _PATIENCE)
    return samples


def main() -> int:
    """The exit status: 1 when something has grown."""
    parser = argparse.ArgumentParser(description="See whether a supervisor grows while its components flap.")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (%(default)s)")
    parser.add_argument("--components", type=int, default=200, help="how many flap (%(default)s)")
    parser.add_argument("--life", type=int, default=2000, metavar="MS", help="of a run, on average (%(default)s)")
    parser.add_argument("--every", type=float, default=5.0, metavar="S", help="between looks (%(default)s)")
    options = parser.parse_args()
    grown = []
    for project in make_project():
        samples = soak(
            project,
            options.components,
            options.life,
            60 * options.minutes,
            options.every,
            lambda s: print(s, flush=True),
        )
        for what in ("memory", "descriptors", "database", "log"):
            before, after = growth(samples, what)
            slope = slope_an_hour(samples, what)
            print(f"{what:<12} {before:14,.0f} -> {after:14,.0f}   {slope:+16,.0f} an hour")
            grown += [what] if has_grown(samples, what) else []
    print(f"grown: {', '.join(grown) or 'nothing'}")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
