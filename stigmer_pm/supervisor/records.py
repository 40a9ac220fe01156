"""What is kept for people: runs, and entries of the journal. Their times are wall clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in the history; ``started`` tells its process from a later one of the same pid."""

    instance: str
    run: int
    pid: int | None = None
    started: int | None = None
    log_from: int | None = None
    started_at: float | None = None
    ended_at: float | None = None
    uptime: float | None = None
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One entry of the journal. ``id`` counts up for ever; ``instance`` is ``None`` for one about the project."""

    at: float
    instance: str | None
    run: int | None
    kind: str
    message: str
    id: int = 0
