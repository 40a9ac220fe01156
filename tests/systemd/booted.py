"""A systemd that runs as process 1 of namespaces of its own, with the files of this machine and units of the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ..project import Project, eventually

_SYSTEMD = "/lib/systemd/systemd"
#: What units refer to without being asked.
_TARGETS = ("try", "sysinit", "basic", "network-online", "multi-user", "shutdown")

_BOOT = """
mount --make-rprivate /
mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/{group}
echo $$ > /sys/fs/cgroup/{group}/cgroup.procs
exec unshare --cgroup sh -c '
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs none /run
export container=lxc SYSTEMD_UNIT_PATH={units}
exec {systemd} --system --unit=try.target --log-target=console --show-status=0'
"""


def lacking() -> str:
    """Why it can't be booted here; empty when it can."""
    if os.environ.get("STIGMER_PM_TEST_SYSTEMD") != "1":
        return "STIGMER_PM_TEST_SYSTEMD=1 is not set ('make test-systemd' sets it)"
    if os.geteuid() != 0:
        return "only root can"
    missing = [name for name in (_SYSTEMD, "unshare", "nsenter", "systemctl") if shutil.which(name) is None]
    return f"there is no {missing[0]}" if missing else ""


class Booted:
    """It has the unit of a project, and ``systemctl`` acts on it."""

    def __init__(self, units: Path, pid: int) -> None:
        self._units = units
        self._pid = pid
        self.unit = ""

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        enter = ["nsenter", f"--target={self._pid}", "--all", f"--wd={cwd or '/'}"]
        return subprocess.run([*enter, *command], capture_output=True, text=True, check=False, timeout=60)

    def install(self, project: Project, **settings: str) -> None:
        """Save what ``startup --print`` prints, with some settings changed or added."""
        text = project.ok("startup", "--print", "--system").out
        lines = [line for line in text.splitlines() if line.partition("=")[0] not in settings]
        at = lines.index("[Service]") + 1
        lines[at:at] = [f"{key}={value}" for key, value in settings.items()]
        # What the fixture looks for when it ends what a test has left.
        lines.insert(at, f"Environment=STIGMER_TEST_PROJECT={project.mark} TMPDIR={project.environ['TMPDIR']}")
        self.unit = "stigmer-pm-" + project.dir.name + ".service"
        (self._units / self.unit).write_text("\n".join(lines) + "\n")
        assert self.run("systemctl", "daemon-reload").returncode == 0

    def systemctl(self, verb: str, *options: str) -> int:
        """Act on the unit; the exit status."""
        return self.run("systemctl", *options, verb, self.unit).returncode

    def show(self, key: str) -> str:
        """A property of the unit."""
        return self.run("systemctl", "show", "-P", key, self.unit).stdout.strip()

    def wait(self, **properties: str) -> None:
        """Until these are so."""
        eventually(lambda: {key: self.show(key) for key in properties} == properties, f"{properties}")

    def kill(self, signal: str) -> None:
        """Signal the supervisor, and nobody else."""
        assert self.run("kill", f"-{signal}", self.show("MainPID")).returncode == 0

    def stigmer_pm(self, project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours inside."""
        environ = [f"{key}={value}" for key, value in project.environ.items()]
        return self.run("env", *environ, sys.executable, "-m", "stigmer_pm", *arguments, cwd=project.dir)


@contextmanager
def booted() -> Iterator[Booted]:
    """One that has nothing but the targets that it needs."""
    units = Path(tempfile.mkdtemp(prefix="spm-units-"))
    for name in _TARGETS:
        (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    group = f"spm-{os.getpid()}"
    script = _BOOT.format(group=group, units=units, systemd=_SYSTEMD)
    outer = subprocess.Popen(
        ["unshare", "--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        pid = int(eventually(lambda: children.read_text().split(), "unshare has forked")[0])
        found = Booted(units, pid)
        eventually(lambda: "running" in found.run("systemctl", "is-system-running").stdout, "systemd runs")
        yield found
    finally:
        # With it go all processes of its namespace.
        outer.kill()
        outer.wait()
        shutil.rmtree(units)
        _remove_group(group)


def _remove_group(name: str) -> None:
    for root in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        folders = [root / name, *(root / name).rglob("*")] if (root / name).is_dir() else []
        for folder in sorted((f for f in folders if f.is_dir()), key=lambda f: len(f.parts), reverse=True):
            eventually(partial(_is_removed, folder), f"{folder} is empty")


def _is_removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
