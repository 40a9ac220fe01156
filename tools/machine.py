"""The machine of phases, explored: the states that an instance can get into, and which phases follow which event.

Nothing here is a list of transitions. From a fresh instance every event that can come is given to the real ``step``,
and so on from each state that follows, until no state comes up that differs in what matters from those seen before.
What follows by the rules of a project (``Proceed``, ``Halt``) is found by handing the same event to a real ``Project``.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

from stigmer_pm.core.dependencies import Instance
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
from stigmer_pm.core.lifecycle import step
from stigmer_pm.core.probing import Outcome, ProbeState
from stigmer_pm.core.project import Project
from stigmer_pm.core.reasons import NOTES, Reason, Why
from stigmer_pm.core.restart import is_stable
from stigmer_pm.core.state import Exit, InstanceState, Phase, Run, SpawnError, StopCause
from stigmer_pm.spec import (
    ComponentSpec,
    Condition,
    Dependency,
    ProbeKind,
    Probes,
    ProbeSpec,
    ProcessExecution,
    RestartPolicy,
    TcpCheck,
)

_NAME = "it"

#: Seconds until an event: soon, when a run is not stable yet and a backoff not over; and late, when both are.
_SOON, _LATE = 1.0, 1000.0

#: What only the rules of a project send, and only when they hold; so these are found by a project, and not tried.
_RULES: tuple[Event, ...] = (Proceed(), Halt())
_HELD = Reason(Why.WAITS_FOR_DEPENDENCY)

_ERROR = SpawnError("run its command", "serve", 2, "'serve' not found in PATH")
_SHORTAGE = SpawnError("make a process", "serve", errno.EAGAIN, "there is none")
_PROBES = Probes(*(ProbeSpec(kind, tcp=TcpCheck(1), failure_threshold=1) for kind in ProbeKind))


@dataclass(frozen=True, slots=True)
class Situation:
    """A state that an instance can be in at ``now``, and how the instance is declared."""

    spec: ComponentSpec
    state: InstanceState
    now: float


@dataclass(frozen=True, slots=True)
class Coming:
    """An event that comes ``later`` seconds after a situation, and the spec that holds by then."""

    event: Event
    spec: ComponentSpec
    later: float = _SOON


@dataclass(frozen=True, slots=True)
class Machine:
    """What was found: representative situations, and the phases that follow an event in a phase, in their order."""

    situations: tuple[Situation, ...]
    moves: Mapping[tuple[Phase, type[Event]], tuple[Phase, ...]]


@cache
def explore() -> Machine:
    """Everything that can be reached from a fresh instance. Takes some seconds, and is the same in every process."""
    found: dict[object, Situation] = {}
    moves: dict[tuple[Phase, type[Event]], set[Phase]] = {}
    pending = deque(Situation(spec, InstanceState(_NAME), 0.0) for spec in _specs())
    while pending:
        situation = pending.popleft()
        if found.setdefault(_likeness(situation), situation) is not situation:
            continue
        for coming in events(situation):
            if not can_come(situation.state, coming.event):
                continue
            before, now = situation.state.phase, situation.now + coming.later
            chain, lasting = _follow(situation, coming, now)
            for event, after in chain:
                moves.setdefault((before, type(event)), set()).add(after)
                before = after
            pending.extend(Situation(coming.spec, state, now) for state in lasting)
    in_order = {cell: tuple(phase for phase in Phase if phase in phases) for cell, phases in moves.items()}
    return Machine(tuple(found.values()), in_order)


def _specs() -> Iterator[ComponentSpec]:
    """With and without probes, of each policy that the core tells apart, and with a limit that is soon reached."""
    process = ProcessExecution(("serve",), "/", "/dev/null")
    for probes in (Probes(), _PROBES):
        for policy in (RestartPolicy.ALWAYS, RestartPolicy.ON_FAILURE, RestartPolicy.NEVER):
            yield ComponentSpec(_NAME, process=process, restart=policy, max_restarts=1, probes=probes)
    yield ComponentSpec(_NAME, process=process, max_restarts=0)


# --- what can happen --------------------------------------------------------------------------------------------


def events(situation: Situation) -> Iterator[Coming]:
    """Every kind of event, in all its varieties that the machine tells apart; also those that can't come now."""
    spec, run = situation.spec, situation.state.run_number
    yield from (Coming(event, spec) for event in (*_wishes(), *_RULES, Hold(_HELD), Hurry(), ResumeStop()))
    yield from (Coming(Spawned(run, 100, health=health), spec) for health in (None, False))
    yield from (Coming(SpawnFailed(run, error), spec) for error in (_ERROR, _SHORTAGE))
    yield Coming(NotStarted(run), spec)
    for later in (_SOON, _LATE):
        yield Coming(Due(), spec, later)
        yield Coming(Emptied(run), spec, later)
        for end in (Exit(code=0), Exit(signal=15), Exit()):
            yield Coming(Exited(run, end), spec, later)
            yield Coming(Exited(run, end, remaining=True), spec, later)
        yield Coming(Exited(run, Exit(), cause=StopCause.ENGINE), spec, later)
    for why in (Why.NONE, *sorted(NOTES)):
        yield Coming(Noted(run, Reason(why)), spec)
    yield from (Coming(HealthTold(run, passes), spec) for passes in (True, False))
    for kind in ProbeKind:
        yield from (Coming(ProbeDone(run, kind, outcome), spec) for outcome in Outcome)
    edited = replace(spec, probes=Probes() if spec.probes.declared() else _PROBES)
    yield Coming(SpecChanged(spec), edited)


def _wishes() -> Iterator[Event]:
    yield from (Start(), Stop(), Stop(StopCause.REMOVED), Kill(), Restart(), Restart(StopCause.DEPENDENCY), Reset())


def can_come(state: InstanceState, event: Event) -> bool:
    """Whether the world or a user can bring this event in this state, for its own run.

    A program is started once and exits once, what it left behind is gone after that, and a probe that was not asked
    does not answer. What the rules send is not tried, but found.
    """
    run = state.run
    match event:
        case Proceed() | Halt():
            return False
        case Spawned() | SpawnFailed() | NotStarted():
            return run is not None and run.pid is None and run.exit is None
        case Exited():
            return run is not None and run.exit is None
        case Emptied():
            return run is not None and run.exit is not None
        case ProbeDone(probe=kind):
            probe = _probe(run, kind)
            return probe is not None and probe.began_at is not None
        case _:
            return True


def _follow(situation: Situation, coming: Coming, now: float) -> tuple[list[tuple[Event, Phase]], list[InstanceState]]:
    """The event and the phase that it leads to, then what the rules of a project send because of it, if they do; and
    the states that last: that in the end, and that in which neighbours hold the rules back, if they can."""
    after, _ = step(coming.spec, situation.state, coming.event, now)
    chain = [(coming.event, after.phase)]
    if after is situation.state:
        return chain, []
    settled = _settled(Project([Instance(coming.spec, situation.state)]), coming, now)
    if settled is None or settled == after:
        return chain, [after]
    held = _settled(_project_that_holds(situation.state, coming.spec), coming, now)
    return chain + _rules_between(coming.spec, after, settled, now), [settled] if held is None else [settled, held]


def _rules_between(
    spec: ComponentSpec, after: InstanceState, settled: InstanceState, now: float
) -> list[tuple[Event, Phase]]:
    for rules in (chain for length in (1, 2) for chain in product(_RULES, repeat=length)):
        states = [after]
        for rule in rules:
            states.append(step(spec, states[-1], rule, now)[0])
        if states[-1] == settled:
            return [(rule, state.phase) for rule, state in zip(rules, states[1:], strict=True)]
    raise AssertionError(f"the rules lead from {after} to {settled}, and neither Proceed nor Halt does")


def _project_that_holds(state: InstanceState, spec: ComponentSpec) -> Project:
    """With a dependency that is not there, and a dependent that takes its time to stop."""
    held = replace(spec, depends_on=(Dependency("missing", Condition.STARTED),))
    dependent = replace(held, name="dependent", depends_on=(Dependency(_NAME, Condition.STARTED),))
    stops = InstanceState("dependent", Phase.STOPPING, run=Run(1, 0.0, pid=1))
    return Project([Instance(held, state), Instance(dependent, stops)])


def _settled(project: Project, coming: Coming, now: float) -> InstanceState | None:
    """The state once the rules have run; ``None``: it was removed, and is gone."""
    project.handle(_NAME, coming.event, now)
    instance = project.find(_NAME)
    return None if instance is None else instance.state


# --- what matters about a state ---------------------------------------------------------------------------------


def _likeness(situation: Situation) -> object:
    """The same for situations in which the same can happen, so that one of them stands for all."""
    spec, state = situation.spec, situation.state
    return (
        spec.restart,
        spec.max_restarts,
        bool(spec.probes.declared()),
        state.phase,
        state.desired,
        state.restart_for is not None,
        state.pending,
        _rank(spec, state),
        state.run and _run_likeness(situation, state.run),
    )


def _rank(spec: ComponentSpec, state: InstanceState) -> int:
    """How near the limits of its restarts are."""
    limit = spec.max_restarts or 1
    return (len(state.failed_restarts) >= limit) + 2 * (len(state.automatic_restarts) >= limit)


def _run_likeness(situation: Situation, run: Run) -> object:
    soon = situation.now + _SOON
    ended = run.exit is not None and ("well" if run.exit.code == 0 else "badly")
    return (
        run.pid is None,
        run.health is False and run.readiness is None and situation.state.phase is Phase.RUNNING,
        situation.state.reason.why in NOTES and run.pid is None,
        ended,
        run.stop_cause is not None and run.stop_cause.is_probe,
        run.stop_cause is None,
        run.kill_at is not None,
        run.was_killed,
        is_stable(situation.spec, run, soon if run.stop_began_at is None else run.stop_began_at),
        # During a stop readiness alone is asked, and what it says means nothing.
        run.readiness is not None and run.readiness.began_at is not None
        if situation.state.phase is Phase.STOPPING
        else tuple(_probe_likeness(_probe(run, kind)) for kind in ProbeKind),
    )


def _probe_likeness(probe: ProbeState | None) -> object:
    return probe and (probe.result, probe.is_on_hold, probe.began_at is not None)


def _probe(run: Run | None, kind: ProbeKind) -> ProbeState | None:
    if run is None:
        return None
    return {ProbeKind.STARTUP: run.startup, ProbeKind.LIVENESS: run.liveness, ProbeKind.READINESS: run.readiness}[kind]
