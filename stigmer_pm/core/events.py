"""What can happen to an instance. Each event is a frozen value that is valid by construction.

Events about a run carry its number and are dropped when that run is over: a timer or a probe result may come late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.reasons import Reason
from stigmer_pm.core.state import Exit, SpawnError, StopCause
from stigmer_pm.spec import ComponentSpec, ProbeKind


@dataclass(frozen=True, slots=True)
class Start:
    """It is to run: ``up``, ``start`` or ``reset`` asked for it. Clears the counts of failed runs."""


@dataclass(frozen=True, slots=True)
class Stop:
    """It is not to run any more."""

    cause: StopCause = StopCause.BY_HAND


@dataclass(frozen=True, slots=True)
class Kill:
    """It is not to run any more, and is not given the time to stop by itself."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Its run is to be replaced by a new one; without a run it is a start."""

    cause: StopCause = StopCause.RESTART


@dataclass(frozen=True, slots=True)
class Reset:
    """Its counts of failed runs are to be cleared; one that has failed, or waits in backoff, is started."""


@dataclass(frozen=True, slots=True)
class Proceed:
    """Every dependency's condition holds: the start that waits may happen now."""

    dependency_runs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hold:
    """What it waits for has changed: another dependency, or other words about it."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing that depends on it runs any more: the stop that is wanted may begin now."""


@dataclass(frozen=True, slots=True)
class ResumeStop:
    """A supervisor has come back while the run was being ended.

    ``is_signalled``: it is certain that the run has had its stop signal; otherwise nobody knows.
    """

    is_signalled: bool = False


@dataclass(frozen=True, slots=True)
class Spawned:
    """The program of the run has been executed and has this pid.

    ``container``: the engine's id of it; ``health``: what its HEALTHCHECK says, ``None`` when it has none.
    ``port_was_taken``: somebody answered before it began where its probes ask.
    ``spread`` in [0, 1) sets the times of its probes apart from those of others; the project fills it in.
    """

    run: int
    pid: int
    container: str | None = None
    health: bool | None = None
    spread: float = 0.0
    port_was_taken: bool = False


@dataclass(frozen=True, slots=True)
class SpawnFailed:
    """The run could not be started. ``chance`` in [0, 1) feeds the jitter of the backoff."""

    run: int
    error: SpawnError
    chance: float = 0.0


@dataclass(frozen=True, slots=True)
class NotStarted:
    """A start has left nothing: it was taken back, or an earlier supervisor never came to it, or it is over unseen."""

    run: int


@dataclass(frozen=True, slots=True)
class Exited:
    """The run's leader is gone; ``remaining``: other processes of the run still live.

    ``cause``: what has ended it, where that is nothing that the run can be blamed for.
    """

    run: int
    exit: Exit
    remaining: bool = False
    chance: float = 0.0
    cause: StopCause | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """The world says something about a run that is under way (one of ``NOTES``), or, with no reason, takes it back."""

    run: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class HealthTold:
    """What the HEALTHCHECK of its image says, with the output of its last attempt."""

    run: int
    passes: bool
    output: str = ""


@dataclass(frozen=True, slots=True)
class Emptied:
    """The last process of the run is gone, after its leader."""

    run: int
    chance: float = 0.0


@dataclass(frozen=True, slots=True)
class ProbeDone:
    """An attempt of a probe has ended."""

    run: int
    probe: ProbeKind
    outcome: Outcome
    output: str = ""
    duration: float = 0.0


@dataclass(frozen=True, slots=True)
class Due:
    """Time has passed: a deadline of the state may lie at or before now. May come early, late, or for nothing."""


@dataclass(frozen=True, slots=True)
class Hurry:
    """Somebody waits for it to be ready: a readiness probe that doesn't pass is asked now, and then every period.

    Kubernetes: the kubelet does so at every sync of a pod that is not ready.
    """


@dataclass(frozen=True, slots=True)
class SpecChanged:
    """How it is watched has been edited, from ``old`` to the spec that ``step`` is called with."""

    old: ComponentSpec


Event = (
    Start
    | Stop
    | Kill
    | Restart
    | Reset
    | Proceed
    | Hold
    | Halt
    | ResumeStop
    | Spawned
    | SpawnFailed
    | NotStarted
    | Exited
    | Emptied
    | Noted
    | HealthTold
    | ProbeDone
    | Due
    | Hurry
    | SpecChanged
)
