"""Counting probe results, and when the next attempt is due: the kubelet's rules for one probe of one run.

Kubernetes: results are counted in a row; ``failureThreshold`` failures or ``successThreshold`` successes in a row
change the published result, one opposite outcome starts the count at one, and a discarded attempt counts as nothing.
Counts start anew with each run. Attempts lie on a grid of ``period`` from the first one; one that takes longer than
the period is followed by the next at once (one tick is remembered, the others are dropped), then by the grid again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from stigmer_pm.spec import ProbeKind, ProbeSpec


class Outcome(StrEnum):
    """How one attempt ended, which is what it says about the component.

    A warning counts as success and is reported (Kubernetes: event ProbeWarning). A discarded attempt (an internal
    error) says nothing: it neither feeds nor breaks a row of equal outcomes.
    """

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    DISCARDED = "discarded"


class Result(StrEnum):
    """What a probe says once its thresholds are applied."""

    UNKNOWN = "unknown"
    SUCCESS = "success"
    FAILURE = "failure"


#: Kubernetes: a run counts as alive until proven otherwise, as not ready until proven, and as not started.
INITIAL = {
    ProbeKind.LIVENESS: Result.SUCCESS,
    ProbeKind.READINESS: Result.FAILURE,
    ProbeKind.STARTUP: Result.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last attempt: how it ended, what it said, when it ended and how long it took (seconds)."""

    outcome: Outcome
    output: str
    at: float
    duration: float


@dataclass(frozen=True, slots=True)
class ProbeState:
    """One probe of one run.

    Attributes:
        result: the published result.
        streak_of, streak: the outcome that came last, and how often in a row.
        is_on_hold: no further attempts in this run (after a failed liveness or a decided startup probe).
        grid: the time that attempts are spaced from; ``next_at``: when the next one is due.
        began_at: when the attempt under way began; ``None`` when there is none.
    """

    result: Result
    grid: float
    next_at: float
    streak_of: Result = Result.UNKNOWN
    streak: int = 0
    is_on_hold: bool = False
    began_at: float | None = None
    last: Attempt | None = None

    @property
    def is_passing(self) -> bool:
        """The published result is success."""
        return self.result is Result.SUCCESS


def arm(probe: ProbeSpec, started_at: float, spread: float = 0.0) -> ProbeState:
    """The state of ``probe`` at the beginning of a run. The initial delay counts from the start of the run.

    ``spread`` in [0, 1): the second attempt comes that share of a period after the first, and the others a period
    apart from it, so that the probes of many that were started together do not come in bursts for ever. No attempt
    comes later for it. (The kubelet spreads by a random wait before the first attempt, and only after its own start.)
    """
    first = started_at + probe.initial_delay
    grid = first + (spread - 1.0) * probe.period if spread else first
    return ProbeState(result=INITIAL[probe.kind], grid=grid, next_at=first)


def begin(state: ProbeState, now: float) -> ProbeState:
    """An attempt begins now."""
    return replace(state, began_at=now)


def finish(probe: ProbeSpec, state: ProbeState, attempt: Attempt) -> ProbeState:
    """The attempt under way has ended: count it, publish at the threshold, and set the time of the next one."""
    began_at = attempt.at if state.began_at is None else state.began_at
    state = replace(
        state, began_at=None, last=attempt, next_at=max(attempt.at, _tick_after(probe, state.grid, began_at))
    )
    if attempt.outcome is Outcome.DISCARDED:
        return state
    found = Result.FAILURE if attempt.outcome is Outcome.FAILURE else Result.SUCCESS
    streak = state.streak + 1 if found is state.streak_of else 1
    state = replace(state, streak_of=found, streak=streak)
    threshold = probe.failure_threshold if found is Result.FAILURE else probe.success_threshold
    if streak < threshold:
        return state
    decided = probe.kind is ProbeKind.STARTUP or (probe.kind is ProbeKind.LIVENESS and found is Result.FAILURE)
    return replace(state, result=found, is_on_hold=state.is_on_hold or decided)


def trigger(state: ProbeState, now: float) -> ProbeState:
    """Ask at once, and space later attempts from now (Kubernetes: readiness when the startup probe has passed)."""
    return replace(state, next_at=now, grid=now)


def resume(probe: ProbeSpec, state: ProbeState, now: float) -> ProbeState:
    """Attempts were held back until now: go on at the next tick of the grid (Kubernetes: liveness after startup)."""
    if state.next_at >= now:
        return state
    return replace(state, next_at=_tick_at_or_after(probe, state.grid, now))


def _tick_after(probe: ProbeSpec, grid: float, moment: float) -> float:
    # A millionth of a period of tolerance, so that an attempt that began on its tick has the following one next.
    passed = math.floor((moment - grid) / probe.period + 1e-6)
    return grid + (passed + 1) * probe.period


def _tick_at_or_after(probe: ProbeSpec, grid: float, moment: float) -> float:
    return grid + math.ceil((moment - grid) / probe.period - 1e-6) * probe.period
