"""Probes in the life of an instance."""

from __future__ import annotations

from dataclasses import replace

from stigmer_pm.core.events import Stop
from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.reasons import words
from stigmer_pm.core.state import Phase
from stigmer_pm.spec import ProbeKind, Probes, ProbeSpec, RestartPolicy, TcpCheck

from .harness import World, component


def probe(kind: ProbeKind, **rest: object) -> ProbeSpec:
    """A probe every second."""
    return ProbeSpec(kind, tcp=TcpCheck(80), **{"period": 1.0, **rest})  # type: ignore[arg-type]


def test_a_startup_probe_holds_the_others_back_and_readiness_is_asked_at_once_when_it_passes() -> None:
    """Kubernetes: started gates liveness and readiness; passing triggers readiness."""
    world = World()
    world.answers["web", ProbeKind.STARTUP] = Outcome.FAILURE
    kinds = (ProbeKind.STARTUP, ProbeKind.LIVENESS, ProbeKind.READINESS)
    startup, liveness, readiness = (probe(kind, failure_threshold=10) for kind in kinds)
    world.up(component("web", probes=Probes(startup, liveness, readiness)))
    world.run_until(2.5)
    assert world.phase("web") is Phase.STARTING
    assert {kind for _, _, kind in world.probes} == {ProbeKind.STARTUP}
    world.answers["web", ProbeKind.STARTUP] = Outcome.SUCCESS
    world.run_until(3.0)
    assert world.phase("web") is Phase.RUNNING
    assert world.state("web").is_ready
    assert (3.0, "web", ProbeKind.READINESS) in world.probes


def test_a_failed_liveness_probe_restarts_at_the_threshold_and_not_before() -> None:
    """The third failure in a row acts; the run was stable, so the restart is at once."""
    world = World()
    world.up(component("web", probes=Probes(liveness=probe(ProbeKind.LIVENESS)), min_uptime=5.0))
    world.run_until(10.5)
    world.answers["web", ProbeKind.LIVENESS] = Outcome.FAILURE
    world.run_until(12.9)
    assert world.state("web").run_number == 1
    world.run_until(13.0)
    assert world.state("web").run_number == 2
    assert world.state("web").restarts == 1
    assert "liveness probe failed: failure" in world.records("web")


def test_a_failed_startup_probe_is_a_failed_run() -> None:
    """It goes through backoff, with the probe as the reason."""
    world = World()
    world.answers["web", ProbeKind.STARTUP] = Outcome.FAILURE
    world.up(component("web", probes=Probes(startup=probe(ProbeKind.STARTUP))))
    world.run_until(2.0)
    assert world.phase("web") is Phase.BACKOFF
    assert words(world.state("web").reason) == (
        "startup probe failed (killed by SIGTERM after 2s) (1 failed run in a row)"
    )


def test_under_never_a_failed_liveness_probe_only_stops() -> None:
    """semantics.md 4.2; and it is a failure, whatever the exit status."""
    world = World()
    world.answers["web", ProbeKind.LIVENESS] = Outcome.FAILURE
    world.up(component("web", restart=RestartPolicy.NEVER, probes=Probes(liveness=probe(ProbeKind.LIVENESS))))
    world.run_until(5.0)
    assert world.phase("web") is Phase.FAILED


def test_readiness_flips_and_never_restarts() -> None:
    """It gates dependents and ``up``, and nothing else."""
    world = World()
    world.up(component("web", probes=Probes(readiness=probe(ProbeKind.READINESS))))
    world.run_until(1.0)
    assert world.state("web").is_ready
    world.answers["web", ProbeKind.READINESS] = Outcome.FAILURE
    world.run_until(60.0)
    assert not world.state("web").is_ready
    world.answers["web", ProbeKind.READINESS] = Outcome.WARNING
    world.run_until(61.0)
    assert world.state("web").is_ready
    assert world.state("web").run_number == 1


def test_a_termination_grace_of_the_probe_replaces_the_stop_timeout() -> None:
    """Kubernetes: probe-level terminationGracePeriodSeconds, for kills caused by that probe only."""
    world = World(ignores_signals={"web"})
    liveness = probe(ProbeKind.LIVENESS, failure_threshold=1, termination_grace=2.0)
    world.answers["web", ProbeKind.LIVENESS] = Outcome.FAILURE
    world.up(component("web", probes=Probes(liveness=liveness)))
    world.run_until(1.9)
    assert world.kills == []
    world.run_until(2.0)
    assert world.kills == ["web"]


def test_an_edited_probe_takes_effect_without_a_restart_and_without_losing_readiness() -> None:
    """design.md: how it is watched is applied live."""
    world = World()
    spec = component("web", probes=Probes(readiness=probe(ProbeKind.READINESS)))
    world.up(spec)
    world.run_until(1.5)
    world.probes.clear()
    edited = replace(spec, probes=Probes(readiness=probe(ProbeKind.READINESS, period=5.0)))
    world.up(edited)
    assert world.state("web").is_ready
    world.run_until(12.0)
    assert world.state("web").run_number == 1
    assert len(world.probes) == 3


def test_never_ready_while_stopping() -> None:
    """An impossible combination for one who looks on."""
    world = World(ignores_signals={"web"})
    world.up(component("web", probes=Probes(readiness=probe(ProbeKind.READINESS))))
    world.run_until(1.0)
    world.send("web", Stop())
    assert world.phase("web") is Phase.STOPPING
    assert not world.state("web").is_ready
