"""Where a project keeps its state: the names of the files in ``.stigmer/``, and nothing else.

Clients and the supervisor both look here, so the layout is written down once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateDir:
    """The state folder of one project (``.stigmer`` beside ``stigmer.yaml`` unless the file says otherwise)."""

    path: str

    @property
    def database(self) -> str:
        """SQLite: the applied spec, every instance's state, run history, events."""
        return os.path.join(self.path, "state.db")

    @property
    def lock(self) -> str:
        """Locked (``flock``) by the supervisor for as long as it lives."""
        return os.path.join(self.path, "supervisor.lock")

    @property
    def address(self) -> str:
        """JSON: pid, socket, version and project file of the supervisor that last ran here."""
        return os.path.join(self.path, "supervisor.json")

    @property
    def supervisor_log(self) -> str:
        """What the supervisor says about itself, tracebacks included."""
        return os.path.join(self.path, "supervisor.log")

    @property
    def logs(self) -> str:
        """The folder of the components' log files, unless they name another."""
        return os.path.join(self.path, "logs")

    @property
    def pids(self) -> str:
        """The folder of ``NAME.pid`` files."""
        return os.path.join(self.path, "pids")

    @property
    def cgroup(self) -> str:
        """Text: where the cgroups of the runs are, where they have any."""
        return os.path.join(self.path, "cgroup")

    @property
    def positions(self) -> str:
        """The folder in which is kept how far the output of containers has been copied."""
        return os.path.join(self.path, "positions")

    @property
    def gitignore(self) -> str:
        """Keeps all of this out of the user's repository."""
        return os.path.join(self.path, ".gitignore")
