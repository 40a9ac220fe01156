"""A start is a recovery: what an earlier supervisor left is loaded, compared with what lives, and gone on with."""

from __future__ import annotations

import logging
from collections.abc import Container, Sequence
from dataclasses import replace

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.events import Emptied, Event, Exited, NotStarted, ResumeStop, Spawned
from stigmer_pm.core.notes import reason_without_note
from stigmer_pm.core.probing import ProbeState, Result
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Desired, Exit, InstanceState, Phase, Run
from stigmer_pm.supervisor.database import StoreError
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.news_desk import exit_of
from stigmer_pm.supervisor.records import RunRow
from stigmer_pm.supervisor.surroundings import Memory
from stigmer_pm.supervisor.unrecorded import put_down

_log = logging.getLogger(__name__)

#: Runs before one whose pids are looked at: as many as the store keeps of an instance.
_LOOK_BACK = 50


def load_project(
    memory: Memory,
    now: float,
    boot_id: str,
    pid_namespace: str = "",
    unrecorded: Sequence[Instance] = (),
) -> Project:
    """The project as it was last written; empty when nothing was.

    Instances that are ``unrecorded``, or of which a run is, are as they were found.

    After a start of the machine (another ``boot_id``) nothing of it lives, and times from before mean nothing now.
    In another ``pid_namespace`` the same is true of processes: a container that was started again has none of those
    that it had, and their pids and sessions are those of strangers. What an engine runs for us goes on.
    """
    recorded = {"boot_id": memory.meta("boot_id"), "pid_namespace": memory.meta("pid_namespace")}
    here = {"boot_id": boot_id, "pid_namespace": pid_namespace}
    same_boot = recorded["boot_id"] == boot_id
    same_pids = same_boot and recorded["pid_namespace"] in (None, pid_namespace)
    instances = memory.load_instances()
    found = {i.state.name: i for i in unrecorded}
    revived = []
    for instance in instances:
        goes_on = same_pids if _is_process(instance) else same_boot
        state = _resume(instance.state, now) if goes_on else _reboot(instance.state, now)
        revived.append(found.pop(state.name, Instance(instance.spec, state)))
    revived.extend(found.values())
    if unrecorded:
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
    return _adopt(engine, memory, instance, run, row)


def _adopt(engine: Engine, memory: Memory, instance: Instance, run: Run, row: RunRow | None) -> Event | None:
    """What has happened to a run since it was written down in ``row``; ``None``: nothing."""
    name = instance.state.name
    world = engine.world
    leader = (row.pid or 0, row.started or 0) if row is not None and row.started else (0, 0)
    if run.exit is not None:
        return Emptied(run.number) if world.count_leftovers(name, run.number, leader) == 0 else None
    if run.pid is None or leader == (0, 0):
        # It died between the record of the intent and that of the pid, or the start of the process couldn't be read:
        # look for the mark.
        started = world.find_started(name, run.number, instance.spec)
        if started is not None and world.adopt(name, run.number, *started):
            put_down(memory, RunRow(name, run.number, started[0], started[1], started_at=engine.clock.wall()))
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
        put_down(memory, RunRow(name, run.number, pid))
    return Exited(run.number, Exit(), remaining)


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
