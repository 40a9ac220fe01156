"""Whether the conditions of ``depends_on`` hold, and in which words they don't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stigmer_pm.core.ending import end_words
from stigmer_pm.core.reasons import Reason, Why, words
from stigmer_pm.core.state import Desired, InstanceState, Phase
from stigmer_pm.spec import ComponentSpec, Condition, Dependency


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance as the core sees it: how it is declared, and what is known about it."""

    spec: ComponentSpec
    state: InstanceState


Lookup = Callable[[str], Instance | None]


def first_unmet(spec: ComponentSpec, lookup: Lookup) -> Reason | None:
    """Why the component may not start yet, by the first condition that doesn't hold; ``None`` when all do."""
    for dependency in spec.depends_on:
        reason = unmet(dependency, lookup(dependency.name))
        if reason is not None:
            return reason
    return None


def unmet(dependency: Dependency, instance: Instance | None) -> Reason | None:
    """Why this one condition doesn't hold, or ``None`` when it does.

    Compose: ``service_started``, ``service_healthy``, ``service_completed_successfully``.
    """
    if instance is None:
        return Reason(Why.DEPENDENCY_LOST, subject=dependency.name, detail="is not applied; run 'stigmer-pm up'")
    state = instance.state
    if _holds(dependency.condition, state):
        return None
    lost = _lost_words(dependency.condition, state)
    if lost:
        return Reason(Why.DEPENDENCY_LOST, subject=dependency.name, detail=lost)
    goal = {Condition.STARTED: "started", Condition.READY: "ready", Condition.COMPLETED: "completed"}
    detail = f"{goal[dependency.condition]} ({state.phase.value})"
    return Reason(Why.WAITS_FOR_DEPENDENCY, subject=dependency.name, detail=detail)


def _holds(condition: Condition, state: InstanceState) -> bool:
    if condition is Condition.COMPLETED:
        return state.phase is Phase.COMPLETED
    if state.is_leaving:
        return False  # what runs now is about to go, so it is no ground to start on
    return state.is_ready if condition is Condition.READY else state.is_started


def _lost_words(condition: Condition, state: InstanceState) -> str:
    """What has become of a dependency that will not get there by itself; empty while it still may."""
    if state.phase is Phase.STOPPED and state.desired is Desired.STOPPED:
        return "was stopped by hand" if state.is_stopped_by_hand else "is not started"
    if state.phase is Phase.FAILED:
        ended = f": {end_words(state.last_end)}" if state.last_end else ""
        return f"failed{ended}"
    if state.phase is Phase.COMPLETED and condition is not Condition.COMPLETED:
        ended = f": {end_words(state.last_end)}" if state.last_end else ""
        return f"has completed{ended}, so it can't be {condition.value}"
    if state.phase is Phase.STARTING and state.reason.why is Why.ENGINE:
        return f"can't be started: {words(state.reason)}"
    if state.phase is Phase.BACKOFF and state.last_end is not None and state.last_end.spawn_error is not None:
        return f"can't be started: {end_words(state.last_end)}"
    return ""
