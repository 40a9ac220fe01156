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

from stigmer_pm.core.copies import changer
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
        spread: which place in each period is its own, in (0, 1), when the probes of many are spread; else 0.
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
    spread: float = 0.0

    @property
    def is_passing(self) -> bool:
        """The published result is success."""
        return self.result is Result.SUCCESS


def arm(probe: ProbeSpec, started_at: float, spread: float = 0.0) -> ProbeState:
    """The state of ``probe`` at the beginning of a run. The initial delay counts from the start of the run.

    ``spread`` in (0, 1): the place in each period of the clock itself that its attempts are to have, so that the probes
    of many that were started together do not come in bursts for ever. Of several with the same period, those with the
    same place come at the same moment, whenever they were started. See :func:`finish` for when it takes its place.
    (The kubelet spreads by a random wait before the first attempt, and only after its own start.)
    """
    first = started_at + probe.initial_delay
    return ProbeState(result=INITIAL[probe.kind], grid=first, next_at=first, spread=spread)


_WITH_BEGAN_AT = changer(ProbeState, "began_at")


def begin(state: ProbeState, now: float) -> ProbeState:
    """An attempt begins now."""
    return _WITH_BEGAN_AT(state, now)


def finish(probe: ProbeSpec, state: ProbeState, attempt: Attempt) -> ProbeState:
    """The attempt under way has ended: count it, publish at the threshold, and set the time of the next one.

    A probe that is spread takes its place here, so one attempt comes early, and none late. A row of failures must not
    be shortened by that, for it ends a run: a liveness or startup probe waits for its first success.
    """
    began_at = attempt.at if state.began_at is None else state.began_at
    if attempt.outcome is Outcome.DISCARDED:
        next_at = max(attempt.at, _tick_after(probe, state.grid, began_at))
        return replace(state, began_at=None, last=attempt, next_at=next_at)
    found = Result.FAILURE if attempt.outcome is Outcome.FAILURE else Result.SUCCESS
    streak = state.streak + 1 if found is state.streak_of else 1
    threshold = probe.failure_threshold if found is Result.FAILURE else probe.success_threshold
    is_published = streak >= threshold
    is_decided = probe.kind is ProbeKind.STARTUP or (probe.kind is ProbeKind.LIVENESS and found is Result.FAILURE)
    takes_place = state.spread and (found is Result.SUCCESS or probe.kind is ProbeKind.READINESS)
    grid = state.spread * probe.period if takes_place else state.grid
    return ProbeState(
        result=found if is_published else state.result,
        grid=grid,
        next_at=max(attempt.at, _tick_after(probe, grid, began_at)),
        streak_of=found,
        streak=streak,
        is_on_hold=state.is_on_hold or (is_published and is_decided),
        last=attempt,
        spread=state.spread,
    )


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
