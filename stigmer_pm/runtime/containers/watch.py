"""A run of a container as it is watched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from stigmer_pm.core.reasons import NO_REASON, Reason
from stigmer_pm.runtime import system
from stigmer_pm.runtime.containers.seen import Seen
from stigmer_pm.spec import ComponentSpec, ContainerExecution

if TYPE_CHECKING:
    from stigmer_pm.runtime.containers.log_stream import LogStream


class Stage(Enum):
    """How far a run has come."""

    BEGINNING = auto()  # it is being started, or looked for
    RUNNING = auto()
    OVER = auto()


@dataclass(slots=True, eq=False)
class Watch:
    """A run.

    Attributes:
        is_unwanted: its start is to be taken back.
        container: the engine's id of it, once it is known; ``seen``: how it stood when it was last looked at.
        started: when its process was started, by its engine's clock (nanoseconds since 1970).
        is_visible: its process is to be seen from here, and has the pid that its engine says.
        was_silent: its engine has been away since it was last seen running.
        own_signals: signals that it was sent from here and that its engine has not told of yet.
        outside: what somebody else has done to it, in words, and ``outside_at``: when (seconds of the loop's clock).
        told_code: the exit status that the engine has told, for when nobody can be asked any more.
        wanted_signal: what it is to be sent once its engine answers again; ``is_stop_wanted``: by it, it is to end.
        was_told_to_end: its stop signal has been delivered, or is just being; ``is_signalled``: it has.
        note: what was said of it last and still holds.
        log: what copies its output; ``None``: nothing does just now, because of ``output_error`` if that is known.
    """

    instance: str
    run: int
    spec: ComponentSpec
    execution: ContainerExecution
    stage: Stage = Stage.BEGINNING
    is_unwanted: asyncio.Event = field(default_factory=asyncio.Event)
    container: str = ""
    seen: Seen | None = None
    started: int = 0
    is_visible: bool = False
    was_silent: bool = False
    own_signals: int = 0
    outside: str = ""
    outside_at: float = 0.0
    told_code: int | None = None
    wanted_signal: int | None = None
    is_stop_wanted: bool = False
    was_told_to_end: bool = False
    is_signalled: bool = False
    note: Reason = NO_REASON
    is_looked_at: bool = False
    must_look_again: bool = False
    has_no_log: bool = False
    log: LogStream | None = None
    output_error: OSError | None = None
    log_is_over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        """Nothing more is to be told of it."""
        return self.stage is Stage.OVER

    def process_lives(self) -> bool:
        """The process that its engine names is to be seen here, and belongs to the container by the kernel's word."""
        if self.seen is None or not self.seen.pid or not system.exists(self.seen.pid):
            return False
        try:
            with open(f"/proc/{self.seen.pid}/cgroup", encoding="ascii", errors="replace") as file:
                return self.container in file.read()
        except OSError:
            return False
