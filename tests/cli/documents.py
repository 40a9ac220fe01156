"""Documents as a supervisor answers them, with what a test cares about filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any


def stamp(seconds_from_now: float = 0.0) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds_from_now)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def component(name: str, **fields: Any) -> Any:
    """One that runs and is ready, unless ``fields`` say otherwise."""
    return {
        "name": name,
        "component": name,
        "kind": "process",
        "phase": "running",
        "started": True,
        "ready": True,
        "healthy": True,
        "desired": "running",
        "pid": 12,
        "container": None,
        "run": 1,
        "restarts": 0,
        "failed_runs": 0,
        "since": stamp(-125),
        "next_restart": None,
        "last_exit": None,
        "reason": "",
        "cpu_percent": 0.3,
        "memory_bytes": 23461888,
        "log": f"/nowhere/{name}.log",
        "log_from": 0,
        "description": "",
    } | fields


def ps(*components: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The answer of ``/v1/ps``."""
    return {
        "project": "shop",
        "file": "/nowhere/stigmer.yaml",
        "supervisor": {"pid": 4711, "version": "0.1.0", "since": stamp(-500)},
        "trouble": "",
        "inputs": [],
        "components": list(components),
    } | fields


def standing(name: str, state: str = "reached", phase: str = "running", **fields: Any) -> Any:
    """How one instance stands."""
    return {
        "name": name,
        "state": state,
        "phase": phase,
        "reason": "",
        "pid": 12 if phase == "running" else None,
        "next_restart": None,
        "log": f"/nowhere/{name}.log",
        "log_from": 0,
    } | fields


def waited(*standings: dict[str, Any], before: list[dict[str, Any]] | None = None) -> list[tuple[str, Any]]:
    """The stream of a wait that ends with ``standings``."""
    messages: list[tuple[str, Any]] = [("progress", {"instances": before})] if before else []
    done = {
        "reached": all(s["state"] == "reached" for s in standings),
        "timed_out": any(s["state"] == "pending" for s in standings),
        "instances": list(standings),
    }
    return [*messages, ("progress", {"instances": list(standings)}), ("done", done)]


def acted(**said: str) -> dict[str, Any]:
    """The answer of start, stop, restart and reset."""
    return {
        "results": [{"name": name, "said": words} for name, words in said.items()],
        "targets": dict.fromkeys(said, 2),
    }


def applied(*changes: dict[str, Any], targets: tuple[str, ...] = (), stopping: tuple[str, ...] = ()) -> dict[str, Any]:
    """The answer of ``/v1/apply``."""
    return {
        "changes": list(changes),
        "unchanged": 0,
        "targets": dict.fromkeys(targets, 1),
        "stopping": list(stopping),
    }


def change(name: str, action: str, reason: str = "edited", *fields: str) -> dict[str, Any]:
    """One change of a plan."""
    return {"name": name, "action": action, "fields": list(fields), "reason": reason}
