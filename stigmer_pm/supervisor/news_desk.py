"""What the world tells, as events for the core."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection

from stigmer_pm.core.effects import EventKind, Record
from stigmer_pm.core.events import (
    Emptied,
    Event,
    Exited,
    HealthTold,
    Noted,
    NotStarted,
    ProbeDone,
    Spawned,
    SpawnFailed,
)
from stigmer_pm.core.project import Project
from stigmer_pm.core.reasons import Reason
from stigmer_pm.core.state import Exit, SpawnError, StopCause
from stigmer_pm.runtime.run import Started
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.supervisor.recorder import Recorder


class NewsDesk:
    """Hands on to ``post`` what happens in the world. See :class:`stigmer_pm.supervisor.surroundings.News`.

    ``warn`` puts an entry that is about no run into the journal. ``chance`` gives numbers in [0, 1) for the jitter of
    the backoffs that follow.
    """

    def __init__(
        self,
        project: Project,
        recorder: Recorder,
        post: Callable[[str, Event], None],
        warn: Callable[[Record], None],
        chance: Callable[[], float],
    ) -> None:
        #: The containers of the file as it was last applied; ``None``: no file has been seen.
        self.declared: Collection[str] | None = None
        self._project = project
        self._recorder = recorder
        self._post = post
        self._warn = warn
        self._chance = chance

    def exited(self, instance: str, run: int, status: int | None, remaining: bool) -> None:
        """The leader of a run is gone."""
        self._post(instance, Exited(run, exit_of(status), remaining, self._chance()))

    def emptied(self, instance: str, run: int) -> None:
        """The last process that a leader left behind is gone."""
        self._post(instance, Emptied(run, self._chance()))

    def started(self, instance: str, run: int, started: Started) -> None:
        """A run has begun, or was found again."""
        self._recorder.begun(instance, run, started)
        taken = started.port_was_taken
        self._post(instance, Spawned(run, started.pid, started.container, started.health, port_was_taken=taken))

    def not_started(self, instance: str, run: int, failure: SpawnFailure | None) -> None:
        """A start has come to nothing."""
        if failure is None:
            self._post(instance, NotStarted(run))
            return
        error = SpawnError(failure.step, failure.subject, failure.number, failure.detail)
        self._post(instance, SpawnFailed(run, error, self._chance()))

    def ended(self, instance: str, run: int, end: Exit, cause: StopCause | None = None) -> None:
        """A container has ended."""
        self._post(instance, Exited(run, end, chance=self._chance(), cause=cause))

    def noted(self, instance: str, run: int, reason: Reason) -> None:
        """Something about a run that is under way."""
        self._post(instance, Noted(run, reason))

    def health(self, instance: str, run: int, *, passes: bool, output: str) -> None:
        """What the HEALTHCHECK of a container says."""
        self._post(instance, HealthTold(run, passes, output))

    def warned(self, instance: str, words: str) -> None:
        """Something about an instance that is about no run of it."""
        self._warn(Record(instance, EventKind.WARNING, words))

    def has(self, instance: str) -> bool:
        """It is an instance of the project."""
        return self._project.find(instance) is not None

    def knows(self, instance: str) -> bool:
        """It runs as a container, and is an instance of the project, or may become one: the file has it, or this
        supervisor hasn't seen a file."""
        found = self._project.find(instance)
        if found is None:
            return self.declared is None or instance in self.declared
        return found.spec.container is not None

    def probed(self, instance: str, result: ProbeDone) -> None:
        """An attempt of a probe has ended."""
        self._post(instance, result)


def exit_of(status: int | None) -> Exit:
    """A wait status as the core keeps it; ``None``: nobody could tell."""
    if status is None:
        return Exit()
    if os.WIFSIGNALED(status):
        return Exit(signal=os.WTERMSIG(status))
    return Exit(code=os.WEXITSTATUS(status))
