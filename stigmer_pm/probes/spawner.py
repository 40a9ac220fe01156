"""What an exec probe needs from the process runtime, which owns every child of the supervisor.

One SIGCHLD reaper collects all children, so nothing here waits for a process itself: two parties that wait for one
child steal each other's status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol


class ProbeChild(Protocol):
    """A probe's command that runs, or has run."""

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its session and process group."""
        ...

    @property
    def exited(self) -> asyncio.Future[int]:
        """Done when the process has been reaped; holds the raw wait status."""
        ...

    def kill_tree(self) -> None:
        """Kill the process and everything it started. Harmless when nothing of it is left."""
        ...


class Spawner(Protocol):
    """Starts the commands of exec probes."""

    def spawn(
        self,
        argv: tuple[str, ...],
        *,
        cwd: str,
        env: Mapping[str, str],
        output_fd: int,
        user: str | None,
        group: str | None,
    ) -> ProbeChild:
        """Start ``argv`` in its own session: stdin is /dev/null, stdout and stderr are ``output_fd``.

        ``env`` is the whole environment. ``output_fd`` stays the caller's to close.

        Raises:
            OSError: it cannot be started, whatever the step that failed.
        """
        ...
