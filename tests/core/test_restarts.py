"""Restart accounting: backoff, giving up, flapping, policies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.core.events import Due, Event, Reset, Restart, Start, Stop
from stigmer_pm.core.reasons import words
from stigmer_pm.core.restart import delay_after
from stigmer_pm.core.state import InstanceState, Phase, Run, StopCause
from stigmer_pm.spec import Backoff, ProbeKind, Probes, ProbeSpec, RestartPolicy, SuccessExits, TcpCheck
from stigmer_pm.spec.codec import decode, encode

from .harness import World, component


def crash_until_it_rests(world: World, name: str, code: int = 1) -> list[float]:
    """Let an instance crash at once, again and again, until it rests; the waits between end and next start."""
    waits: list[float] = []
    for _ in range(100):
        world.exit(name, code)
        if world.phase(name) is not Phase.BACKOFF:
            return waits
        ended_at = world.now
        start_at = world.state(name).start_at
        assert start_at is not None
        world.run_until(start_at)
        waits.append(round(world.now - ended_at, 6))
    return waits


def test_one_that_exits_at_once_is_started_eleven_times_and_then_given_up() -> None:
    """design.md: waits of 1, 2, 4, 8, 16, 32, 60, 60 … s, and the eleventh failed run in a row is the last."""
    world = World()
    world.up(component("web"))
    assert crash_until_it_rests(world, "web") == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert world.phase("web") is Phase.FAILED
    assert len(world.starts) == 11
    assert words(world.state("web").reason) == "gave up after 11 failed runs in a row within 10m: exited 1 after 0s"
    assert world.state("web").restarts == 10


def test_failed_runs_that_lie_outside_of_the_window_do_not_count_towards_giving_up() -> None:
    """Only restarts of failed runs within ``restart_window`` count."""
    world = World()
    world.up(component("web", restart_window=100.0, backoff=Backoff(initial=60.0, max=60.0)))
    assert len(crash_until_it_rests(world, "web")) == 100


def test_a_stable_run_that_ends_is_restarted_at_once_and_clears_the_row() -> None:
    """A run of at least ``min_uptime`` is stable."""
    world = World()
    world.up(component("web"))
    world.exit("web", 1)
    world.run_until(1.0)
    assert world.state("web").failed_runs == 1
    world.run_until(11.0)
    world.exit("web", 1)
    assert world.phase("web") is Phase.RUNNING
    assert world.state("web").failed_runs == 0
    assert world.state("web").restarts == 2


def test_a_run_that_ends_just_before_min_uptime_is_a_failed_run() -> None:
    """The boundary: at ``min_uptime`` it is stable, a moment earlier it isn't."""
    world = World()
    world.up(component("web", min_uptime=10.0))
    world.now = 9.999
    world.exit("web", 1)
    assert world.phase("web") is Phase.BACKOFF


def test_a_run_whose_liveness_probe_never_passed_is_no_stable_run() -> None:
    """Words of design.md: stable needs the liveness probe, if any, to have passed at least once."""
    from stigmer_pm.core.probing import Outcome

    world = World()
    world.answers["web", ProbeKind.LIVENESS] = Outcome.DISCARDED
    liveness = ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(80), period=1000.0)
    world.up(component("web", probes=Probes(liveness=liveness)))
    world.run_until(60.0)
    world.exit("web", 1)
    assert world.phase("web") is Phase.BACKOFF


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [
        (RestartPolicy.ALWAYS, 0, Phase.BACKOFF),
        (RestartPolicy.ALWAYS, 1, Phase.BACKOFF),
        (RestartPolicy.UNLESS_STOPPED, 0, Phase.BACKOFF),
        (RestartPolicy.ON_FAILURE, 0, Phase.COMPLETED),
        (RestartPolicy.ON_FAILURE, 1, Phase.BACKOFF),
        (RestartPolicy.NEVER, 0, Phase.COMPLETED),
        (RestartPolicy.NEVER, 1, Phase.FAILED),
    ],
)
def test_each_policy_decides_by_the_exit_status(policy: RestartPolicy, code: int, phase: Phase) -> None:
    """The table of policies; the run is no stable one, so a restart goes through backoff."""
    world = World()
    world.up(component("job", restart=policy))
    world.exit("job", code)
    assert world.phase("job") is phase


def test_success_exit_codes_name_statuses_and_signals() -> None:
    """``success_exit_codes: [0, 3, SIGTERM]``: both kinds count as success."""
    for code, signal in ((3, None), (None, 15)):
        world = World()
        success = SuccessExits((0, 3), (15,))
        world.up(component("job", restart=RestartPolicy.ON_FAILURE, success=success))
        world.exit("job", code, signal=signal)
        assert world.phase("job") is Phase.COMPLETED


def test_max_restarts_zero_never_restarts_a_failed_run() -> None:
    """config.md: ``0`` = never restart a failed run; a stable one still is restarted."""
    world = World()
    world.up(component("web", max_restarts=0))
    world.now = 20.0
    world.exit("web", 1)
    assert world.phase("web") is Phase.RUNNING
    world.exit("web", 1)
    assert world.phase("web") is Phase.FAILED
    assert words(world.state("web").reason) == "exited 1 after 0s"


def test_unlimited_is_never_given_up() -> None:
    """``max_restarts: unlimited`` turns giving up off."""
    world = World()
    world.up(component("web", max_restarts=None))
    assert len(crash_until_it_rests(world, "web")) == 100


def run_and_die(world: World, name: str, uptime: float) -> float:
    """One run of ``uptime`` seconds that dies; how long the next start waits."""
    world.run_until(world.now + uptime)
    world.exit(name, 1)
    ended_at = world.now
    if world.phase(name) is Phase.BACKOFF:
        world.run_until(world.state(name).start_at or 0.0)
    return round(world.now - ended_at, 6)


def test_one_that_always_dies_after_min_uptime_is_slowed_and_never_given_up() -> None:
    """design.md, flapping: the restart after ``max_restarts`` automatic ones in the window waits 1, 2, 4 … s."""
    world = World()
    world.up(component("web"))
    waits = [run_and_die(world, "web", 10.0) for _ in range(18)]
    assert waits[:10] == [0] * 10
    assert waits[10:16] == [1, 2, 4, 8, 16, 32]
    assert max(waits) == 60
    assert world.phase("web") is not Phase.FAILED
    flapping = [r for r in world.records("web") if r.startswith("flapping: ")]
    assert flapping == ["flapping: 10 restarts in 10m, runs of about 10s; restarts are slowed, and never given up"]


def test_the_reason_of_one_that_flaps_counts_no_more_than_it_knows() -> None:
    """Only the newest ``max_restarts`` automatic restarts are kept, and more may lie in the window."""
    world = World()
    world.up(component("web", max_restarts=2))
    for _ in range(5):
        run_and_die(world, "web", 10.0)
    world.run_until(world.now + 10.0)
    world.exit("web", 1)
    assert world.state("web").restarts > 2
    assert words(world.state("web").reason).startswith("flapping: at least 2 restarts in 10m, ")


def test_flapping_ends_when_fewer_restarts_lie_in_the_window() -> None:
    """A long quiet run ends it, and the next restart is at once."""
    world = World()
    world.up(component("web"))
    for _ in range(12):
        run_and_die(world, "web", 10.0)
    assert run_and_die(world, "web", 700.0) == 0
    assert "no longer flapping: restarts are at once again" in world.records("web")


def test_flapping_is_off_with_unlimited_restarts() -> None:
    """``max_restarts: unlimited`` turns both limits off."""
    world = World()
    world.up(component("web", max_restarts=None))
    assert [run_and_die(world, "web", 10.0) for _ in range(40)] == [0] * 40


@pytest.mark.parametrize("event", [Start(), Restart(), Reset()])
def test_one_that_gave_up_comes_back_with_its_count_cleared(event: object) -> None:
    """``start``, ``restart`` and ``reset`` clear the count."""
    world = World()
    world.up(component("web", max_restarts=1))
    crash_until_it_rests(world, "web")
    assert world.phase("web") is Phase.FAILED
    world.send("web", event)  # type: ignore[arg-type]
    assert world.phase("web") is Phase.RUNNING
    assert world.state("web").failed_runs == 0


def test_up_starts_one_that_gave_up() -> None:
    """design.md: ``up`` of it clears the count."""
    world = World()
    world.up(component("web", max_restarts=1))
    crash_until_it_rests(world, "web")
    assert world.up() == ("start web",)
    assert world.phase("web") is Phase.RUNNING


def test_a_stop_during_a_backoff_acts_at_once_and_nothing_starts_afterwards() -> None:
    """No timer is left behind."""
    world = World()
    world.up(component("web"))
    world.exit("web", 1)
    world.send("web", Stop())
    assert world.phase("web") is Phase.STOPPED
    assert world.project.deadline("web") is None
    world.run_until(1000.0)
    assert len(world.starts) == 1


def test_a_restart_during_a_backoff_starts_at_once() -> None:
    """design.md: stop and restart during a backoff act at once."""
    world = World()
    world.up(component("web"))
    world.exit("web", 1)
    world.send("web", Restart())
    assert world.phase("web") is Phase.RUNNING
    assert world.state("web").restarts == 0


def test_one_that_cannot_be_started_is_a_failed_run_with_its_reason() -> None:
    """The reason stands in one line."""
    world = World()
    world.cannot_start.add("web")
    world.up(component("web", max_restarts=2))
    assert world.phase("web") is Phase.BACKOFF
    assert words(world.state("web").reason) == (
        "cannot run its command: 'nope' not found in PATH (1 failed run in a row)"
    )
    world.run_until(100.0)
    assert world.phase("web") is Phase.FAILED
    assert len(world.starts) == 3


def test_a_stop_by_hand_is_no_failed_run_and_no_restart() -> None:
    """design.md: a ``stop`` by hand is no failed run."""
    world = World()
    world.up(component("web"))
    world.send("web", Restart())
    world.send("web", Stop())
    assert (world.state("web").failed_runs, world.state("web").restarts) == (0, 0)
    assert world.phase("web") is Phase.STOPPED


@given(
    initial=st.floats(0.001, 100),
    factor=st.floats(1, 10),
    top=st.floats(0.001, 1000),
    jitter=st.floats(0, 1),
    failures=st.integers(1, 5000),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_a_delay_is_never_longer_than_documented(
    initial: float, factor: float, top: float, jitter: float, failures: int, chance: float
) -> None:
    """Whatever the numbers: between the jittered and the full delay, and at most ``max``."""
    backoff = Backoff(initial, factor, top, jitter)
    full = delay_after(replace(backoff, jitter=0.0), failures, 0.0)
    delay = delay_after(backoff, failures, chance)
    assert full * (1 - jitter) - 1e-9 <= delay <= full <= top
    assert delay >= 0


def test_a_timer_that_comes_early_does_not_end_a_backoff() -> None:
    """A clock may be read a moment before the deadline that it was set for."""
    world = World()
    world.up(component("web"))
    world.exit("web", 1)
    start_at = world.state("web").start_at
    assert start_at is not None
    world.now = start_at - 1e-3
    world.send("web", Due())
    assert world.phase("web") is Phase.BACKOFF
    world.run_until(start_at)
    assert world.phase("web") is Phase.RUNNING


def test_one_that_a_shortage_keeps_from_starting_is_never_given_up_and_its_tries_count_for_nothing() -> None:
    """It waits longer and longer, and a start that did not happen is neither a failed run nor a restart."""
    world = World()
    world.short_of.add("web")
    world.up(component("web", max_restarts=2, restart_window=10_000.0))
    assert words(world.state("web").reason) == "cannot make a process: none is free; tried again until it can"
    world.run_until(1000.0)
    assert world.phase("web") is Phase.BACKOFF
    assert [at for at, _ in world.starts[:7]] == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0]
    state = world.state("web")
    assert (state.restarts, state.failed_runs, state.failed_restarts, state.automatic_restarts) == (0, 0, (), ())
    world.short_of.clear()
    while world.phase("web") is not Phase.RUNNING:
        world.run_until(world.now + 1.0)
    assert world.now <= 1060.0
    for failed in (1, 2):
        world.exit("web", 1)
        assert world.phase("web") is Phase.BACKOFF
        assert world.state("web").start_at == world.now + failed  # the first step of the ladder, and the second
        world.run_until(world.state("web").start_at or 0.0)
    world.exit("web", 1)
    assert world.phase("web") is Phase.FAILED  # these were failed runs, two of which may be restarted


@pytest.mark.parametrize("policy", RestartPolicy)
def test_a_start_that_a_shortage_stopped_is_tried_again_whatever_the_policy(policy: RestartPolicy) -> None:
    """``restart`` is about runs that have ended, and there was none."""
    world = World()
    world.short_of.add("web")
    world.up(component("web", restart=policy, max_restarts=0))
    assert world.phase("web") is Phase.BACKOFF
    world.short_of.clear()
    world.run_until(1.0)
    assert world.phase("web") is Phase.RUNNING
    assert world.state("web").restarts == 0


def test_the_words_of_a_first_failed_run_know_nothing_of_the_shortage_before_it() -> None:
    """With ``max_restarts: 0`` there is one failed run, however often it was tried before."""
    world = World()
    world.short_of.add("web")
    world.up(component("web", max_restarts=0))
    world.run_until(10.0)
    world.short_of.clear()
    world.run_until(20.0)
    world.exit("web", 3)
    assert world.phase("web") is Phase.FAILED
    assert words(world.state("web").reason) == "exited 3 after 5s"


def test_a_shortage_leaves_the_row_of_failed_runs_as_it_was() -> None:
    """It goes on where it was, and the restart that it held up is one, and not two."""
    world = World()
    world.up(component("web"))
    world.exit("web", 1)
    world.run_until(1.0)
    world.exit("web", 1)
    assert (world.state("web").failed_runs, world.state("web").restarts) == (2, 1)
    world.short_of.add("web")
    world.run_until(3.0)
    assert world.phase("web") is Phase.BACKOFF
    assert (world.state("web").failed_runs, world.state("web").restarts) == (2, 2)
    assert world.state("web").start_at == 4.0
    world.short_of.clear()
    world.run_until(4.0)
    world.exit("web", 1)
    assert (world.state("web").failed_runs, world.state("web").restarts) == (3, 2)
    assert world.state("web").start_at == 8.0


@pytest.mark.parametrize("event", [Start(), Restart(), Reset()])
def test_whoever_starts_it_by_hand_during_a_shortage_begins_its_waits_anew(event: Event) -> None:
    """As after failed runs."""
    world = World()
    world.short_of.add("web")
    world.up(component("web"))
    world.run_until(20.0)
    world.send("web", event)
    assert world.state("web").start_at == 21.0


def test_a_run_ends_the_row_of_shortages_before_it() -> None:
    """The next shortage waits from the first step again, also one that comes with a restart for a dependency."""
    world = World()
    world.short_of.add("web")
    world.up(component("web"))
    world.run_until(20.0)
    world.short_of.clear()
    world.run_until(40.0)
    assert world.phase("web") is Phase.RUNNING
    world.short_of.add("web")
    world.send("web", Restart(StopCause.DEPENDENCY))
    assert world.state("web").start_at == 41.0


def test_another_failure_to_start_ends_the_row_of_shortages_before_it() -> None:
    """That one is a failed run."""
    world = World()
    world.short_of.add("web")
    world.up(component("web"))
    world.run_until(4.0)
    world.short_of.clear()
    world.cannot_start.add("web")
    world.run_until(7.0)
    assert (world.state("web").failed_runs, world.state("web").start_at) == (1, 8.0)
    world.cannot_start.clear()
    world.short_of.add("web")
    world.run_until(8.0)
    assert (world.state("web").failed_runs, world.state("web").start_at) == (1, 9.0)


def test_a_state_that_an_earlier_version_has_written_knows_no_shortages() -> None:
    """It is read as one without."""
    written = encode(InstanceState("web", Phase.BACKOFF, run=Run(1, 0.0)))
    del written["shortages"], written["run"]["stop_reason"]
    assert decode(InstanceState, written) == InstanceState("web", Phase.BACKOFF, run=Run(1, 0.0))
