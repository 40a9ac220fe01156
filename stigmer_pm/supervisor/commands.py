"""What can be asked of a supervisor: each request turned into events for the core, and answered with what it means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from stigmer_pm.core.events import Event, Reset, Restart, Start, Stop
from stigmer_pm.core.graph import closure
from stigmer_pm.core.plan import Action, Plan, Scope, make_plan
from stigmer_pm.core.state import Desired, InstanceState, Phase
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.spec.codec import encode
from stigmer_pm.supervisor.documents import Document, change_document
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.surroundings import Memory


def plan_for(engine: Engine, spec: ProjectSpec, scope: Scope) -> Plan:
    """What applying ``spec`` would change.

    Raises:
        Refused: a name is no component of the file.
    """
    known = {c.name for c in spec.components}
    for name in scope.names:
        if name not in known:
            raise Refused(f"no component is called '{name}' in {spec.file}", code="unknown", status=404)

    def state_of(name: str) -> InstanceState | None:
        instance = engine.project.find(name)
        return None if instance is None or instance.state.is_removed else instance.state

    return make_plan(engine.project.applied(), state_of, spec, scope)


def apply(engine: Engine, memory: Memory, spec: ProjectSpec, scope: Scope, *, dry_run: bool) -> Document:
    """Make the machine match the file; the answer of ``/v1/apply``."""
    plan = plan_for(engine, spec, scope)
    if not dry_run:
        if not scope.names:
            # What the applied spec was made from, so that `ps` can say when that has changed since.
            inputs = json.dumps(encode(spec.inputs))
            memory.remember({"inputs": inputs, "file": spec.file, "project": spec.name})
        engine.apply({c.name: c for c in spec.components}, plan.changes)
    return {
        "changes": [change_document(change) for change in plan.changes],
        "unchanged": plan.unchanged,
        "targets": {} if dry_run else {name: target_run(engine, name) for name in plan.wanted},
        "stopping": [c.name for c in plan.changes if c.action is Action.STOP],
    }


def target_run(engine: Engine, name: str) -> int:
    """The number of the first run that counts as what has just been asked for."""
    instance = engine.project.find(name)
    if instance is None:
        return 0
    state = instance.state
    is_current = state.run is not None and not state.is_leaving
    resting = state.phase in (Phase.COMPLETED, Phase.FAILED)
    return state.run_number if is_current or resting else state.run_number + 1


def act(engine: Engine, names: Sequence[str], verb: str) -> Document:
    """``start``, ``stop``, ``restart`` or ``reset`` of instances; the answer of the route."""
    said = {name: _SAID[verb](engine.project[name].state) for name in names}
    begins = _begun_by(engine, names, verb)
    # One that has a run goes on as it is through a reset, and so does what it needs.
    in_need = [name for name in begins if verb != "reset" or engine.project[name].state.run is None]
    needed = [name for name in _with_what_they_need(engine, in_need) if name not in said]
    # All at once: what is started because it is needed must not start on a run that is about to be replaced.
    engine.command([*((name, Start()) for name in needed), *((name, _EVENT[verb]()) for name in names)])
    return {
        "results": [{"name": name, "said": said[name]} for name in names],
        "targets": {
            name: engine.project[name].state.run_number if verb == "stop" else target_run(engine, name)
            for name in (names if verb == "stop" else begins)
        },
    }


def _begun_by(engine: Engine, names: Sequence[str], verb: str) -> list[str]:
    """Those of ``names`` that are to run because of it: a reset leaves what rests at rest."""
    if verb == "stop":
        return []
    if verb != "reset":
        return list(names)
    return [n for n in names if engine.project[n].state.phase not in (Phase.STOPPED, Phase.COMPLETED, Phase.STOPPING)]


def _with_what_they_need(engine: Engine, names: Sequence[str]) -> list[str]:
    """``names`` and the dependencies that don't run, which are started as well (Compose)."""
    edges = {i.state.name: [d.name for d in i.spec.depends_on] for i in engine.project}
    needed = closure(names, edges) & edges.keys()
    return [
        i.state.name
        for i in engine.project
        if i.state.name in names
        or (i.state.name in needed and i.state.desired is Desired.STOPPED and i.state.phase is not Phase.COMPLETED)
        or (i.state.name in needed and i.state.phase is Phase.FAILED)
    ]


def _say_start(state: InstanceState) -> str:
    if state.desired is Desired.RUNNING and state.run is not None and state.phase is not Phase.STOPPING:
        return f"already {state.phase.value}" + (f" (pid {state.run.pid})" if state.run.pid else "")
    return "starting"


def _say_stop(state: InstanceState) -> str:
    if state.run is None and state.phase in (Phase.STOPPED, Phase.COMPLETED):
        return f"already {state.phase.value}"
    return "stopping" if state.run is not None else f"stopped while {state.phase.value}"


def _say_restart(state: InstanceState) -> str:
    return "restarting" if state.run is not None else "starting"


def _say_reset(state: InstanceState) -> str:
    return "failed runs cleared" + (", starting" if state.phase in (Phase.FAILED, Phase.BACKOFF) else "")


_SAID: Mapping[str, Callable[[InstanceState], str]] = {
    "start": _say_start,
    "stop": _say_stop,
    "restart": _say_restart,
    "reset": _say_reset,
}
_EVENT: Mapping[str, Callable[[], Event]] = {"start": Start, "stop": Stop, "restart": Restart, "reset": Reset}
