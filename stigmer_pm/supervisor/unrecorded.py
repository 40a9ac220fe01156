"""Runs that live and are not on record: it was damaged, removed, or could not be written. They have marks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Desired, InstanceState, Phase, Run, StopCause
from stigmer_pm.spec import ComponentSpec, ProjectSpec
from stigmer_pm.supervisor.database import StoreError
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.records import RunRow
from stigmer_pm.supervisor.surroundings import Clock, Memory, World

_log = logging.getLogger(__name__)


def believe_marks(memory: Memory, world: World) -> None:
    """Where pids seem to be others than those on record, and yet a run of this project is seen: they are the same.

    What tells pid namespaces apart may look different to another user, and no run may be started twice for it.
    """
    here = world.pid_namespace()
    if memory.meta("pid_namespace") not in (None, here) and world.find_marked():
        memory.remember({"pid_namespace": here})


def find_unrecorded(memory: Memory, world: World, spec: ProjectSpec | None, clock: Clock) -> list[Instance]:
    """The instances of which a run lives that is not on record, as if that run was to be begun and nothing else was
    known of it: then it is looked for by its mark.

    A run that was begun by another spec than the one on record and the file's is replaced. What runs of a component
    that is in neither is for :func:`end_unwanted`; without the file (``spec``) nobody knows what it is.

    Raises:
        Refused: there is no file to go by, and it is needed.
    """
    recorded = {i.state.name: i for i in memory.load_instances()}
    found = world.find_marked()
    strangers = [name for name in found if name not in recorded and (spec is None or spec.component(name) is None)]
    if spec is None and strangers:
        # They would be taken for strays, or started a second time by an 'up' that comes later.
        raise _refusal(strangers if recorded else [])
    for name in strangers:
        # Its number must not be used again, or its end would be taken for that of a new run.
        number, pid, started, _ = found[name]
        put_down(memory, RunRow(name, number, pid, started, started_at=clock.wall()))
    instances = []
    for name, (number, pid, _, executed) in found.items():
        on_record = recorded.get(name)
        if name in strangers or (on_record is not None and number <= on_record.state.run_number):
            continue
        specs = list(_specs_of(name, on_record, spec))
        by_this = next((s for s in specs if world.fingerprint(s) == executed), None)
        state = InstanceState(name) if on_record is None else on_record.state
        # What a leader has left behind is ended anyway, and does not tell by which spec that was begun.
        is_other = by_this is None and pid != 0
        instances.append(Instance(by_this or specs[0], _begun(state, number, clock.now(), is_other=is_other)))
    if not recorded and spec is not None:
        for component in spec.components:
            if component.name not in found:
                world.forget(component.name, 0)  # what was noted of a run of which nothing is on record, nor lives
    return instances


def _refusal(names: Sequence[str]) -> Refused:
    what, it = "the record of what runs is lost", "it"
    if names:
        subject, it = (
            (f"runs of {', '.join(sorted(names))} are", "them") if names[1:] else (f"run of {names[0]} is", it)
        )
        what = f"the {subject} not on record"
    cure = f"'stigmer-pm up' finds {it} again"
    return Refused(f"{what}, and what runs goes on", cure=cure, exit_status=1, code="lost-record")


def _specs_of(name: str, on_record: Instance | None, spec: ProjectSpec | None) -> Iterator[ComponentSpec]:
    if on_record is not None:
        yield on_record.spec
    declared = None if spec is None else spec.component(name)
    if declared is not None:
        yield declared


def end_unwanted(world: World, project: Project) -> None:
    """End what runs of components that are neither on record nor in the file, once it is certain that this file may be
    applied."""
    for name, (number, *_) in world.find_marked().items():
        if project.find(name) is None:
            _log.warning("run %d of %s lives, and is neither on record nor in the file: it is ended", number, name)
            world.count_leftovers(name, number)
            world.kill(name, number)


def _begun(state: InstanceState, number: int, now: float, *, is_other: bool) -> InstanceState:
    """As if that run was to be begun. What was removed from the file has come back since, or there would be none."""
    _log.warning("run %d of %s is not on record, and lives: it is taken over", number, state.name)
    return InstanceState(
        name=state.name,
        phase=Phase.STARTING,
        since=now,
        desired=Desired.RUNNING,
        restart_for=StopCause.EDIT if is_other else None,
        run=Run(number=number, asked_at=now),
        run_number=number,
        restarts=state.restarts,
        failed_runs=state.failed_runs,
        failed_restarts=state.failed_restarts,
        automatic_restarts=state.automatic_restarts,
        last_end=state.last_end,
    )


def put_down(memory: Memory, row: RunRow) -> None:
    """Write down what was found of a run. A full disk, or a record that another program has locked, must not keep a
    supervisor from taking over what runs; the next one looks again."""
    try:
        with memory.transaction():
            memory.save_runs([row])
    except StoreError as error:
        _log.error("%s; going on", error)
