"""The shapes of what a supervisor answers, for its OpenAPI document. :mod:`stigmer_pm.supervisor.documents` makes them.

Times are RFC 3339 in UTC with milliseconds, durations are seconds, sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

from stigmer_pm.core.state import Desired, Phase
from stigmer_pm.core.verdict import Standing
from stigmer_pm.spec.shape import Schema


def ref(name: str) -> Schema:
    """The schema that is called so."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(items: Schema) -> Schema:
    """A list of any length."""
    return {"type": "array", "items": items}


def mapping_of(values: Schema) -> Schema:
    """An object with any keys."""
    return {"type": "object", "additionalProperties": values}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _record(fields: Mapping[str, Schema]) -> Schema:
    """An object that has all of these fields, and no others."""
    properties = dict(fields)
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _stream(*names: str) -> Schema:
    """Server-sent events of these names; each has a JSON object for its data."""
    data: Schema = {"type": "string", "contentMediaType": "application/json"}
    return {
        "type": "object",
        "description": "each of the server-sent events",
        "properties": {"event": {"enum": list(names)}, "data": data},
        "required": ["event", "data"],
    }


_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_WHOLE: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_ANY: Schema = {"type": "object"}
_PHASE: Schema = {"enum": [phase.value for phase in Phase]}
_TARGETS: Schema = mapping_of(_WHOLE)

_ENTRY: Mapping[str, Schema] = {
    "name": _TEXT,
    "component": _TEXT,
    "kind": {"enum": ["process", "container"]},
    "phase": _PHASE,
    "started": _FLAG,
    "ready": _FLAG,
    "healthy": _FLAG,
    "desired": {"enum": [desired.value for desired in Desired]},
    "pid": _or_null(_WHOLE),
    "container": _or_null(_TEXT),
    "run": _WHOLE,
    "restarts": _WHOLE,
    "failed_runs": _WHOLE,
    "since": _or_null(_TIME),
    "next_restart": _or_null(_TIME),
    "last_exit": _or_null(ref("LastExit")),
    "reason": _TEXT,
    "cpu_percent": _or_null(_NUMBER),
    "memory_bytes": _or_null(_WHOLE),
    "log": _TEXT,
    "log_from": _WHOLE,
    "description": _TEXT,
}

#: By the names of the document's schemas.
ANSWERS: Mapping[str, Schema] = {
    "Error": _record(
        {"error": _record({"message": _TEXT, "cure": _or_null(_TEXT), "code": _TEXT, "exit": {"enum": [1, 2, 3]}})}
    ),
    "OpenApi": _ANY,
    "LastExit": _record(
        {"code": _or_null(_WHOLE), "signal": _or_null(_TEXT), "at": _TIME, "uptime": _NUMBER, "reason": _TEXT}
    ),
    "Component": _record(_ENTRY),
    "Ps": _record(
        {
            "project": _TEXT,
            "file": _TEXT,
            "supervisor": _record({"pid": _WHOLE, "version": _TEXT, "since": _TIME}),
            "trouble": _or_null(_TEXT),
            "inputs": list_of(_record({"path": _TEXT, "sha256": _or_null(_TEXT)})),
            "components": list_of(ref("Component")),
        }
    ),
    "Change": _record(
        {
            "name": _TEXT,
            "action": {"enum": ["start", "restart", "update", "stop"]},
            "fields": list_of(_TEXT),
            "reason": _TEXT,
        }
    ),
    "Applied": _record(
        {"changes": list_of(ref("Change")), "unchanged": _WHOLE, "targets": _TARGETS, "stopping": list_of(_TEXT)}
    ),
    "Acted": _record({"results": list_of(_record({"name": _TEXT, "said": _TEXT})), "targets": _TARGETS}),
    "Signalled": _record({"results": list_of(_record({"name": _TEXT, "pid": _or_null(_WHOLE), "said": _TEXT}))}),
    # The data of a stream of /v1/wait and /v1/down: what has moved, and at the end how all stand.
    "Progress": _record({"instances": list_of(ref("Standing"))}),
    "Done": {
        # What of it all could not be removed, or even be asked for, ``down`` alone says.
        **_record(
            {
                "reached": _FLAG,
                "timed_out": _FLAG,
                "instances": list_of(ref("Standing")),
                "stays": _TEXT,
                "not_reached": _TEXT,
                "unwritten": _TEXT,
            }
        ),
        "required": ["reached", "timed_out", "instances"],
    },
    "Standing": {
        # One that has been removed from the file has the first four only.
        **_record(
            {
                "name": _TEXT,
                "state": {"enum": [standing.value for standing in Standing]},
                "phase": _PHASE,
                "reason": _TEXT,
                "progress": _or_null(_WHOLE),
                "pid": _or_null(_WHOLE),
                "next_restart": _or_null(_TIME),
                "log": _or_null(_TEXT),
                "log_from": _WHOLE,
            }
        ),
        "required": ["name", "state", "phase", "reason"],
    },
    # "moved": another version takes over, and is to be asked again. "error": what has ended the stream, as an "Error".
    "Waited": _stream("progress", "done", "moved", "error"),
    "Happened": _stream("event", "moved", "error"),
    "Ending": _record({"pid": _WHOLE}),
    "Upgraded": _record({"from": _TEXT, "to": _TEXT, "pid": _WHOLE, "since": _TIME}),
    "Probe": _record(
        {
            "kind": {"enum": ["startup", "liveness", "readiness"]},
            "check": _TEXT,
            "initial_delay": _NUMBER,
            "period": _NUMBER,
            "timeout": _NUMBER,
            "success_threshold": _WHOLE,
            "failure_threshold": _WHOLE,
            "result": _TEXT,
            "consecutive": _WHOLE,
            "last": _or_null(_record({"outcome": _TEXT, "output": _TEXT, "at": _TIME, "duration": _NUMBER})),
        }
    ),
    "Run": _record(
        {
            "run": _WHOLE,
            "pid": _or_null(_WHOLE),
            "started_at": _or_null(_TIME),
            "ended_at": _or_null(_TIME),
            "uptime": _or_null(_NUMBER),
            "ended": _or_null(_TEXT),
        }
    ),
    "Event": _record(
        {
            "id": _WHOLE,
            "at": _TIME,
            "instance": _or_null(_TEXT),
            "run": _or_null(_WHOLE),
            "kind": _TEXT,
            "message": _TEXT,
        }
    ),
    "Events": _record({"trouble": _or_null(_TEXT), "events": list_of(ref("Event"))}),
    "DependencyState": _record({"name": _TEXT, "condition": _TEXT, "restart": _FLAG, "met": _FLAG, "reason": _TEXT}),
    "Description": _record(
        {
            **_ENTRY,
            "spec": ref("ComponentSpec"),
            "probes": list_of(ref("Probe")),
            "depends_on": list_of(ref("DependencyState")),
            "runs": list_of(ref("Run")),
            "events": list_of(ref("Event")),
            "container_facts": _or_null(_ANY),
            "trouble": _or_null(_TEXT),
        }
    ),
}
