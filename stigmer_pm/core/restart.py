"""Restart accounting: whether a run that ended by itself is followed by another one, and after how long.

* A stable run that ends is restarted at once and clears the count of failed runs in a row.
* The n-th failed run in a row waits ``initial * factor ** (n - 1)`` seconds, at most ``max``, from its end.
* ``max_restarts`` failed runs in a row restarted within ``restart_window``, and one more failed: give up.
* A start that a shortage of the machine has stopped has not happened, whatever the policy: it is tried again, after
  waits by a count of its own on the same ladder, and never given up on. Nothing else is counted: it is no failed run,
  and the restart that it was to be stays one.
* ``max_restarts`` automatic restarts within ``restart_window``, and yet another stable run ended: flapping. It is
  slowed by the same ladder, counted on its own, and never given up on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from stigmer_pm.core.state import Desired, InstanceState, Pending, Run, RunEnd
from stigmer_pm.spec import Backoff, ComponentSpec, RestartPolicy


class Next(Enum):
    """What follows the end of a run that nobody asked for."""

    AT_ONCE = auto()
    BACKOFF = auto()
    COMPLETED = auto()
    FAILED = auto()
    GIVE_UP = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows, after which delay in seconds, and the accounting that goes with it."""

    next: Next
    state: InstanceState
    delay: float = 0.0
    is_flapping: bool = False
    flapping_ended: bool = False


def is_stable(spec: ComponentSpec, run: Run, until: float) -> bool:
    """The run was up for ``min_uptime`` at ``until``, was started, and its liveness probe had passed, if it has one."""
    if run.started_at is None or not run.is_started:
        return False
    if spec.probes.liveness is not None and not run.has_been_healthy:
        return False
    return until - run.started_at >= spec.min_uptime


def is_success(spec: ComponentSpec, end: RunEnd) -> bool:
    """The exit status is one of ``success_exit_codes``. An unknown status is no success, nor is a forced SIGKILL."""
    if end.exit is None or end.killed:
        return False
    # Of a container killed by signal n both are known, and 128 + n may be what the file lists.
    return end.exit.signal in spec.success.signals or end.exit.code in spec.success.codes


def delay_after(backoff: Backoff, failures: int, chance: float) -> float:
    """Seconds to wait after the ``failures``-th failure in a row; ``chance`` in [0, 1) takes off up to ``jitter``."""
    # The exponent is bounded: factor ** 2000 would overflow, and the ladder has reached its top long before.
    delay = min(backoff.max, backoff.initial * backoff.factor ** min(failures - 1, 64))
    return delay * (1.0 - backoff.jitter * chance)


def decide(spec: ComponentSpec, state: InstanceState, end: RunEnd, *, stable: bool, chance: float) -> Decision:
    """What follows the end of a run that ended by itself or by a probe, or of a start that came to nothing."""
    if end.is_shortage:
        return Decision(Next.BACKOFF, state, delay_after(spec.backoff, state.shortages, chance))
    if not _is_restarted(spec, end):
        if is_success(spec, end) and not (end.cause is not None and end.cause.is_probe):
            return Decision(Next.COMPLETED, clear_counts(state))
        return Decision(Next.FAILED, replace(state, failed_runs=0 if stable else state.failed_runs + 1))
    if stable:
        return _after_stable(spec, state, end.at, chance)
    return _after_failed(spec, state, end, chance)


def _is_restarted(spec: ComponentSpec, end: RunEnd) -> bool:
    if spec.restart is RestartPolicy.NEVER:
        return False
    if spec.restart is RestartPolicy.ON_FAILURE:
        # Kubernetes: under OnFailure a failed liveness or startup probe restarts whatever the exit status.
        return (end.cause is not None and end.cause.is_probe) or not is_success(spec, end)
    return True


def _after_failed(spec: ComponentSpec, state: InstanceState, end: RunEnd, chance: float) -> Decision:
    failed = state.failed_runs + 1
    recent = tuple(t for t in state.failed_restarts if t > end.at - spec.restart_window)
    state = replace(state, failed_runs=failed, failed_restarts=recent)
    if spec.max_restarts is not None and len(recent) >= spec.max_restarts:
        return Decision(Next.GIVE_UP, state)
    return Decision(
        Next.BACKOFF,
        replace(state, pending=Pending.AFTER_FAILED),
        delay_after(spec.backoff, failed, chance),
    )


def _after_stable(spec: ComponentSpec, state: InstanceState, ended_at: float, chance: float) -> Decision:
    state = replace(state, failed_runs=0, failed_restarts=(), pending=Pending.AFTER_STABLE)
    threshold = flapping_threshold(spec)
    recent = [t for t in state.automatic_restarts if t > ended_at - spec.restart_window]
    if threshold is None or len(recent) < threshold:
        ended = state.slowed_restarts > 0
        return Decision(Next.AT_ONCE, replace(state, slowed_restarts=0), flapping_ended=ended)
    slowed = state.slowed_restarts + 1
    delay = delay_after(spec.backoff, slowed, chance)
    return Decision(Next.BACKOFF, replace(state, slowed_restarts=slowed), delay, is_flapping=True)


def flapping_threshold(spec: ComponentSpec) -> int | None:
    """How many automatic restarts in the window make the next one flapping; ``None``: the limit is off.

    With ``max_restarts: 0`` a threshold of none would slow the very first restart of a stable run, so it is one.
    """
    return None if spec.max_restarts is None else max(1, spec.max_restarts)


def count_restart(spec: ComponentSpec, state: InstanceState, now: float) -> InstanceState:
    """The start that happens now is an automatic restart, if one was pending: count it."""
    if state.pending is Pending.NOT_AUTOMATIC:
        return state
    keep = flapping_threshold(spec) or 1
    failed = state.failed_restarts
    if state.pending is Pending.AFTER_FAILED:
        # Only the newest max_restarts of them can matter, so the state stays bounded.
        failed = (*failed, now)[-max(1, spec.max_restarts or 1) :]
    return replace(
        state,
        restarts=state.restarts + 1,
        pending=Pending.NOT_AUTOMATIC,
        failed_restarts=failed,
        automatic_restarts=(*state.automatic_restarts, now)[-keep:],
    )


def clear_counts(state: InstanceState) -> InstanceState:
    """Forget failed runs, shortages and flapping, as a start, a restart or a reset by hand does; ``restarts`` stays."""
    return replace(
        state,
        failed_runs=0,
        failed_restarts=(),
        automatic_restarts=(),
        slowed_restarts=0,
        shortages=0,
        pending=Pending.NOT_AUTOMATIC,
        start_at=None,
    )


def failed_runs_shown(spec: ComponentSpec, state: InstanceState, now: float) -> int:
    """Failed runs in a row for people: a run that has become stable has ended the row, though it is still up."""
    if state.desired is Desired.RUNNING and state.run is not None and is_stable(spec, state.run, now):
        return 0
    return state.failed_runs
