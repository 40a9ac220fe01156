"""What may be asked of a supervisor, as an OpenAPI document: made from the routes, what they take and what they answer.

Built when it is asked for; a supervisor that nobody asks has none of it in its memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stigmer_pm.core.verdict import Goal
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.spec.shape import Schema, shape_of
from stigmer_pm.spec.soundness import LONGEST_S
from stigmer_pm.supervisor.openapi_answers import ANSWERS, list_of, mapping_of, ref

#: Of the document itself. It grows with what can be asked, and what is there stays as it is.
VERSION = "1.0.0"

_WHERE = "#/components/schemas/"
_STATUSES: Mapping[int, str] = {
    400: "the request is not understood, or can't be carried out",
    404: "no component is called so, or has the label",
    409: "not now: the supervisor is ending, or can't let another one take its place; the error's code says which",
    413: "the request is longer than is read, or names too much",
    500: "a bug in the supervisor; its log has the traceback",
    503: "the supervisor can't carry it out now: its store can't be read, or too much is being sent to it at once",
}
_EVENT_STREAM = "text/event-stream"

_STRINGS = list_of({"type": "string"})
_SECONDS: Schema = {"anyOf": [{"type": "number", "minimum": 0, "maximum": LONGEST_S}, {"type": "null"}]}
_SELECTION: Mapping[str, Schema] = {
    "names": {**_STRINGS, "description": "names of components, or glob patterns"},
    "labels": {**mapping_of({"type": "string"}), "description": "only components with all of these labels"},
    "all": {"type": "boolean", "description": "every component, whatever is named"},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked. ``body`` are the fields of the request; ``strict``: others are refused."""

    summary: str
    answer: str
    statuses: tuple[int, ...] = (400,)
    query: Mapping[str, Schema] | None = None
    body: Mapping[str, Schema] | None = None
    required: tuple[str, ...] = ()
    is_strict: bool = False
    is_stream: bool = False


def _acting(summary: str, *statuses: int) -> Operation:
    return Operation(summary, "Acted", (400, 404, 413, 503, *statuses), body=_SELECTION, is_strict=True)


_WAIT_FIELDS: Mapping[str, Schema] = {
    "for": {"enum": [goal.value for goal in Goal], "default": Goal.READY.value},
    "targets": {
        "anyOf": [mapping_of({"type": "integer"}), {"type": "null"}],
        "description": "names of instances and the first run of each that counts, as requests that act answer them",
    },
    "select": {
        "anyOf": [{"type": "object", "properties": dict(_SELECTION)}, {"type": "null"}],
        "description": "which instances, where there are no targets",
    },
    "settle": {**_SECONDS, "description": "seconds that one without probes has to stay up; 1 by default"},
    "patience": {**_SECONDS, "description": "the longest backoff in seconds that is sat out"},
    "timeout": {**_SECONDS, "description": "seconds after which the wait ends"},
}
_BOOLEAN_WORD: Schema = {"enum": ["0", "1", "true", "false"]}

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", "/v1/ps"): Operation(
        "How everything stands",
        "Ps",
        (400, 404),
        query={"name": _STRINGS, "label": {**_STRINGS, "description": "KEY=VALUE"}},
    ),
    ("POST", "/v1/apply"): Operation(
        "Apply a resolved file, or say what that would do",
        "Applied",
        (400, 404, 409, 413, 503),
        body={
            "spec": ref("ProjectSpec"),
            "names": {**_STRINGS, "description": "only these components, and what they need"},
            "profiles": _STRINGS,
            "dry_run": {"type": "boolean", "default": False},
        },
        required=("spec",),
    ),
    ("POST", "/v1/start"): _acting("Start components, and what they need", 409),
    ("POST", "/v1/stop"): _acting("Stop components"),
    ("POST", "/v1/restart"): _acting("Restart components", 409),
    ("POST", "/v1/reset"): _acting("Clear the failed runs of components, and start those that were given up on", 409),
    ("POST", "/v1/wait"): Operation(
        "Follow components until all are where they should be, or can't get there",
        "Waited",
        (400, 404, 413, 503),
        body=_WAIT_FIELDS,
        is_stream=True,
    ),
    ("GET", "/v1/components/{name}"): Operation(
        "Everything about one component", "Description", (400, 404, 503), query={"show_secrets": _BOOLEAN_WORD}
    ),
    ("GET", "/v1/events"): Operation(
        "What has happened; with follow=1 a stream of it, and of what happens from then on",
        "Events",
        (400, 404, 503),
        query={
            "name": _STRINGS,
            "since": {"type": "string", "description": "a time such as 2026-01-22T10:00:00Z"},
            "limit": {"type": "string", "pattern": "^[0-9]+$", "description": "so many of the last ones"},
            "follow": _BOOLEAN_WORD,
        },
    ),
    ("POST", "/v1/signal"): Operation(
        "Send a signal to the first process of each component",
        "Signalled",
        (400, 404, 413, 503),
        body={**_SELECTION, "signal": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
        required=("signal",),
        is_strict=True,
    ),
    ("POST", "/v1/down"): Operation(
        "Stop everything in order, and end the supervisor",
        "Waited",
        (400, 413, 503),
        body={"timeout": {**_SECONDS, "description": "seconds after which the watching ends, and not the stopping"}},
        is_stream=True,
    ),
    ("POST", "/v1/let-go"): Operation("End the supervisor, and leave what runs to the next one", "Ending", (409,)),
    ("POST", "/v1/upgrade"): Operation(
        "Have another program take the supervisor's place, without a restart of anything",
        "Upgraded",
        (400, 409, 413, 503),
        body={
            "python": {"type": "string", "description": "the path of its interpreter"},
            "path": {**_STRINGS, "description": "where that finds its modules, beside its own places"},
        },
        required=("python",),
    ),
    ("GET", "/v1/openapi.json"): Operation("This document", "OpenApi", ()),
}


def document(routes: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The OpenAPI document of the given routes, each a method and a path.

    Raises:
        KeyError: nothing is known of a route.
    """
    schemas: dict[str, Schema] = dict(ANSWERS)
    shape_of(ProjectSpec, schemas, _WHERE)
    paths: dict[str, dict[str, Any]] = {}
    for method, path in routes:
        paths.setdefault(path, {})[method.lower()] = _operation(OPERATIONS[method, path], path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "stigmer-pm supervisor",
            "version": VERSION,
            "description": "HTTP/1.1 on the unix socket of a project; .stigmer/supervisor.json says where that lies.",
        },
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _operation(operation: Operation, path: str) -> dict[str, Any]:
    kind = _EVENT_STREAM if operation.is_stream else "application/json"
    content: dict[str, Any] = {kind: {"schema": ref(operation.answer)}}
    if operation.query and "follow" in operation.query:
        content[_EVENT_STREAM] = {"schema": ref("Happened")}
    answers = {"200": {"description": "done" if operation.body else "found", "content": content}}
    for status in sorted({*operation.statuses, 500}):
        error = {"application/json": {"schema": ref("Error")}}
        answers[str(status)] = {"description": _STATUSES[status], "content": error}
    found: dict[str, Any] = {"summary": operation.summary, "parameters": _parameters(operation, path)}
    if operation.body is not None:
        schema: Schema = {"type": "object", "properties": dict(operation.body), "required": list(operation.required)}
        if operation.is_strict:
            schema["additionalProperties"] = False
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {**found, "responses": answers}


def _parameters(operation: Operation, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if "{name}" in path:
        text = {"type": "string", "minLength": 1}
        found.append({"name": "name", "in": "path", "required": True, "schema": text})
    for name, schema in (operation.query or {}).items():
        plain = {key: value for key, value in schema.items() if key != "description"}
        found.append({"name": name, "in": "query", "required": False, "schema": plain})
        if "description" in schema:
            found[-1]["description"] = schema["description"]
    return found
