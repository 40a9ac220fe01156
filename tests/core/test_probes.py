"""Probes in the life of an instance."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

from stigmer_pm.core.events import Hurry, Stop
from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.reasons import words
from stigmer_pm.core.state import Phase
from stigmer_pm.core.verdict import reason_shown
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
    assert words(world.state("web").reason) == "startup probe failed 3 times in a row: failure (1 failed run in a row)"


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


def test_the_probes_of_many_that_start_together_are_spread_over_their_period() -> None:
    """The first attempts come at once, none later than without; from the second on they fill the period evenly."""
    world = World()
    specs = [component(f"c{i}", probes=Probes(liveness=probe(ProbeKind.LIVENESS, period=10.0))) for i in range(40)]
    world.up(*specs)
    world.run_until(30.0)
    firsts = [at for at, _, _ in world.probes if at == 0.0]
    assert len(firsts) == 40
    for begin in (10.0, 20.0):
        times = sorted(at - begin for at, _, _ in world.probes if begin <= at < begin + 10.0)
        assert len(times) == 40
        assert all(abs(at - 0.25 * number) < 0.5 for number, at in enumerate(times))
    for name in ("c7", "c23"):
        times = [at for at, found, _ in world.probes if found == name]
        assert 0 < times[1] - times[0] <= 10.0
        assert {round(b - a, 6) for a, b in itertools.pairwise(times[1:])} == {10.0}


def test_probes_that_are_spread_come_together_in_small_groups() -> None:
    """A wake-up is shared by a few, whenever each of them was started, and never by a crowd."""
    world = World()
    specs = [component(f"c{i}", probes=Probes(liveness=probe(ProbeKind.LIVENESS, period=10.0))) for i in range(140)]
    for count in (50, 90, 140):
        world.now += 0.37
        world.up(*specs[:count])
    world.run_until(22.0)
    groups = Counter(at for at, _, _ in world.probes if 12.0 <= at < 22.0)
    assert groups.total() == 140
    assert len(groups) == 128
    assert max(groups.values()) == 2


def test_a_row_of_failures_of_a_probe_that_is_spread_is_not_shortened() -> None:
    """One of many is restarted no earlier than it would be alone: its attempts are a period apart until one passes."""
    world = World()
    liveness = probe(ProbeKind.LIVENESS, period=10.0, failure_threshold=3)
    world.answers["c7", ProbeKind.LIVENESS] = Outcome.FAILURE
    world.up(*(component(f"c{i}", probes=Probes(liveness=liveness)) for i in range(40)))
    world.run_until(25.0)
    assert [at for at, name, _ in world.probes if name == "c7"][:3] == [0.0, 10.0, 20.0]
    assert "liveness probe failed: failure" in world.records("c7")


def test_readiness_that_is_asked_in_a_hurry_goes_back_to_its_place() -> None:
    """Whoever waits for many has all of them asked at once; from then on they are spread again."""
    world = World()
    names = [f"c{i}" for i in range(40)]
    for name in names:
        world.answers[name, ProbeKind.READINESS] = Outcome.FAILURE
    world.up(*(component(n, probes=Probes(readiness=probe(ProbeKind.READINESS, period=10.0))) for n in names))
    world.run_until(12.0)
    world.send_all(names, Hurry())
    assert sum(at == 12.0 for at, _, _ in world.probes) == 40
    world.run_until(40.0)
    assert max(Counter(at for at, _, _ in world.probes if at > 12.0).values()) == 1


def test_the_probes_of_a_few_keep_the_kubelets_times() -> None:
    """Nothing is to be spread."""
    world = World()
    world.up(*(component(f"c{i}", probes=Probes(liveness=probe(ProbeKind.LIVENESS, period=10.0))) for i in range(3)))
    world.run_until(25.0)
    assert {at for at, _, _ in world.probes} == {0.0, 10.0, 20.0}


def test_what_a_probe_says_is_told_when_it_changes_and_not_each_time() -> None:
    """One entry for a row of failures, one for their end, one when the threshold is reached."""
    world = World()
    world.up(component("web", probes=Probes(liveness=probe(ProbeKind.LIVENESS, failure_threshold=5)), min_uptime=99.0))
    world.run_until(1.5)
    world.answers["web", ProbeKind.LIVENESS] = Outcome.FAILURE
    world.run_until(3.5)
    world.answers["web", ProbeKind.LIVENESS] = Outcome.SUCCESS
    world.run_until(5.5)
    world.answers["web", ProbeKind.LIVENESS] = Outcome.FAILURE
    world.run_until(10.0)
    told = [record for record in world.records("web") if "probe" in record and "failed run" not in record]
    assert told == [
        "liveness probe fails (1 of 5 in a row): failure",
        "liveness probe passes again: success",
        "liveness probe fails (1 of 5 in a row): failure",
        "liveness probe failed: failure",
        "liveness probe failed",
    ]


def test_whoever_waits_for_readiness_does_not_sit_out_the_period() -> None:
    """Kubernetes: an unready container is asked at every sync; its later attempts are a period apart from there."""
    world = World()
    world.answers["web", ProbeKind.READINESS] = Outcome.FAILURE
    readiness = probe(ProbeKind.READINESS, period=10.0, initial_delay=1.0)
    world.up(component("web", probes=Probes(readiness=readiness)))
    world.run_until(0.5)
    world.send("web", Hurry())
    assert world.probes == []
    world.run_until(1.5)
    world.send("web", Hurry())
    world.run_until(2.0)
    world.answers["web", ProbeKind.READINESS] = Outcome.SUCCESS
    world.send("web", Hurry())
    assert world.state("web").is_ready
    world.run_until(2.5)
    world.send("web", Hurry())
    world.run_until(12.0)
    assert [at for at, _, _ in world.probes] == [1.0, 1.5, 2.0, 12.0]


def test_that_the_first_liveness_attempt_fails_is_nothing_to_look_into() -> None:
    """Most programs aren't up by then. What fails a second time, or has passed before, is said."""
    world = World()
    world.answers["web", ProbeKind.LIVENESS] = Outcome.FAILURE
    world.up(component("web", probes=Probes(liveness=probe(ProbeKind.LIVENESS))))
    world.run_until(0.5)
    assert reason_shown(world.state("web")) == ""
    world.run_until(1.5)
    assert reason_shown(world.state("web")).startswith("liveness probe fails 2 times in a row")
    world.answers["web", ProbeKind.LIVENESS] = Outcome.SUCCESS
    world.run_until(2.5)
    world.answers["web", ProbeKind.LIVENESS] = Outcome.FAILURE
    world.run_until(3.5)
    assert reason_shown(world.state("web")).startswith("liveness probe fails once")
