"""Whether an instance has got where somebody waits for it to be, still may, or can't get there any more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stigmer_pm.core.dependencies import Instance, Lookup, unmet
from stigmer_pm.core.probing import ProbeState, Result
from stigmer_pm.core.reasons import NOTES, Why, brief, words
from stigmer_pm.core.state import RESTING, Desired, InstanceState, Phase, Run
from stigmer_pm.spec import ComponentSpec, Condition, RestartPolicy


class Goal(StrEnum):
    """What is waited for."""

    READY = "ready"
    STARTED = "started"
    COMPLETED = "completed"
    STOPPED = "stopped"


class Standing(StrEnum):
    """How the waiting stands."""

    PENDING = "pending"
    REACHED = "reached"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it stands, why in words, and when time alone may change it (``None``: only an event can)."""

    standing: Standing
    reason: str = ""
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How an instance is watched.

    Attributes:
        settle: seconds that one must stay up before it counts without a startup or readiness probe, or where somebody
            else may answer these.
        backoff: the longest wait for a next start that is sat out; ``None`` sits out every backoff.
    """

    settle: float = 1.0
    backoff: float | None = None


_GOAL_OF = {Condition.READY: Goal.READY, Condition.STARTED: Goal.STARTED, Condition.COMPLETED: Goal.COMPLETED}


def judge(
    instance: Instance,
    goal: Goal,
    run: int,
    now: float,
    patience: Patience,
    lookup: Lookup,
    hopeful: set[str] | None = None,
) -> Verdict:
    """How ``instance`` stands on its way to ``goal``, in run number ``run`` or a later one.

    ``hopeful`` holds those that wait for nothing that is lost, as far as has been found out at this moment: given to
    one call after the other, each dependency of many is looked at once.
    """
    spec, state = instance.spec, instance.state
    if goal is Goal.STOPPED:
        return _judge_stopped(state, run, now)
    why = reason_shown(state)
    if state.desired is Desired.STOPPED and state.phase is not Phase.COMPLETED:
        if state.phase is Phase.STOPPING or state.run is not None:
            why = "it is being stopped by another command"
        return Verdict(Standing.LOST, why or "it is to stop")
    if _never_completes(spec, goal):
        return Verdict(Standing.LOST, f"it never completes: its restart policy is {spec.restart.value}")
    match state.phase:
        case Phase.COMPLETED:
            return Verdict(Standing.REACHED, why)
        case Phase.FAILED:
            return Verdict(Standing.LOST, why)
        case Phase.BACKOFF:
            return _judge_backoff(state, now, patience)
        case Phase.STARTING | Phase.STOPPING if state.reason.why is Why.ENGINE:
            return Verdict(Standing.LOST, why)  # it goes on when its engine answers, and nobody knows when
        case Phase.WAITING:
            return _judge_waiting(spec, why, now, patience, lookup, set() if hopeful is None else hopeful)
        case Phase.RUNNING if state.run_number >= run and goal is not Goal.COMPLETED and state.restart_for is None:
            return _judge_running(spec, state, goal, now, patience)
        case _:
            return Verdict(Standing.PENDING, why)


def _never_completes(spec: ComponentSpec, goal: Goal) -> bool:
    return goal is Goal.COMPLETED and spec.restart in (RestartPolicy.ALWAYS, RestartPolicy.UNLESS_STOPPED)


#: The run after which nothing counts as started again: whoever waits without having stopped anything.
ANY_RUN = 2**62


#: Seconds within which a start is taken back for which its engine was never asked. One that takes longer waits for it.
_TAKEN_BACK_WITHIN = 2.0


def _judge_stopped(state: InstanceState, run: int, now: float) -> Verdict:
    """``run`` is the newest run at the time of the stop."""
    if state.run_number > run and state.desired is Desired.RUNNING and state.phase not in RESTING:
        return Verdict(Standing.LOST, "it has been started again")
    if state.run is None and state.phase in (Phase.STOPPED, Phase.COMPLETED, Phase.FAILED):
        return Verdict(Standing.REACHED, words(state.reason))
    if state.phase is not Phase.STOPPING or state.reason.why is not Why.ENGINE:
        return Verdict(Standing.PENDING, words(state.reason))
    if state.run is not None and state.run.pid is None and state.run.stop_began_at is not None:
        until = state.run.stop_began_at + _TAKEN_BACK_WITHIN
        if now < until:
            return Verdict(Standing.PENDING, "its start is taken back", until)
    return Verdict(Standing.LOST, words(state.reason))


#: Failed runs in a row after which nobody sits out the next backoff, however short: what has no limit never gives up.
_ENOUGH_FAILED = 10


def _judge_backoff(state: InstanceState, now: float, patience: Patience) -> Verdict:
    why = words(state.reason)
    if state.last_end is not None and state.last_end.spawn_error is not None:
        return Verdict(Standing.LOST, why)
    if patience.backoff is not None and (state.failed_runs > _ENOUGH_FAILED or state.reason.why is Why.FLAPPING):
        return Verdict(Standing.LOST, why)
    if patience.backoff is not None and state.start_at is not None and state.start_at - now > patience.backoff:
        return Verdict(Standing.LOST, why)
    return Verdict(Standing.PENDING, why)


def _judge_waiting(
    spec: ComponentSpec, why: str, now: float, patience: Patience, lookup: Lookup, hopeful: set[str]
) -> Verdict:
    """One that waits is lost when what it waits for is lost. Iterative: a chain may be a thousand long."""
    found: set[str] = set()
    pending = list(spec.depends_on)
    while pending:
        dependency = pending.pop()
        other = lookup(dependency.name)
        if unmet(dependency, other) is None:
            continue
        if other is None:
            return Verdict(Standing.LOST, why)
        if _never_completes(other.spec, _GOAL_OF[dependency.condition]):
            return Verdict(Standing.LOST, why)
        if dependency.name in found or dependency.name in hopeful:
            continue
        if other.state.phase is Phase.WAITING and other.state.desired is Desired.RUNNING:
            found.add(dependency.name)
            pending.extend(other.spec.depends_on)
            continue
        verdict = judge(other, _GOAL_OF[dependency.condition], 0, now, patience, lookup)
        completed_too_early = verdict.standing is Standing.REACHED and other.state.phase is Phase.COMPLETED
        if verdict.standing is Standing.LOST or completed_too_early:
            return Verdict(Standing.LOST, why)
    hopeful |= found
    return Verdict(Standing.PENDING, why)


def _judge_running(spec: ComponentSpec, state: InstanceState, goal: Goal, now: float, patience: Patience) -> Verdict:
    if goal is Goal.READY and not state.is_ready:
        return Verdict(Standing.PENDING, reason_shown(state))
    has_health = state.run is not None and state.run.health is not None
    is_asked = spec.probes.readiness is not None or has_health
    probed = spec.probes.startup is not None or (goal is Goal.READY and is_asked)
    started_at = state.run.started_at if state.run is not None else None
    port_was_taken = state.run is not None and state.run.port_was_taken
    if (probed and not port_was_taken) or started_at is None or now - started_at >= patience.settle:
        return Verdict(Standing.REACHED)
    why = ", for somebody answered on its port before it began" if probed else ""
    return Verdict(Standing.PENDING, f"runs; watching that it stays up{why}", started_at + patience.settle)


def reason_shown(state: InstanceState) -> str:
    """Why it is as it is, for people: the reason of its phase, and which probe holds it up or fails just now."""
    run = state.run
    if run is not None and state.phase is Phase.STARTING and run.startup is not None and state.reason.why not in NOTES:
        return _with_last("waits for its startup probe", run.startup)
    if run is None or state.phase is not Phase.RUNNING or state.reason.why is not Why.NONE:
        return words(state.reason)
    if not state.is_ready and run.readiness is None:
        output = run.health_output
        return f"its HEALTHCHECK doesn't pass: {output}" if output else "waits for the HEALTHCHECK of its image"
    if not state.is_ready and run.readiness is not None:
        return _with_last("waits for its readiness probe", run.readiness)
    if run.liveness is not None and run.liveness.streak_of is Result.FAILURE and _is_worth_saying(run):
        times = "once" if run.liveness.streak == 1 else f"{run.liveness.streak} times in a row"
        return _with_last(f"liveness probe fails {times}", run.liveness)
    return ""


def _is_worth_saying(run: Run) -> bool:
    """The first attempt is made before most programs are up, and that it fails then is nothing to look into."""
    return run.has_been_healthy or (run.liveness is not None and run.liveness.streak > 1)


def _with_last(waits: str, probe: ProbeState) -> str:
    return waits if probe.last is None else f"{waits}: {brief(probe.last.output)}"
