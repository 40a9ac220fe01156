"""Stops, starts, edits and removals that overtake each other: what is asked for while something is still under way.

Histories that the simulation has found.
"""

from __future__ import annotations

from stigmer_pm.core.effects import SignalRun
from stigmer_pm.core.events import Exited, NotStarted, Reset, Restart, Spawned, Start, Stop
from stigmer_pm.core.plan import Action, Change
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Desired, Exit, Phase
from stigmer_pm.spec import ComponentSpec, ProbeKind, Probes, ProbeSpec, TcpCheck

from .harness import World, after, component


def held_stop(*specs: ComponentSpec) -> World:
    """``db`` and ``web``, which needs it, are to stop; ``web`` takes its time, and ``db`` runs until it is gone."""
    world = World(ignores_signals={"web"})
    world.up(*(specs or (component("db"), component("web", depends_on=after("db")))))
    world.send_all(["db", "web"], Stop())
    assert (world.phase("db"), world.phase("web")) == (Phase.RUNNING, Phase.STOPPING)
    return world


def test_an_edit_before_a_stop_has_begun_is_what_runs_in_the_end() -> None:
    """``up`` wants it again, and the run that is still there is of the command of before."""
    world = held_stop()
    world.up(component("db", command="v2"), component("web", depends_on=after("db")))
    world.exit("web", 0)
    assert world.state("db").run_number == 2
    assert world.phase("db") is world.phase("web") is Phase.RUNNING


def test_a_start_before_a_stop_has_begun_is_a_restart_as_it_is_after() -> None:
    """An edit may have come between the two, which only a new run shows."""
    world = held_stop()
    world.send("db", Start())
    assert world.state("db").desired is Desired.RUNNING
    world.exit("web", 0)
    assert world.state("db").run_number == 2


def test_a_component_that_comes_back_edited_before_its_removal_has_begun_is_replaced() -> None:
    """Removed with its dependent, which takes its time; back with another command; and that is what must run."""
    world = World(ignores_signals={"web"})
    world.up(component("db"), component("web", depends_on=after("db")), component("other"))
    world.up(component("other"))
    assert (world.phase("db"), world.phase("web")) == (Phase.RUNNING, Phase.STOPPING)
    world.up(component("db", command="v2"), component("other"))
    world.exit("web", 0)
    assert (world.phase("db"), world.state("db").run_number) == (Phase.RUNNING, 2)


def test_probes_of_a_component_that_comes_back_are_those_of_the_file() -> None:
    """Also while its run, which is to go, is still there."""
    world = World(ignores_signals={"web"})
    world.up(component("db"), component("web", depends_on=after("db")), component("other"))
    world.up(component("other"))
    liveness = ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(80))
    world.up(component("db", probes=Probes(liveness=liveness), autostart=False), component("other"))
    run = world.state("db").run
    assert run is not None
    assert run.liveness is not None


def test_what_is_removed_is_not_started_by_a_dependent() -> None:
    """``start web`` starts what ``web`` needs; one that is on its way out of the project stays on its way out."""
    world = World(ignores_signals={"db"})
    world.up(component("db"), component("web"))
    world.up(component("web"))
    for event in (Start(), Restart(), Reset()):
        world.send("db", event)
    assert world.state("db").desired is Desired.STOPPED
    world.exit("db", 0)
    assert world.project.find("db") is None


def starting_anew() -> Project:
    """``web`` runs and needs ``db``, whose next run has been asked for and is not known to run yet."""
    project = Project()
    specs = {"db": component("db", min_uptime=0.0), "web": component("web", depends_on=after("db"))}
    project.apply(specs, [Change(name, Action.START) for name in specs], 0.0)
    project.handle("db", Spawned(1, 100), 0.0)
    project.handle("web", Spawned(1, 101), 0.0)
    project.handle("db", Exited(1, Exit(code=0)), 1.0)
    assert project["db"].state.phase is Phase.STARTING
    return project


def test_a_stop_that_overtakes_a_start_does_not_wait_for_dependents() -> None:
    """They have nothing of a program that doesn't run yet; else it would be started in order to be stopped."""
    project = starting_anew()
    effects = project.handle_news([("db", Stop()), ("web", Stop())], 1.0)
    assert project["db"].state.phase is Phase.STOPPING
    assert [e.instance for e in effects if isinstance(e, SignalRun)] == ["web"]


def test_a_start_that_never_came_to_it_after_a_stop_waits_for_nothing() -> None:
    """A supervisor has died over both, and left one that waits to start and that nobody wants."""
    project = starting_anew()
    project.handle_news([("db", Stop()), ("web", Stop())], 1.0)
    project.handle("db", NotStarted(2), 2.0)
    assert project["db"].state.phase is Phase.STOPPED
