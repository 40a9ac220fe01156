"""The end of a run: what it is called, and which phase follows it."""

from __future__ import annotations

from dataclasses import replace

from stigmer_pm.core.effects import Effect, EventKind, Record, RunOver
from stigmer_pm.core.reasons import NO_REASON, Reason, Why, duration_words, words
from stigmer_pm.core.restart import Decision, Next, decide, is_stable
from stigmer_pm.core.state import Desired, Exit, InstanceState, Phase, Run, RunEnd, SpawnError, StopCause
from stigmer_pm.spec import ComponentSpec
from stigmer_pm.spec.signals import signal_name

Step = tuple[InstanceState, tuple[Effect, ...]]


def exit_words(end: Exit) -> str:
    """``exited 3``, ``killed by SIGKILL``, ``killed by SIGKILL (out of memory)``, or that nobody knows; and by whom."""
    by = " (out of memory)" if end.out_of_memory else f" ({end.by})" if end.by else ""
    if end.signal is not None:
        return f"killed by {signal_name(end.signal)}{by}"
    if end.code is not None:
        return f"exited {end.code}{by}"
    return end.by or "ended, exit status unknown"


def spawn_error_words(error: SpawnError) -> str:
    """``cannot start: DID WHAT: WHY`` in one line."""
    return f"cannot {error.step}: {error.detail}"


def end_words(end: RunEnd) -> str:
    """How a run ended, in words, without its length."""
    if end.spawn_error is not None:
        return spawn_error_words(end.spawn_error)
    return exit_words(end.exit or Exit())


def enter(state: InstanceState, phase: Phase, now: float, reason: Reason = NO_REASON) -> InstanceState:
    """The one place that writes a phase: it stamps the time when the phase changes, and keeps the reason."""
    since = now if phase is not state.phase else state.since
    return replace(state, phase=phase, since=since, reason=reason)


def fail_to_spawn(
    spec: ComponentSpec, state: InstanceState, run: Run, error: SpawnError, now: float, chance: float
) -> Step:
    """The run could not be started: it is over, and counts as a failed run, or as one more shortage in a row."""
    end = RunEnd(run=run.number, at=now, uptime=0.0, spawn_error=error, cause=run.stop_cause)
    record = Record(state.name, EventKind.CANNOT_START, spawn_error_words(error), run.number)
    shortages = state.shortages + 1 if end.is_shortage else 0
    state = replace(state, run=None, last_end=end, shortages=shortages)
    state, effects = _follow(spec, state, run, end, now, chance)
    return state, (record, _over(state, end), *effects)


def conclude(spec: ComponentSpec, state: InstanceState, run: Run, now: float, chance: float) -> Step:
    """Nothing of the run lives any more: put its end on record and enter the phase that follows."""
    ended_at = now if run.exited_at is None else run.exited_at
    uptime = 0.0 if run.started_at is None else max(0.0, ended_at - run.started_at)
    end = RunEnd(
        run=run.number,
        at=ended_at,
        uptime=uptime,
        exit=run.exit or (Exit(by="never started") if run.pid is None else Exit()),
        cause=run.stop_cause,
        killed=run.was_killed,
    )
    has_begun = run.pid is not None or run.exit is not None
    state = replace(state, run=None, last_end=end, shortages=0 if has_begun else state.shortages)
    state, effects = _follow(spec, state, run, end, now, chance)
    return state, (_over(state, end), *effects)


def _over(state: InstanceState, end: RunEnd) -> RunOver:
    is_told = end.cause is not None and (end.cause.is_probe or end.cause is StopCause.ENGINE)
    cause = f"{end.cause.value}: " if end.cause is not None and is_told else ""
    return RunOver(state.name, end.run, end.at, end.uptime, f"{cause}{end_words(end)}{_killed_words(end)}")


def _follow(spec: ComponentSpec, state: InstanceState, run: Run, end: RunEnd, now: float, chance: float) -> Step:
    if state.desired is Desired.STOPPED:
        return _stopped(state, end, now)
    by_us = end.cause is not None and not end.cause.is_probe
    if state.restart_for is not None or by_us:
        # Asked for (a restart, or a start that came during the stop), so it is no automatic restart.
        return enter(replace(state, restart_for=None), Phase.WAITING, now), ()
    judged_at = end.at if run.stop_began_at is None else min(end.at, run.stop_began_at)
    decision = decide(spec, state, end, stable=is_stable(spec, run, judged_at), chance=chance)
    return _carry_out(spec, decision, run, end, now)


def _stopped(state: InstanceState, end: RunEnd, now: float) -> Step:
    why = Why.REMOVED if state.is_removed else Why.STOPPED_BY_HAND
    state = replace(state, restart_for=None)
    record = Record(state.name, EventKind.STOPPED, f"stopped, {end_words(end)}{_killed_words(end)}", end.run)
    return enter(state, Phase.STOPPED, now, Reason(why, detail=_killed_words(end))), (record,)


def _killed_words(end: RunEnd) -> str:
    return "; had to be killed (SIGKILL) after its stop_timeout" if end.killed else ""


def _carry_out(spec: ComponentSpec, decision: Decision, run: Run, end: RunEnd, now: float) -> Step:
    state, told = decision.state, told_words(end, run.stop_reason)
    if decision.next is Next.AT_ONCE:
        ended = _flapping_ended(state, decision)
        return enter(state, Phase.WAITING, now, Reason(Why.ENDED, detail=told)), ended
    if decision.next is Next.BACKOFF:
        return _back_off(spec, decision, told, end, now)
    if decision.next is Next.COMPLETED:
        record = Record(state.name, EventKind.COMPLETED, f"completed: {told}", end.run)
        return enter(state, Phase.COMPLETED, now, Reason(Why.ENDED, detail=told)), (record,)
    if decision.next is Next.FAILED:
        record = Record(state.name, EventKind.FAILED, f"failed: {told}", end.run)
        return enter(state, Phase.FAILED, now, Reason(Why.ENDED, detail=told)), (record,)
    reason = Reason(Why.GAVE_UP, detail=told, count=state.failed_runs, window=spec.restart_window)
    if state.failed_runs == 1:  # max_restarts: 0, where "gave up after 1 failed run in a row" would only puzzle
        reason = Reason(Why.ENDED, detail=told)
    message = _gave_up_words(state, told, spec)
    return enter(state, Phase.FAILED, now, reason), (Record(state.name, EventKind.FAILED, message, end.run),)


def _gave_up_words(state: InstanceState, told: str, spec: ComponentSpec) -> str:
    if state.failed_runs == 1:
        return f"failed: {told}; max_restarts is 0"
    window = duration_words(spec.restart_window)
    return f"gave up after {state.failed_runs} failed runs in a row within {window}: {told}"


def _back_off(spec: ComponentSpec, decision: Decision, told: str, end: RunEnd, now: float) -> Step:
    state, start_at = decision.state, end.at + decision.delay
    if end.is_shortage:
        message = f"{told}; never given up for that, next start in {duration_words(decision.delay)}"
        record = Record(state.name, EventKind.BACKOFF, message, end.run)
        return enter(replace(state, start_at=start_at), Phase.BACKOFF, now, Reason(Why.SHORTAGE, detail=told)), (
            record,
        )
    if not decision.is_flapping:
        reason = Reason(Why.RUN_FAILED, detail=told, count=state.failed_runs)
        message = f"{told}; failed run {state.failed_runs} in a row, next start in {duration_words(decision.delay)}"
        record = Record(state.name, EventKind.BACKOFF, message, end.run)
        return enter(replace(state, start_at=start_at), Phase.BACKOFF, now, reason), (record,)
    recent = [t for t in state.automatic_restarts if t > end.at - spec.restart_window]
    reason = Reason(
        Why.FLAPPING, detail=told, count=len(recent), window=spec.restart_window, seconds=_mean_run(recent, end)
    )
    state = enter(replace(state, start_at=start_at), Phase.BACKOFF, now, reason)
    if state.slowed_restarts > 1:
        return state, ()
    message = (
        f"flapping: {len(recent)} restarts in {duration_words(spec.restart_window)}, runs of about "
        f"{duration_words(reason.seconds)}; restarts are slowed, and never given up"
    )
    return state, (Record(state.name, EventKind.FLAPPING, message, end.run),)


def _flapping_ended(state: InstanceState, decision: Decision) -> tuple[Effect, ...]:
    if not decision.flapping_ended:
        return ()
    return (Record(state.name, EventKind.FLAPPING_ENDED, "no longer flapping: restarts are at once again"),)


def _mean_run(restarts: list[float], end: RunEnd) -> float:
    """About how long a run lasts: the mean distance of the restarts in the window, or the run that just ended."""
    if len(restarts) < 2:
        return end.uptime
    return min(end.uptime, (end.at - restarts[0]) / len(restarts))


def told_words(end: RunEnd, reason: Reason) -> str:
    """How a run ended and how long it was up: ``exited 3 after 0.1s``; of one that a probe ended, what the probe said.

    ``reason`` is why the run was ended.
    """
    if end.spawn_error is not None:
        return spawn_error_words(end.spawn_error)
    told = f"{end_words(end)} after {duration_words(end.uptime)}"
    if end.cause is None or not end.cause.is_probe:
        return told
    if reason.why is Why.PROBE_FAILED:
        return f"{words(reason)}{_killed_words(end)}"
    return f"{end.cause.value} ({told})"
