"""The stop of a run: how it begins, what may come between, and what ends it when nothing else does.

Handlers of the table in :mod:`stigmer_pm.core.lifecycle`.
"""

from __future__ import annotations

from dataclasses import replace

from stigmer_pm.core import notes, probe_steps
from stigmer_pm.core.effects import CancelStart, Effect, EventKind, KillRun, Record, SignalRun
from stigmer_pm.core.ending import Step, conclude, enter, exit_words
from stigmer_pm.core.events import Due, Emptied, Exited, Halt, Kill, Noted, ResumeStop
from stigmer_pm.core.reasons import Reason, Why, duration_words
from stigmer_pm.core.state import Desired, InstanceState, Phase, Run, StopCause, run_of
from stigmer_pm.spec import ComponentSpec

#: Seconds between attempts to kill what SIGKILL did not end (a process in an uninterruptible wait), so that the end
#: of the wait is noticed. The first attempt is nearly always the last.
KILL_AGAIN = 5.0

#: What a process gets whose spec is that of a container by now, and names none.
_USUAL_SIGNAL = ComponentSpec("").stop_signal
#: What stands for the stop signal that the container of a run was made with.
_ITS_OWN = 0

#: While one of these holds, a signal may not have arrived.
_UNDELIVERED = (Why.ENGINE, Why.DELIVERING)


def halt(spec: ComponentSpec, state: InstanceState, event: Halt, now: float) -> Step:
    """Begin the stop that is wanted: the stop signal now, SIGKILL after ``stop_timeout``."""
    cause = state.restart_for or (StopCause.REMOVED if state.is_removed else StopCause.BY_HAND)
    why = Why.RESTART if state.restart_for is not None else Why.STOP
    run = replace(run_of(state), stop_cause=cause, stop_began_at=now)
    record = Record(state.name, EventKind.STOPPING, cause.value, run.number)
    # That it stops because somebody said so, its phase alone tells.
    reason = Reason(why, detail="" if cause is StopCause.BY_HAND else cause.value)
    # That its engine is away is why nothing happens, and goes on being said.
    shown = state.reason if state.reason.why is Why.ENGINE else reason
    state = enter(replace(state, run=replace(run, stop_reason=reason)), Phase.STOPPING, now, shown)
    if run.pid is None:
        # Its start is still under way; when it can't be taken back, the signal follows when it is known.
        return state, (record, CancelStart(state.name, run.number))
    state, effects = signal(spec, state, now)
    return state, (record, *effects)


def kill(spec: ComponentSpec, state: InstanceState, event: Kill, now: float) -> Step:
    """SIGKILL is due now, whatever depends on it and however long its ``stop_timeout`` is."""
    effects: tuple[Effect, ...] = ()
    state = replace(state, desired=Desired.STOPPED, is_stopped_by_hand=True, restart_for=None)
    if state.phase is not Phase.STOPPING:
        state, effects = halt(spec, state, Halt(), now)
    state, more = _kill_run(state, now, "everything was to end at once")
    return state, (*effects, *more)


def resume(spec: ComponentSpec, state: InstanceState, event: ResumeStop, now: float) -> Step:
    """Go on with a stop. A stop signal that may or may not have been sent is sent again: a second one harms less than
    none, for a run without it is killed unasked.

    ``kill_at`` stands, or who dies and comes back again and again would lengthen the stop each time. Only when it has
    passed meanwhile, the run has all its time once more, for it may have been signalled just now for the first time;
    and this once.
    """
    run = run_of(state)
    is_unknown = run.pid is None and run.exit is None  # the signal follows when it is known, as in halt
    if is_unknown or run.was_killed:
        return state, ()
    # What a dead leader has left behind is signalled apart from it.
    if event.is_signalled and run.exit is None:
        return state, ()
    if run.kill_at is not None and (run.kill_at > now or run.was_put_off):
        return state, (SignalRun(state.name, run.number, _stop_signal(spec, run)),)
    return signal(spec, replace(state, run=replace(run, was_put_off=True)), now)


def signal(spec: ComponentSpec, state: InstanceState, now: float) -> Step:
    """Send the stop signal; SIGKILL is due after the time that the run has for its end."""
    run = run_of(state)
    run = replace(run, kill_at=now + probe_steps.stop_seconds(spec, run))
    return replace(state, run=run), (SignalRun(state.name, run.number, _stop_signal(spec, run)),)


def _stop_signal(spec: ComponentSpec, run: Run) -> int:
    """The run may be of before an edit that has made a container of a process, or a process of a container: what ends
    the one means something else to the other, or nothing at all."""
    if run.container is not None and spec.container is None:
        return _ITS_OWN
    if run.container is None and not spec.stop_signal:
        return _USUAL_SIGNAL
    return spec.stop_signal


def take_exit(spec: ComponentSpec, state: InstanceState, event: Exited, now: float) -> Step:
    """The leader is gone. What it left behind is ended before anything else happens (systemd: control-group)."""
    run = run_of(state)
    run = replace(run, exit=event.exit, exited_at=now, stop_cause=run.stop_cause or event.cause)
    uptime = 0.0 if run.started_at is None else now - run.started_at
    told = f"{exit_words(event.exit)} after {duration_words(uptime)}"
    if event.cause is not None:
        told = f"{event.cause.value}: {told}"
    effects: tuple[Effect, ...] = (Record(state.name, EventKind.EXITED, told, run.number),)
    if not event.remaining:
        state, more = conclude(spec, replace(state, run=run), run, now, event.chance)
        return state, (*effects, *more)
    if state.phase is Phase.STOPPING:
        # What is in the leader's group has had the stop signal, and kill_at stands; the rest gets it now, or it would
        # be waited for in vain. After SIGKILL there is nothing left to ask for.
        more = () if run.was_killed else (SignalRun(state.name, run.number, _stop_signal(spec, run)),)
        return replace(state, run=run), (*effects, *more)
    reason = Reason(Why.LEFTOVERS, detail=told)
    state = enter(replace(state, run=replace(run, stop_reason=reason)), Phase.STOPPING, now, reason)
    record = Record(state.name, EventKind.STOPPING, StopCause.LEFTOVERS.value, run.number)
    state, more = signal(spec, state, now)
    return state, (*effects, record, *more)


def take_note(spec: ComponentSpec, state: InstanceState, event: Noted, now: float) -> Step:
    """An engine that answers again delivers the stop signal, if it hasn't yet, and the run has all its time from then:
    an outage must not make a stop a SIGKILL. One that refuses the signal may refuse it for ever: its time goes on.

    A log that is lost now is of no use to anybody: the next run opens its own.
    """
    if event.reason.why is Why.LOG_LOST:
        return state, ()
    was_away = state.reason.why in _UNDELIVERED and event.reason.why is not Why.REFUSED
    state, effects = notes.note(spec, state, event, now)
    run = run_of(state)
    if not was_away or state.reason.why in _UNDELIVERED or run.pid is None or run.exit is not None:
        return state, effects
    if run.was_killed:
        return state, (*effects, KillRun(state.name, run.number))
    state, more = signal(spec, state, now)
    return state, (*effects, *more)


def take_last_end(spec: ComponentSpec, state: InstanceState, event: Emptied, now: float) -> Step:
    """Nothing of the run lives any more."""
    return conclude(spec, state, run_of(state), now, event.chance)


def take_due(spec: ComponentSpec, state: InstanceState, event: Due, now: float) -> Step:
    """A probe is due, or SIGKILL."""
    state, effects = probe_steps.begin_attempts(spec, state, now)
    run = run_of(state)
    if run.kill_at is None or run.kill_at > now or is_out_of_reach(state):
        return state, effects
    left = "what it left behind was" if run.exit is not None else "it was"
    waited = duration_words(probe_steps.stop_seconds(spec, run))
    state, more = _kill_run(state, now, f"{left} still there {waited} after the stop signal")
    return state, (*effects, *more)


def _kill_run(state: InstanceState, now: float, why: str) -> Step:
    """SIGKILL. A second time round the kernel holds a process of the run: say so, and go on trying. But it can't have
    reached what an engine that is away has, or a start that is still under way."""
    run = run_of(state)
    was_sent = run.was_killed and not (run.pid is None and run.exit is None) and state.reason.why not in _UNDELIVERED
    reason = Reason(Why.UNKILLABLE) if was_sent else state.reason
    record = Record(state.name, EventKind.KILLED, f"killed (SIGKILL): {why}", run.number)
    state = replace(state, reason=reason, run=replace(run, was_killed=True, kill_at=now + KILL_AGAIN))
    return state, (*(() if run.was_killed else (record,)), KillRun(state.name, run.number))


def is_out_of_reach(state: InstanceState) -> bool:
    """What its engine, which is away, was to deliver has not arrived: the time for its stop begins when it answers."""
    return state.reason.why in _UNDELIVERED and not run_of(state).was_killed
