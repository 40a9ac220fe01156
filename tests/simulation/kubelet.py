"""What the probes of one run say, counted anew from what they answered: the kubelet's rules in a second writing."""

from __future__ import annotations

from dataclasses import dataclass, field

from stigmer_pm.core.probing import Outcome, ProbeState, Result
from stigmer_pm.core.state import Run, StopCause
from stigmer_pm.spec import ProbeKind, Probes, ProbeSpec

_INITIAL = {
    ProbeKind.STARTUP: Result.UNKNOWN,
    ProbeKind.LIVENESS: Result.SUCCESS,
    ProbeKind.READINESS: Result.FAILURE,
}
_CAUSES = {StopCause.STARTUP: ProbeKind.STARTUP, StopCause.LIVENESS: ProbeKind.LIVENESS}


@dataclass(slots=True)
class Kubelet:
    """The probes of one run.

    Attributes:
        probes: as they are declared now.
        is_started: there is no startup probe, or it has passed.
        was_healthy: the liveness probe has passed at least once.
        failed: the liveness or startup probe that has failed for good, and ``failed_at``: when.
        results: what each probe says; none for one that isn't declared.
        is_fresh: something was counted that a supervisor may not have written down yet.
        gone_on_with: probes of which a row was on record when a supervisor died. The next one may go on with it or
            count anew; what has come of that is taken over until an outcome ends the row.
        health: what the supervisor was told of the HEALTHCHECK of its image; ``None``: it has none.
        may_be_started: its startup probe was edited away when its end was told; but had the supervisor heard of that?
    """

    probes: Probes
    is_started: bool = False
    was_healthy: bool = False
    failed: ProbeKind | None = None
    failed_at: float | None = None
    results: dict[ProbeKind, Result] = field(default_factory=dict)
    is_fresh: bool = False
    gone_on_with: set[ProbeKind] = field(default_factory=set)
    health: bool | None = None
    may_be_started: bool = False
    _rows: dict[ProbeKind, tuple[bool, int]] = field(default_factory=dict)
    _asked: set[ProbeKind] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.is_started = self.probes.startup is None
        self.results = {probe.kind: _INITIAL[probe.kind] for probe in self.probes.declared()}

    @property
    def is_ready(self) -> bool:
        """Started, and the readiness probe passes; where there is none, the HEALTHCHECK, if there is one."""
        asked = self.results.get(ProbeKind.READINESS)
        passes = self.health is not False if asked is None else asked is Result.SUCCESS
        return self.is_started and passes

    def may_be_asked(self, kind: ProbeKind) -> bool:
        """Startup until it is decided; the others once started; none that has failed for good."""
        if kind is self.failed or kind not in self.results:
            return False
        return not self.is_started if kind is ProbeKind.STARTUP else self.is_started

    def ask(self, kind: ProbeKind) -> None:
        """An attempt begins."""
        self._asked.add(kind)

    def count(self, kind: ProbeKind, outcome: Outcome, now: float) -> None:
        """An attempt has ended. One whose probe was edited meanwhile says nothing."""
        probe = probe_of(self.probes, kind)
        if probe is None or kind not in self._asked:
            return
        self._asked.discard(kind)
        if outcome is Outcome.DISCARDED:
            return
        self.is_fresh = True
        passed = outcome is not Outcome.FAILURE
        last, row = self._rows.get(kind, (passed, 0))
        row = row + 1 if last is passed else 1
        if row == 1 and last is not passed:
            self.gone_on_with.discard(kind)
        self._rows[kind] = (passed, row)
        self.was_healthy = self.was_healthy or (kind is ProbeKind.LIVENESS and passed)
        if row >= (probe.success_threshold if passed else probe.failure_threshold):
            self._publish(kind, now, passed=passed)

    def edit(self, probes: Probes, *, is_ending: bool) -> None:
        """The file has other probes: what is edited keeps its result and is counted anew, what is new begins."""
        if probes is self.probes:
            return
        for kind in ProbeKind:
            probe = probe_of(probes, kind)
            if probe == probe_of(self.probes, kind):
                continue
            self._rows.pop(kind, None)
            self._asked.discard(kind)
            if probe is None:
                self.results.pop(kind, None)
            elif kind is ProbeKind.STARTUP and self.is_started:
                self.results[kind] = Result.SUCCESS
            else:
                self.results.setdefault(kind, _INITIAL[kind])
        self.probes = probes
        self.is_started = self.is_started or (probes.startup is None and not is_ending)
        self.may_be_started = probes.startup is None and not self.is_started

    def recount(self, run: Run) -> None:
        """The supervisor is gone: attempts under way are lost and rows begin anew. What it had written down holds."""
        self._rows.clear()
        self._asked.clear()
        states = {kind: state for kind in ProbeKind if (state := state_of(run, kind)) is not None}
        self.gone_on_with = {kind for kind, state in states.items() if state.streak}
        if self.is_fresh and run.pid is not None:
            self.is_started, self.was_healthy = run.is_started, run.has_been_healthy
            self.failed = _CAUSES.get(run.stop_cause) if run.stop_cause is not None else None
            self.failed_at = run.stop_began_at if self.failed is not None else None
            self.results = {kind: state.result for kind, state in states.items()}
        if self.may_be_started and run.exit is None:
            self.is_started = run.is_started
        self.health, self.is_fresh, self.may_be_started = run.health, False, False

    def hear_health(self, health: bool | None) -> None:
        """What the HEALTHCHECK of its image says now."""
        self.health, self.is_fresh = health, True

    def take_over(self, run: Run) -> None:
        """What a row that was gone on with has come to."""
        for kind in self.gone_on_with:
            state = state_of(run, kind)
            if state is not None:
                self.results[kind] = state.result
        if ProbeKind.STARTUP in self.gone_on_with:
            self.is_started = run.is_started
        if run.stop_cause is not None and _CAUSES.get(run.stop_cause) in self.gone_on_with:
            self.failed, self.failed_at = _CAUSES[run.stop_cause], run.stop_began_at

    def _publish(self, kind: ProbeKind, now: float, *, passed: bool) -> None:
        self.results[kind] = Result.SUCCESS if passed else Result.FAILURE
        if kind is ProbeKind.STARTUP and passed:
            self.is_started = True
        elif kind is not ProbeKind.READINESS and not passed:
            self.failed, self.failed_at = self.failed or kind, self.failed_at or now


def probe_of(probes: Probes, kind: ProbeKind) -> ProbeSpec | None:
    """The probe of this kind, if it is declared."""
    found: ProbeSpec | None = getattr(probes, kind.value)
    return found


def state_of(run: Run, kind: ProbeKind) -> ProbeState | None:
    """What the core knows of the probe of this kind."""
    found: ProbeState | None = getattr(run, kind.value)
    return found
