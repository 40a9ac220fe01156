"""What must hold whatever happens, said without the core: from what the world has seen, and what the file says."""

from __future__ import annotations

from dataclasses import dataclass, field

from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import RESTING, Desired, InstanceState, Phase, RunEnd, StopCause
from stigmer_pm.spec import ComponentSpec, Condition, Dependency, ProbeKind, RestartPolicy

from .virtual_world import Process, VirtualWorld

_CLOSE = 1e-6


class Violation(AssertionError):
    """An invariant does not hold."""


@dataclass
class History:
    """What has been seen of one instance. ``asked``: a command since the last start was about it."""

    starts: list[float] = field(default_factory=list)
    automatic: list[float] = field(default_factory=list)
    failed_restarts: list[float] = field(default_factory=list)
    failed: int = 0
    slowed: int = 0
    asked: bool = True
    disturbed: bool = False
    last: Process | None = None


class Oracle:
    """Watches the world and the engine, and objects."""

    def __init__(self, world: VirtualWorld) -> None:
        self._world = world
        self._histories: dict[str, History] = {}
        self.project: Project | None = None
        world.on_start = self.starts

    def history(self, name: str) -> History:
        """What has been seen of an instance."""
        return self._histories.setdefault(name, History())

    # --- what happens -------------------------------------------------------------------------------------------

    def asked(self, names: list[str]) -> None:
        """A command was about these: their next start is asked for, and their counts are cleared."""
        for name in names:
            history = self.history(name)
            history.asked = True

    def cleared(self, name: str) -> None:
        """Its counts are cleared, and it goes on."""
        history = self.history(name)
        history.automatic, history.failed_restarts, history.failed, history.slowed = [], [], 0, 0

    def disturb(self) -> None:
        """The supervisor has died or the file was edited: the accounting starts anew from what is seen next."""
        for history in self._histories.values():
            history.disturbed = True

    def starts(self, process: Process) -> None:
        """A run is being started: is that allowed now?"""
        assert self.project is not None
        instance = self.project.find(process.instance)
        if instance is None:
            raise Violation(f"{process.instance} is started and is not part of the project")
        living = self._world.living(process.instance)
        if living:
            raise Violation(f"{process.instance} is started while run {living[0].run} of it lives")
        if instance.state.desired is Desired.STOPPED and instance.state.restart_for is None:
            raise Violation(f"{process.instance} is started, and is to be stopped")
        if instance.state.run is None or instance.state.run.number != process.run:
            raise Violation(f"{process.instance} is started as run {process.run}, which is not on record")
        for dependency in instance.spec.depends_on:
            self._check_dependency(process.instance, dependency)
        self._account(process, instance.spec)

    # --- after every step ---------------------------------------------------------------------------------------

    def check(self, next_call: float | None) -> None:
        """Everything that holds between steps, when the engine has nothing to do at this moment."""
        assert self.project is not None
        for instance in self.project:
            self._check_instance(instance.spec, instance.state, next_call)
        for name in {p.instance for p in self._world.processes.values()}:
            if len(self._world.living(name)) > 1:
                raise Violation(f"two runs of {name} live")
            if self.project.find(name) is None and self._world.living(name):
                raise Violation(f"{name} was removed, and lives")

    def _check_instance(self, spec: ComponentSpec, state: InstanceState, next_call: float | None) -> None:
        assert self.project is not None
        living = self._world.living(state.name)
        where = f"{state.name} is {state.phase}"
        if state.run is None and living:
            raise Violation(f"{where} and has no run, and run {living[0].run} lives")
        if state.phase in RESTING and state.run is not None:
            raise Violation(f"{where} and has a run")
        if state.phase in (Phase.RUNNING, Phase.STARTING) and not living:
            raise Violation(f"{where}, and nothing of it lives")
        if state.phase is Phase.RUNNING and (state.run is None or state.run.pid is None):
            raise Violation(f"{where} without a pid")
        if state.is_ready and state.phase is not Phase.RUNNING:
            raise Violation(f"{where} and ready")
        if state.is_ready and not state.is_started:
            raise Violation(f"{where}, ready, and not started")
        self._check_progress(spec, state, next_call)

    def _check_progress(self, spec: ComponentSpec, state: InstanceState, next_call: float | None) -> None:
        """Whatever does not rest has something that will move it."""
        assert self.project is not None
        deadline = self.project.deadline(state.name)
        if deadline is not None and (next_call is None or next_call > max(deadline, self._world.clock.at) + _CLOSE):
            raise Violation(f"{state.name} has the deadline {deadline}, and nobody will be called then: {next_call}")
        stuck = {
            Phase.WAITING: not spec.depends_on,
            Phase.BACKOFF: deadline is None,
            Phase.STOPPING: deadline is None,
        }
        if stuck.get(state.phase, False):
            raise Violation(f"{state.name} is stuck in {state.phase}: {state}")
        if state.phase in (Phase.STARTING, Phase.RUNNING) and self._waits_for_no_one(state):
            raise Violation(f"{state.name} is {state.phase}, is to go, and nothing keeps it: {state}")
        if state.phase is Phase.STARTING and deadline is None and not self._is_asking(state):
            raise Violation(f"{state.name} is stuck in {state.phase}: {state}")

    def _waits_for_no_one(self, state: InstanceState) -> bool:
        """It is to be stopped or replaced, and no dependent that goes as well is still there."""
        assert self.project is not None
        if not (state.desired is Desired.STOPPED or state.restart_for is not None):
            return False
        return not any(
            dependency.name == state.name and other.state.is_leaving
            for other in self.project
            for dependency in other.spec.depends_on
        )

    @staticmethod
    def _is_asking(state: InstanceState) -> bool:
        startup = state.run.startup if state.run is not None else None
        return startup is not None and startup.began_at is not None

    # --- dependencies -------------------------------------------------------------------------------------------

    def _check_dependency(self, name: str, dependency: Dependency) -> None:
        assert self.project is not None
        other = self.project.find(dependency.name)
        problem = f"{name} is started before {dependency.name} is {dependency.condition}"
        if other is None:
            raise Violation(problem)
        if dependency.condition is Condition.COMPLETED:
            if other.state.phase is not Phase.COMPLETED:
                raise Violation(problem)
            return
        (process,) = self._world.living(dependency.name) or (None,)
        if process is None or not process.leader:
            raise Violation(f"{problem}: it does not live")
        probes = other.spec.probes
        needed = [probes.startup, probes.readiness if dependency.condition is Condition.READY else None]
        for probe in needed:
            # A supervisor that has come back counts anew from the result that it knew, and an edit may have brought
            # the probe; that it has passed at all is what can be told from outside.
            is_old = probe is not None and probe in process.spec.probes.declared()
            if probe is not None and is_old and Outcome.SUCCESS not in process.outcomes.get(probe.kind, []):
                raise Violation(f"{problem}: its {probe.kind} probe has not passed")

    # --- restarts -----------------------------------------------------------------------------------------------

    def _account(self, process: Process, spec: ComponentSpec) -> None:
        """When the start comes, and whether it may come at all, by the words of design.md."""
        now = self._world.clock.at
        history = self.history(process.instance)
        previous, history.last = history.last, process
        history.starts.append(now)
        if history.disturbed:
            # Whether a command had been written down before the death, only the records can tell.
            self._take_over(process.instance, history)
            return
        if history.asked or previous is None:
            history.asked = False
            self.cleared(process.instance)
            return
        end = self._end_of(process.instance)
        if end is not None and end.cause is not None and not end.cause.is_probe:
            # Its last run was ended to be replaced, so this start is no automatic restart.
            if end.cause is not StopCause.DEPENDENCY:
                self.cleared(process.instance)
            return
        if spec.restart is RestartPolicy.NEVER:
            raise Violation(f"{process.instance} is restarted under the policy never")
        ended_at = previous.ended_at
        if ended_at is None:
            raise Violation(f"{process.instance} is restarted, and run {previous.run} has not ended")
        self._check_wait(process.instance, spec, history, previous, now, ended_at)

    def _end_of(self, name: str) -> RunEnd | None:
        assert self.project is not None
        return self.project[name].state.last_end

    def _take_over(self, name: str, history: History) -> None:
        """After a death, or an edit during a backoff: go on from the counts that are on record."""
        assert self.project is not None
        state = self.project[name].state
        history.disturbed = history.asked = False
        history.automatic, history.failed_restarts = list(state.automatic_restarts), list(state.failed_restarts)
        history.failed, history.slowed = state.failed_runs, state.slowed_restarts

    def _check_wait(
        self, name: str, spec: ComponentSpec, history: History, previous: Process, now: float, ended_at: float
    ) -> None:
        recent = [at for at in history.automatic if at > ended_at - spec.restart_window]
        if self._was_stable(previous, spec, ended_at):
            history.failed, history.failed_restarts = 0, []
            limit = None if spec.max_restarts is None else max(1, spec.max_restarts)
            is_flapping = limit is not None and len(recent) >= limit
            history.slowed = history.slowed + 1 if is_flapping else 0
            step = history.slowed
        else:
            history.failed += 1
            in_window = [at for at in history.failed_restarts if at > ended_at - spec.restart_window]
            if spec.max_restarts is not None and len(in_window) >= spec.max_restarts:
                raise Violation(f"{name} is restarted after {len(in_window)} restarts of failed runs in the window")
            history.failed_restarts.append(now)
            step = history.failed
        longest = _delay(spec, step)
        shortest = longest * (1 - spec.backoff.jitter)
        if now < ended_at + shortest - _CLOSE:
            raise Violation(f"{name} waited {now - ended_at} s, and at least {shortest} s are due")
        if now > ended_at + longest + _CLOSE and not self._was_held(spec, previous):
            raise Violation(f"{name} waited {now - ended_at} s, and at most {longest} s are due")
        history.automatic.append(now)

    @staticmethod
    def _was_stable(previous: Process, spec: ComponentSpec, ended_at: float) -> bool:
        if previous.stop_began_at is not None:
            ended_at = min(ended_at, previous.stop_began_at)
        if ended_at - previous.began_at < spec.min_uptime:
            return False
        probes = spec.probes
        startup, liveness = previous.outcomes.get(ProbeKind.STARTUP, []), previous.outcomes.get(ProbeKind.LIVENESS, [])
        if probes.startup is not None and Outcome.SUCCESS not in startup:
            return False
        return probes.liveness is None or Outcome.SUCCESS in liveness

    @staticmethod
    def _was_held(spec: ComponentSpec, previous: Process) -> bool:
        """By a dependency, or by what its last run left behind."""
        return bool(spec.depends_on) or previous.program.leaves > 0


def _delay(spec: ComponentSpec, step: int) -> float:
    if step == 0:
        return 0.0
    return min(spec.backoff.max, spec.backoff.initial * spec.backoff.factor ** (step - 1))
