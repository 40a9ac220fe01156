"""The commands of exec probes: children of the supervisor like any other, in a session of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from stigmer_pm.runtime import system, table
from stigmer_pm.runtime.reaper import Reaper
from stigmer_pm.runtime.spawn import Program, SpawnFailure, spawn


class CommandChild:
    """A probe's command that runs, or has run. ``exited`` holds its wait status once it has been collected."""

    def __init__(self, pid: int, exited: asyncio.Future[int]) -> None:
        self.pid = pid
        self.exited = exited

    def kill_tree(self) -> None:
        """SIGKILL its group and all its descendants; nothing, once it has been collected.

        Without a free descriptor nobody can look for those of its descendants that have left the group; it goes all
        the same.
        """
        if self.exited.done():
            return  # its pid, and the number of its group, may be somebody else's by now
        found: list[int] = []
        with suppress(OSError):
            found = table.descendants(self.pid)  # before anything is killed, for then they hang together no more
        system.send_group_signal(self.pid, system.KILL)
        for pid in found:
            system.send_signal(pid, system.KILL)


class CommandSpawner:
    """Starts the commands of exec probes; the reaper collects them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, reaper: Reaper) -> None:
        self._loop = loop
        self._reaper = reaper
        self._running: set[CommandChild] = set()

    def spawn(
        self,
        argv: tuple[str, ...],
        *,
        cwd: str,
        env: Mapping[str, str],
        output_fd: int,
        user: str | None,
        group: str | None,
    ) -> CommandChild:
        """Start ``argv`` in its own session: stdin is /dev/null, stdout and stderr are ``output_fd``.

        Raises:
            OSError: it cannot be started, whatever the step that failed.
        """
        program = Program(argv=argv, working_dir=cwd, environment=env, user=user, group=group)
        try:
            pid = spawn(program, output_fd)
        except SpawnFailure as failure:
            kind = FileNotFoundError if failure.subject == argv[0] and "not found" in failure.detail else OSError
            raise kind(failure.number, failure.detail, failure.subject) from failure
        exited: asyncio.Future[int] = self._loop.create_future()
        child = CommandChild(pid, exited)
        self._running.add(child)
        self._reaper.watch(pid, lambda status: self._ended(child, status))
        return child

    def kill_all(self) -> None:
        """SIGKILL every command that runs: whoever waits for it will not be there any more."""
        for child in self._running:
            child.kill_tree()

    def _ended(self, child: CommandChild, status: int) -> None:
        self._running.discard(child)
        if not child.exited.done():
            child.exited.set_result(status)
