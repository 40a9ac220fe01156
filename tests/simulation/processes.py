"""Programs, which behave as they are told to, and the runs of them: processes and containers."""

from __future__ import annotations

from dataclasses import dataclass, field

from stigmer_pm.core.reasons import NO_REASON, Reason
from stigmer_pm.core.state import StopCause
from stigmer_pm.spec import ComponentSpec, ProbeKind

from .clockwork import Call


@dataclass(frozen=True, slots=True)
class Program:
    """How the runs of one component behave from now on; the simulation changes it at will.

    Attributes:
        cannot_start: the command, or the image, is not found.
        is_short: the machine has no process to give, so that a process can't be started.
        lives: seconds after which a run ends by itself; ``None``: never.
        exit_status: the wait status of such an end.
        stops_in: seconds from the stop signal to the end; ``None``: it ignores the signal.
        dies_in: seconds from SIGKILL to the end; more than none while the kernel holds a process.
        leaves: processes that stay behind when the leader ends; those of a container end with it.
        leftovers_stop: whether they obey the stop signal.
        healthy_after: seconds from the start until probes and the HEALTHCHECK pass; ``None``: never.
        sick: probes and the HEALTHCHECK fail now.
        answers_in: seconds that an attempt of a probe takes; at most its timeout counts.
        begins_in: seconds that the start of a container takes.
        is_past_recall: the start of a container goes on when it is taken back: that comes too late.
        has_healthcheck: the image of a container has a HEALTHCHECK.
    """

    cannot_start: bool = False
    is_short: bool = False
    lives: float | None = None
    exit_status: int = 256
    stops_in: float | None = 0.1
    dies_in: float = 0.0
    leaves: int = 0
    leftovers_stop: bool = True
    healthy_after: float | None = 0.0
    sick: bool = False
    answers_in: float = 0.01
    begins_in: float = 0.0
    is_past_recall: bool = False
    has_healthcheck: bool = False


@dataclass(slots=True, eq=False)
class Process:
    """One run in the world. ``leader`` and ``leftovers`` live; ``status`` is known once the leader is gone.

    Attributes:
        spec: what it was started by.
        is_started: its program was executed; otherwise the start is under way, or has come to nothing.
        is_watched: a supervisor is told what becomes of it.
        told_status: the wait status that a supervisor was told, which is not always known to it; ``told_cause``: by
            whom it was said to have ended.
        found_at, told_at: when a supervisor was told that it runs, and that it has ended, where that was later.
        stop_began_at, kill_began_at: when the first stop signal, and the last SIGKILL, were asked for.
        attempts: the probes that are being asked just now.
        own_end: the call that ends it by itself.
        is_starting: of a container, whose start takes its time; ``is_recalled``: it was taken back; ``never_began``: it
            has come to nothing by that, or because its supervisor has died, which is no failure.
        is_paused: somebody has paused the container.
        health: what its HEALTHCHECK says; ``None``: it has none.
        wanted_signal: what the container is to be sent once that is possible.
        note: what was said of it last and still holds.
    """

    instance: str
    run: int
    pid: int
    began_at: float
    spec: ComponentSpec
    program: Program
    is_started: bool = True
    leader: bool = True
    leftovers: int = 0
    status: int | None = None
    ended_at: float | None = None
    is_watched: bool = True
    exit_is_told: bool = False
    told_status: int | None = None
    told_cause: StopCause | None = None
    found_at: float | None = None
    told_at: float | None = None
    stop_began_at: float | None = None
    kill_began_at: float | None = None
    attempts: set[ProbeKind] = field(default_factory=set)
    own_end: Call | None = None
    is_starting: bool = False
    is_recalled: bool = False
    never_began: bool = False
    is_paused: bool = False
    health: bool | None = None
    wanted_signal: int | None = None
    note: Reason = NO_REASON

    @property
    def is_container(self) -> bool:
        """It runs on an engine."""
        return self.spec.container is not None

    @property
    def was_short(self) -> bool:
        """A shortage of the machine kept it from starting."""
        return self.program.is_short and not (self.is_container or self.is_started)

    @property
    def lives(self) -> bool:
        """Something of it lives."""
        return self.leader or self.leftovers > 0

    @property
    def known_from(self) -> float:
        """When a supervisor that was awake knew that it runs."""
        return self.began_at if self.found_at is None else self.found_at

    def __repr__(self) -> str:
        return f"{self.instance}/{self.run}"
