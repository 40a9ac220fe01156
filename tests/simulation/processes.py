"""Programs, which behave as they are told to, and the runs of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from stigmer_pm.spec import ComponentSpec, ProbeKind

from .clockwork import Call


@dataclass(frozen=True, slots=True)
class Program:
    """How the runs of one component behave from now on; the simulation changes it at will.

    Attributes:
        cannot_start: the command is not found.
        lives: seconds after which a run ends by itself; ``None``: never.
        exit_status: the wait status of such an end.
        stops_in: seconds from the stop signal to the end; ``None``: it ignores the signal.
        dies_in: seconds from SIGKILL to the end; more than none while the kernel holds a process.
        leaves: processes that stay behind when the leader ends.
        leftovers_stop: whether they obey the stop signal.
        healthy_after: seconds from the start until probes pass; ``None``: never.
        sick: probes fail now.
        answers_in: seconds that an attempt of a probe takes; at most its timeout counts.
    """

    cannot_start: bool = False
    lives: float | None = None
    exit_status: int = 256
    stops_in: float | None = 0.1
    dies_in: float = 0.0
    leaves: int = 0
    leftovers_stop: bool = True
    healthy_after: float | None = 0.0
    sick: bool = False
    answers_in: float = 0.01


@dataclass(slots=True, eq=False)
class Process:
    """One run in the world. ``leader`` and ``leftovers`` live; ``status`` is known once the leader is gone.

    Attributes:
        spec: what it was started by.
        is_started: its program was executed; otherwise the start has failed.
        is_watched: a supervisor is told what becomes of it.
        told_status: the wait status that a supervisor was told, which is not always known to it.
        stop_began_at, kill_began_at: when the first stop signal, and the last SIGKILL, were sent to it.
        attempts: the probes that are being asked just now.
        own_end: the call that ends it by itself.
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
    stop_began_at: float | None = None
    kill_began_at: float | None = None
    attempts: set[ProbeKind] = field(default_factory=set)
    own_end: Call | None = None

    @property
    def lives(self) -> bool:
        """Something of it lives."""
        return self.leader or self.leftovers > 0

    def __repr__(self) -> str:
        return f"{self.instance}/{self.run}"
