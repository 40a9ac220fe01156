"""A start is a recovery: what an earlier supervisor left is loaded, compared with what lives, and gone on with."""

from __future__ import annotations

from dataclasses import replace

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.events import Emptied, Exited, Spawned
from stigmer_pm.core.probing import ProbeState
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Desired, Exit, InstanceState, Phase, Run
from stigmer_pm.runtime import system
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.store import RunRow, Store


def load_project(store: Store) -> Project:
    """The project as it was last written; empty when nothing was.

    After a start of the machine nothing of it lives, and the times of the clock then mean nothing now.
    """
    same_boot = store.meta("boot_id") == system.boot_id()
    now = system.now()
    instances = store.load_instances()
    revived = [Instance(i.spec, _resume(i.state, now) if same_boot else _reboot(i.state, now)) for i in instances]
    return Project(revived, store.last_run_numbers())


def adopt_runs(engine: Engine, store: Store) -> int:
    """Find the runs that are on record among the processes of the machine, and watch them; how many were found."""
    found = 0
    for instance in engine.project:
        run = instance.state.run
        if run is not None:
            found += _adopt(engine, store, instance.state.name, run)
    engine.recover()
    return found


def _adopt(engine: Engine, store: Store, name: str, run: Run) -> bool:
    runtime = engine.runtime
    if run.pid is None:
        # It died between the record of the intent and that of the pid: look for the mark.
        started = runtime.find_started(name, run.number)
        if started is None or not runtime.adopt(name, run.number, *started):
            return False
        store.save_runs([RunRow(name, run.number, started[0], started[1], started_at=system.wall_time())])
        engine.post(name, Spawned(run.number, started[0]))
        return True
    if run.exit is not None:
        if runtime.count_leftovers(name, run.number) == 0:
            engine.post(name, Emptied(run.number))
        return False
    row = store.find_run(name, run.number)
    if row is not None and row.started is not None and runtime.adopt(name, run.number, run.pid, row.started):
        return True
    remaining = runtime.count_leftovers(name, run.number)
    engine.post(name, Exited(run.number, Exit(), remaining > 0))
    return False


def _resume(state: InstanceState, now: float) -> InstanceState:
    """Attempts of probes that were under way died with the supervisor: they are due again now."""
    run = state.run
    if run is None:
        return state
    return replace(
        state,
        run=replace(
            run,
            startup=_ask_again(run.startup, now),
            liveness=_ask_again(run.liveness, now),
            readiness=_ask_again(run.readiness, now),
        ),
    )


def _ask_again(probe: ProbeState | None, now: float) -> ProbeState | None:
    if probe is None or probe.began_at is None:
        return probe
    return replace(probe, began_at=None, next_at=now)


def _reboot(state: InstanceState, now: float) -> InstanceState:
    """What is wanted and what was counted survive a start of the machine; runs and deadlines don't."""
    phase = state.phase
    if phase not in (Phase.COMPLETED, Phase.FAILED):
        phase = Phase.WAITING if state.desired is Desired.RUNNING else Phase.STOPPED
    return InstanceState(
        name=state.name,
        phase=phase,
        since=now,
        reason=state.reason,
        desired=state.desired,
        is_stopped_by_hand=state.is_stopped_by_hand,
        is_removed=state.is_removed,
        run_number=state.run_number,
        restarts=state.restarts,
        failed_runs=state.failed_runs if phase is Phase.FAILED else 0,
        last_end=replace(state.last_end, at=now) if state.last_end is not None else None,
    )
