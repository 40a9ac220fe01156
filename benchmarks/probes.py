"""What liveness probes cost, and whether they come on time: ``make bench-probes`` runs it.

Each of 1000 components has an HTTP probe every 10 s against one small server (``http_target``), which remembers when
each request came. Measured once everything runs and has settled:

* the CPU of the supervisor, beside the least that asks as many (``plain_prober``), for as long and in the same run;
* how late each attempt is: against the grid of its own component, whose origin is where its earliest attempt puts it,
  so what is told is how far attempts of one component are from being exactly a period apart;
* how evenly the attempts of all lie over time.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench, bench_folder, cpu_seconds, pss_bytes
from benchmarks.http_target import Target, target

#: Periods that pass before anything is measured: the first attempts come in the order of the starts, and the second
#: ones are those that are spread.
_SETTLING = 2.0
#: Seconds within which the attempts are counted to see how evenly they lie.
_BURST = 0.1


@dataclass(frozen=True)
class Load:
    """So many probes, each asked once every ``period`` seconds and watched for ``seconds``; ``hung`` more never end."""

    count: int
    period: float
    seconds: float
    hung: int

    @property
    def attempts(self) -> float:
        """Attempts that are due while they are watched."""
        return self.count * self.seconds / self.period


@dataclass(frozen=True)
class Watched:
    """What a prober has used while it was watched, and when that was."""

    began: float
    ended: float
    cpu: float


class ProbedBench(Bench):
    """A project of sleepers with a liveness probe each, and of some whose probe hangs."""

    def __init__(self, folder: Path, load: Load, port: int) -> None:
        super().__init__(folder)
        command = f"command: sleep 100000, probes: {{liveness: {{period: {load.period}s"
        hangs = "timeout: 5s, failure_threshold: 1000, exec: {command: [sleep, '1000']}"
        asked = [f"c{n}: {{{command}, http: {{port: {port}, path: /c{n}}}}}}}}}" for n in range(load.count)]
        self.write(asked + [f"hung{n}: {{{command}, {hangs}}}}}}}" for n in range(load.hung)])

    def count_events(self) -> int:
        """Entries of the journal."""
        return len(self.run("events", "--json").stdout.splitlines())


def watch(pid: int, seconds: float) -> Watched:
    """The CPU time of a process for so many seconds from now on."""
    began, before = time.monotonic(), cpu_seconds(pid)
    time.sleep(seconds)
    return Watched(began, time.monotonic(), cpu_seconds(pid) - before)


def watch_plain(load: Load, port: int) -> Watched:
    """The plain prober, which has the same to ask."""
    arguments = [sys.executable, "-m", "benchmarks.plain_prober", str(port), str(load.count), str(load.period)]
    with subprocess.Popen(arguments) as process:
        try:
            time.sleep(load.period)
            return watch(process.pid, load.seconds)
        finally:
            process.kill()


def lateness(arrivals: Iterable[tuple[str, float]], period: float) -> list[float]:
    """Seconds that each attempt is late on the grid of its component, in ascending order."""
    of_each: dict[str, list[float]] = {}
    for path, at in arrivals:
        of_each.setdefault(path, []).append(at)
    found: list[float] = []
    for times in of_each.values():
        from_grid = [at - round((at - times[0]) / period) * period for at in times]
        found += [at - min(from_grid) for at in from_grid]
    return sorted(found)


def largest_burst(times: list[float]) -> int:
    """The largest number of attempts within any tenth of a second; ``times`` ascend."""
    largest = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - _BURST:
            first += 1
        largest = max(largest, last - first + 1)
    return largest


def tell_cpu(load: Load, watched: Watched, plain: Watched) -> None:
    """CPU, beside that of the plain prober."""
    share, per_attempt = watched.cpu / load.seconds * 100, watched.cpu / load.attempts * 1000
    ratio = f"{watched.cpu / plain.cpu:5.2f} x"
    print(
        f"{'supervisor: CPU':<44} {share:9.2f} %    {ratio} {plain.cpu / load.seconds * 100:6.2f} % of a plain prober"
    )
    print(f"{'supervisor: CPU of one attempt':<44} {per_attempt:9.3f} ms")


def tell_times(who: str, load: Load, watched: Watched, arrivals: list[tuple[str, float]]) -> None:
    """How many came, how late, and how evenly."""
    seen = [(path, at) for path, at in arrivals if watched.began <= at < watched.ended]
    late = lateness(seen, load.period)
    print(f"{f'{who}: attempts of so many that are due':<44} {len(seen):9d}      {load.attempts:7.0f}")
    for words, at in (("median", statistics.median(late)), ("p99", late[len(late) * 99 // 100]), ("most", late[-1])):
        print(f"{f'{who}: an attempt is late, {words}':<44} {at * 1000:9.2f} ms")
    mean = load.count * _BURST / load.period
    print(f"{f'{who}: attempts within any 100 ms, at most':<44} {largest_burst([at for _, at in seen]):9d}      "
          f"{mean:7.1f} on average")  # fmt: skip


def measure(load: Load) -> None:
    """All figures of one load."""
    with target() as server:
        plain = watch_plain(load, server.port)
        with bench_folder() as folder:
            it = ProbedBench(folder, load, server.port)
            it.run("up")
            _measure_supervisor(it, load, plain, server)


def _measure_supervisor(it: ProbedBench, load: Load, plain: Watched, server: Target) -> None:
    pid = it.supervisor()
    time.sleep(_SETTLING * load.period)
    events = it.count_events()
    time.sleep(1.0)  # what the command above asked for is done
    watched = watch(pid, load.seconds)
    pss = pss_bytes(pid)
    new_events = it.count_events() - events
    arrivals = server.arrivals()
    hung = f", and {load.hung} probes that hang" if load.hung else ""
    print(
        f"{load.count} components, a liveness probe over HTTP every {load.period:g} s{hung}; {load.seconds:g} s of it"
    )
    tell_cpu(load, watched, plain)
    print(f"{'supervisor: memory (PSS)':<44} {pss / 1e6:9.1f} MB")
    print(f"{'supervisor: entries in the journal':<44} {new_events:9d}")
    tell_times("supervisor", load, watched, arrivals)
    tell_times("plain prober", load, plain, arrivals)


def main() -> None:
    """Parse the options, and measure."""
    parser = argparse.ArgumentParser(description="What liveness probes cost, and whether they come on time.")
    parser.add_argument("--count", type=int, default=1000, help="number of components (%(default)s)")
    parser.add_argument("--period", type=float, default=10.0, help="seconds between attempts (%(default)s)")
    parser.add_argument("--seconds", type=float, default=40.0, help="how long to watch (%(default)s)")
    parser.add_argument("--hung", type=int, default=0, help="components with a probe that hangs (%(default)s)")
    options = parser.parse_args()
    measure(Load(options.count, options.period, options.seconds, options.hung))


if __name__ == "__main__":
    main()
