"""What is wanted of an instance: a start, a stop, a kill, a restart or a reset that somebody asks for.

Handlers of the table in :mod:`stigmer_pm.core.lifecycle`. What has a run is stopped in its turn, once nothing that
depends on it runs any more; what has none is moved at once.
"""

from __future__ import annotations

from dataclasses import replace

from stigmer_pm.core.effects import EventKind, Record
from stigmer_pm.core.ending import Step, enter
from stigmer_pm.core.events import Event, Kill, Reset, Restart, Stop
from stigmer_pm.core.reasons import Reason, Why
from stigmer_pm.core.restart import clear_counts
from stigmer_pm.core.state import Desired, InstanceState, Phase, StopCause
from stigmer_pm.spec import ComponentSpec


def want(spec: ComponentSpec, state: InstanceState, event: Event, now: float) -> Step:
    """A start of one that doesn't run: the counts are cleared and it starts as soon as its dependencies allow."""
    state = replace(clear_counts(state), desired=Desired.RUNNING, is_stopped_by_hand=False, restart_for=None)
    return enter(state, Phase.WAITING, now), ()


def keep_wanting(spec: ComponentSpec, state: InstanceState, event: Event, now: float) -> Step:
    """A start of one that is starting, running or waiting: it stays. After a stop that has not begun yet it is a
    restart, as it is after one that has: the run may be of a spec that has been edited meanwhile."""
    if state.desired is Desired.RUNNING:
        return state, ()
    return want_after_stop(spec, state, event, now)


def want_after_stop(spec: ComponentSpec, state: InstanceState, event: Event, now: float) -> Step:
    """A start or restart during a stop joins it: the run ends, and another one follows."""
    cause = event.cause if isinstance(event, Restart) else StopCause.RESTART
    state = replace(state, desired=Desired.RUNNING, is_stopped_by_hand=False, restart_for=cause)
    return clear_counts(state), ()


def restart_run(spec: ComponentSpec, state: InstanceState, event: Restart, now: float) -> Step:
    """A restart of one that has a run: the run is to be replaced, once its dependents that go too have stopped."""
    state = replace(state, desired=Desired.RUNNING, is_stopped_by_hand=False, restart_for=event.cause)
    return (state if event.cause is StopCause.DEPENDENCY else clear_counts(state)), ()


def unwant_now(spec: ComponentSpec, state: InstanceState, event: Stop, now: float) -> Step:
    """A stop of one without a run (waiting, in backoff, or at rest) takes effect at once."""
    reason = Reason(Why.REMOVED if event.cause is StopCause.REMOVED else Why.STOPPED_BY_HAND)
    state = _unwanted(state, event)
    if state.phase is Phase.STOPPED:
        return state, ()
    record = Record(state.name, EventKind.STOPPED, f"stopped while {state.phase.value}")
    return enter(replace(clear_counts(state), restart_for=None), Phase.STOPPED, now, reason), (record,)


def unwant(spec: ComponentSpec, state: InstanceState, event: Stop, now: float) -> Step:
    """A stop of one with a run: it is ended once nothing that depends on it, and goes too, runs any more."""
    return replace(_unwanted(state, event), restart_for=None), ()


def unwant_completed(spec: ComponentSpec, state: InstanceState, event: Stop | Kill, now: float) -> Step:
    """A stop of one that has completed keeps it completed: what depends on its completion still holds."""
    return _unwanted(state, event), ()


def _unwanted(state: InstanceState, event: Stop | Kill) -> InstanceState:
    cause = event.cause if isinstance(event, Stop) else StopCause.BY_HAND
    return replace(
        state,
        desired=Desired.STOPPED,
        is_stopped_by_hand=cause is StopCause.BY_HAND,
        is_removed=state.is_removed or cause is StopCause.REMOVED,
    )


def kill_nothing(spec: ComponentSpec, state: InstanceState, event: Kill, now: float) -> Step:
    """A kill of one without a run is a stop."""
    return unwant_now(spec, state, Stop(), now)


def reset_counts(spec: ComponentSpec, state: InstanceState, event: Reset, now: float) -> Step:
    """A reset of one that runs, or rests without having been given up on, only clears its counts."""
    return replace(clear_counts(state), start_at=state.start_at), ()
