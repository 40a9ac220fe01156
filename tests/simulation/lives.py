"""What is known of one run from outside, and how its end is judged by the words of design.md."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.spec import ComponentSpec, RestartPolicy

from .kubelet import Kubelet
from .processes import Process


@dataclass(slots=True, eq=False)
class Life:
    """One run, and when the supervisor came to know of it.

    Attributes:
        needs: the newest run of each dependency when it began.
        known_at: when its pid became known.
        told_at: when the end of its leader became known.
        is_over: nothing of it lives, and the supervisor knows.
        is_forgotten: it has come to nothing: a supervisor died while starting it, and nothing of it was found.
        is_replaced: it is to be restarted with a dependency.
        kill_at: when SIGKILL must come; ``was_put_off``: it has been given its time once more, and is not again.
    """

    process: Process
    needs: dict[str, int]
    kubelet: Kubelet = field(init=False)
    known_at: float | None = None
    told_at: float | None = None
    is_over: bool = False
    is_forgotten: bool = False
    is_replaced: bool = False
    kill_at: float | None = None
    was_put_off: bool = False

    def __post_init__(self) -> None:
        self.kubelet = Kubelet(self.process.spec.probes)

    def edit(self, instance: Instance) -> None:
        """Another spec is applied, maybe before it is known to run: then nothing of the old probes has begun."""
        probes, run = instance.spec.probes, instance.state.run
        if run is not None and run.number == self.process.run and run.pid is None and run.exit is None:
            if probes is not self.kubelet.probes:
                self.kubelet = Kubelet(probes, health=self.kubelet.health)
            return
        is_ending = self.process.stop_began_at is not None or self.process.exit_is_told
        self.kubelet.edit(probes, is_ending=is_ending)


class After(Enum):
    """What must follow the end of a run."""

    REPLACED = auto()  # it was asked for, or goes with a dependency: at once, and nothing is counted
    RETRIED = auto()  # a shortage kept it from starting: it is tried again after a wait, and nothing else is counted
    UNCOUNTED = auto()  # its engine stopped, or it never began: at once, and nothing is counted
    AT_ONCE = auto()
    WAIT = auto()
    COMPLETED = auto()
    FAILED = auto()
    STOPPED = auto()


@dataclass(slots=True)
class Counts:
    """Restart accounting of one instance, as far as it decides anything. Times are those of restarts."""

    failed: int = 0
    slowed: int = 0
    shortages: int = 0
    failed_restarts: list[float] = field(default_factory=list)
    automatic: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class End:
    """The end of a run: what follows, how long the next start waits (seconds from ``told_at``), and the new counts.

    ``spec``: what was applied then. ``recent``: the restarts of failed runs that lie in the window. ``shortages``: the
    starts in a row that a shortage has stopped.
    """

    told_at: float
    spec: ComponentSpec = field(repr=False)
    after: After
    shortest: float = 0.0
    longest: float = 0.0
    failed: int = 0
    slowed: int = 0
    recent: tuple[float, ...] = ()
    was_stable: bool = False
    shortages: int = 0


def judge(life: Life, spec: ComponentSpec, counts: Counts, tolerance: float) -> End | None:
    """What must follow; ``None`` when the run was so nearly as long as ``min_uptime`` that nobody can tell."""
    assert life.told_at is not None, "only an end that is known is judged"
    if life.process.was_short:
        step = counts.shortages + 1
        longest = _delay(spec, step)
        shortest = longest * (1 - spec.backoff.jitter)
        waits = End(life.told_at, spec, After.RETRIED, shortest, longest, counts.failed, counts.slowed)
        return replace(waits, shortages=step)
    if not _is_restarted(life, spec):
        fails = life.kubelet.failed is not None or not _is_success(life, spec)
        return End(life.told_at, spec, After.FAILED if fails else After.COMPLETED)
    uptime = _judged_until(life) - (life.known_at if life.process.is_started and life.known_at is not None else 1e9)
    if abs(uptime - spec.min_uptime) <= tolerance:
        return None
    if uptime < spec.min_uptime or not _worked(life, spec):
        return _after_failed(life.told_at, spec, counts)
    recent = [at for at in counts.automatic if at > life.told_at - spec.restart_window]
    if spec.max_restarts is None or len(recent) < max(1, spec.max_restarts):
        return End(life.told_at, spec, After.AT_ONCE, was_stable=True)
    slowed = counts.slowed + 1
    longest = _delay(spec, slowed)
    shortest = longest * (1 - spec.backoff.jitter)
    return End(life.told_at, spec, After.WAIT, shortest, longest, slowed=slowed, was_stable=True)


def shortest_wait(spec: ComponentSpec) -> float:
    """What every restart that isn't at once waits."""
    return _delay(spec, 1) * (1 - spec.backoff.jitter)


def _after_failed(told_at: float, spec: ComponentSpec, counts: Counts) -> End:
    failed = counts.failed + 1
    recent = tuple(at for at in counts.failed_restarts if at > told_at - spec.restart_window)
    if spec.max_restarts is not None and len(recent) >= spec.max_restarts:
        return End(told_at, spec, After.FAILED, failed=failed, slowed=counts.slowed)
    longest = _delay(spec, failed)
    return End(told_at, spec, After.WAIT, longest * (1 - spec.backoff.jitter), longest, failed, counts.slowed, recent)


def _delay(spec: ComponentSpec, step: int) -> float:
    backoff = spec.backoff
    return min(backoff.max, backoff.initial * backoff.factor ** min(step - 1, 64))


def _judged_until(life: Life) -> float:
    """A run that was already being ended is judged by the moment at which that began."""
    assert life.told_at is not None
    times = (life.told_at, life.process.stop_began_at, life.kubelet.failed_at)
    return min(at for at in times if at is not None)


def _worked(life: Life, spec: ComponentSpec) -> bool:
    return life.kubelet.is_started and (spec.probes.liveness is None or life.kubelet.was_healthy)


def _is_restarted(life: Life, spec: ComponentSpec) -> bool:
    if spec.restart is RestartPolicy.NEVER:
        return False
    if spec.restart is RestartPolicy.ON_FAILURE:
        return life.kubelet.failed is not None or not _is_success(life, spec)
    return True


def _is_success(life: Life, spec: ComponentSpec) -> bool:
    status = life.process.told_status
    if status is None or life.process.kill_began_at is not None:
        return False
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        by_code = life.process.is_container and 128 + number in spec.success.codes
        return by_code or number in spec.success.signals
    return os.WEXITSTATUS(status) in spec.success.codes
