"""What the core asks of the world. The shell carries an effect out and answers with events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stigmer_pm.spec import ProbeKind


@dataclass(frozen=True, slots=True)
class StartRun:
    """Start run ``run`` of the instance; answered by ``Spawned`` or ``SpawnFailed``."""

    instance: str
    run: int


@dataclass(frozen=True, slots=True)
class CancelStart:
    """The start of the run is not wanted any more: a pull may take minutes.

    Answered by ``NotStarted``, ``SpawnFailed`` or, when it was too late, by ``Spawned``. A start that takes no time
    needs no answer but its own.
    """

    instance: str
    run: int


@dataclass(frozen=True, slots=True)
class SignalRun:
    """Send ``signal`` (0: the one that the image of a container names) and then SIGCONT to the run's process group;
    once its leader is gone, to all that it left behind and that has not had the signal yet."""

    instance: str
    run: int
    signal: int


@dataclass(frozen=True, slots=True)
class KillRun:
    """SIGKILL everything that belongs to the run, in whatever session or group; answered when nothing is left."""

    instance: str
    run: int


@dataclass(frozen=True, slots=True)
class AttemptProbe:
    """Make one attempt of the probe; answered by ``ProbeDone``."""

    instance: str
    run: int
    probe: ProbeKind


@dataclass(frozen=True, slots=True)
class RunOver:
    """The run has ended: put it into the history, and let go of what was kept for it.

    Attempts of its probes that are under way are not answered any more. ``ended`` says in words how it ended.
    """

    instance: str
    run: int
    ended_at: float
    uptime: float
    ended: str


class EventKind(StrEnum):
    """The kinds of entries in the journal that ``events`` shows."""

    STARTING = "starting"
    RUNNING = "running"
    STARTED = "started"
    READY = "ready"
    UNREADY = "unready"
    UNHEALTHY = "unhealthy"
    PROBE_FAILS = "probe-fails"
    PROBE_PASSES = "probe-passes"
    WARNING = "warning"
    STOPPING = "stopping"
    KILLED = "killed"
    STOPPED = "stopped"
    EXITED = "exited"
    CANNOT_START = "cannot-start"
    BACKOFF = "backoff"
    FLAPPING = "flapping"
    FLAPPING_ENDED = "flapping-ended"
    PAUSED = "paused"
    GOES_ON = "goes-on"
    COMPLETED = "completed"
    FAILED = "failed"
    WAITING = "waiting"
    EDITED = "edited"
    REPLACED = "replaced"
    TAKEN_OVER = "taken-over"


@dataclass(frozen=True, slots=True)
class Record:
    """Write an entry into the journal."""

    instance: str
    kind: EventKind
    message: str
    run: int | None = None


Effect = StartRun | CancelStart | SignalRun | KillRun | AttemptProbe | RunOver | Record
