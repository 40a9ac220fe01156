"""One instance in the real core, with a virtual clock and a world that does what a case says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.effects import AttemptProbe, Effect, StartRun
from stigmer_pm.core.events import Due, Event, Exited, ProbeDone, Spawned, Start, Stop
from stigmer_pm.core.plan import Action, Change
from stigmer_pm.core.probe_steps import gate_is_open
from stigmer_pm.core.probing import Outcome, ProbeState
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Exit, InstanceState, Phase, Run
from stigmer_pm.spec import ComponentSpec, ProbeKind, Probes, ProbeSpec, ProcessExecution, RestartPolicy, TcpCheck

Case = dict[str, Any]

KINDS = {
    "startupProbe": ProbeKind.STARTUP,
    "livenessProbe": ProbeKind.LIVENESS,
    "readinessProbe": ProbeKind.READINESS,
}
POLICIES = {
    "Always": RestartPolicy.ALWAYS,
    "OnFailure": RestartPolicy.ON_FAILURE,
    "Never": RestartPolicy.NEVER,
}
OUTCOMES = {
    "ok": Outcome.SUCCESS,
    "warning": Outcome.WARNING,
    "fail": Outcome.FAILURE,
    "timeout": Outcome.FAILURE,
    "error": Outcome.DISCARDED,
}
_NAME = "it"


def probe_spec(name: str, fields: Case) -> ProbeSpec:
    """A probe of a case. What is asked doesn't matter here: its outcomes come from the case."""
    return ProbeSpec(
        KINDS[name],
        tcp=TcpCheck(1),
        initial_delay=fields.get("initialDelaySeconds", 0),
        period=fields.get("periodSeconds") or 10,
        timeout=fields.get("timeoutSeconds") or 1,
        success_threshold=fields.get("successThreshold") or 1,
        failure_threshold=fields.get("failureThreshold") or 3,
        termination_grace=fields.get("terminationGracePeriodSeconds"),
    )


def probes_of(found: Case) -> Probes:
    """All probes of a case."""
    by_kind = {KINDS[name]: probe_spec(name, fields) for name, fields in found.items()}
    return Probes(*(by_kind.get(kind) for kind in ProbeKind))


def component(probes: Probes, **rest: Any) -> ComponentSpec:
    """A process with these probes."""
    return ComponentSpec(_NAME, process=ProcessExecution(("serve",), "/", "/dev/null"), probes=probes, **rest)


class Driver:
    """Drives one instance. Attempts of probes stay under way until the case says how they end."""

    def __init__(self, spec: ComponentSpec) -> None:
        self.now = 0.0
        self._project = Project()
        self._asked_run: int | None = None
        self._pid = 100
        self.attempts: list[tuple[float, ProbeKind]] = []
        self._take(self._project.apply({_NAME: spec}, [Change(_NAME, Action.START)], self.now))

    # --- looking ------------------------------------------------------------------------------------------------

    @property
    def instance(self) -> Instance:
        """The instance, as the core has it."""
        return self._project[_NAME]

    @property
    def state(self) -> InstanceState:
        """Its state."""
        return self.instance.state

    @property
    def run(self) -> Run | None:
        """Its run."""
        return self.state.run

    @property
    def is_started(self) -> bool:
        """As the kubelet publishes it: the program runs, and the startup probe has passed."""
        return self.run is not None and self.run.is_alive and self.run.is_started

    @property
    def is_ready(self) -> bool:
        """As the kubelet publishes it: started, and the readiness probe passes, also while it is being stopped.

        ``ps`` never shows an instance as ready while it is being stopped; that difference is in the table of docs/.
        """
        readiness = self.run.readiness if self.run is not None else None
        return self.is_started and (readiness is None or readiness.is_passing)

    @property
    def is_killed_by_probe(self) -> bool:
        """A probe has decided that this run is to end."""
        return self.run is not None and self.run.stop_cause is not None and self.run.stop_cause.is_probe

    @property
    def is_restarted(self) -> bool:
        """Another run has been begun, or is to come."""
        return self.state.phase in (Phase.WAITING, Phase.STARTING, Phase.BACKOFF, Phase.RUNNING)

    def probe_state(self, kind: ProbeKind) -> ProbeState | None:
        """What is known of one probe in this run."""
        found: ProbeState | None = getattr(self.run, kind.value) if self.run is not None else None
        return found

    # --- doing --------------------------------------------------------------------------------------------------

    def begin_run(self) -> None:
        """The next run begins: whatever it waits for is over."""
        if self.state.phase is Phase.BACKOFF:
            self.now = max(self.now, self.state.start_at or 0.0)
            self.send(Due())
        assert self._asked_run is not None, f"no run was asked for: {self.state.phase}"
        run, self._asked_run = self._asked_run, None
        self._pid += 1
        self.send(Spawned(run, self._pid))

    def end_run(self, code: int) -> None:
        """The program exits; a code above 128 is a death by signal, as a shell has it."""
        assert self.run is not None, "there is no run that could end"
        self.send(Exited(self.run.number, Exit(signal=code - 128) if code > 128 else Exit(code=code)))

    def stop(self) -> None:
        """Somebody wants it stopped."""
        self.send(Stop())

    def start(self) -> None:
        """Somebody wants it started."""
        self.send(Start())

    def attempt(self, kind: ProbeKind, outcome: Outcome) -> bool:
        """One attempt comes due and, if it is made, ends so; whether it was made."""
        if not gate_is_open(self.state, kind):
            return False
        state = self.probe_state(kind)
        assert state is not None, "an open gate has a probe behind it"
        if state.began_at is None:
            self.now = max(self.now, state.next_at)
            self.send(Due())
        self.finish(kind, outcome)
        return True

    def finish(self, kind: ProbeKind, outcome: Outcome) -> None:
        """The attempt that is under way ends."""
        assert self.run is not None, "an attempt belongs to a run"
        self.send(ProbeDone(self.run.number, kind, outcome))

    def deadline(self) -> float | None:
        """When the core wants to be called."""
        return self._project.deadline(_NAME)

    def due(self) -> list[ProbeKind]:
        """Time has come to ``now``: the attempts that begin."""
        before = len(self.attempts)
        self.send(Due())
        return [kind for _, kind in self.attempts[before:]]

    def send(self, event: Event) -> None:
        """An event, and what follows from it."""
        self._take(self._project.handle(_NAME, event, self.now))

    def _take(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case StartRun(run=run):
                    self._asked_run = run
                case AttemptProbe(probe=kind):
                    self.attempts.append((self.now, kind))
                case _:
                    pass
