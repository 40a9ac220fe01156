"""What a supervisor is told of containers: nothing while the engine is away, and nothing of what is still sought."""

from __future__ import annotations

from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.core.state import Exit, StopCause
from stigmer_pm.runtime.run import Started
from stigmer_pm.runtime.spawn import SpawnFailure

from .ground import Ground
from .processes import Process


class EngineVoice:
    """Tells the supervisor, if there is one.

    Attributes:
        is_away: the engine does not answer, so nothing of it is told.
        sees_pids: the processes of containers are to be seen, so their end is known also while the engine is away.
        sought: the runs of an earlier supervisor that are still looked for, by instance and number: what there is of
            each, and whether it is on record that it has begun.
    """

    def __init__(self, ground: Ground) -> None:
        self.is_away = False
        self.sees_pids = True
        self.sought: dict[tuple[str, int], tuple[Process | None, bool]] = {}
        self._ground = ground

    def is_sought(self, process: Process) -> bool:
        """It is still looked for."""
        return (process.instance, process.run) in self.sought

    def tell_started(self, process: Process) -> None:
        """It runs, or has run already."""
        if self._ground.news is None:
            return
        process.found_at, process.note = self._ground.clock.at, NO_REASON
        pid = process.pid if self.sees_pids else 0
        self._ground.news.started(
            process.instance, process.run, Started(pid, process.pid, 0, f"c{process.pid:011x}", process.health)
        )
        if self._ground.watcher is not None:
            self._ground.watcher.tells_health(process)

    def tell_nothing_began(self, instance: str, run: int, failure: SpawnFailure | None) -> None:
        """A start has come to nothing; without a failure, it was taken back or never begun."""
        if self._ground.news is not None:
            self._ground.news.not_started(instance, run, failure)

    def tell_end(self, process: Process, cause: StopCause | None) -> None:
        """It has ended: once, and of one that ends while the engine is away only when its pid was to be seen."""
        is_told = process.exit_is_told or not process.is_watched or self.is_sought(process)
        if is_told or self._ground.news is None or (self.is_away and not self.sees_pids):
            return
        if self.is_away:
            cause = StopCause.ENGINE
        process.exit_is_told, process.told_at, process.told_cause = True, self._ground.clock.at, cause
        process.told_status = self._ground.told_status(process.status)
        self._ground.news.ended(process.instance, process.run, _exit_of(process.told_status), cause)
        self._ground.has_changed(process)

    def tell_health(self, process: Process) -> None:
        """What its HEALTHCHECK says."""
        if self._ground.news is None or not self._hears_of(process) or process.health is None:
            return
        if self._ground.watcher is not None:
            self._ground.watcher.tells_health(process)
        output = "well" if process.health else "ill"
        self._ground.news.health(process.instance, process.run, passes=process.health, output=output)

    def tell_whether_paused(self, process: Process) -> None:
        """Somebody has paused it, or not any more."""
        if self._hears_of(process):
            self.note(process, Reason(Why.PAUSED) if process.is_paused else NO_REASON)

    def note(self, process: Process, reason: Reason) -> None:
        """Something about it; what was said already is not said again."""
        if self._ground.news is None or not process.is_watched or process.exit_is_told or process.note == reason:
            return
        process.note = reason
        self._ground.news.noted(process.instance, process.run, reason)

    def _hears_of(self, process: Process) -> bool:
        return process.is_watched and not self.is_away and not self.is_sought(process)


def _exit_of(status: int | None) -> Exit:
    """A wait status as an engine tells it: a death by signal n is 128 + n as well."""
    if status is None:
        return Exit()
    signal = status & 0x7F
    return Exit(code=128 + signal, signal=signal) if signal else Exit(code=status >> 8)
