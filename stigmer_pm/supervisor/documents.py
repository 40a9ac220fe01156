"""What the API answers: the state as JSON documents, with times and reasons for people. Nothing is decided here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from stigmer_pm.core.dependencies import Instance, unmet
from stigmer_pm.core.ending import end_words
from stigmer_pm.core.probing import ProbeState
from stigmer_pm.core.project import Project
from stigmer_pm.core.reasons import Why, words
from stigmer_pm.core.restart import failed_runs_shown
from stigmer_pm.core.state import InstanceState, RunEnd
from stigmer_pm.core.verdict import Verdict, reason_shown
from stigmer_pm.secrets import mask_text, mask_tree, mask_value, mask_variables
from stigmer_pm.spec import (
    ComponentSpec,
    ExecCheck,
    GrpcCheck,
    HttpCheck,
    LogCheck,
    PluginCheck,
    ProbeSpec,
    TcpCheck,
)
from stigmer_pm.spec.codec import Json, encode
from stigmer_pm.spec.probe import ITSELF
from stigmer_pm.spec.signals import signal_name
from stigmer_pm.supervisor.clock import stamp, stamp_of
from stigmer_pm.supervisor.records import EventRow, RunRow
from stigmer_pm.supervisor.usage import Usage

Document = dict[str, object]


def instance_document(instance: Instance, now: float, usage: Usage | None, log_from: int) -> Document:
    """One entry of ``ps --json``."""
    spec, state = instance.spec, instance.state
    run = state.run
    pid = run.pid or None if run is not None and run.is_alive else None
    return {
        "name": state.name,
        "component": spec.name,
        "kind": spec.kind,
        "phase": state.phase.value,
        "started": state.is_started,
        "ready": state.is_ready,
        "healthy": state.is_healthy,
        "desired": state.desired.value,
        "pid": pid,
        "container": run.container or None if run is not None and run.is_alive else None,
        "run": state.run_number,
        "restarts": state.restarts,
        "failed_runs": failed_runs_shown(spec, state, now),
        "since": stamp_of(state.since) if state.since else None,
        "next_restart": stamp_of(state.start_at),
        "last_exit": None if state.last_end is None else end_document(state.last_end),
        "reason": reason_shown(state),
        "cpu_percent": None if usage is None else usage.cpu_percent,
        "memory_bytes": None if usage is None else usage.memory_bytes,
        "log": spec.log,
        "log_from": log_from,
        "description": spec.description,
    }


def end_document(end: RunEnd) -> Document:
    """``last_exit`` of ``ps --json``."""
    end_signal = end.exit.signal if end.exit is not None else None
    return {
        "code": end.exit.code if end.exit is not None else None,
        "signal": None if end_signal is None else signal_name(end_signal),
        "at": stamp_of(end.at),
        "uptime": round(end.uptime, 3),
        "reason": end_words(end),
    }


def standing_document(instance: Instance, verdict: Verdict, log_from: int) -> Document:
    """How one instance stands on its way to what is waited for."""
    state = instance.state
    return {
        "name": state.name,
        "state": verdict.standing.value,
        "phase": state.phase.value,
        "reason": verdict.reason or reason_shown(state),
        "progress": state.reason.count if state.reason.why is Why.PREPARING and state.reason.subject else None,
        "pid": state.run.pid or None if state.run is not None else None,
        "next_restart": stamp_of(state.start_at),
        # A run that could not be started has written nothing; what stands there is an older one's.
        "log": None if _could_not_start(state) else instance.spec.log,
        "log_from": log_from,
    }


def _could_not_start(state: InstanceState) -> bool:
    if state.run is not None and state.run.pid is None:
        return True
    return state.run is None and state.last_end is not None and state.last_end.spawn_error is not None


def describe_document(
    project: Project,
    instance: Instance,
    runs: Sequence[RunRow],
    events: Sequence[EventRow],
    facts: Mapping[str, object],
    *,
    show_secrets: bool,
) -> Document:
    """What ``describe`` adds to the entry of ``ps``."""
    spec, state = instance.spec, instance.state
    return {
        "spec": _spec_document(encode(spec), show_secrets=show_secrets),
        "probes": [
            _probe_document(probe, _probe_state(state, probe), _place_of(spec)) for probe in spec.probes.declared()
        ],
        "depends_on": [_dependency_document(project, d.name, instance) for d in spec.depends_on],
        "runs": [run_document(row) for row in runs],
        "events": [event_document(row) for row in events],
        "container_facts": dict(facts) or None,
    }


def _spec_document(spec: Json, *, show_secrets: bool) -> Json:
    if show_secrets:
        return spec
    # The names of fields are ours, so that only what stands at these places is called by its user.
    spec = _without_url_secrets(spec)
    for part in ("process", "container"):
        if spec[part] is not None:
            spec[part]["environment"] = mask_variables(spec[part]["environment"])
    for probe in filter(None, spec["probes"].values()):
        if probe["exec"] is not None:
            probe["exec"]["environment"] = mask_variables(probe["exec"]["environment"])
        if probe["http"] is not None:
            probe["http"]["headers"] = [[name, mask_value(name, value)] for name, value in probe["http"]["headers"]]
        if probe["plugin"] is not None:
            probe["plugin"]["fields"] = json.dumps(mask_tree(json.loads(probe["plugin"]["fields"])))
    return spec


def _without_url_secrets(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_url_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_url_secrets(item) for item in value]
    return mask_text(value) if isinstance(value, str) else value


def _dependency_document(project: Project, name: str, instance: Instance) -> Document:
    dependency = next(d for d in instance.spec.depends_on if d.name == name)
    reason = unmet(dependency, project.find(name))
    return {
        "name": name,
        "condition": dependency.condition.value,
        "restart": dependency.restart,
        "met": reason is None,
        "reason": "" if reason is None else words(reason),
    }


def _probe_state(state: InstanceState, probe: ProbeSpec) -> ProbeState | None:
    if state.run is None:
        return None
    found: ProbeState | None = getattr(state.run, probe.kind.value)
    return found


def _place_of(spec: ComponentSpec) -> str:
    """By which name a probe's own host is shown: for a container, 127.0.0.1 in the file means the container."""
    return "" if spec.container is None else "container"


def _probe_document(probe: ProbeSpec, state: ProbeState | None, place: str) -> Document:
    last = state.last if state is not None else None
    return {
        "kind": probe.kind.value,
        "check": check_words(probe, place),
        "initial_delay": probe.initial_delay,
        "period": probe.period,
        "timeout": probe.timeout,
        "success_threshold": probe.success_threshold,
        "failure_threshold": probe.failure_threshold,
        "result": "unknown" if state is None else state.result.value,
        "consecutive": 0 if state is None else state.streak,
        "last": None
        if last is None
        else {
            "outcome": last.outcome.value,
            "output": last.output,
            "at": stamp_of(last.at),
            "duration": round(last.duration, 4),
        },
    }


def check_words(probe: ProbeSpec, place: str = "") -> str:
    """What a probe asks: ``http GET http://127.0.0.1:80/healthz``; ``place`` stands for the component itself."""
    check = probe.check
    host = getattr(check, "host", "")
    host = place if place and host in ITSELF else host
    match check:
        case HttpCheck():
            return f"http GET {check.scheme}://{host}:{check.port}{check.path.partition('?')[0]}"
        case TcpCheck():
            return f"tcp {host}:{check.port}"
        case ExecCheck():
            return f"exec {mask_text(' '.join(check.argv))}"
        case GrpcCheck():
            return f"grpc {host}:{check.port}" + (f" service {check.service}" if check.service else "")
        case LogCheck():
            return f"log {check.pattern}"
        case PluginCheck():
            return check.type


def run_document(row: RunRow) -> Document:
    """One run of the history."""
    return {
        "run": row.run,
        "pid": row.pid,
        "started_at": stamp(row.started_at),
        "ended_at": stamp(row.ended_at),
        "uptime": None if row.uptime is None else round(row.uptime, 3),
        "ended": row.ended,
    }


def event_document(row: EventRow) -> Document:
    """One entry of the journal."""
    return {
        "id": row.id,
        "at": stamp(row.at),
        "instance": row.instance,
        "run": row.run,
        "kind": row.kind,
        "message": row.message,
    }


def change_document(change: object) -> Document:
    """One change of a plan."""
    found: Mapping[str, object] = asdict(change)  # type: ignore[call-overload]
    return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}
