"""Components that die without end under a supervisor that is killed again and again, and the judge of it all."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.project import Project, eventually

_WORKER = Path(__file__).parent / "worker.sh"

#: Seconds for what takes milliseconds on an idle machine: all cores are busy here.
_PATIENCE = 120.0


@dataclass(slots=True)
class Verdict:
    """What the judge has found. ``faults`` has a line for each promise that was broken, and is empty when none was.

    ``untold`` counts runs that nobody but they themselves has counted.
    ``early`` counts the supervisors that were killed before they answered; ``recoveries`` are seconds from the call of
    ``up`` to its answer, of those that came to answer.
    """

    kills: int = 0
    early: int = 0
    runs: int = 0
    lines: int = 0
    restarts: int = 0
    untold: int = 0
    seconds: float = 0.0
    recoveries: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Churn:
    """``count`` components, each of which lives about ``mean_ms`` milliseconds at a time; ``chance`` decides when the
    supervisor is killed."""

    def __init__(self, project: Project, count: int, chance: random.Random, mean_ms: int = 1000) -> None:
        self.project = project
        self.names = [f"c{number:03}" for number in range(count)]
        self.folder = project.dir / "churn"
        self.folder.mkdir()
        self.verdict = Verdict()
        self._chance = chance
        self._restarts = dict.fromkeys(self.names, 0)
        # A run of any length is stable, so the next one follows at once.
        rules = "min_uptime: 1ms, max_restarts: unlimited, stop_timeout: 15s"
        command = f"sh {_WORKER} %s {self.folder} {mean_ms}"
        project.write("components:\n" + "".join(f"  {n}: {{command: {command % n}, {rules}}}\n" for n in self.names))

    def run(self, kills: int, after_kill: Callable[[Verdict], None] = lambda verdict: None) -> Verdict:
        """Bring everything up, kill the supervisor so many times, let it all come to rest, and end it."""
        began = time.monotonic()
        self._up()
        while self.verdict.kills < kills:
            self._kill_and_bring_back()
            self.verdict.seconds = time.monotonic() - began
            after_kill(self.verdict)
        self._up()
        (self.folder / "calm").touch()
        self._come_to_rest()
        self._end()
        self._judge_lines()
        self.verdict.seconds = time.monotonic() - began
        return self.verdict

    def fewest_runs(self) -> int:
        """How many runs the one with the fewest has had."""
        return min(len(self._runs(name)) for name in self.names)

    # --- what happens -------------------------------------------------------------------------------------------

    def _up(self) -> None:
        result = self.project.run("up", "--no-wait", timeout=_PATIENCE)
        if result.code:
            self._fault(f"up ended with {result.code}: {result!r}")
        self.verdict.recoveries.append(result.seconds)
        self._look_at_restarts()

    def _kill_and_bring_back(self) -> None:
        """Kill it up to a second after it has answered, or while it is still finding what runs."""
        if self._chance.random() < 0.5:
            time.sleep(self._chance.uniform(0.0, 1.0))
            self._kill(self.project.supervisor_pid())
            self._up()
            return
        self._kill(self.project.supervisor_pid())
        process = self.project.start("up", "--no-wait")
        pid = eventually(lambda: self._locked_by(process), "a new supervisor has the lock", _PATIENCE)
        if pid > 0:
            time.sleep(self._chance.uniform(0.0, 0.2))
            self.verdict.early += process.poll() is None
            self._kill(pid)
        process.communicate(timeout=_PATIENCE)
        self._up()

    def _kill(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not _lives(pid), f"supervisor {pid} is dead", _PATIENCE)
        self.verdict.kills += 1

    def _locked_by(self, process: subprocess.Popen[str]) -> int:
        """The pid of the supervisor that has the lock; -1 when ``process`` has ended without one."""
        if process.poll() is not None:
            return -1
        text = (self.project.dir / ".stigmer" / "supervisor.lock").read_text()
        return int(text) if text.endswith("\n") and _lives(int(text)) else 0

    def _come_to_rest(self) -> None:
        result = self.project.run("wait", "--timeout", f"{_PATIENCE:.0f}s", timeout=2 * _PATIENCE)
        if result.code:
            self._fault(f"not all are ready in the end: {result!r}")
        entries = self._look_at_restarts()
        unready = [name for name in self.names if not entries[name]["ready"]]
        if unready:
            self._fault(f"not ready in the end: {unready}")
        # The newest run of each has begun to write, or never will.
        with suppress(AssertionError):
            eventually(lambda: all(len(self._runs(n)) > entries[n]["restarts"] for n in self.names), deadline=20.0)
        for name in self.names:
            restarts, runs = entries[name]["restarts"], len(self._runs(name))
            untold = runs - 1 - restarts
            if untold < 0:
                numbers, told = self._runs(name), self.project.run("events", name, timeout=_PATIENCE).out
                self._fault(f"{name}: {runs} runs have begun, and {restarts} restarts are counted: {numbers}\n{told}")
            self.verdict.untold += max(0, untold)
            self.verdict.runs += runs
            self.verdict.restarts += restarts
        # A run that had just been forked when the supervisor was killed, and has ended before the next one came, may
        # have left no trace. A supervisor forks one at a time.
        if self.verdict.untold > self.verdict.kills:
            self._fault(f"{self.verdict.untold} runs were never counted, and there were {self.verdict.kills} kills")

    def _end(self) -> None:
        result = self.project.run("down", timeout=2 * _PATIENCE)
        if result.code:
            self._fault(f"down ended with {result.code}: {result!r}")
        with suppress(AssertionError):
            eventually(lambda: not self.project.living(), deadline=5.0)
        for pid, command in self.project.living().items():
            self._fault(f"left behind: {pid} {command}")

    # --- the judge ----------------------------------------------------------------------------------------------

    def _fault(self, what: str) -> None:
        self.verdict.faults.append(what)

    def _runs(self, name: str) -> list[int]:
        """The numbers of the runs that have begun, by their own account."""
        path = self.folder / f"{name}.runs"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def _look_at_restarts(self) -> dict[str, Any]:
        """No count of restarts ever goes back."""
        result = self.project.run("ps", "--json", timeout=_PATIENCE)
        if result.code:
            self._fault(f"ps ended with {result.code}: {result!r}")
            return {}
        entries = {c["name"]: c for c in json.loads(result.out)["components"]}
        for name in self.names:
            restarts = entries[name]["restarts"] if name in entries else -1
            if restarts < self._restarts[name]:
                self._fault(f"{name}: {restarts} restarts, and there were {self._restarts[name]} before")
            self._restarts[name] = restarts
        return entries

    def _judge_lines(self) -> None:
        """No line is missing or doubled, and nobody has seen two runs of one component."""
        for name in self.names:
            expected = int((self.folder / f"{name}.count").read_text())
            written = self.project.log(name).decode().splitlines()
            self.verdict.lines += len(written)
            if written != [f"{name} {number}" for number in range(1, expected + 1)]:
                wrong = next((i for i, line in enumerate(written, 1) if line != f"{name} {i}"), len(written))
                around = written[max(0, wrong - 3) : wrong + 2]
                self._fault(f"{name}: {len(written)} lines for {expected}; line {wrong} is wrong: {around}")
        doubles = self.folder / "doubles"
        if doubles.exists():
            for line in doubles.read_text().splitlines():
                self._fault(line)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
