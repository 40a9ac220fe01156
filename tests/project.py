"""One project of a test: files in, commands run through the real command line, an outcome with code, out and err."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from stigmer_pm.client import ClientError, PsDocument, Supervisor, is_locked
from stigmer_pm.statedir import StateDir

T = TypeVar("T")

#: Seconds that anything may take on a busy machine before a test gives up. Nothing waits this long when it works.
DEADLINE = 30.0

#: A program in Python whose first thread ends at once, and another one doesn't.
HEADLESS = """
import ctypes, os, threading, time
threading.Thread(target=time.sleep, args=(1000,)).start()
exit_of_a_thread = {"x86_64": 60, "aarch64": 93}[os.uname().machine]
ctypes.CDLL(None).syscall(exit_of_a_thread, 0)
"""

#: Commands that watch what they have started.
_SETTLING = ("up", "start", "restart", "reset", "wait")
_MARK = "STIGMER_TEST_PROJECT"


def eventually(probe: Callable[[], T | None], what: str = "", deadline: float = DEADLINE, pause: float = 0.02) -> T:
    """Ask until the answer is truthy, and return it; fail with the last answer when the deadline has passed.

    ``pause`` is longer where the answer costs something (a command takes 0.2 s of CPU) and takes its time.
    """
    ends_at = time.monotonic() + deadline
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > ends_at:
            raise AssertionError(f"never became true: {what or probe}; last answer: {answer!r}")
        time.sleep(pause)


@dataclass(frozen=True)
class Result:
    """What a command did. Its repr is a bug report."""

    args: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float

    def __repr__(self) -> str:
        return (
            f"\n$ stigmer-pm {' '.join(self.args)}   -> {self.code} after {self.seconds:.1f}s"
            f"\n--- stdout\n{self.out}\n--- stderr\n{self.err}\n---"
        )

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


class Project:
    """A folder with a stigmer.yaml. Everything that is started from here carries a mark, so that nothing is left."""

    def __init__(self, folder: Path) -> None:
        self.dir = folder
        self.mark = uuid.uuid4().hex
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "TMPDIR": str(folder / "tmp"),
            "PYTHONPATH": str(Path(__file__).parent.parent),
            _MARK: self.mark,
        }
        (folder / "tmp").mkdir(mode=0o700)
        self._started: list[subprocess.Popen[str]] = []

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.dir / ".stigmer"

    # --- files --------------------------------------------------------------------------------------------------

    def write(self, text: str, name: str = "stigmer.yaml") -> Path:
        """Write a file of the project; the text may be indented."""
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def script(self, name: str, text: str) -> Path:
        """An executable script of the project."""
        path = self.write(text, name)
        path.chmod(0o755)
        return path

    def log(self, name: str) -> bytes:
        """What a component has written."""
        path = self.state / "logs" / f"{name}.log"
        return path.read_bytes() if path.exists() else b""

    # --- commands -----------------------------------------------------------------------------------------------

    def run(
        self, *args: str, env: dict[str, str] | None = None, cwd: Path | None = None, timeout: float = 60.0
    ) -> Result:
        """Run a command to its end."""
        began = time.monotonic()
        process = self.start(*args, env=env, cwd=cwd)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += "\n(the test ended it: it took too long)"
        return Result(args, process.returncode, out, err, time.monotonic() - began)

    def run_together(self, *commands: Sequence[str], timeout: float = 60.0) -> list[Result]:
        """Run commands at the same time, each to its end."""
        began = time.monotonic()
        results = []
        for command, process in [(command, self.start(*command)) for command in commands]:
            out, err = process.communicate(timeout=timeout)
            results.append(Result((*command,), process.returncode, out, err, time.monotonic() - began))
        return results

    def start(
        self,
        *args: str,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> subprocess.Popen[str]:
        """Start a command; the caller sees to its end."""
        process = subprocess.Popen(
            self.argv(*args),
            cwd=cwd or self.dir,
            env={**self.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            pass_fds=pass_fds,
        )
        self._started.append(process)
        return process

    def argv(self, *args: str) -> list[str]:
        """How a command is called."""
        return [sys.executable, "-m", "stigmer_pm", *args]

    def up(self, *args: str, code: int = 0, **rest: Any) -> Result:
        """``up`` that must end with ``code``."""
        if code == 0:
            return self.ok("up", *args, **rest)
        result = self.run("up", *args, **rest)
        assert result.code == code, result
        return result

    def ok(self, *args: str, **rest: Any) -> Result:
        """A command that must succeed.

        What has no probes is watched for less than the usual second: that second is proven where something fails in
        it, and everywhere else it would only be waited for.
        """
        if args[0] in _SETTLING and not {"--settle", "--no-wait", "--dry-run"} & set(args):
            args = (args[0], "--settle", "200ms", *args[1:])
        result = self.run(*args, **rest)
        assert result.code == 0, result
        return result

    # --- looking ------------------------------------------------------------------------------------------------

    def document(self) -> PsDocument:
        """What the supervisor answers to ``ps``: asked over its socket as the command does it, which takes thirty
        times as long to start."""
        try:
            return Supervisor.find(StateDir(str(self.state)), self.environ).ps()
        except ClientError as error:
            raise AssertionError(f"the supervisor gives no account: {error.message}; {error.cure}") from error

    def ps(self) -> dict[str, dict[str, Any]]:
        """The components, as :meth:`document` has them, by name."""
        return {c["name"]: {**c} for c in self.document()["components"]}

    def told(self) -> dict[str, dict[str, Any]]:
        """The components, or none while nobody gives an account of them."""
        with suppress(AssertionError):
            return self.ps()
        return {}

    def pid(self, name: str) -> int:
        """The pid of an instance that runs."""
        pid = self.ps()[name]["pid"]
        assert isinstance(pid, int), self.ps()[name]
        return pid

    def pids(self) -> dict[str, int | None]:
        """Every instance's pid."""
        return {name: c["pid"] for name, c in self.ps().items()}

    def wait_phase(self, name: str, *phases: str, deadline: float = DEADLINE) -> dict[str, Any]:
        """Wait until an instance is in one of the phases; its entry."""

        def look() -> dict[str, Any] | None:
            found = self.ps()[name]
            return found if found["phase"] in phases else None

        return eventually(look, f"{name} is {' or '.join(phases)}", deadline)

    def supervisor_pid(self) -> int:
        """The pid of the supervisor."""
        pid = json.loads((self.state / "supervisor.json").read_text())["pid"]
        assert isinstance(pid, int)
        return pid

    def answers(self) -> bool:
        """Somebody listens at the address that the supervisor has left. Asking costs far less than a ``ps``."""
        try:
            address = json.loads((self.dir / ".stigmer" / "supervisor.json").read_text())
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(address["socket"])
        except (OSError, ValueError):
            return False
        return True

    def kill_supervisor(self) -> int:
        """SIGKILL it, and wait until it is dead and its lock free; its pid."""
        pid = self.supervisor_pid()
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not _lives(pid) and not is_locked(StateDir(str(self.state))), f"supervisor {pid} is dead")
        return pid

    def living(self) -> dict[int, str]:
        """Every living process that was started from this project, by pid, with its command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                continue
            try:
                if f"{_MARK}={self.mark}".encode() not in (entry / "environ").read_bytes().split(b"\0"):
                    continue
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if _lives(int(entry.name)):
                found[int(entry.name)] = command.strip()
        return found

    def close(self) -> dict[int, str]:
        """End everything; what was still alive after an orderly ``down``."""
        if self.living():
            self._terminate_supervisor()
        if self.living():
            self.run("down", "--timeout", "20s")
        with suppress(AssertionError):
            eventually(lambda: not self.living(), deadline=5.0)
        left = self.living()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._forget_started()
        return left

    def _forget_started(self) -> None:
        """What a test that has failed leaves open must not be found by the garbage collector in another test."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

    def _terminate_supervisor(self) -> None:
        """Have it do what ``down`` has it do, without a command that asks for it."""
        address = self.state / "supervisor.json"
        if address.exists() and not address.is_file():
            return  # a test has put a pipe there, which would keep us for ever
        with suppress(OSError, ValueError, KeyError):
            pid = self.supervisor_pid()
            if pid in self.living():
                os.kill(pid, signal.SIGTERM)
                with suppress(AssertionError):
                    eventually(lambda: not _lives(pid), deadline=20.0)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


P = TypeVar("P", bound=Project)


def open_project(kind: Callable[[Path], P]) -> Iterator[P]:
    """A project in a folder with a short name (the path of a socket is bounded), gone after the test."""
    folder = Path(tempfile.mkdtemp(prefix="spm-"))
    project = kind(folder)
    try:
        yield project
    finally:
        left = project.close()
        shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"processes were left behind: {left}"


def make_project() -> Iterator[Project]:
    """A project of a test."""
    yield from open_project(Project)
