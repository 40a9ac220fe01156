"""A small virtual world for tests of the core: a project, a clock, and programs that do what the test says."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field

from stigmer_pm.core.effects import AttemptProbe, CancelStart, Effect, KillRun, Record, SignalRun, StartRun
from stigmer_pm.core.events import Due, Event, Exited, ProbeDone, Spawned, SpawnFailed
from stigmer_pm.core.plan import Scope, make_plan
from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Exit, InstanceState, Phase, Run, SpawnError, run_of
from stigmer_pm.spec import (
    ComponentSpec,
    Condition,
    ContainerExecution,
    Dependency,
    ProbeKind,
    ProcessExecution,
    ProjectSpec,
)


def component(
    name: str, *, command: str = "serve", environment: Mapping[str, str] | None = None, **rest: object
) -> ComponentSpec:
    """A process component with short defaults."""
    execution = ProcessExecution((command,), "/", f"/logs/{name}.log", environment or {})
    return ComponentSpec(name, process=execution, **rest)  # type: ignore[arg-type]


def container(name: str, **rest: object) -> ComponentSpec:
    """A container component with short defaults."""
    execution = ContainerExecution("serve", f"p-{name}", "p", f"/logs/{name}.log")
    return ComponentSpec(name, container=execution, **rest)  # type: ignore[arg-type]


def after(name: str, condition: Condition = Condition.STARTED, *, restart: bool = False) -> tuple[Dependency, ...]:
    """``depends_on`` with one entry."""
    return (Dependency(name, condition, restart),)


@dataclass
class World:
    """Carries effects out in the virtual world. ``now`` is set by the test; time passes only in :meth:`run_until`.

    The start of what is in ``takes_its_time`` is answered by the test, with :meth:`begin` or an event.
    """

    project: Project = field(default_factory=Project)
    now: float = 0.0
    next_pid: int = 100
    cannot_start: set[str] = field(default_factory=set)
    short_of: set[str] = field(default_factory=set)
    takes_its_time: set[str] = field(default_factory=set)
    ignores_signals: set[str] = field(default_factory=set)
    effects: list[Effect] = field(default_factory=list)
    starts: list[tuple[float, str]] = field(default_factory=list)
    signals: list[tuple[str, int]] = field(default_factory=list)
    kills: list[str] = field(default_factory=list)
    taken_back: list[tuple[str, int]] = field(default_factory=list)
    probes: list[tuple[float, str, ProbeKind]] = field(default_factory=list)
    answers: dict[tuple[str, ProbeKind], Outcome] = field(default_factory=dict)
    applied: tuple[ComponentSpec, ...] = ()

    def up(self, *specs: ComponentSpec, scope: Scope = Scope()) -> tuple[str, ...]:  # noqa: B008 - frozen
        """Apply a file with these components; the plan in words."""
        if specs:
            self.applied = specs
        new = ProjectSpec("p", "/p/stigmer.yaml", "/p/.stigmer", self.applied)
        plan = make_plan(self.project.applied(), self._state_of, new, scope)
        self._do(self.project.apply({c.name: c for c in new.components}, plan.changes, self.now))
        return tuple(f"{c.action.value} {c.name}" for c in plan.changes)

    def send(self, name: str, event: Event) -> None:
        """An event for one instance, and all effects carried out."""
        self._do(self.project.handle(name, event, self.now))

    def send_all(self, names: list[str], event: Event) -> None:
        """The same event for many at once."""
        self._do(self.project.handle_news([(name, event) for name in names], self.now))

    def begin(self, name: str, *, health: bool | None = None) -> None:
        """A start that takes its time has come to its end: the container runs."""
        self.send(name, Spawned(self.run(name).number, 100, f"{name}-id", health))

    def exit(self, name: str, code: int | None = 0, *, signal: int | None = None, remaining: bool = False) -> None:
        """The current run of an instance ends by itself."""
        self.send(
            name, Exited(self.run(name).number, Exit(code=code if signal is None else None, signal=signal), remaining)
        )

    def run_until(self, end: float) -> None:
        """Let time pass, with every deadline on the way."""
        while True:
            due = [(at, i.state.name) for i in self.project if (at := self.project.deadline(i.state.name)) is not None]
            at, name = min(due, default=(end, ""))
            if at > end or not name:
                self.now = max(self.now, end)
                return
            self.now = max(self.now, at)
            self.send(name, Due())

    def state(self, name: str) -> InstanceState:
        """The state of an instance."""
        return self.project[name].state

    def run(self, name: str) -> Run:
        """The run of an instance."""
        return run_of(self.state(name))

    def phase(self, name: str) -> Phase:
        """The phase of an instance."""
        return self.state(name).phase

    def records(self, name: str) -> list[str]:
        """What the journal says about an instance."""
        return [e.message for e in self.effects if isinstance(e, Record) and e.instance == name]

    def _state_of(self, name: str) -> InstanceState | None:
        found = self.project.find(name)
        return None if found is None else found.state

    def _do(self, effects: list[Effect]) -> None:
        self.effects += effects
        for effect in effects:
            match effect:
                case StartRun(name, run):
                    self._start(name, run)
                case CancelStart(name, run):
                    self.taken_back.append((name, run))
                case SignalRun(name, run, number):
                    self.signals.append((name, number))
                    if name not in self.ignores_signals:
                        self.send(name, Exited(run, Exit(signal=number)))
                case KillRun(name, run):
                    self.kills.append(name)
                    self.send(name, Exited(run, Exit(signal=9)))
                case AttemptProbe(name, run, kind):
                    self.probes.append((self.now, name, kind))
                    outcome = self.answers.get((name, kind), Outcome.SUCCESS)
                    self.send(name, ProbeDone(run, kind, outcome, outcome.value))
                case _:
                    pass

    def _start(self, name: str, run: int) -> None:
        self.starts.append((self.now, name))
        if name in self.cannot_start:
            error = SpawnError("run its command", "nope", 2, "'nope' not found in PATH")
            self.send(name, SpawnFailed(run, error))
            return
        if name in self.short_of:
            self.send(name, SpawnFailed(run, SpawnError("make a process", "nope", errno.EAGAIN, "none is free")))
            return
        if name in self.takes_its_time:
            return
        self.next_pid += 1
        self.send(name, Spawned(run, self.next_pid))
