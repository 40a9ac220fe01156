"""A Docker engine of the tests' own: started in a folder, ended by its pid, gone without a trace.

``python -m tests.docker.engine`` prints the address of one, and runs it until SIGTERM, Ctrl-C, or the end of its input.

It lives beside other engines of the machine and touches none of them. An engine that manages iptables removes the
chains of every other one when it starts, and its bridge is called docker0 like theirs; so this one has neither. What it
needs in their place, packets between its own containers, is one rule that is there as long as it runs.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import docker

from ..project import eventually

#: What has to be there to start one.
PROGRAMS = ("dockerd", "iptables", "setpriv", "busybox")

#: Seconds that an engine may take to answer, or to end.
_DEADLINE = 30.0


class EngineError(Exception):
    """There is no engine, or it did not start; the reason in one line."""


def connect(host: str, timeout: int = 60) -> docker.DockerClient:
    """A client of the engine at ``host``; the caller closes it."""
    return docker.DockerClient(base_url=host, version="1.41", timeout=timeout)


def lacking() -> str:
    """Why no engine can be started here; empty when one can."""
    if os.geteuid() != 0:
        return "only root can start one"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


class Dockerd:
    """One engine in a folder of its own. It ends with the process that started it, whatever that one dies of."""

    def __init__(self) -> None:
        # Of letters and digits, as the namespaces of containerd want it, which are called like it.
        self.folder = Path(tempfile.gettempdir(), f"spm-engine-{uuid.uuid4().hex[:10]}")
        self.folder.mkdir(mode=0o700)
        self.host = f"unix://{self.folder}/docker.sock"
        # Engines look for a free range in the routes of the machine, and two that look at once find the same one.
        self._pool = f"10.{random.randrange(64, 250)}.0.0/16"  # noqa: S311  (a number, no secret)
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "daemon.json").write_text("{}")  # instead of the machine's own

    @property
    def pid(self) -> int:
        """The pid of the engine that runs."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started, and neither stopped nor killed."""
        return self._process is not None

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            EngineError: it ends, or doesn't answer in time.
        """
        assert self._process is None, "it runs"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self._command()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._rule("-I")
        try:
            eventually(self._is_there, "the engine answers", _DEADLINE)
        except AssertionError:
            self.kill()
            raise EngineError(f"dockerd does not start: {self._last_words()}") from None

    def stop(self) -> None:
        """End it as a shutdown of the machine does: it stops its containers, and ends."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does: its containers run on, until the next engine finds them."""
        self._end(signal.SIGKILL)
        # Its containerd dies with it, a moment later; an engine that starts in that moment would rely on it. And a
        # file with a pid that is somebody else's by now would be in its way.
        left = self.folder / "exec" / "containerd" / "containerd.pid"
        if left.exists():
            eventually(lambda: not Path(f"/proc/{left.read_text()}").exists(), "containerd has ended", _DEADLINE)
        left.unlink(missing_ok=True)
        (self.folder / "docker.pid").unlink(missing_ok=True)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections, for the kernel does that, and says nothing."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it with all that it has, and remove its folder."""
        # What a killed engine has left running is known to the next one alone.
        with suppress(EngineError):
            if self._process is None and (self.folder / "data").exists():
                self.start()
        if self._process is not None:
            with suppress(docker.errors.APIError):
                remove_all_containers(self.host)
            self.stop()
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            point = line.split()[1]
            if point.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self) -> list[str]:
        name = self.folder.name
        return [
            "dockerd",
            f"--config-file={self.folder}/daemon.json",
            f"--data-root={self.folder}/data",
            f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/docker.pid",
            f"--host={self.host}",
            f"--group={os.getegid()}",
            # A containerd of the machine is used when there is one, and then names keep engines apart.
            f"--containerd-namespace={name}",
            f"--containerd-plugins-namespace=plugins.{name}",
            "--bridge=none",
            "--iptables=false",
            "--ip-masq=false",
            "--ip-forward=false",
            f"--default-address-pool=base={self._pool},size=24",
            "--log-level=warn",
        ]

    def _is_there(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise AssertionError("dockerd has ended")
        # The SDK leaks a socket that finds nobody.
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(self.folder / "docker.sock"))
            with closing(connect(self.host)) as client, suppress(docker.errors.APIError):
                return bool(client.ping())
        return False

    def _last_words(self) -> str:
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        return " / ".join(lines[-3:]) or "it says nothing"

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None, "it does not run"
        self._process.send_signal(how)
        try:
            self._process.wait(_DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._rule("-D")

    def _rule(self, action: str) -> None:
        # Another engine of the machine may have made "drop" the rule for what is forwarded, bridges included.
        rule = ["-s", self._pool, "-d", self._pool, "-j", "ACCEPT"]
        subprocess.run(["iptables", "-w", action, "FORWARD", *rule], check=False, capture_output=True)


def run_until_told() -> None:
    """Run one, as this module does when it is a program."""
    if reason := lacking():
        sys.exit(f"cannot start a Docker engine: {reason}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = Dockerd()
    try:
        engine.start()
        sys.stdout.write(f"{engine.host}\n")
        sys.stdout.flush()
        sys.stdin.read()
    except EngineError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass
    finally:
        # A second signal, such as that of a terminal after that of a script, must not end the ending.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        engine.close()


def remove_all_containers(host: str) -> None:
    """End every container of an engine that is ours alone."""
    with closing(connect(host)) as client:
        for container in client.containers.list(all=True, ignore_removed=True):
            with suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)


if __name__ == "__main__":
    run_until_told()
