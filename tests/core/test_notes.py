"""What the world says of a container that is under way, and what its HEALTHCHECK means."""

from __future__ import annotations

import pytest

from stigmer_pm.core.effects import EventKind, Record
from stigmer_pm.core.events import Due, HealthTold, Hold, Noted, Restart
from stigmer_pm.core.notes import reason_without_note
from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.reasons import NO_REASON, NOTES, Reason, Why
from stigmer_pm.core.state import InstanceState, Phase
from stigmer_pm.core.verdict import Goal, Patience, Standing, judge, reason_shown
from stigmer_pm.spec import Condition, ProbeKind, Probes, ProbeSpec, TcpCheck

from .harness import World, after, container

PULLS = Reason(Why.PREPARING, detail="pulling serve")
AWAY = Reason(Why.ENGINE, detail="the engine does not answer")
PAUSED = Reason(Why.PAUSED)
READINESS = Probes(readiness=ProbeSpec(ProbeKind.READINESS, tcp=TcpCheck(80)))
STARTUP = Probes(startup=ProbeSpec(ProbeKind.STARTUP, tcp=TcpCheck(80), initial_delay=5.0))


def beginning(**rest: object) -> World:
    """``web``, a container whose start is under way."""
    world = World(takes_its_time={"web"})
    world.up(container("web", **rest))
    return world


def running(*, health: bool | None = None, **rest: object) -> World:
    """``web``, a container that runs."""
    world = beginning(**rest)
    world.begin("web", health=health)
    return world


def note(world: World, reason: Reason) -> None:
    """The world says something of ``web``, or takes it back."""
    world.send("web", Noted(world.run("web").number, reason))


def tell_health(world: World, *, passes: bool, output: str = "") -> None:
    """The HEALTHCHECK of ``web`` says something."""
    world.send("web", HealthTold(world.run("web").number, passes, output))


def kinds(world: World) -> list[EventKind]:
    """The entries of the journal, by kind."""
    return [e.kind for e in world.effects if isinstance(e, Record)]


def standing(world: World, goal: Goal = Goal.READY) -> Standing:
    """How it stands for whoever waits for ``web``."""
    return judge(world.project["web"], goal, 1, world.now, Patience(), world.project.find).standing


# --- notes --------------------------------------------------------------------------------------------------------


def test_a_pull_is_said_and_told_once_however_far_it_has_come() -> None:
    """Words about its progress come twice a second."""
    world = beginning()
    note(world, PULLS)
    note(world, Reason(Why.PREPARING, detail="pulling serve, 40 %"))
    assert reason_shown(world.state("web")) == "pulling serve, 40 %"
    assert world.records("web").count("pulling serve") == 1
    assert "pulling serve, 40 %" not in world.records("web")


def test_the_end_of_a_pull_is_nothing_to_tell() -> None:
    """That it runs, or can't be started, is told anyway."""
    world = beginning()
    note(world, PULLS)
    before = len(world.effects)
    note(world, NO_REASON)
    assert world.state("web").reason == NO_REASON
    assert len(world.effects) == before


def test_a_pause_is_told_and_its_end_too() -> None:
    """``docker pause`` and ``docker unpause`` by somebody else."""
    world = running()
    note(world, PAUSED)
    assert "paused by somebody else" in reason_shown(world.state("web"))
    note(world, NO_REASON)
    assert reason_shown(world.state("web")) == ""
    assert kinds(world)[-2:] == [EventKind.PAUSED, EventKind.GOES_ON]
    assert world.records("web")[-1] == "no longer paused"


def test_an_engine_that_is_away_is_told_and_that_it_answers_again() -> None:
    """A container goes on meanwhile, as far as anybody knows."""
    world = running()
    note(world, AWAY)
    assert world.phase("web") is Phase.RUNNING
    assert reason_shown(world.state("web")) == "the engine does not answer"
    note(world, NO_REASON)
    assert kinds(world)[-2:] == [EventKind.WARNING, EventKind.GOES_ON]
    assert world.records("web")[-1] == "its engine answers again"


def test_when_a_note_is_over_one_that_starts_waits_for_its_startup_probe_again() -> None:
    """The phase has a reason of its own."""
    world = running(probes=STARTUP)
    assert world.state("web").reason.why is Why.WAITS_FOR_STARTUP
    note(world, PAUSED)
    assert "paused" in reason_shown(world.state("web"))
    note(world, NO_REASON)
    assert world.state("web").reason.why is Why.WAITS_FOR_STARTUP


def test_the_end_of_a_note_takes_no_other_reason_along() -> None:
    """It has been overtaken, as by a stop that waits for dependents."""
    world = running()
    note(world, PAUSED)
    held = Reason(Why.WAITS_FOR_DEPENDENTS, subject="api")
    world.send("web", Hold(held))
    note(world, NO_REASON)
    assert world.state("web").reason == held


def test_news_of_a_run_that_is_over_mean_nothing_for_the_next() -> None:
    """An engine's answer may come late."""
    world = running(health=True)
    world.exit("web", 0)
    world.run_until(1.5)
    world.begin("web", health=True)
    assert world.run("web").number == 2
    world.send("web", Noted(1, PAUSED))
    world.send("web", HealthTold(1, passes=False))
    assert world.state("web").reason == NO_REASON
    assert world.state("web").is_ready


@pytest.mark.parametrize("why", sorted(NOTES))
def test_what_a_supervisor_was_told_is_not_taken_over_by_the_next(why: Why) -> None:
    """The world tells it again where it still holds, and never takes back what it has not said."""
    assert reason_without_note(InstanceState("web", Phase.RUNNING, reason=Reason(why))) == NO_REASON
    world = running(probes=STARTUP)
    note(world, Reason(why))
    assert reason_without_note(world.state("web")).why is Why.WAITS_FOR_STARTUP
    held = InstanceState("web", Phase.WAITING, reason=Reason(Why.DEPENDENCY_LOST, subject="db"))
    assert reason_without_note(held) == held.reason


# --- while it stops -----------------------------------------------------------------------------------------------

LOG_LOST = Reason(Why.LOG_LOST, subject="web", detail="was deleted")
LIVENESS = Probes(liveness=ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(80), failure_threshold=1))


def unhealthy() -> World:
    """``web``, whose liveness probe has failed, and which takes its time to stop."""
    world = World(ignores_signals={"web"})
    world.answers["web", ProbeKind.LIVENESS] = Outcome.FAILURE
    world.up(container("web", probes=LIVENESS))
    world.run_until(1.0)
    assert world.phase("web") is Phase.STOPPING
    return world


def test_a_log_that_is_lost_while_it_stops_is_nothing_to_tell() -> None:
    """The next run opens a new one."""
    world = unhealthy()
    before = world.state("web"), len(world.effects)
    note(world, LOG_LOST)
    assert (world.state("web"), len(world.effects)) == before


@pytest.mark.parametrize("noted", [AWAY, PAUSED, Reason(Why.OUTPUT, detail="no space left")])
@pytest.mark.parametrize("is_over", [False, True])
def test_what_is_said_while_it_stops_takes_the_reason_of_the_stop_from_nobody(noted: Reason, is_over: bool) -> None:
    """What the probe said stands in the reason that follows, whether the note is over by then or not."""
    world = unhealthy()
    reason = world.state("web").reason
    note(world, noted)
    assert world.state("web").reason == noted
    if is_over:
        note(world, NO_REASON)
        assert world.state("web").reason == reason
    assert reason_without_note(world.state("web")) == reason
    world.exit("web", 1)
    assert "liveness probe failed 1 times in a row: failure" in reason_shown(world.state("web"))


def test_a_stop_that_begins_while_its_engine_is_away_has_its_own_reason_when_it_answers() -> None:
    """The engine is why nothing happens until then."""
    world = World(ignores_signals={"web"})
    world.up(container("web"))
    note(world, AWAY)
    world.send("web", Restart())
    assert world.state("web").reason == AWAY
    note(world, NO_REASON)
    assert reason_shown(world.state("web")) == "restart by hand"


def test_what_had_to_be_killed_twice_still_says_what_its_probe_said() -> None:
    """That the kernel held it for a while is over by then."""
    world = unhealthy()
    world.send("web", Noted(1, NO_REASON))
    for at in (40.0, 50.0):
        world.project.handle("web", Due(), at)
    assert world.state("web").reason.why is Why.UNKILLABLE
    world.exit("web", 1)
    assert "liveness probe failed 1 times in a row: failure; had to be" in reason_shown(world.state("web"))


def test_a_log_that_was_lost_while_it_started_is_said_when_it_runs() -> None:
    """It is still lost."""
    world = running(probes=STARTUP)
    note(world, LOG_LOST)
    world.run_until(6.0)
    assert world.phase("web") is Phase.RUNNING
    assert world.state("web").reason == LOG_LOST


# --- waiting for an engine ----------------------------------------------------------------------------------------


def test_nobody_waits_for_one_whose_engine_is_away() -> None:
    """It is started when that answers, and nobody knows when."""
    world = beginning()
    note(world, PULLS)
    assert standing(world) is Standing.PENDING
    note(world, AWAY)
    assert standing(world) is Standing.LOST
    note(world, NO_REASON)
    assert standing(world) is Standing.PENDING


def test_nobody_waits_for_what_needs_one_whose_engine_is_away() -> None:
    """And its reason says why, until the engine answers."""
    world = World(takes_its_time={"web"})
    world.up(container("web"), container("api", depends_on=after("web")))
    note(world, AWAY)
    assert reason_shown(world.state("api")) == "waits for web, which can't be started: the engine does not answer"
    verdict = judge(world.project["api"], Goal.STARTED, 1, 0.0, Patience(), world.project.find)
    assert verdict.standing is Standing.LOST
    note(world, NO_REASON)
    assert reason_shown(world.state("api")) == "waits for web to be started (starting)"


# --- HEALTHCHECK --------------------------------------------------------------------------------------------------


def test_one_with_a_healthcheck_is_ready_when_that_passes() -> None:
    """Compose: ``service_healthy``."""
    world = running(health=False)
    assert world.state("web").is_started
    assert not world.state("web").is_ready
    assert reason_shown(world.state("web")) == "waits for the HEALTHCHECK of its image"
    tell_health(world, passes=True, output="200 OK")
    assert world.state("web").is_ready
    assert kinds(world)[-1] is EventKind.READY
    assert world.records("web")[-1] == "its HEALTHCHECK passes: 200 OK"
    tell_health(world, passes=False)
    assert not world.state("web").is_ready
    assert kinds(world)[-1] is EventKind.UNREADY
    assert world.records("web")[-1] == "its HEALTHCHECK fails"


def test_a_healthcheck_restarts_nothing() -> None:
    """That is what a liveness probe is for."""
    world = running(health=True)
    tell_health(world, passes=False)
    assert world.phase("web") is Phase.RUNNING
    assert not world.signals


def test_without_a_healthcheck_one_is_ready_when_it_runs() -> None:
    """As a process is."""
    assert running().state("web").is_ready


def test_a_readiness_probe_of_the_file_decides_alone() -> None:
    """What the HEALTHCHECK says is only shown then."""
    world = running(health=False, probes=READINESS)
    assert not world.state("web").is_ready
    world.run_until(1.0)
    assert world.state("web").is_ready
    before = len(world.effects)
    tell_health(world, passes=True)
    tell_health(world, passes=False)
    assert world.state("web").is_ready
    assert world.run("web").health is False
    assert len(world.effects) == before


def test_a_dependent_waits_for_the_healthcheck() -> None:
    """``depends_on`` with ``ready``."""
    world = World(takes_its_time={"web"})
    world.up(container("web"), container("api", depends_on=after("web", Condition.READY)))
    world.begin("web", health=False)
    assert world.phase("api") is Phase.WAITING
    tell_health(world, passes=True)
    assert world.phase("api") is Phase.RUNNING


def test_who_waits_for_one_with_a_healthcheck_does_not_watch_it_as_well() -> None:
    """That it passes says more than a second of being up."""
    world = running(health=False)
    world.now = 10.0
    assert standing(world) is Standing.PENDING
    world = running(health=False)
    tell_health(world, passes=True)
    assert standing(world) is Standing.REACHED
    assert standing(world, Goal.STARTED) is Standing.PENDING
    assert standing(running()) is Standing.PENDING


def test_a_supervisor_that_comes_back_knows_what_the_healthcheck_said() -> None:
    """It is written down whenever it changes."""
    world = running(health=False)
    before = world.state("web")
    tell_health(world, passes=True)
    assert world.state("web").differs_durably(before)
