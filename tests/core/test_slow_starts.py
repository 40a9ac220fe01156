"""Starts that take their time, as a pull does: what overtakes them, and what may still come of them."""

from __future__ import annotations

from stigmer_pm.core.events import Due, Exited, Kill, NotStarted, Restart, SpawnFailed, Start, Stop
from stigmer_pm.core.state import Desired, Exit, Phase, SpawnError, StopCause

from .harness import World, after, component, container

REFUSED = SpawnError("pull its image", "serve", 0, "no image serve is to be had")


def beginning(**rest: object) -> World:
    """``web``, a container whose start is under way."""
    world = World(takes_its_time={"web"})
    world.up(container("web", **rest))
    assert world.phase("web") is Phase.STARTING
    return world


def test_a_stop_takes_a_start_back() -> None:
    """A pull may take minutes, and its answer says that nothing is left of it."""
    world = beginning()
    world.send("web", Stop())
    assert world.phase("web") is Phase.STOPPING
    assert world.taken_back == [("web", 1)]
    assert not world.signals
    world.send("web", NotStarted(1))
    assert world.phase("web") is Phase.STOPPED
    assert world.records("web")[-1] == "stopped, never started"


def test_a_run_says_what_it_is_before_it_runs() -> None:
    """A supervisor may die over its start, and an edit may make something else of it: by this it is found again."""
    world = beginning()
    assert world.run("web").container == ""
    world.begin("web")
    assert world.run("web").container == "web-id"
    world.up(component("web"))
    assert world.run("web").container is None


def test_a_start_under_way_is_not_killed_by_the_clock() -> None:
    """There is nothing to kill, and the answer comes."""
    world = beginning(stop_timeout=1.0)
    world.send("web", Stop())
    world.run_until(1000.0)
    assert world.phase("web") is Phase.STOPPING
    assert not world.kills


def test_what_begins_too_late_is_stopped_as_ever() -> None:
    """With its stop signal, and all its time."""
    world = beginning(stop_timeout=7.0, stop_signal=2)
    world.ignores_signals.add("web")
    world.send("web", Stop())
    world.now = 3.0
    world.begin("web")
    assert world.signals == [("web", 2)]
    assert world.run("web").kill_at == 10.0
    world.run_until(10.0)
    assert world.kills == ["web"]
    assert world.phase("web") is Phase.STOPPED


def test_what_begins_after_it_should_have_been_killed_is_killed() -> None:
    """The second Ctrl-C came while it was being started."""
    world = beginning()
    world.project.handle("web", Kill(), 0.0)  # the world is slow, and has not answered yet
    world.begin("web")
    assert world.kills == ["web"]
    assert world.phase("web") is Phase.STOPPED


def test_a_start_that_is_being_taken_back_is_not_called_unkillable() -> None:
    """Nothing is there that the kernel could hold."""
    world = beginning()
    world.project.handle("web", Kill(), 0.0)
    before = world.state("web").reason
    world.project.handle("web", Due(), 5.0)
    assert world.phase("web") is Phase.STOPPING
    assert world.state("web").reason == before


def test_a_start_that_fails_during_a_stop_is_no_failed_run() -> None:
    """It isn't wanted any more, so it is nothing to count."""
    world = beginning()
    world.send("web", Stop())
    world.send("web", SpawnFailed(1, REFUSED))
    assert world.phase("web") is Phase.STOPPED
    assert world.state("web").failed_runs == 0


def test_a_start_that_fails_by_itself_is_a_failed_run() -> None:
    """The next one waits."""
    world = beginning()
    world.send("web", SpawnFailed(1, REFUSED))
    assert world.phase("web") is Phase.BACKOFF
    assert world.state("web").failed_runs == 1


def test_a_restart_takes_a_start_back_and_another_one_follows() -> None:
    """As after an edit of the image that is being pulled."""
    world = beginning()
    world.send("web", Restart(StopCause.EDIT))
    assert world.taken_back == [("web", 1)]
    world.send("web", NotStarted(1))
    assert (world.phase("web"), world.run("web").number) == (Phase.STARTING, 2)
    assert world.state("web").restarts == world.state("web").failed_runs == 0


def test_a_start_during_the_taking_back_of_another_waits_for_its_answer() -> None:
    """Never two of them at once."""
    world = beginning()
    world.send_all(["web"], Stop())
    world.send_all(["web"], Start())
    assert len(world.starts) == 1
    world.send("web", NotStarted(1))
    assert len(world.starts) == 2
    assert world.state("web").desired is Desired.RUNNING


def test_a_start_that_never_came_to_it_happens_and_is_not_counted_again() -> None:
    """A supervisor has died over it; the next one has looked, and found nothing."""
    world = beginning(min_uptime=0.0)
    world.begin("web")
    world.exit("web", 0)
    assert (world.phase("web"), world.state("web").restarts) == (Phase.STARTING, 1)
    world.send("web", NotStarted(2))
    assert (world.phase("web"), world.run("web").number) == (Phase.STARTING, 3)
    assert world.state("web").restarts == 1
    assert world.state("web").failed_runs == 0


def test_dependents_wait_until_it_runs() -> None:
    """That its start was asked for is nothing to start on."""
    world = World(takes_its_time={"web"})
    world.up(container("web"), component("api", depends_on=after("web")))
    assert world.phase("api") is Phase.WAITING
    world.begin("web")
    assert world.phase("api") is Phase.RUNNING


def test_one_that_has_ended_by_the_time_it_is_found_has_run_for_no_time() -> None:
    """``started`` and then ``ended`` in one breath."""
    world = beginning()
    world.begin("web")
    world.send("web", Exited(1, Exit(code=1)))
    assert world.phase("web") is Phase.BACKOFF
    end = world.state("web").last_end
    assert end is not None
    assert end.uptime == 0.0
