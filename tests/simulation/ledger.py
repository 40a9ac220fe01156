"""Restart accounting of one instance, kept from what the world has seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from stigmer_pm.core.state import InstanceState, Phase
from stigmer_pm.spec import ComponentSpec

from . import wishes
from .lives import After, Counts, End, Life, shortest_wait
from .violation import Violation

_PHASES = {
    After.COMPLETED: {Phase.COMPLETED},
    After.FAILED: {Phase.FAILED},
    After.STOPPED: {Phase.STOPPED, Phase.COMPLETED},
    After.WAIT: {Phase.BACKOFF},
    After.RETRIED: {Phase.BACKOFF},
    After.UNCOUNTED: {Phase.WAITING, Phase.STARTING},
    After.AT_ONCE: {Phase.WAITING, Phase.STARTING},
}
_WAITS = (After.WAIT, After.RETRIED)


@dataclass(slots=True)
class Ledger:
    """One instance.

    Attributes:
        tolerance: seconds within which two moments are the same.
        counts: as design.md counts.
        life: its last run, and ``end``: what must follow that, once it is over.
        is_asked: the next start is one that was asked for.
        is_unsure: a command may or may not have been carried out before the supervisor died, so counts are taken over
            from the records at the next start.
        decided: the number of the newest run that was decided; ``is_starting``: it has not begun yet, and may never do.
        is_killed: everything is being killed, and nothing has been started since.
        at_once: restarts that came at once, since the last that was asked for; ``in_row``: those of failed runs, since
            the last stable one. Both are kept apart from all other counting.
    """

    tolerance: float
    counts: Counts = field(default_factory=Counts)
    life: Life | None = None
    end: End | None = None
    is_asked: bool = False
    is_unsure: bool = False
    decided: int = 0
    is_starting: bool = False
    is_killed: bool = False
    at_once: list[float] = field(default_factory=list)
    in_row: list[float] = field(default_factory=list)

    def hear(self, said: wishes.Counts) -> None:
        """A command has been carried out."""
        self.is_unsure = self.is_unsure or said is wishes.Counts.UNSURE
        if said in (wishes.Counts.CLEARED, wishes.Counts.CLEARED_AND_STARTED):
            self.counts, self.at_once, self.in_row = Counts(), [], []
        self.is_asked = self.is_asked or said is wishes.Counts.CLEARED_AND_STARTED

    def end_run(self, state: InstanceState, end: End | None, now: float) -> None:
        """Its run is over, and ``end`` is what must follow; ``None``: that can't be told from outside."""
        self.end = end
        if self.life is not None and self.life.process.is_started:
            self.counts.shortages = 0
        if end is None:
            self.is_unsure = True
        if self.is_unsure or self.is_asked or end is None or end.after is After.REPLACED or state.run is not None:
            return
        name = state.name
        was_held = end.after in _WAITS and now >= end.told_at + end.shortest - self.tolerance
        if state.phase not in _PHASES[After.AT_ONCE if was_held and state.phase is not Phase.BACKOFF else end.after]:
            raise Violation(f"{name} is {state.phase} after a run that must be followed by {end}")
        if end.after in (After.AT_ONCE, *_WAITS, After.UNCOUNTED) and (state.failed_runs, state.slowed_restarts) != (
            end.failed,
            end.slowed,
        ):
            raise Violation(f"{name} counts {state.failed_runs} and {state.slowed_restarts} after {end}")

    def check_wait(self, state: InstanceState) -> None:
        """It is in backoff: until the right moment."""
        end = self.end
        if end is not None and end.after in _WAITS and not (self.is_unsure or self._is_in_time(state.start_at, end)):
            raise Violation(f"{state.name} is to wait until {state.start_at} after {end}")

    def decide(self, state: InstanceState, spec: ComponentSpec, now: float) -> None:
        """A start has been decided and written down: is it time, and may it begin at all? It is counted here."""
        assert state.run is not None, "a start has a run"
        is_repeated = self.is_starting or (self.life is not None and self.life.is_forgotten)
        self.decided, self.is_starting, self.is_killed = state.run.number, True, False
        end, self.end = self.end, None
        if self.is_unsure:
            self._take_over(state)
        elif self.is_asked:
            self.is_asked = False
        elif is_repeated:
            pass  # it was counted before; a supervisor has died over it, or it was overtaken
        elif self.life is None:
            raise Violation(f"{state.name} is started for the first time, and nobody has asked for it")
        elif end is None:
            raise Violation(f"{state.name} is started, and its last run has not ended")
        elif end.after is After.UNCOUNTED:
            self._compare(state)
        elif end.after is After.RETRIED:
            self._retry(end, state, now)
        elif end.after is not After.REPLACED:
            self._restart(end, state, spec, now)

    def begin(self, life: Life) -> None:
        """The run that was decided begins."""
        self.life, self.is_starting = life, False

    # --- inside -------------------------------------------------------------------------------------------------

    def _is_in_time(self, at: float | None, end: End) -> bool:
        earliest, latest = end.told_at + end.shortest - self.tolerance, end.told_at + end.longest + self.tolerance
        return at is not None and earliest <= at <= latest

    def _take_over(self, state: InstanceState) -> None:
        self.is_unsure = self.is_asked = False
        self.counts = Counts(
            state.failed_runs,
            state.slowed_restarts,
            state.shortages,
            list(state.failed_restarts),
            list(state.automatic_restarts),
        )
        self.at_once, self.in_row = [], []

    def _restart(self, end: End, state: InstanceState, spec: ComponentSpec, now: float) -> None:
        """An automatic restart."""
        name, waited = state.name, now - end.told_at
        if end.after not in (After.AT_ONCE, After.WAIT):
            raise Violation(f"{name} is restarted after {end}")
        if waited < end.shortest - self.tolerance:
            raise Violation(f"{name} waited {waited} s after {end}")
        # Of older restarts than these nothing is known any more when the limit is raised later.
        counts, limit = self.counts, max(1, spec.max_restarts or 1)
        counts.failed, counts.slowed, counts.shortages = end.failed, end.slowed, 0
        if end.was_stable:
            counts.failed_restarts, self.in_row = [], []
        else:
            self._check_row(name, end.spec, now, limit)
            counts.failed_restarts = [*end.recent, now][-limit:]
        counts.automatic = [*counts.automatic, now][-limit:]
        self._check_rate(name, end.spec, now, waited)
        self._compare(state)

    def _retry(self, end: End, state: InstanceState, now: float) -> None:
        """A start is tried again that a shortage has stopped."""
        if now - end.told_at < end.shortest - self.tolerance:
            raise Violation(f"{state.name} waited {now - end.told_at} s after {end}")
        self.counts.shortages = end.shortages
        self._compare(state)

    def _check_row(self, name: str, spec: ComponentSpec, now: float, limit: int) -> None:
        """At most so many restarts of failed runs in a row in any window."""
        recent = [at for at in self.in_row if at > now - spec.restart_window]
        if spec.max_restarts is not None and len(recent) >= spec.max_restarts:
            raise Violation(f"{name} is restarted after {len(recent)} restarts of failed runs in its window")
        self.in_row = [*recent, now][-limit:]

    def _check_rate(self, name: str, spec: ComponentSpec, now: float, waited: float) -> None:
        """In the long run: so many at once in any window, and all others have waited."""
        if spec.max_restarts is None or waited >= shortest_wait(spec) - self.tolerance:
            return
        recent = [at for at in self.at_once if at > now - spec.restart_window]
        if len(recent) >= max(1, spec.max_restarts):
            raise Violation(f"{name} is restarted at once, after {len(recent)} such restarts in its window")
        self.at_once = [*recent, now]

    def _compare(self, state: InstanceState) -> None:
        """The core must have counted the same, also after the death of a supervisor."""
        for what, mine, theirs in (
            ("restarts", self.counts.automatic, state.automatic_restarts),
            ("restarts of failed runs", self.counts.failed_restarts, state.failed_restarts),
        ):
            are_close = all(abs(a - b) <= self.tolerance for a, b in zip(mine, theirs, strict=False))
            if len(theirs) != len(mine) or not are_close:
                raise Violation(f"{state.name} has {what} at {theirs}, and they were at {mine}")
