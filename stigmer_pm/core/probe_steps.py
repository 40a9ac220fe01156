"""The probes of an instance: which may be asked now, and what their results mean for its life.

The gates are the kubelet's: nothing before the program runs; liveness and readiness only once started; liveness and
startup not while the instance is being stopped, and not after they have failed until the next run; readiness goes on
during a stop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from stigmer_pm.core import probing
from stigmer_pm.core.copies import changer
from stigmer_pm.core.effects import AttemptProbe, Effect, EventKind, Record
from stigmer_pm.core.ending import enter
from stigmer_pm.core.events import ProbeDone
from stigmer_pm.core.probing import Attempt, Outcome, ProbeState, Result
from stigmer_pm.core.reasons import NO_REASON, NOTES, Reason, Why, brief
from stigmer_pm.core.state import InstanceState, Phase, Run, StopCause
from stigmer_pm.spec import ComponentSpec, ProbeKind, Probes, ProbeSpec

_FAILED_CAUSE = {ProbeKind.LIVENESS: StopCause.LIVENESS, ProbeKind.STARTUP: StopCause.STARTUP}


@dataclass(frozen=True, slots=True)
class ProbeFailure:
    """A liveness or startup probe has failed for good: the run is to be ended."""

    cause: StopCause
    reason: Reason


def arm_probes(spec: ComponentSpec, run: Run, now: float, spread: float) -> Run:
    """The run's program has just been executed: its probes begin, counting from now."""
    startup, liveness, readiness = spec.probes.startup, spec.probes.liveness, spec.probes.readiness
    return replace(
        run,
        is_started=startup is None,
        startup=probing.arm(startup, now, spread) if startup else None,
        liveness=probing.arm(liveness, now, spread) if liveness else None,
        readiness=probing.arm(readiness, now, spread) if readiness else None,
    )


def next_attempt_at(spec: ComponentSpec, state: InstanceState) -> float | None:
    """When the next attempt of any probe is due, by the gates as they stand."""
    times = [probe.next_at for _, probe in _open(spec, state)]
    return min(times, default=None)


def begin_attempts(spec: ComponentSpec, state: InstanceState, now: float) -> tuple[InstanceState, tuple[Effect, ...]]:
    """Begin every attempt that is due and whose gate is open."""
    effects: list[Effect] = []
    for probe, probe_state in _open(spec, state):
        if probe_state.next_at <= now and state.run is not None:
            state = _with(state, probe.kind, probing.begin(probe_state, now))
            effects.append(AttemptProbe(state.name, state.run_number, probe.kind))
    return state, tuple(effects)


def hurry(spec: ComponentSpec, state: InstanceState, now: float) -> tuple[InstanceState, tuple[Effect, ...]]:
    """Ask the readiness probe now, if it is one that may be asked and that doesn't pass."""
    for probe, probe_state in _open(spec, state):
        if probe.kind is ProbeKind.READINESS and not probe_state.is_passing and _delay_is_over(probe, state.run, now):
            return begin_attempts(spec, _with(state, probe.kind, probing.trigger(probe_state, now)), now)
    return state, ()


def _delay_is_over(probe: ProbeSpec, run: Run | None, now: float) -> bool:
    return run is not None and run.started_at is not None and now >= run.started_at + probe.initial_delay


def finish_attempt(
    spec: ComponentSpec, state: InstanceState, event: ProbeDone, now: float
) -> tuple[InstanceState, tuple[Effect, ...], ProbeFailure | None]:
    """Count the result; the third value says that the run must be ended because of it."""
    probe, before = _of(spec.probes, event.probe), _state_of(state.run, event.probe)
    if probe is None or before is None or before.began_at is None:
        return state, (), None  # the probe was edited away meanwhile
    was_ready = state.is_ready
    after = probing.finish(probe, before, Attempt(event.outcome, event.output, now, event.duration))
    state = _with(state, probe.kind, after)
    effects: list[Effect] = []
    if event.outcome is Outcome.WARNING:
        effects.append(_record(state, EventKind.WARNING, f"{probe.kind} probe: {brief(event.output)}"))
    if probe.kind is ProbeKind.LIVENESS and after.is_passing and event.outcome is not Outcome.DISCARDED:
        state = _mark_healthy(state, event.outcome)
    if state.phase is Phase.STOPPING:
        return state, tuple(effects), None
    if probe.kind is ProbeKind.STARTUP and after.is_passing and not _is_started(state):
        state = _begin_running(spec, state, now)
        effects.append(_record(state, EventKind.STARTED, _passed_words(event)))
    effects.extend(_tell_readiness(state, was_ready, event))
    failed = probe.kind in _FAILED_CAUSE and before.result is not Result.FAILURE and after.result is Result.FAILURE
    if not effects and not failed:
        effects.extend(_tell_change(probe, before, after, state, event))
    if not failed:
        return state, tuple(effects), None
    effects.append(_record(state, EventKind.UNHEALTHY, f"{probe.kind} probe failed: {brief(event.output)}"))
    reason = Reason(Why.PROBE_FAILED, subject=probe.kind.value, count=after.streak, detail=brief(event.output))
    return state, tuple(effects), ProbeFailure(_FAILED_CAUSE[probe.kind], reason)


def stop_seconds(spec: ComponentSpec, run: Run) -> float:
    """Seconds from the stop signal to SIGKILL: ``stop_timeout``, or what the probe that has failed gives instead
    (Kubernetes: a probe's ``terminationGracePeriodSeconds``)."""
    probe = None
    if run.stop_cause is StopCause.LIVENESS:
        probe = spec.probes.liveness
    elif run.stop_cause is StopCause.STARTUP:
        probe = spec.probes.startup
    return spec.stop_timeout if probe is None or probe.termination_grace is None else probe.termination_grace


def rearm(old: ComponentSpec, new: ComponentSpec, state: InstanceState, now: float) -> InstanceState:
    """Probes have been edited under a run: what is new begins now, what is gone ends, what is unchanged goes on.

    An edited readiness or liveness probe keeps its published result and counts anew, so an edit by itself neither
    makes anything unready nor restarts it. A startup probe that comes when the run is started has nothing to do.
    """
    if state.run is None or state.run.pid is None or old.probes == new.probes:
        return state
    for kind in ProbeKind:
        before, after = _of(old.probes, kind), _of(new.probes, kind)
        if before == after:
            continue
        state = _with(state, kind, _rearmed(after, _state_of(state.run, kind), state, now))
    if not _is_started(state) and new.probes.startup is None and state.phase is Phase.STARTING:
        return _begin_running(new, state, now)
    return state


def _rearmed(probe: ProbeSpec | None, before: ProbeState | None, state: InstanceState, now: float) -> ProbeState | None:
    if probe is None or state.run is None or state.run.started_at is None:
        return None
    fresh = probing.arm(probe, state.run.started_at, _spread_of(state.run))
    fresh = replace(fresh, grid=max(now, fresh.grid), next_at=max(now, fresh.next_at))
    if probe.kind is ProbeKind.STARTUP and state.run.is_started:
        return replace(fresh, result=Result.SUCCESS, is_on_hold=True)
    return fresh if before is None else replace(fresh, result=before.result, last=before.last)


def _spread_of(run: Run) -> float:
    return max((p.spread for p in (run.startup, run.liveness, run.readiness) if p is not None), default=0.0)


def _begin_running(spec: ComponentSpec, state: InstanceState, now: float) -> InstanceState:
    assert state.run is not None
    run = replace(state.run, is_started=True)
    readiness = spec.probes.readiness
    if run.readiness is not None and readiness is not None and _delay_is_over(readiness, run, now):
        run = replace(run, readiness=probing.trigger(run.readiness, now))
    if run.liveness is not None and spec.probes.liveness is not None:
        run = replace(run, liveness=probing.resume(spec.probes.liveness, run.liveness, now))
    # What the world says of it (its log is lost, its engine is away) is still so.
    reason = state.reason if state.reason.why in NOTES else NO_REASON
    return enter(replace(state, run=run), Phase.RUNNING, now, reason)


def _mark_healthy(state: InstanceState, outcome: Outcome) -> InstanceState:
    if outcome is Outcome.FAILURE or state.run is None or state.run.has_been_healthy:
        return state
    return replace(state, run=replace(state.run, has_been_healthy=True))


def _tell_readiness(state: InstanceState, was_ready: bool, event: ProbeDone) -> list[Effect]:
    if state.is_ready and not was_ready:
        return [_record(state, EventKind.READY, _passed_words(event))]
    if was_ready and not state.is_ready and event.probe is ProbeKind.READINESS:
        return [_record(state, EventKind.UNREADY, f"not ready: {brief(event.output)}")]
    return []


def _tell_change(
    probe: ProbeSpec, before: ProbeState, after: ProbeState, state: InstanceState, event: ProbeDone
) -> list[Effect]:
    """A probe answers otherwise than the time before, though that changes nothing yet. Kubernetes tells each failure;
    here only the first of a row is told, or a journal of ten thousand entries would hold little else."""
    if after.streak_of is before.streak_of:
        return []
    if after.streak_of is Result.FAILURE:
        words = f"{probe.kind} probe fails (1 of {probe.failure_threshold} in a row): {brief(event.output)}"
        return [_record(state, EventKind.PROBE_FAILS, words)]
    if before.streak_of is Result.FAILURE:
        return [_record(state, EventKind.PROBE_PASSES, f"{probe.kind} probe passes again: {brief(event.output)}")]
    return []


def _passed_words(event: ProbeDone) -> str:
    words = f"its {event.probe} probe has passed"
    return f"{words}: {brief(event.output)}" if event.output else words


def _record(state: InstanceState, kind: EventKind, message: str) -> Record:
    return Record(state.name, kind, message, state.run_number)


def _is_started(state: InstanceState) -> bool:
    return state.run is not None and state.run.is_started


def _open(spec: ComponentSpec, state: InstanceState) -> list[tuple[ProbeSpec, ProbeState]]:
    """The probes of which an attempt may begin: their gate is open, and no attempt is under way."""
    run, probes = state.run, spec.probes
    if run is None:
        return []
    pairs = ((probes.startup, run.startup), (probes.liveness, run.liveness), (probes.readiness, run.readiness))
    return [
        (probe, probe_state)
        for probe, probe_state in pairs
        if probe is not None
        and probe_state is not None
        and probe_state.began_at is None
        and gate_is_open(state, probe.kind)
    ]


def gate_is_open(state: InstanceState, kind: ProbeKind) -> bool:
    """Whether the probe is asked as things stand (Kubernetes: on hold, running, being deleted, started)."""
    run, probe_state = state.run, _state_of(state.run, kind)
    if run is None or not run.is_alive or probe_state is None or probe_state.is_on_hold:
        return False
    if kind is ProbeKind.READINESS:
        return run.is_started
    if state.phase is Phase.STOPPING:
        return False
    return run.is_started if kind is ProbeKind.LIVENESS else not run.is_started


def _of(probes: Probes, kind: ProbeKind) -> ProbeSpec | None:
    match kind:
        case ProbeKind.STARTUP:
            return probes.startup
        case ProbeKind.LIVENESS:
            return probes.liveness
        case ProbeKind.READINESS:
            return probes.readiness


def _state_of(run: Run | None, kind: ProbeKind) -> ProbeState | None:
    if run is None:
        return None
    match kind:
        case ProbeKind.STARTUP:
            return run.startup
        case ProbeKind.LIVENESS:
            return run.liveness
        case ProbeKind.READINESS:
            return run.readiness


_WITH_RUN = changer(InstanceState, "run")
_WITH_PROBE = {kind: changer(Run, kind.value) for kind in ProbeKind}


def _with(state: InstanceState, kind: ProbeKind, probe_state: ProbeState | None) -> InstanceState:
    return state if state.run is None else _WITH_RUN(state, _WITH_PROBE[kind](state.run, probe_state))
