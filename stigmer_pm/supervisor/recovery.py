"""A start is a recovery: what an earlier supervisor left is loaded, compared with what lives, and gone on with."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.events import Emptied, Event, Exited, NotStarted, ResumeStop, Spawned
from stigmer_pm.core.notes import reason_without_note
from stigmer_pm.core.probe_steps import arm_probes
from stigmer_pm.core.probing import ProbeState, Result
from stigmer_pm.core.project import Project
from stigmer_pm.core.reasons import Reason, Why
from stigmer_pm.core.state import Desired, Exit, InstanceState, Phase, Run, StopCause
from stigmer_pm.spec import ComponentSpec, ProjectSpec
from stigmer_pm.supervisor.database import StoreError
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.news_desk import exit_of
from stigmer_pm.supervisor.records import RunRow
from stigmer_pm.supervisor.surroundings import Clock, Memory, World

_log = logging.getLogger(__name__)

#: Runs before one whose pids are looked at: as many as the store keeps of an instance.
_LOOK_BACK = 50


def load_project(
    memory: Memory,
    now: float,
    boot_id: str,
    pid_namespace: str = "",
    seen: Mapping[str, int] | None = None,
    declared: Sequence[ComponentSpec] = (),
) -> Project:
    """The project as it was last written; empty when nothing was.

    ``seen`` has the number of the newest run of an instance of which something lives: one that is not on record was
    begun when nothing could be written. Where nothing at all is on record of its component, it is one of ``declared``.

    After a start of the machine (another ``boot_id``) nothing of it lives, and times from before mean nothing now.
    In another ``pid_namespace`` the same is true of processes: a container that was started again has none of those
    that it had, and their pids and sessions are those of strangers. What an engine runs for us goes on.
    """
    recorded = {"boot_id": memory.meta("boot_id"), "pid_namespace": memory.meta("pid_namespace")}
    here = {"boot_id": boot_id, "pid_namespace": pid_namespace}
    same_boot = recorded["boot_id"] == boot_id
    same_pids = same_boot and recorded["pid_namespace"] in (None, pid_namespace)
    instances = memory.load_instances()
    revived = []
    for instance in instances:
        goes_on = same_pids if _is_process(instance) else same_boot
        state = _resume(instance.state, now) if goes_on else _reboot(instance.state, now)
        number = (seen or {}).get(state.name, 0)
        if number > state.run_number:
            state = _begun_unwritten(state, number, now)
        revived.append(Instance(instance.spec, state))
    known = {i.state.name for i in revived}
    for spec in declared:
        if seen and spec.name in seen and spec.name not in known:
            revived.append(Instance(spec, _begun_unwritten(InstanceState(spec.name), seen[spec.name], now)))
    if len(revived) > len(instances):
        memory.remember(here)  # has all of it written, these with their specs, when the runs are looked for
    if recorded != here:
        # In one with the marks of this boot: who dies in between would take what is on record for this boot's.
        try:
            with memory.transaction():
                memory.save_instances(enumerate(revived))
                memory.set_meta(here)
        except StoreError as error:
            _log.error("%s; going on", error)
            memory.remember(here)
    return Project(revived, memory.last_run_numbers())


def _is_process(instance: Instance) -> bool:
    run = instance.state.run
    return instance.spec.container is None and (run is None or run.container is None)


def believe_marks(memory: Memory, world: World) -> None:
    """Where pids seem to be others than those on record, and yet a run of this project is seen: they are the same.

    What tells pid namespaces apart may look different to another user, and no run may be started twice for it.
    """
    here = world.pid_namespace()
    if memory.meta("pid_namespace") not in (None, here) and world.find_marked():
        memory.remember({"pid_namespace": here})


def reconstruct(memory: Memory, world: World, spec: ProjectSpec, clock: Clock) -> None:
    """Where nothing is on record but runs of this project live (its state was damaged or removed), put them on record.

    They are found by their marks. What runs by another spec than the file's is replaced, and what runs of a component
    that the file does not have any more is ended.
    """
    if memory.load_instances():
        return
    found = world.find_marked()
    now = clock.now()
    instances: list[tuple[int, Instance]] = []
    runs: list[RunRow] = []
    for name, (number, pid, started, fingerprint) in found.items():
        component = spec.component(name)
        # Also of what is ended: its number must not be used again, or its end would be taken for that of a new run.
        runs.append(RunRow(name, number, pid, started, started_at=clock.wall()))
        if component is None:
            world.count_leftovers(name, number)
            world.kill(name, number)
            continue
        state = _running(component, number, pid, now) if pid else _left_behind(name, number, now)
        if pid and fingerprint != world.fingerprint(component):
            state = replace(state, restart_for=StopCause.EDIT)
        instances.append((len(instances), Instance(component, state)))
    for component in spec.components:
        if component.name not in found:
            world.forget(component.name, 0)  # what was noted of a run of which nothing is on record, nor lives
    if instances:
        _log.warning("nothing is on record, and %d components run: they are taken over", len(instances))
    if runs:
        with memory.transaction():
            memory.save_instances(instances)
            memory.save_runs(runs)
            memory.set_meta({"boot_id": world.boot_id(), "pid_namespace": world.pid_namespace()})


def _running(spec: ComponentSpec, number: int, pid: int, now: float) -> InstanceState:
    """A run that lives, and of which nothing else is known."""
    run = Run(number=number, asked_at=now, pid=pid, started_at=now)
    phase = Phase.RUNNING if spec.probes.startup is None else Phase.STARTING
    run = arm_probes(spec, run, now, 0.0)
    return InstanceState(spec.name, phase, now, desired=Desired.RUNNING, run=run, run_number=number)


def _left_behind(name: str, number: int, now: float) -> InstanceState:
    """A run whose leader is gone: what it left behind is ended, as recovery does with a stop, and then the next run may
    start."""
    reason = Reason(Why.LEFTOVERS, detail="its record is lost")
    run = Run(number=number, asked_at=now, stop_reason=reason, exit=Exit(), exited_at=now)
    return InstanceState(
        name,
        Phase.STOPPING,
        now,
        reason,
        desired=Desired.RUNNING,
        restart_for=StopCause.LEFTOVERS,
        run=run,
        run_number=number,
    )


def adopt_runs(engine: Engine, memory: Memory, signalled: Container[tuple[str, int]] = ()) -> None:
    """Find the runs that are on record among the processes of the machine, watch them, and go on.

    Of those that are ``signalled``, by instance and number, it is certain that they have had their stop signal.
    """
    if memory.has_unwritten:
        # Of which boot it is could not be written when it was loaded: it goes with every instance, or not at all.
        engine.write_everything()
    news: list[tuple[str, Event]] = []
    for instance in engine.project:
        name, run = instance.state.name, instance.state.run
        event = None if run is None else _find_again(engine, memory, instance, run)
        if event is not None:
            news.append((name, event))
        elif run is not None and instance.state.phase is Phase.STOPPING and (name, run.number) in signalled:
            news.append((name, ResumeStop(is_signalled=True)))
    engine.recover(news)


def _find_again(engine: Engine, memory: Memory, instance: Instance, run: Run) -> Event | None:
    """What has happened to a run since it was written down; ``None``: nothing, or that is told when it is known."""
    row = memory.find_run(instance.state.name, run.number)
    started = None if row is None else row.started
    if engine.world.take_over(instance.state.name, run, instance.spec, started):
        return None
    return _adopt(engine, memory, instance.state.name, run)


def _adopt(engine: Engine, memory: Memory, name: str, run: Run) -> Event | None:
    """What has happened to a run since it was written down; ``None``: nothing."""
    world = engine.world
    row = memory.find_run(name, run.number)
    leader = (row.pid or 0, row.started or 0) if row is not None and row.started else (0, 0)
    if run.exit is not None:
        return Emptied(run.number) if world.count_leftovers(name, run.number, leader) == 0 else None
    if run.pid is None or leader == (0, 0):
        # It died between the record of the intent and that of the pid, or the start of the process couldn't be read:
        # look for the mark.
        started = world.find_started(name, run.number)
        if started is not None and world.adopt(name, run.number, *started):
            _put_down(memory, RunRow(name, run.number, started[0], started[1], started_at=engine.clock.wall()))
            return Spawned(run.number, started[0])
        if run.pid is None:
            return _over_or_not_begun(engine, memory, name, run)
    status = None
    if leader != (0, 0):
        if world.adopt(name, run.number, *leader):
            return None
        status = world.last_status(*leader)
    return Exited(run.number, exit_of(status), world.count_leftovers(name, run.number) > 0)


def _over_or_not_begun(engine: Engine, memory: Memory, name: str, run: Run) -> Event:
    """No leader lives of a run of which no pid is on record: either it never began, or it has ended since."""
    remaining = engine.world.count_leftovers(name, run.number) > 0
    pid = engine.world.noted_pid(name)
    earlier = (memory.find_run(name, n) for n in range(run.number - 1, max(0, run.number - _LOOK_BACK), -1))
    if pid is not None and any(row is not None and row.pid == pid for row in earlier):
        pid = None  # what was noted of an earlier run has not been taken away yet
    if pid is None and not remaining:
        return NotStarted(run.number)
    if pid is not None:
        _put_down(memory, RunRow(name, run.number, pid))
    return Exited(run.number, Exit(), remaining)


def _begun_unwritten(state: InstanceState, number: int, now: float) -> InstanceState:
    """As if that run was to be begun and nothing else was known: then it is looked for by its mark."""
    _log.warning("run %d of %s is not on record, and lives: it is taken over", number, state.name)
    return InstanceState(
        name=state.name,
        phase=Phase.STARTING,
        since=now,
        desired=Desired.RUNNING,
        is_removed=state.is_removed,
        run=Run(number=number, asked_at=now),
        run_number=number,
        restarts=state.restarts,
        failed_runs=state.failed_runs,
        failed_restarts=state.failed_restarts,
        automatic_restarts=state.automatic_restarts,
        last_end=state.last_end,
    )


def _put_down(memory: Memory, row: RunRow) -> None:
    """Write down what was found of a run. A full disk, or a record that another program has locked, must not keep a
    supervisor from taking over what runs; the next one looks again."""
    try:
        with memory.transaction():
            memory.save_runs([row])
    except StoreError as error:
        _log.error("%s; going on", error)


def _resume(state: InstanceState, now: float) -> InstanceState:
    """Attempts of probes that were under way died with the supervisor: they are due again now. And what the world has
    told it (paused, an engine that is away) is told again where it still holds, and taken back by nobody where not."""
    run = state.run
    if run is None:
        return state
    return replace(
        state,
        reason=reason_without_note(state),
        run=replace(
            run,
            startup=_ask_again(run.startup, now),
            liveness=_ask_again(run.liveness, now),
            readiness=_ask_again(run.readiness, now),
        ),
    )


def _ask_again(probe: ProbeState | None, now: float) -> ProbeState | None:
    if probe is None:
        return None
    # Rows begin anew: how far one had come isn't written down at each attempt, and what is may be of long ago.
    probe = replace(probe, streak=0, streak_of=Result.UNKNOWN)
    return probe if probe.began_at is None else replace(probe, began_at=None, next_at=now)


def _reboot(state: InstanceState, now: float) -> InstanceState:
    """What is wanted and what was counted survive a start of the machine; runs and deadlines don't."""
    phase = state.phase
    if phase not in (Phase.COMPLETED, Phase.FAILED):
        phase = Phase.WAITING if state.desired is Desired.RUNNING else Phase.STOPPED
    return InstanceState(
        name=state.name,
        phase=phase,
        since=now,
        reason=reason_without_note(replace(state, run=None)),
        desired=state.desired,
        is_stopped_by_hand=state.is_stopped_by_hand,
        is_removed=state.is_removed,
        run_number=state.run_number,
        restarts=state.restarts,
        failed_runs=state.failed_runs if phase is Phase.FAILED else 0,
        last_end=replace(state.last_end, at=now) if state.last_end is not None else None,
    )
