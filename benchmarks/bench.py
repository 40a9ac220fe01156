"""What the benchmarks share: a project in a folder of its own, and how a process is measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

#: Seconds after which a round that has not come to its end is a failure.
_DEADLINE = 120.0


class Bench:
    """A project in a folder of its own, and the commands that are run there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {**os.environ, "TMPDIR": str(folder)}

    def write(self, components: list[str]) -> None:
        """Write ``stigmer.yaml``: a line ``name: {...}`` for each component."""
        lines = ["components:", *(f"  {component}" for component in components)]
        (self.folder / "stigmer.yaml").write_text("\n".join(lines) + "\n")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "stigmer_pm", *arguments],
            cwd=self.folder,
            env=self.environ,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done

    def supervisor(self) -> int:
        """The pid of the supervisor."""
        pid: int = json.loads((self.folder / ".stigmer" / "supervisor.json").read_text())["pid"]
        return pid


@contextmanager
def bench_folder() -> Iterator[Path]:
    """A folder for a bench, gone afterwards with everything that was started in it."""
    folder = Path(tempfile.mkdtemp(prefix="spm-bench-"))
    try:
        yield folder
    finally:
        subprocess.run(
            [sys.executable, "-m", "stigmer_pm", "down"],
            cwd=folder, env=Bench(folder).environ, capture_output=True, check=False,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(is_done: Callable[[], bool]) -> None:
    """Look every half millisecond.

    Raises:
        TimeoutError: it doesn't come.
    """
    ends_at = time.perf_counter() + _DEADLINE
    while not is_done():
        if time.perf_counter() > ends_at:
            raise TimeoutError("a round did not come to its end")
        time.sleep(0.0005)


def timed(action: Callable[[], object]) -> float:
    """Seconds that ``action`` takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, to the nanosecond (the scheduler's own count)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def pss_bytes(pid: int) -> int:
    """Proportional set size: what it shares with others is counted once."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
