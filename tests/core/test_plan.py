"""Applying an edited file: what restarts, what is applied live, what is left alone."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from stigmer_pm.core import graph, project
from stigmer_pm.core.events import Stop
from stigmer_pm.core.plan import Scope, differing_fields
from stigmer_pm.core.state import Phase
from stigmer_pm.spec import (
    Backoff,
    ComponentSpec,
    Condition,
    Dependency,
    Limits,
    ProbeKind,
    Probes,
    ProbeSpec,
    ProcessExecution,
    RestartPolicy,
    SuccessExits,
    TcpCheck,
)

from .harness import World, after, component

EXECUTED: dict[str, Any] = {
    "argv": ("other",),
    "working_dir": "/tmp",  # noqa: S108
    "log": "/other.log",
    "environment": {"A": "2"},
    "user": "nobody",
    "group": "nogroup",
    "umask": 0o22,
    "nice": 5,
    "limits": Limits(nofile=64),
}
WATCHED: dict[str, Any] = {
    "description": "other",
    "labels": {"a": "b"},
    "restart": RestartPolicy.NEVER,
    "min_uptime": 3.0,
    "max_restarts": 3,
    "restart_window": 3.0,
    "backoff": Backoff(3.0),
    "success": SuccessExits((3,)),
    "stop_signal": 3,
    "stop_timeout": 3.0,
    "probes": Probes(readiness=ProbeSpec(ProbeKind.READINESS, tcp=TcpCheck(80))),
    "depends_on": (Dependency("db", Condition.STARTED),),
    "profiles": ("x",),
    "autostart": False,
}


def test_every_field_is_either_executed_or_watched() -> None:
    """A new field of the spec must be put on one side of the line, and into these tests."""
    assert set(EXECUTED) == {f.name for f in fields(ProcessExecution)}
    assert set(WATCHED) | {"name", "process", "container"} == {f.name for f in fields(ComponentSpec)}


@pytest.mark.parametrize("name", sorted(EXECUTED))
def test_a_difference_in_what_is_executed_restarts_that_component_only(name: str) -> None:
    """Each field of what is executed, one at a time."""
    world, web, other = World(), component("web"), component("other")
    world.up(web, other)
    assert web.process is not None
    edited = replace(web, process=replace(web.process, **{name: EXECUTED[name]}))
    assert world.up(edited, other) == ("restart web",)
    assert (world.state("web").run_number, world.state("other").run_number) == (2, 1)
    assert world.state("web").restarts == 0


@pytest.mark.parametrize("name", sorted(set(WATCHED) - {"profiles"}))
def test_a_difference_in_how_it_is_watched_is_applied_live(name: str) -> None:
    """Each field of how it is watched or described, one at a time: no new run, and the new value holds."""
    world, web, db = World(), component("web"), component("db")
    world.up(web, db)
    edited = replace(web, **{name: WATCHED[name]})
    assert world.up(edited, db) == ("update web",)
    assert world.state("web").run_number == 1
    assert getattr(world.project["web"].spec, name) == WATCHED[name]


def test_nothing_changed_means_nothing_happens() -> None:
    """The second ``up``."""
    world = World()
    world.up(component("web", environment={"A": "1", "B": "2"}))
    assert world.up(component("web", environment={"B": "2", "A": "1"})) == ()


def test_a_removed_component_is_stopped_and_forgotten_and_a_new_one_started() -> None:
    """Also its name is free again, with run numbers that go on."""
    world = World()
    world.up(component("a"), component("b"))
    assert world.up(component("b"), component("c")) == ("start c", "stop a")
    assert world.project.find("a") is None
    world.up(component("a"), component("b"), component("c"))
    assert world.state("a").run_number == 2


def test_many_that_are_removed_cost_no_look_at_all_others_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten thousand, half of which go, that was half a minute of the supervisor's time."""
    world = World()
    everything = [component(f"c{number}") for number in range(100)]
    world.up(*everything)
    looks: list[graph.Edges] = []

    def look(edges: graph.Edges) -> dict[str, tuple[str, ...]]:
        looks.append(edges)
        return graph.reverse(edges)

    monkeypatch.setattr(project, "reverse", look)
    world.up(everything[0])
    assert [instance.state.name for instance in world.project] == ["c0"]
    assert len(looks) == 1


def test_one_that_comes_back_while_it_is_being_removed_stays() -> None:
    """An edit and its undoing, faster than the stop."""
    world = World(ignores_signals={"a"})
    world.up(component("a"), component("b"))
    world.up(component("b"))
    assert world.phase("a") is Phase.STOPPING
    world.up(component("a"), component("b"))
    world.exit("a", 0)
    assert world.phase("a") is Phase.RUNNING


def test_an_up_neither_starts_nor_stops_what_belongs_to_other_profiles() -> None:
    """As in Compose; also an edit to it waits until its profile is chosen."""
    world, web, extra = World(), component("web"), component("extra", profiles=("debug",))
    world.up(web, extra)
    assert world.project.find("extra") is None
    world.up(web, extra, scope=Scope(profiles=("debug",)))
    assert world.phase("extra") is Phase.RUNNING
    edited = component("extra", profiles=("debug",), command="other")
    assert world.up(web, edited) == ()
    assert world.phase("extra") is Phase.RUNNING
    assert world.up(web, edited, scope=Scope(profiles=("debug",))) == ("restart extra",)


def test_a_named_component_runs_whatever_its_profile_and_brings_what_it_needs() -> None:
    """``up NAME``; the others are left alone, removed ones too."""
    world = World()
    db, web = component("db"), component("web", profiles=("x",), depends_on=after("db"))
    world.up(component("old"))
    assert world.up(db, web, component("rest"), scope=Scope(names=("web",))) == ("start db", "start web")
    assert world.project.find("rest") is None
    assert world.phase("old") is Phase.RUNNING


def test_a_new_one_that_is_not_started_is_no_edit() -> None:
    """It is just known from then on. (The journal had "applied without a restart: " and nothing behind it.)"""
    world = World()
    assert world.up(component("web", autostart=False)) == ("update web",)
    assert world.phase("web") is Phase.STOPPED
    assert world.records("web") == []


def test_autostart_false_runs_only_when_named_or_needed() -> None:
    """And once it runs, an ``up`` leaves it running."""
    world = World()
    tool, needed = component("tool", autostart=False), component("needed", autostart=False)
    web = component("web", depends_on=after("needed"))
    world.up(tool, needed, web)
    assert (world.phase("tool"), world.phase("needed")) == (Phase.STOPPED, Phase.RUNNING)
    world.up(scope=Scope(names=("tool",)))
    assert world.phase("tool") is Phase.RUNNING
    assert world.up() == ()


def test_a_completed_job_is_not_run_again_until_it_is_edited() -> None:
    """It has done what it was for; a new command is something new to do."""
    world = World()
    job = component("job", restart=RestartPolicy.NEVER)
    world.up(job)
    world.exit("job", 0)
    assert world.up() == ()
    assert world.up(replace(job, description="words")) == ("update job",)
    assert world.up(component("job", restart=RestartPolicy.NEVER, command="v2")) == ("start job",)


def test_one_stopped_by_hand_is_started_by_up() -> None:
    """Policy ``always``: ``up`` makes the machine match the file."""
    world = World()
    world.up(component("web"))
    world.send("web", Stop())
    assert world.up() == ("start web",)


def test_the_names_of_fields_are_those_of_the_file() -> None:
    """``argv`` is called ``command`` there."""
    old, new = component("web"), component("web", command="x", environment={"A": "1"}, description="d")
    assert differing_fields(old, new) == (("command", "environment"), ("description",))
