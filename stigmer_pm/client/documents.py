"""The shapes of what a supervisor answers. They cost nothing when the program runs; they are for the reader and mypy.

Times are RFC 3339 in UTC with milliseconds, durations are seconds, sizes are bytes.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

Document = dict[str, Any]
Targets = dict[str, int]


class LastExit(TypedDict):
    """How the last run ended; ``reason`` in words."""

    code: int | None
    signal: str | None
    at: str
    uptime: float
    reason: str


class ComponentEntry(TypedDict):
    """One entry of ``ps --json``: an instance."""

    name: str
    component: str
    kind: str
    phase: str
    started: bool
    ready: bool
    healthy: bool
    desired: str
    pid: int | None
    container: str | None
    run: int
    restarts: int
    failed_runs: int
    since: str | None
    next_restart: str | None
    last_exit: LastExit | None
    reason: str
    cpu_percent: float | None
    memory_bytes: int | None
    log: str
    log_from: int
    description: str


class SupervisorEntry(TypedDict):
    """Who answers."""

    pid: int
    version: str
    since: str


class Input(TypedDict):
    """A file that the applied spec was made from; ``sha256`` is ``None`` when it did not exist."""

    path: str
    sha256: str | None


class PsDocument(TypedDict):
    """What ``/v1/ps`` answers; ``trouble`` is what keeps the supervisor from its work, in words, or ``None``."""

    project: str
    file: str
    supervisor: SupervisorEntry
    trouble: str | None
    inputs: list[Input]
    components: list[ComponentEntry]


class ComponentDetails(ComponentEntry):
    """What ``describe`` shows beside the entry of ``ps``; ``trouble`` is why ``runs`` and ``events`` may lack the last
    ones, or empty."""

    spec: Document
    probes: list[Document]
    runs: list[Document]
    events: list[EventEntry]
    depends_on: list[Document]
    container_facts: Document | None
    trouble: str | None


class Change(TypedDict):
    """One change of a plan: ``action`` is ``start``, ``restart``, ``update`` or ``stop``."""

    name: str
    action: str
    fields: list[str]
    reason: str


class ApplyAnswer(TypedDict):
    """What applying a file has begun, or would begin; ``targets`` maps what is to run to the run that counts."""

    changes: list[Change]
    unchanged: int
    targets: Targets
    stopping: list[str]


class SaidResult(TypedDict):
    """What was done about one instance, in words."""

    name: str
    said: str


class Standing(TypedDict):
    """How one instance stands on its way: ``state`` is ``pending``, ``reached`` or ``lost``.

    ``progress`` is how much of what it waits for is done, in percent, where that can be told. ``log`` is ``None`` when
    it has no run that could have written to it. One that has been removed from the file has the first four only.
    """

    name: str
    state: str
    phase: str
    reason: str
    progress: NotRequired[int | None]
    pid: NotRequired[int | None]
    next_restart: NotRequired[str | None]
    log: NotRequired[str | None]
    log_from: NotRequired[int]


class EventEntry(TypedDict):
    """One entry of the journal; ``instance`` is ``None`` for one about the project."""

    id: int
    at: str
    instance: str | None
    run: int | None
    kind: str
    message: str


class EventsAnswer(TypedDict):
    """The journal; ``trouble`` is why what has happened lately may not be in it, or empty."""

    trouble: str | None
    events: list[EventEntry]


UpgradeAnswer = TypedDict("UpgradeAnswer", {"from": str, "to": str, "pid": int, "since": str})
