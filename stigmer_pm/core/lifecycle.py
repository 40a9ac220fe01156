"""The life of one instance: ``step(spec, state, event, now) -> (state, effects)``.

The machine is the table at the end of this module: one row a phase, one column an event, a handler or the reason why
the event means nothing there. The phases are described in :mod:`stigmer_pm.core.state`. A handler moves this one
instance only; what follows for others (dependents, dependencies) is decided by :mod:`stigmer_pm.core.project`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from stigmer_pm.core import notes, probe_steps, stopping, wanting
from stigmer_pm.core.effects import EventKind, KillRun, Record, StartRun
from stigmer_pm.core.ending import Step, conclude, enter, fail_to_spawn
from stigmer_pm.core.events import (
    Due,
    Emptied,
    Event,
    Exited,
    Halt,
    HealthTold,
    Hold,
    Hurry,
    Kill,
    Noted,
    NotStarted,
    ProbeDone,
    Proceed,
    Reset,
    Restart,
    ResumeStop,
    Spawned,
    SpawnFailed,
    SpecChanged,
    Start,
    Stop,
)
from stigmer_pm.core.reasons import Reason, Why, words
from stigmer_pm.core.restart import count_restart
from stigmer_pm.core.state import InstanceState, Pending, Phase, Run, run_of
from stigmer_pm.spec import ComponentSpec

Handler = Callable[[ComponentSpec, InstanceState, Any, float], Step]


def step(spec: ComponentSpec, state: InstanceState, event: Event, now: float) -> Step:
    """The state that follows ``event`` at ``now``, and what the world must do. Pure; never raises for a late event."""
    if isinstance(event, _ABOUT_A_RUN) and (state.run is None or state.run.number != event.run):
        return state, ()  # about a run that is over
    if state.is_removed and isinstance(event, (Start, Restart, Reset)):
        return state, ()  # it is on its way out, and only a file that has it again brings it back
    entry = TABLE[state.phase][type(event)]
    if isinstance(entry, str):
        return state, ()
    return entry(spec, state, event, now)


def deadline(spec: ComponentSpec, state: InstanceState) -> float | None:
    """When the next ``Due`` is worth sending; ``None`` when only an event from outside can change anything."""
    if state.phase is Phase.BACKOFF:
        return state.start_at
    if state.run is None:
        return None
    times = [probe_steps.next_attempt_at(spec, state)]
    if state.phase is Phase.STOPPING and not stopping.is_out_of_reach(state):
        times.append(state.run.kill_at)
    return min((t for t in times if t is not None), default=None)


# --- waiting and starting ---------------------------------------------------------------------------------------


def _hold(spec: ComponentSpec, state: InstanceState, event: Hold, now: float) -> Step:
    held = replace(state, reason=event.reason)
    if state.phase is not Phase.WAITING or state.reason.why in (Why.WAITS_FOR_DEPENDENCY, Why.DEPENDENCY_LOST):
        return held, ()
    return held, (Record(state.name, EventKind.WAITING, words(event.reason)),)


def _proceed(spec: ComponentSpec, state: InstanceState, event: Proceed, now: float) -> Step:
    """The start happens now; if it is an automatic restart, it is counted here, where it happens."""
    automatic = state.pending is not Pending.NOT_AUTOMATIC
    state = count_restart(spec, state, now)
    number = state.run_number + 1
    container = None if spec.container is None else ""  # its id is told when it runs
    run = Run(number=number, asked_at=now, container=container, dependency_runs=event.dependency_runs)
    state = replace(state, run=run, run_number=number, start_at=None)
    message = f"run {number}, automatic restart {state.restarts}" if automatic else f"run {number}"
    record = Record(state.name, EventKind.STARTING, message, number)
    return enter(state, Phase.STARTING, now), (record, StartRun(state.name, number))


def _spawned(spec: ComponentSpec, state: InstanceState, event: Spawned, now: float) -> Step:
    run = replace(
        run_of(state),
        pid=event.pid,
        started_at=now,
        container=event.container,
        health=event.health,
        port_was_taken=event.port_was_taken,
    )
    run = probe_steps.arm_probes(spec, run, now, event.spread)
    record = Record(state.name, EventKind.RUNNING, _running_words(event), run.number)
    state = replace(state, run=run)
    if run.startup is not None:
        return replace(state, reason=Reason(Why.WAITS_FOR_STARTUP)), (record,)
    return enter(state, Phase.RUNNING, now), (record,)


def _running_words(event: Spawned) -> str:
    if event.container is None:
        return f"runs as pid {event.pid}"
    pid = f", pid {event.pid}" if event.pid else ""
    return f"runs as container {event.container[:12]}{pid}"


def _spawned_too_late(spec: ComponentSpec, state: InstanceState, event: Spawned, now: float) -> Step:
    """The program runs, but a stop came first: end it; at once, if it should have been killed by now."""
    run = replace(run_of(state), pid=event.pid, started_at=now, container=event.container)
    state = replace(state, run=run)
    if run.was_killed:
        return state, (KillRun(state.name, run.number),)
    return stopping.signal(spec, state, now)


def _spawn_failed(spec: ComponentSpec, state: InstanceState, event: SpawnFailed, now: float) -> Step:
    return fail_to_spawn(spec, state, run_of(state), event.error, now, event.chance)


def _not_started(spec: ComponentSpec, state: InstanceState, event: NotStarted, now: float) -> Step:
    """Back to where the start was decided, for its dependencies may have gone meanwhile. It is not counted again."""
    return enter(replace(state, run=None), Phase.WAITING, now), ()


def _not_started_after_all(spec: ComponentSpec, state: InstanceState, event: NotStarted, now: float) -> Step:
    """The stop that was to follow the start has nothing to do."""
    return conclude(spec, state, run_of(state), now, 0.0)


# --- backoff ----------------------------------------------------------------------------------------------------


def _due_backoff(spec: ComponentSpec, state: InstanceState, event: Due, now: float) -> Step:
    if state.start_at is None or state.start_at > now:
        return state, ()
    return enter(replace(state, start_at=None), Phase.WAITING, now, state.reason), ()


# --- probes and edits -------------------------------------------------------------------------------------------


def _due_probes(spec: ComponentSpec, state: InstanceState, event: Due, now: float) -> Step:
    return probe_steps.begin_attempts(spec, state, now)


def _hurry(spec: ComponentSpec, state: InstanceState, event: Hurry, now: float) -> Step:
    return probe_steps.hurry(spec, state, now)


def _probe_done(spec: ComponentSpec, state: InstanceState, event: ProbeDone, now: float) -> Step:
    state, effects, failed = probe_steps.finish_attempt(spec, state, event, now)
    if failed is None:
        return state, effects
    run = replace(run_of(state), stop_cause=failed.cause, stop_reason=failed.reason, stop_began_at=now)
    record = Record(state.name, EventKind.STOPPING, failed.cause.value, run.number)
    state, more = stopping.signal(spec, enter(replace(state, run=run), Phase.STOPPING, now, failed.reason), now)
    return state, (*effects, record, *more)


def _probe_done_while_stopping(spec: ComponentSpec, state: InstanceState, event: ProbeDone, now: float) -> Step:
    """Kubernetes: readiness goes on during termination; a liveness or startup probe decides nothing any more."""
    state, effects, _ = probe_steps.finish_attempt(spec, state, event, now)
    return state, effects


def _spec_changed(spec: ComponentSpec, state: InstanceState, event: SpecChanged, now: float) -> Step:
    return probe_steps.rearm(event.old, spec, state, now), ()


_ABOUT_A_RUN = (Spawned, SpawnFailed, NotStarted, Exited, Emptied, Noted, HealthTold, ProbeDone)

# --- the table --------------------------------------------------------------------------------------------------

_NO_RUN = "it has no run, so this is about one that is over"
_NOT_WAITING = "nothing waits for its dependencies"
_NO_DEADLINE = "a resting phase has no deadline"
_NOT_LEAVING = "it has no run that could be ended"
_LIVE_ELSEWHERE = "the new spec is read whenever it is needed"
_ALREADY = "it already waits to start"
_UNDER_WAY = "its stop is under way"
_NO_STOP = "no stop of it is under way"
_STARTED = "its program runs already"
_NOT_ASKED = "its readiness probe is not asked now"

_REST: Mapping[type[Event], Handler | str] = {
    Start: wanting.want,
    Restart: wanting.want,
    Reset: wanting.reset_counts,
    Stop: wanting.unwant_now,
    Kill: wanting.kill_nothing,
    Proceed: _NOT_WAITING,
    Hold: _NOT_WAITING,
    Halt: _NOT_LEAVING,
    ResumeStop: _NO_STOP,
    Spawned: _NO_RUN,
    SpawnFailed: _NO_RUN,
    NotStarted: _NO_RUN,
    Exited: _NO_RUN,
    Emptied: _NO_RUN,
    Noted: _NO_RUN,
    HealthTold: _NO_RUN,
    ProbeDone: _NO_RUN,
    Due: _NO_DEADLINE,
    Hurry: _NOT_ASKED,
    SpecChanged: _LIVE_ELSEWHERE,
}

_ALIVE: Mapping[type[Event], Handler | str] = {
    Start: wanting.keep_wanting,
    Restart: wanting.restart_run,
    Reset: wanting.reset_counts,
    Stop: wanting.unwant,
    Kill: stopping.kill,
    Proceed: _NOT_WAITING,
    Hold: _hold,
    Halt: stopping.halt,
    ResumeStop: _NO_STOP,
    Spawned: _STARTED,
    SpawnFailed: _STARTED,
    NotStarted: _STARTED,
    Exited: stopping.take_exit,
    Emptied: stopping.take_last_end,
    Noted: notes.note,
    HealthTold: notes.take_health,
    ProbeDone: _probe_done,
    Due: _due_probes,
    Hurry: _hurry,
    SpecChanged: _spec_changed,
}

TABLE: Mapping[Phase, Mapping[type[Event], Handler | str]] = {
    Phase.STOPPED: _REST,
    Phase.FAILED: {**_REST, Reset: wanting.want},
    Phase.COMPLETED: {**_REST, Stop: wanting.unwant_completed, Kill: wanting.unwant_completed},
    Phase.BACKOFF: {**_REST, Due: _due_backoff, Reset: wanting.want},
    Phase.WAITING: {
        **_REST,
        Start: wanting.keep_wanting,
        Restart: _ALREADY,
        Reset: wanting.reset_counts,
        Proceed: _proceed,
        Hold: _hold,
    },
    Phase.STARTING: {**_ALIVE, Spawned: _spawned, SpawnFailed: _spawn_failed, NotStarted: _not_started},
    Phase.RUNNING: _ALIVE,
    Phase.STOPPING: {
        **_ALIVE,
        Start: wanting.want_after_stop,
        Restart: wanting.want_after_stop,
        Reset: wanting.reset_counts,
        Halt: _UNDER_WAY,
        ResumeStop: stopping.resume,
        Hold: _UNDER_WAY,
        Spawned: _spawned_too_late,
        Noted: stopping.take_note,
        SpawnFailed: _spawn_failed,
        NotStarted: _not_started_after_all,
        ProbeDone: _probe_done_while_stopping,
        Hurry: _NOT_ASKED,
        Due: stopping.take_due,
    },
}
