"""What the main job costs: ``up``, ``ps``, a restart after ``kill -9``, the idle supervisor. ``make bench`` runs it.

Each figure is the median of several rounds, and stands beside a plain way of doing the same in the same round:

* ``up`` beside a bare Python that starts as many programs with ``subprocess.Popen``, both from the moment they are
  typed until the last program has written its first byte;
* a restart beside a plain ``Popen``, from the kill, or the call, to the first byte of the new process;
* ``ps`` beside a bare ``python -c pass``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from benchmarks.bench import Bench, bench_folder, cpu_seconds, pss_bytes, timed, wait_until

_PLAIN = """
import subprocess, sys
folder, count = sys.argv[1], int(sys.argv[2])
for number in range(count):
    subprocess.Popen(["sh", "-c", f"echo $$ >> {folder}/{number}; exec sleep 1000"], start_new_session=True)
"""


class SleeperBench(Bench):
    """A project with ``count`` sleepers, each of which writes its pid when it starts."""

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(folder)
        self.count = count
        self.marks = folder / "marks"
        script = f"echo $$$$ >> {self.marks}/%d; exec sleep 1000"
        self.write([f'c{n}: {{command: ["sh", "-c", "{script % n}"], min_uptime: 1ms}}' for n in range(count)])

    def up(self) -> float:
        """Seconds of ``up`` from typed until the last component has written."""
        self._fresh_marks()
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "stigmer_pm", "up", "--no-wait"],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ):
            wait_until(self._all_marked)
            return time.perf_counter() - began

    def plain_up(self) -> float:
        """Seconds of a bare Python and ``count`` times Popen, until the last has written."""
        self._fresh_marks()
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", _PLAIN, str(self.marks), str(self.count)], check=True)
        wait_until(self._all_marked)
        elapsed = time.perf_counter() - began
        end_sleepers(self.marks)
        return elapsed

    def restart_after_kill(self) -> float:
        """Seconds from ``kill -9`` of a component to the first byte of the next run."""
        pid = json.loads(self.run("ps", "c0", "--json").stdout)["components"][0]["pid"]
        mark = self.marks / "0"
        size = mark.stat().st_size
        began = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: mark.stat().st_size > size)
        return time.perf_counter() - began

    def plain_start(self) -> float:
        """Seconds from a plain Popen to the first byte of its child."""
        mark = self.folder / "plain"
        mark.unlink(missing_ok=True)
        began = time.perf_counter()
        with subprocess.Popen(["sh", "-c", f"echo up > {mark}; exec sleep 1000"], start_new_session=True) as child:
            wait_until(lambda: mark.exists() and mark.stat().st_size > 0)
            elapsed = time.perf_counter() - began
            child.kill()
        return elapsed

    def _fresh_marks(self) -> None:
        shutil.rmtree(self.marks, ignore_errors=True)
        self.marks.mkdir()

    def _all_marked(self) -> bool:
        names = os.listdir(self.marks)
        return len(names) >= self.count and all((self.marks / name).stat().st_size for name in names)


def end_sleepers(marks: Path) -> None:
    """End what the plain way has started: each has written its pid."""
    for mark in marks.iterdir():
        os.kill(int(mark.read_text()), signal.SIGKILL)


AnyBench = TypeVar("AnyBench", bound=SleeperBench)


@contextmanager
def bench(kind: type[AnyBench], count: int) -> Iterator[AnyBench]:
    """A bench, gone afterwards with everything that it started."""
    with bench_folder() as folder:
        yield kind(folder, count)


def say(what: str, seconds: float, plain: float | None = None, beside: str = "") -> None:
    """One line of the result."""
    ratio = f"   {seconds / plain:5.2f} x {plain * 1000:7.1f} ms of {beside}" if plain else ""
    print(f"{what:<44} {seconds * 1000:9.1f} ms{ratio}", flush=True)


def measure(count: int, rounds: int, idle_s: float) -> None:
    """All figures for one number of components."""
    print(f"{count} components, median of {rounds} rounds")
    with bench(SleeperBench, count) as it:
        ups, plains, downs = [], [], []
        for _ in range(rounds):
            plains.append(it.plain_up())
            ups.append(it.up())
            it.run("wait", "--settle", "0s")
            downs.append(timed(lambda: it.run("down")))
        say("up, typed to the last first byte", statistics.median(ups), statistics.median(plains), "Popen in a loop")
        say("down", statistics.median(downs))
        it.up()
        it.run("wait")
        say("up with nothing changed", statistics.median(timed(lambda: it.run("up")) for _ in range(rounds)))
        bare = statistics.median(
            timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)) for _ in range(rounds)
        )
        say("ps", statistics.median(timed(lambda: it.run("ps")) for _ in range(rounds)), bare, "python -c pass")
        pairs = [(it.restart_after_kill(), it.plain_start()) for _ in range(3 * rounds)]
        restart, plain = (statistics.median(column) for column in zip(*pairs, strict=True))
        say("kill -9 to the first byte of the next run", restart, plain, "a plain Popen")
        pid = it.supervisor()
        time.sleep(2.0)  # what the commands above asked for is done
        before = cpu_seconds(pid)
        time.sleep(idle_s)
        idle = (cpu_seconds(pid) - before) * 60 / idle_s
        print(f"{'idle supervisor: CPU a minute':<44} {idle * 1000:9.1f} ms")
        print(f"{'supervisor: memory (PSS)':<44} {pss_bytes(pid) / 1e6:9.1f} MB")
        print()


def main() -> None:
    """Parse the options, and measure."""
    parser = argparse.ArgumentParser(description="What the main job of stigmer-pm costs.")
    parser.add_argument("--count", type=int, nargs="*", default=[50], help="numbers of components (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each figure (%(default)s)")
    parser.add_argument("--idle", type=float, default=30.0, metavar="SECONDS", help="how long to idle (%(default)s)")
    options = parser.parse_args()
    for count in options.count:
        measure(count, options.rounds, options.idle)


if __name__ == "__main__":
    main()
