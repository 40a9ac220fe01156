"""What is known about one instance: the phase it is in, what is wanted of it, its run and its history.

The phases, what each waits for, and what ends it:

``stopped``
    At rest: not wanted, or never asked for. Left by a start, a restart or an ``up``.
``waiting``
    Wanted, and held back by a dependency. Left when every condition of ``depends_on`` holds, or by a stop.
``starting``
    A run has been asked for. Left when the program runs and the startup probe (if any) has passed, or by its end.
``running``
    The program runs and is started. Left by its end, by a probe, or by a stop.
``stopping``
    The run is being ended, or its leader is gone and what it left behind is being ended. Left when nothing of the
    run lives; ``kill_at`` says when SIGKILL follows. Nothing interrupts it: a start or a restart asked for meanwhile
    takes effect at its end.
``backoff``
    A run failed and the next start waits until ``start_at``. A stop, start or restart ends it at once.
``completed``, ``failed``
    At rest: ended and not to be restarted, with success or without (or given up on).

What is wanted (``desired``, ``restart_for``), what is observed (``phase``, ``run``) and what was (``last_end``, the
counts) are kept apart. All times are seconds of one clock that the shell chooses, which never goes back while the
machine is up and survives the supervisor.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from operator import attrgetter

from stigmer_pm.core.probing import ProbeState, Result
from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.spec import ProbeKind


class Phase(StrEnum):
    """Where an instance is in its life. See this module's text for what each phase waits for."""

    STOPPED = "stopped"
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    COMPLETED = "completed"
    FAILED = "failed"


#: Phases in which nothing more happens by itself.
RESTING = frozenset({Phase.STOPPED, Phase.COMPLETED, Phase.FAILED})


class Desired(StrEnum):
    """What is wanted of an instance."""

    RUNNING = "running"
    STOPPED = "stopped"


class StopCause(StrEnum):
    """Why a run is being ended by the supervisor."""

    BY_HAND = "stopped by hand"
    RESTART = "restart by hand"
    EDIT = "restart for an edit of the file"
    REMOVED = "removed from the file"
    DEPENDENCY = "restart with its dependency"
    LIVENESS = "liveness probe failed"
    STARTUP = "startup probe failed"
    LEFTOVERS = "ending what the run left behind"
    ENGINE = "its engine stopped"

    @property
    def is_probe(self) -> bool:
        """A probe decided it, so what follows is an automatic restart."""
        return self in (StopCause.LIVENESS, StopCause.STARTUP)


class Pending(StrEnum):
    """What kind of automatic restart the next start will be; it is counted when it happens, not when decided."""

    NOT_AUTOMATIC = "none"
    AFTER_STABLE = "stable"
    AFTER_FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Exit:
    """How the leader of a run ended, as the kernel told it. All ``None`` means that nobody could tell.

    Of a container both may be set: its engine tells a death by signal n as exit status 128 + n. ``by``: who has ended
    it, in words, where that is known and is somebody else.
    """

    code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False
    by: str = ""


#: Of processes, memory, descriptors and disk space; a file system that is read-only is one that the kernel or an admin
#: has made so, because something is wrong with it or is being repaired.
_SHORTAGES = frozenset(
    {
        errno.EAGAIN,
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
    }
)


@dataclass(frozen=True, slots=True)
class SpawnError:
    """Why a run could not be started: the step that failed, what it was about, and the kernel's errno."""

    step: str
    subject: str
    errno: int
    detail: str

    @property
    def is_shortage(self) -> bool:
        """The machine, the user or the supervisor is short of something, so that it says nothing about the component,
        and passes without anybody's editing the file."""
        return self.errno in _SHORTAGES


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The end of a run. Exactly one of ``exit`` and ``spawn_error`` is set. ``uptime`` is in seconds."""

    run: int
    at: float
    uptime: float
    exit: Exit | None = None
    spawn_error: SpawnError | None = None
    cause: StopCause | None = None
    killed: bool = False

    @property
    def is_shortage(self) -> bool:
        """It could not be started, for lack of something that isn't the component's."""
        return self.spawn_error is not None and self.spawn_error.is_shortage


@dataclass(frozen=True, slots=True)
class Run:
    """One life of an instance, from the moment it was asked for until nothing of it lives.

    Attributes:
        pid, started_at: set once the program runs.
        container: the engine's id of a container, empty until it is known; ``None`` for a process. The pid of a
            container may be 0, where it is not to be seen.
        health: what the HEALTHCHECK of its image says, which is readiness where the file declares none; ``None``: it
            has none. ``health_output``: why it doesn't pass, in its own words.
        port_was_taken: somebody answered before it began where its probes ask, so that they may pass without it.
        is_started: the startup probe has passed, or there is none.
        has_been_healthy: the liveness probe has passed at least once.
        stop_reason: why it is being ended, also while the world says something else of it.
        kill_at: when SIGKILL is due; ``was_put_off``: once more than that, for nobody was there when it was due.
        dependency_runs: the run number of each dependency at the time, so that ``restart: true`` notices a newer one.
    """

    number: int
    asked_at: float
    pid: int | None = None
    container: str | None = None
    health: bool | None = None
    health_output: str = ""
    started_at: float | None = None
    port_was_taken: bool = False
    is_started: bool = False
    has_been_healthy: bool = False
    startup: ProbeState | None = None
    liveness: ProbeState | None = None
    readiness: ProbeState | None = None
    stop_cause: StopCause | None = None
    stop_reason: Reason = NO_REASON
    stop_began_at: float | None = None
    kill_at: float | None = None
    was_killed: bool = False
    was_put_off: bool = False
    exit: Exit | None = None
    exited_at: float | None = None
    dependency_runs: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_alive(self) -> bool:
        """Its leader has been started and is not known to be gone."""
        return self.pid is not None and self.exit is None


@dataclass(frozen=True, slots=True)
class InstanceState:
    """Everything the core knows about one instance, and all that has to survive the supervisor.

    Attributes:
        run: the current run; ``None`` when nothing of the instance lives.
        run_number: the number of the newest run, counted from 1 and never used again.
        restart_for: a restart that has been asked for and not yet carried out.
        start_at: in ``backoff``, when the next start is due.
        pending: whether the next start is an automatic restart, and after what.
        restarts: automatic restarts so far; those asked for do not count.
        failed_runs: failed runs in a row, as backoff counts them.
        failed_restarts: when failed runs of this row were restarted (for giving up).
        automatic_restarts: when automatic restarts happened, the newest ``max_restarts`` of them (for flapping).
        slowed_restarts: restarts in a row that were slowed for flapping.
        shortages: starts in a row that a shortage has stopped; the next one waits by their number.
    """

    name: str
    phase: Phase = Phase.STOPPED
    since: float = 0.0
    reason: Reason = NO_REASON
    desired: Desired = Desired.STOPPED
    is_stopped_by_hand: bool = False
    is_removed: bool = False
    restart_for: StopCause | None = None
    run: Run | None = None
    run_number: int = 0
    start_at: float | None = None
    pending: Pending = Pending.NOT_AUTOMATIC
    restarts: int = 0
    failed_runs: int = 0
    failed_restarts: tuple[float, ...] = ()
    automatic_restarts: tuple[float, ...] = ()
    slowed_restarts: int = 0
    shortages: int = 0
    last_end: RunEnd | None = None

    def differs_durably(self, other: InstanceState) -> bool:
        """Something differs that has to survive the supervisor, or that others act on.

        The bookkeeping of probes does not: how often in a row, when last and when next. A thousand probes would else
        write a thousand states at every turn; a supervisor that comes back counts them anew and keeps the results.
        """
        return _durable_of_state(self) != _durable_of_state(other) or _runs_differ(self.run, other.run)

    @property
    def is_leaving(self) -> bool:
        """It has a run that is wanted gone: for a stop, for a restart, or because it is already being ended."""
        return self.run is not None and (
            self.desired is Desired.STOPPED or self.restart_for is not None or self.phase is Phase.STOPPING
        )

    @property
    def is_started(self) -> bool:
        """The program runs and its startup probe, if any, has passed (Kubernetes: ``started``)."""
        return self.phase is Phase.RUNNING and self.run is not None and self.run.is_started

    @property
    def is_ready(self) -> bool:
        """Started, and the readiness probe passes or there is none; never while stopping or paused."""
        if not self.is_started or self.run is None or self.reason.why is Why.PAUSED:
            return False
        if self.run.readiness is None:
            return self.run.health is not False
        return self.run.readiness.is_passing

    @property
    def is_healthy(self) -> bool:
        """It runs, and the liveness probe passes or there is none."""
        if self.phase not in (Phase.STARTING, Phase.RUNNING) or self.run is None or not self.run.is_alive:
            return False
        return self.run.liveness is None or self.run.liveness.is_passing


def run_of(state: InstanceState) -> Run:
    """The run of an instance that has one, as its phase tells."""
    assert state.run is not None, f"{state.name} is {state.phase} and has no run"
    return state.run


_PROBES = frozenset(kind.value for kind in ProbeKind)
# The durable fields of each as one tuple. Tuples are compared without calling Python, and a thousand probes bring this
# about two hundred times a second.
_durable_of_state = attrgetter(*(field.name for field in fields(InstanceState) if field.name != "run"))
_durable_of_run = attrgetter(*(field.name for field in fields(Run) if field.name not in _PROBES))


def _runs_differ(a: Run | None, b: Run | None) -> bool:
    if a is b:
        return False
    if a is None or b is None:
        return True
    return (
        _durable_of_run(a) != _durable_of_run(b)
        or _result_of(a.startup) != _result_of(b.startup)
        or _result_of(a.liveness) != _result_of(b.liveness)
        or _result_of(a.readiness) != _result_of(b.readiness)
    )


def _result_of(probe: ProbeState | None) -> tuple[Result, bool] | None:
    return None if probe is None else (probe.result, probe.is_on_hold)
