"""The process that hostile files are read in: ``python -m tests.fuzz.subject FOLDER DESCRIPTOR``.

It calls the command line in place, as ``stigmer-pm`` does, and sees to it from inside that nothing is done to the
world. A process of its own, so that what is measured is the program's alone, and whoever asks survives what hangs.
"""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from stigmer_pm.cli import app

from .case import Case, Report

#: What is asked of every file. Each reads it in another way, and none may do anything else.
COMMANDS: tuple[tuple[str, ...], ...] = (("validate",), ("up", "--dry-run"), ("config", "--json"), ("ps",))

#: Bytes of address space, so that a bomb ends this process and not the machine.
_ADDRESS_SPACE = 2 << 30

# Python tells of these before they are done: https://docs.python.org/3/library/audit_events.html
_DEEDS = frozenset(
    ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "subprocess.Popen",
     "pty.spawn", "os.kill", "os.killpg", "signal.pthread_kill", "socket.bind", "socket.connect", "socket.sendto",
     "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate",
     "os.utime", "os.mkfifo", "os.mknod", "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp", "sqlite3.connect")
)  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """Notes what is done to the world while it looks. An audit hook can't be taken away again, so it can rest."""

    def __init__(self) -> None:
        self._is_looking = False
        self._deeds: list[str] = []
        sys.addaudithook(self._heed)

    @contextmanager
    def look(self) -> Iterator[list[str]]:
        """The deeds of what runs meanwhile."""
        self._deeds, self._is_looking = [], True
        try:
            yield self._deeds
        finally:
            self._is_looking = False

    def _heed(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_looking:
            return
        writes = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & _WRITES)
        if writes or event in _DEEDS:
            self._deeds.append(f"{event} {arguments!r:.200}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str
    seconds: float
    deeds: list[str] = field(default_factory=list)


class Subject:
    """Reads cases in one folder."""

    def __init__(self, folder: Path, run: Callable[[Sequence[str]], int] = app.run) -> None:
        self._run = run
        self._watch = Watch()
        self._home = folder
        self._project = folder / "project"
        self._environ = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
        }
        for name in ("project", "tmp", "run"):
            (folder / name).mkdir(mode=0o700)
        os.chdir(self._project)

    def read(self, case: Case) -> Report:
        """Ask everything of it."""
        for name, content in case.files.items():
            (self._project / name).write_bytes(content)
        before = self._everything()
        os.environ.clear()
        os.environ.update(self._environ | dict(case.environ))
        _forget_peak()
        outcomes = {command: self._call(command) for command in COMMANDS}
        peak = _peak_bytes()
        faults = judge(outcomes)
        faults += [f"it left {name}" for name in sorted(self._everything() - before)]
        faults += [f"it started process {pid}" for pid in _children()]
        for path in self._project.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return Report(max(o.seconds for o in outcomes.values()), peak, tuple(faults))

    def _everything(self) -> set[str]:
        return {str(path.relative_to(self._home)) for path in self._home.rglob("*")}

    def _call(self, command: tuple[str, ...]) -> Outcome:
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = out, err
        began = _own_seconds()
        try:
            with self._watch.look() as deeds:
                code = self._run(command)
        finally:
            seconds = _own_seconds() - began
            sys.stdout, sys.stderr = streams
        return Outcome(code, _text(out), _text(err), seconds, deeds)


def judge(outcomes: Mapping[tuple[str, ...], Outcome]) -> list[str]:
    """What is wrong with what the commands did: cli.md and config.md are the law."""
    faults = []
    for command, outcome in outcomes.items():
        words = [f"it did {deed}" for deed in outcome.deeds]
        if "internal error" in outcome.err or "Traceback" in outcome.err + outcome.out:
            words.append(f"a bug: {outcome.err[-2000:]}")
        elif outcome.code != 0:
            words += _faults_of_error(outcome)
        faults += [f"{' '.join(command)}: {word}" for word in words]
    valid, plan, shown, ps = (outcomes[command] for command in COMMANDS)
    if valid.code not in (0, 2) or plan.code != valid.code:
        faults.append(f"validate ends with {valid.code} and up --dry-run with {plan.code}: {plan.err[-500:]}")
    if shown.code not in (0, 2) or (valid.code == 0 and shown.code != 0):
        faults.append(f"validate ends with {valid.code} and config with {shown.code}: {shown.err[-500:]}")
    if shown.code == 0:
        json.loads(shown.out)
    if ps.code not in (2, 3) or (valid.code == 0 and ps.code != 3):
        faults.append(f"validate ends with {valid.code} and ps with {ps.code}: {ps.err[-500:]}")
    return faults


def _faults_of_error(outcome: Outcome) -> list[str]:
    """An error says something, and nothing that a terminal would obey."""
    if not outcome.err.startswith("error: "):
        return [f"ends with {outcome.code} and says {outcome.err[:200]!r}"]
    obeyed = [line for line in outcome.err.splitlines() if not line.isprintable()]
    return [f"says what a terminal would obey: {obeyed[0]!r:.200}"] if obeyed else []


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")


def _children() -> list[int]:
    """What was started and has not been waited for. It is ended, so that it isn't found again."""
    task = Path(f"/proc/self/task/{os.getpid()}/children")
    pids = [int(pid) for pid in task.read_text(encoding="ascii").split()]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return pids


def _own_seconds() -> float:
    """The time, but for what was spent in waiting for a processor that others had: a busy machine is no fault."""
    waited_ns = int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1])
    return time.perf_counter() - waited_ns / 1e9


def _forget_peak() -> None:
    """The highest mark of memory begins anew (proc_pid_clear_refs(5): 5)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_bytes() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel does not tell the peak of memory")


def main(run: Callable[[Sequence[str]], int] = app.run) -> None:
    """Take cases from the connection, and answer each with a report, until it is closed."""
    folder, descriptor = Path(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    subject = Subject(folder, run)
    subject.read(Case.of("components: {a: {command: x}}\n"))  # so that no file is charged with the imports
    connection = Connection(descriptor)
    while True:
        try:
            case = connection.recv()
        except EOFError:
            return
        connection.send(subject.read(case))


if __name__ == "__main__":
    main()
