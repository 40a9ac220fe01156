"""What the world says of a run that is under way: it is being prepared, paused, out of reach, or healthy."""

from __future__ import annotations

from dataclasses import replace

from stigmer_pm.core.effects import Effect, EventKind, Record
from stigmer_pm.core.ending import Step
from stigmer_pm.core.events import HealthTold, Noted
from stigmer_pm.core.reasons import NO_REASON, NOTES, Reason, Why, brief, words
from stigmer_pm.core.state import InstanceState, Phase, run_of
from stigmer_pm.spec import ComponentSpec


def note(spec: ComponentSpec, state: InstanceState, event: Noted, now: float) -> Step:
    """A pull of its image, a pause, an engine that doesn't answer. When that is over, the phase has its own reason."""
    before = state.reason
    reason = reason_without_note(state) if event.reason.why is Why.NONE else event.reason
    state = replace(state, reason=reason)
    if before.why is reason.why:
        return state, ()
    return state, _records(state, before, reason)


def reason_without_note(state: InstanceState) -> Reason:
    """The reason that it has by itself, where the world's is over, or was told to a supervisor that is gone."""
    if state.reason.why not in NOTES:
        return state.reason
    if state.phase is Phase.STOPPING and state.run is not None:
        return state.run.stop_reason
    waits = state.phase is Phase.STARTING and state.run is not None and state.run.startup is not None
    return Reason(Why.WAITS_FOR_STARTUP) if waits else NO_REASON


def _records(state: InstanceState, before: Reason, reason: Reason) -> tuple[Effect, ...]:
    """What is worth an entry: that something has begun, and that a pause or the silence of an engine is over."""
    number = run_of(state).number
    match reason.why:
        case Why.PREPARING:
            return (Record(state.name, EventKind.STARTING, words(reason), number),)
        case Why.PAUSED:
            return (Record(state.name, EventKind.PAUSED, words(reason), number),)
        case Why.ENGINE | Why.REFUSED | Why.OUTPUT | Why.LOG_LOST:
            return (Record(state.name, EventKind.WARNING, words(reason), number),)
    if before.why is Why.PAUSED:
        return (Record(state.name, EventKind.GOES_ON, "no longer paused", number),)
    if before.why is Why.ENGINE:
        return (Record(state.name, EventKind.GOES_ON, "its engine answers again", number),)
    if before.why is Why.OUTPUT:
        return (Record(state.name, EventKind.GOES_ON, "its log is written again", number),)
    return ()


def take_health(spec: ComponentSpec, state: InstanceState, event: HealthTold, now: float) -> Step:
    """Readiness, where the file declares none (Compose: ``service_healthy``); otherwise it is only shown."""
    run, was_ready, output = run_of(state), state.is_ready, brief(event.output)
    state = replace(state, run=replace(run, health=event.passes, health_output="" if event.passes else output))
    if state.is_ready is was_ready:
        return state, ()
    is_ready = state.is_ready
    kind, says = (
        (EventKind.READY, "its HEALTHCHECK passes") if is_ready else (EventKind.UNREADY, "its HEALTHCHECK fails")
    )
    return state, (Record(state.name, kind, f"{says}: {output}" if output else says, run.number),)
