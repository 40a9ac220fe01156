"""A run that ends with its engine is nobody's fault."""

from __future__ import annotations

import pytest

from stigmer_pm.core.effects import KillRun, Record, RunOver, SignalRun
from stigmer_pm.core.events import Due, Exited, Noted, NotStarted, Restart, Stop
from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.core.reasons import words as reason_words
from stigmer_pm.core.state import Exit, Phase, StopCause
from stigmer_pm.core.verdict import Goal, Patience, Standing, Verdict, judge, reason_shown
from stigmer_pm.spec import ProbeKind, Probes, ProbeSpec, RestartPolicy, SuccessExits, TcpCheck

from .harness import World, container

AWAY = Noted(1, Reason(Why.ENGINE, detail="the engine does not answer"))
LIVENESS = Probes(liveness=ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(80), failure_threshold=1))


def running(**rest: object) -> World:
    """``web``, a container that runs; the next start of it takes its time."""
    world = World()
    world.up(container("web", **rest))
    world.takes_its_time.add("web")
    return world


def stop_engine(world: World, end: Exit = Exit()) -> None:  # noqa: B008 (frozen)
    """Its engine has stopped, and the run with it."""
    world.send("web", Exited(world.run("web").number, end, cause=StopCause.ENGINE))


@pytest.mark.parametrize("policy", RestartPolicy)
def test_after_an_outage_it_is_started_again_at_once_whatever_its_policy(policy: RestartPolicy) -> None:
    """``restart`` is about runs that end by themselves."""
    world = running(restart=policy, max_restarts=0)
    stop_engine(world, Exit(code=0))
    assert (world.phase("web"), world.run("web").number) == (Phase.STARTING, 2)


def test_an_outage_is_neither_a_failed_run_nor_an_automatic_restart() -> None:
    """However often."""
    world = running(max_restarts=1)
    for _ in range(5):
        stop_engine(world, Exit(code=137, signal=9))
        world.begin("web")
    state = world.state("web")
    assert (state.failed_runs, state.restarts, state.automatic_restarts) == (0, 0, ())
    assert world.phase("web") is Phase.RUNNING


def test_an_outage_ends_no_row_of_failed_runs() -> None:
    """It says nothing about the component."""
    world = running()
    world.exit("web", 1)
    world.run_until(2.0)
    world.begin("web")
    assert world.state("web").failed_runs == 1
    stop_engine(world)
    world.begin("web")
    world.exit("web", 1)
    assert world.state("web").failed_runs == 2


def test_an_outage_while_it_is_being_stopped_ends_the_stop() -> None:
    """It is not started again, for nobody wants it."""
    world = running()
    world.ignores_signals.add("web")
    world.send("web", Stop())
    stop_engine(world)
    assert world.phase("web") is Phase.STOPPED


def test_an_outage_does_not_excuse_one_whose_probe_has_failed_before() -> None:
    """It was being ended for that already."""
    world = running(probes=LIVENESS)
    world.ignores_signals.add("web")
    world.answers["web", ProbeKind.LIVENESS] = Outcome.FAILURE
    world.run_until(5.0)
    assert world.run("web").stop_cause is StopCause.LIVENESS
    stop_engine(world)
    end = world.state("web").last_end
    assert end is not None
    assert end.cause is StopCause.LIVENESS
    assert (world.phase("web"), world.state("web").failed_runs) == (Phase.BACKOFF, 1)


def test_the_journal_and_the_history_say_that_it_was_the_engine() -> None:
    """And how it ended, as far as that is known."""
    world = running()
    stop_engine(world)
    assert "its engine stopped: ended, exit status unknown after 0s" in world.records("web")
    over = next(e for e in world.effects if isinstance(e, RunOver))
    assert over.ended == "its engine stopped: ended, exit status unknown"


def test_sigkill_that_an_engine_has_not_heard_of_has_not_failed() -> None:
    """It is sent when that answers again; until then the engine is the reason, and not the kernel."""
    world = running(stop_timeout=1.0)
    world.project.handle("web", Stop(), 0.0)
    world.project.handle("web", Due(), 1.0)
    assert world.run("web").was_killed
    world.project.handle("web", AWAY, 1.5)
    for at in (6.0, 11.0):
        world.project.handle("web", Due(), at)
    assert reason_shown(world.state("web")) == "the engine does not answer"
    effects = world.project.handle("web", Noted(1, NO_REASON), 12.0)
    assert KillRun("web", 1) in effects
    world.project.handle("web", Due(), 16.0)
    assert world.state("web").reason.why is Why.UNKILLABLE


@pytest.mark.parametrize("noted_at", [0.0, 0.5], ids=["before the stop", "after the stop"])
def test_a_stop_has_all_its_time_from_when_the_engine_answers_again(noted_at: float) -> None:
    """An outage longer than ``stop_timeout`` makes no SIGKILL of it."""
    world = running(stop_timeout=1.0)
    if noted_at == 0.0:
        world.send("web", AWAY)
    world.project.handle("web", Stop(), 0.0)
    if noted_at:
        world.project.handle("web", AWAY, noted_at)
    for at in (1.0, 6.0, 11.0):
        assert not any(isinstance(e, KillRun) for e in world.project.handle("web", Due(), at))
    assert SignalRun("web", 1, 15) in world.project.handle("web", Noted(1, NO_REASON), 12.0)
    assert world.project.deadline("web") == 13.0
    assert KillRun("web", 1) in world.project.handle("web", Due(), 13.0)


def test_an_engine_that_is_slow_to_refuse_the_stop_signal_is_asked_for_sigkill_in_time() -> None:
    """It may refuse it for ever: it isn't sent anew, the time for the stop goes on, and who looks is told."""
    world = running(stop_timeout=10.0)
    world.project.handle("web", Stop(), 0.0)
    world.project.handle("web", Noted(1, Reason(Why.DELIVERING)), 1.0)
    refused = Noted(1, Reason(Why.REFUSED, subject="SIGTERM", detail="permission denied"))
    effects = world.project.handle("web", refused, 3.0)
    assert not any(isinstance(e, SignalRun) for e in effects)
    said = "its engine refuses to send it SIGTERM: permission denied"
    assert said in [e.message for e in effects if isinstance(e, Record)]
    assert reason_words(world.state("web").reason) == said
    assert world.project.deadline("web") == 10.0
    assert KillRun("web", 1) in world.project.handle("web", Due(), 10.0)


def test_who_waits_for_a_stop_is_told_that_its_engine_is_away() -> None:
    """Nobody knows for how long."""
    world = running()
    world.project.handle("web", Restart(StopCause.RESTART), 0.0)
    world.project.handle("web", AWAY, 0.0)
    for goal, run in ((Goal.STOPPED, 1), (Goal.READY, 2)):
        verdict = judge(world.project["web"], goal, run, 0.0, Patience(), world.project.find)
        assert verdict.standing is Standing.LOST


def test_a_start_that_waits_for_its_engine_is_taken_back_and_not_given_up_on() -> None:
    """No engine is needed for that. Where it takes longer, the engine was asked before, and that is said."""
    world = World()
    world.takes_its_time.add("web")
    world.up(container("web"))
    world.project.handle("web", AWAY, 0.0)
    world.project.handle("web", Stop(), 1.0)

    def verdict(at: float) -> Verdict:
        return judge(world.project["web"], Goal.STOPPED, 1, at, Patience(), world.project.find)

    assert verdict(1.0) == Verdict(Standing.PENDING, "its start is taken back", 3.0)
    assert verdict(3.0) == Verdict(Standing.LOST, "the engine does not answer")
    world.send("web", NotStarted(1))
    assert verdict(3.0).standing is Standing.REACHED


def test_who_has_ended_a_container_is_said_where_that_is_known() -> None:
    """``docker kill`` by somebody else is not the component's doing, and counts all the same."""
    world = running()
    world.send("web", Exited(1, Exit(code=137, signal=9, by="SIGKILL by somebody else")))
    assert "killed by SIGKILL (SIGKILL by somebody else) after 0s" in world.records("web")
    assert world.state("web").failed_runs == 1


@pytest.mark.parametrize(
    ("success", "phase"),
    [
        (SuccessExits((0, 143)), Phase.COMPLETED),
        (SuccessExits((0,), (15,)), Phase.COMPLETED),
        (SuccessExits((0,)), Phase.FAILED),
    ],
)
def test_a_death_by_signal_of_a_container_may_be_listed_either_way(success: SuccessExits, phase: Phase) -> None:
    """Its engine says 128 + n, and so does a shell."""
    world = running(restart=RestartPolicy.NEVER, success=success)
    world.send("web", Exited(1, Exit(code=143, signal=15)))
    assert world.phase("web") is phase
