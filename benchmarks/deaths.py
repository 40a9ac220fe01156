"""What it takes until all are back when everything dies in one moment. ``make bench-deaths`` runs it.

Each figure stands beside the time in which a bare Python starts as many programs with ``subprocess.Popen``, in the same
round. From the first signal to the first byte of the last new run, with the supervisor

* that started them,
* that has found them again after another one was killed,
* that comes only after everything has died (from the call of ``up``).
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.basics import SleeperBench, bench, say
from benchmarks.bench import wait_until


class MassDeath(SleeperBench):
    """A project of sleepers, all of which are killed at once."""

    def kill_everything(self) -> None:
        """SIGKILL to every component, one right after the other."""
        for pid in [int(mark.read_text().split()[-1]) for mark in self.marks.iterdir()]:
            os.kill(pid, signal.SIGKILL)

    def kill_supervisor(self) -> None:
        """SIGKILL, and wait until it is gone."""
        pid = self.supervisor()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not _lives(pid))

    def seconds_until_back(self, kill: Callable[[], None]) -> float:
        """From the call of ``kill`` until every component has a new run that has written."""
        before = self.lines()
        began = time.perf_counter()
        kill()
        while self.lines() < before + self.count:
            time.sleep(0.02)  # a look costs as much as some starts
        return time.perf_counter() - began

    def begin_up(self) -> None:
        """``up``, of which nobody waits for the result."""
        subprocess.Popen(
            [sys.executable, "-m", "stigmer_pm", "up", "--no-wait"],
            cwd=self.folder, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def lines(self) -> int:
        """How many runs have written their first byte."""
        return sum(mark.read_text().count("\n") for mark in self.marks.iterdir())


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def measure(count: int, rounds: int) -> None:
    """All figures for one number of components."""
    print(f"{count} components killed at once, median of {rounds} rounds")
    plains, own, adopted, unwatched = [], [], [], []
    with bench(MassDeath, count) as it:
        for _ in range(rounds):
            plains.append(it.plain_up())
            it.up()
            it.run("wait", "--settle", "0s")
            own.append(it.seconds_until_back(it.kill_everything))
            it.run("wait", "--settle", "0s")
            it.kill_supervisor()
            it.run("up", "--settle", "0s")
            adopted.append(it.seconds_until_back(it.kill_everything))
            it.run("wait", "--settle", "0s")
            it.kill_supervisor()
            it.kill_everything()
            unwatched.append(it.seconds_until_back(it.begin_up))
            it.run("wait", "--settle", "0s")
            it.run("down")
    plain = statistics.median(plains)
    for what, seconds in (
        ("all back under the supervisor that started them", own),
        ("under one that has found them again", adopted),
        ("under one that comes after they have died", unwatched),
    ):
        say(what, statistics.median(seconds), plain, "Popen in a loop")


def main() -> None:
    """Parse the options, and measure."""
    parser = argparse.ArgumentParser(description="What it takes until all are back when everything dies at once.")
    parser.add_argument("--count", type=int, nargs="*", default=[1000], help="numbers of components (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each figure (%(default)s)")
    options = parser.parse_args()
    for count in options.count:
        measure(count, options.rounds)


if __name__ == "__main__":
    main()
