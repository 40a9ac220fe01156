"""A spawner for tests: real processes, each with its own session, reaped through a pidfd."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil


@dataclass
class RealChild:
    """A process that the test spawner started."""

    process: subprocess.Popen[bytes]
    exited: asyncio.Future[int]

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill_tree(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def living(self) -> list[int]:
        """The processes of its session that still run."""
        return [pid for pid in psutil.pids() if _session(pid) == self.pid and _runs(pid)]


@dataclass
class RealSpawner:
    """Starts real processes; ``close`` ends what a test left."""

    children: list[RealChild] = field(default_factory=list)
    users: list[tuple[str | None, str | None]] = field(default_factory=list)

    def spawn(
        self,
        argv: tuple[str, ...],
        *,
        cwd: str,
        env: Mapping[str, str],
        output_fd: int,
        user: str | None,
        group: str | None,
    ) -> RealChild:
        self.users.append((user, group))
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output_fd,
            stderr=output_fd,
            start_new_session=True,
        )
        loop = asyncio.get_running_loop()
        child = RealChild(process, loop.create_future())
        self.children.append(child)
        pidfd = os.pidfd_open(process.pid)

        def reap() -> None:
            loop.remove_reader(pidfd)
            os.close(pidfd)
            _, status = os.waitpid(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            child.exited.set_result(status)

        loop.add_reader(pidfd, reap)
        return child

    def close(self) -> None:
        for child in self.children:
            child.kill_tree()
            assert child.process.returncode is not None, "the test ended before its command was reaped"


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
