"""What ``up`` of many containers costs, beside a plain loop of the same calls. ``make bench-containers`` runs it.

Plain is a bare Python that creates and starts as many containers with the ``docker`` SDK, one after the other, with the
same image, command and network. Both are measured from the moment they are typed until they have ended; ``up`` ends
when it knows that all of them run.

The engine is that of ``STIGMER_PM_TEST_DOCKER_HOST`` or ``DOCKER_HOST``, or else one that is started for it (as root).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.bench import Bench, bench_folder, timed
from tests.docker import images
from tests.docker.engine import Dockerd, connect, lacking

#: What ``up`` may take, as a multiple of plain.
_BUDGET = 1.3

_PLAIN = """
import docker, sys
prefix, count, image = sys.argv[1], int(sys.argv[2]), sys.argv[3]
client = docker.from_env()
client.networks.create(prefix)
for number in range(count):
    client.containers.create(image, "forever", name=f"{prefix}-{number}", network=prefix).start()
client.close()
"""


class ContainerBench(Bench):
    """A project with ``count`` containers that do nothing."""

    def __init__(self, folder: Path, host: str, count: int) -> None:
        super().__init__(folder)
        self.environ["DOCKER_HOST"] = host
        self._host = host
        self._count = count
        self.write([f'c{number}: {{image: "{images.BUSYBOX}", command: forever}}' for number in range(count)])

    def up(self) -> float:
        """Seconds of ``up``, until all of them run."""
        elapsed = timed(lambda: self.run("up", "--settle", "0s"))
        self.run("down")
        return elapsed

    def plain(self) -> float:
        """Seconds of the plain way."""
        prefix = f"{self.folder.name}-plain"
        command = [sys.executable, "-c", _PLAIN, prefix, str(self._count), images.BUSYBOX]
        elapsed = timed(lambda: subprocess.run(command, env=self.environ, check=True))
        with closing(connect(self._host)) as client:
            for number in range(self._count):
                client.containers.get(f"{prefix}-{number}").remove(force=True)
            client.networks.get(prefix).remove()
        return elapsed


@contextmanager
def engine() -> Iterator[str]:
    """The address of the engine to measure on."""
    given = os.environ.get("STIGMER_PM_TEST_DOCKER_HOST") or os.environ.get("DOCKER_HOST")
    if given:
        yield given
        return
    if reason := lacking():
        sys.exit(f"no Docker engine: {reason}; name one with DOCKER_HOST")
    own = Dockerd()
    try:
        own.start()
        yield own.host
    finally:
        own.close()


def main() -> None:
    """Parse the options, and measure."""
    parser = argparse.ArgumentParser(description="What up of many containers costs.")
    parser.add_argument("--count", type=int, default=50, help="number of containers (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each figure (%(default)s)")
    options = parser.parse_args()
    with engine() as host, bench_folder() as folder:
        images.make(host, [images.BUSYBOX])
        bench = ContainerBench(folder, host, options.count)
        rounds = [(bench.plain(), bench.up()) for _ in range(options.rounds)]
        plain, up = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"{options.count} containers, median of {options.rounds} rounds")
        print(f"{'plain: create and start, one after the other':<46} {plain:7.2f} s")
        print(f"{'up':<46} {up:7.2f} s   {up / plain:5.2f} x plain (at most {_BUDGET})")


if __name__ == "__main__":
    main()
