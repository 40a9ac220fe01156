"""Who is told what becomes of runs of containers."""

from __future__ import annotations

from typing import Protocol

from stigmer_pm.core.reasons import Reason
from stigmer_pm.core.state import Exit, StopCause
from stigmer_pm.runtime.run import Started
from stigmer_pm.runtime.spawn import SpawnFailure


class Listener(Protocol):
    """Who is told what becomes of runs."""

    def started(self, instance: str, run: int, started: Started) -> None:
        """It has begun."""

    def not_started(self, instance: str, run: int, failure: SpawnFailure | None) -> None:
        """It can't be started; without a failure: it has been taken back, or never began."""

    def ended(self, instance: str, run: int, end: Exit, cause: StopCause | None = None) -> None:
        """It has ended; ``cause``: by what, where that is nothing that it can be blamed for."""

    def noted(self, instance: str, run: int, reason: Reason) -> None:
        """Something about it while it is under way; ``NO_REASON``: no longer."""

    def health(self, instance: str, run: int, *, passes: bool, output: str) -> None:
        """What its HEALTHCHECK says."""

    def warned(self, instance: str, words: str) -> None:
        """Something about an instance that is about no run of it."""

    def has(self, instance: str) -> bool:
        """It is an instance of the project."""
        ...

    def knows(self, instance: str) -> bool:
        """It runs as a container, and is an instance of the project, or may become one: its file has it."""
        ...
