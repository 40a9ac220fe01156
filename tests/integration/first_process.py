"""A container as far as pids go: a command as process 1 of a namespace of its own, with the files of the test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from ..project import Project, eventually

_UNSHARE = ("--pid", "--fork", "--kill-child", "--mount-proc")


@cache
def unshare() -> tuple[str, ...]:
    """The command that makes the namespace; empty when this user may not."""
    path = shutil.which("unshare")
    if path is None:
        return ()
    for command in ((path, *_UNSHARE), (path, "--user", "--map-root-user", *_UNSHARE)):
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return ()


def can_unshare() -> bool:
    """Namespaces can be made here."""
    return bool(unshare())


class FirstProcess:
    """``up --foreground`` as process 1; ``before`` are lines of a shell that becomes it."""

    def __init__(self, project: Project, *options: str, before: str = "") -> None:
        # The shell is process 1 and gives its pid to what it execs, as an entrypoint does.
        script = f'{before}\nexec "$@"'
        up = [sys.executable, "-m", "stigmer_pm", "up", "--foreground", *options]
        self._process = subprocess.Popen(
            [*unshare(), "sh", "-c", script, "sh", *up],
            cwd=project.dir,
            env=project.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = eventually(self._child, "unshare has forked")

    def _child(self) -> int | None:
        """Process 1, by the pid that it has out here."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        with suppress(OSError):
            return next((int(pid) for pid in children.read_text().split()), None)
        return None

    def signal(self, number: int) -> None:
        """From outside, as an engine sends one."""
        os.kill(self.pid, number)

    def stop(self) -> tuple[int, str]:
        """As ``docker stop``; the exit status and what was said. It must not come to SIGKILL."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        """The exit status, and what was said."""
        out, _ = self._process.communicate(timeout=30)
        return self._process.returncode, out

    def destroy(self) -> None:
        """As ``docker kill``: process 1 is killed, and the kernel kills all others."""
        self.signal(signal.SIGKILL)
        self._process.communicate(timeout=30)

    def run(self, *command: str) -> str:
        """As ``docker exec``: the output of a command inside."""
        enter = ["nsenter", f"--target={self.pid}", "--pid", "--mount"]
        if "--user" in unshare():
            enter += ["--user", "--preserve-credentials"]
        done = subprocess.run([*enter, *command], capture_output=True, text=True, check=True, timeout=30)
        return done.stdout

    def inside(self) -> dict[int, list[str]]:
        """State and parent of every process inside, by its pid there: the fields of ``/proc/PID/stat`` from the third
        on."""
        text = self.run("sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true")
        rows = (line for line in text.splitlines() if ")" in line)
        return {int(row.split()[0]): row.rpartition(")")[2].split() for row in rows}
