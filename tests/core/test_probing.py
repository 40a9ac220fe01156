"""When a probe is not asked any more in a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stigmer_pm.core.probe_steps import gate_is_open
from stigmer_pm.core.probing import Attempt, Outcome, arm, begin, finish
from stigmer_pm.core.state import Phase
from stigmer_pm.spec import ProbeKind, Probes, ProbeSpec, TcpCheck

from .harness import World, component


@pytest.mark.parametrize(
    ("kind", "outcome", "held"),
    [
        (ProbeKind.STARTUP, Outcome.SUCCESS, True),
        (ProbeKind.STARTUP, Outcome.FAILURE, True),
        (ProbeKind.LIVENESS, Outcome.SUCCESS, False),
        (ProbeKind.LIVENESS, Outcome.FAILURE, True),
        (ProbeKind.READINESS, Outcome.SUCCESS, False),
        (ProbeKind.READINESS, Outcome.FAILURE, False),
        (ProbeKind.LIVENESS, Outcome.DISCARDED, False),
    ],
)
def test_a_probe_is_on_hold_once_it_has_decided(kind: ProbeKind, outcome: Outcome, *, held: bool) -> None:
    """semantics.md: after a failed liveness or startup probe until the restart, and after startup has passed."""
    probe = ProbeSpec(kind, tcp=TcpCheck(80), failure_threshold=2, success_threshold=1)
    state = arm(probe, 0.0)
    for at in (0.0, 10.0):
        state = finish(probe, begin(state, at), Attempt(outcome, "", at, 0.0))
    assert state.is_on_hold is held


def test_a_probe_on_hold_is_not_asked_whatever_the_phase() -> None:
    """The kubelet's worker looks at its hold before it looks at anything else."""
    world = World()
    world.up(component("web", probes=Probes(liveness=ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(80)))))
    state = world.state("web")
    assert state.phase is Phase.RUNNING
    assert state.run is not None
    assert state.run.liveness is not None
    assert gate_is_open(state, ProbeKind.LIVENESS)
    held = replace(state, run=replace(state.run, liveness=replace(state.run.liveness, is_on_hold=True)))
    assert not gate_is_open(held, ProbeKind.LIVENESS)
