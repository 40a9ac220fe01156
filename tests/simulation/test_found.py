"""What the simulation has found, each as small as it gets."""

from __future__ import annotations

import random

import pytest

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.effects import KillRun
from stigmer_pm.core.events import Due, Noted, Stop
from stigmer_pm.core.probing import ProbeState, Result
from stigmer_pm.core.project import Project
from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.core.state import Desired, InstanceState, Phase, Run, StopCause
from stigmer_pm.core.verdict import reason_shown
from stigmer_pm.spec import (
    ComponentSpec,
    Condition,
    ContainerExecution,
    Dependency,
    ProbeKind,
    Probes,
    ProbeSpec,
    ProcessExecution,
    TcpCheck,
)
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.recovery import load_project
from stigmer_pm.supervisor.world import LocalWorld

from .simulation import Simulation
from .virtual_memory import VirtualMemory


def component(name: str, *needs: str, **rest: object) -> ComponentSpec:
    """A process that needs others to be started."""
    execution = ProcessExecution(("serve",), "/", f"/logs/{name}.log")
    depends_on = tuple(Dependency(other, Condition.STARTED) for other in needs)
    return ComponentSpec(name, process=execution, depends_on=depends_on, **rest)  # type: ignore[arg-type]


def memory_with(spec: ComponentSpec, state: InstanceState) -> VirtualMemory:
    """One instance on record, of the first boot."""
    memory = VirtualMemory(lambda point: None)
    memory.set_meta({"boot_id": "one"})
    memory.save_instances([(0, Instance(spec, state))])
    return memory


def test_a_second_supervisor_after_a_boot_does_not_wait_by_the_clock_of_the_boot_before() -> None:
    """It would wait for as long as the machine was up before: ``start_at`` lies weeks ahead."""
    state = InstanceState("web", Phase.BACKOFF, 2e6, desired=Desired.RUNNING, start_at=2e6 + 30.0)
    memory = memory_with(component("web"), state)
    load_project(memory, 50.0, "two")
    memory.set_meta({"boot_id": "two"})  # as the service does
    again = load_project(memory, 60.0, "two")["web"].state
    assert again.start_at is None or again.start_at < 100.0


def test_a_supervisor_that_comes_back_counts_probes_anew() -> None:
    """``InstanceState.differs_durably`` says so. Else two failures of long ago and one of now end a run."""
    liveness = ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(80), failure_threshold=3)
    probe = ProbeState(Result.SUCCESS, 0.0, 10.0, streak_of=Result.FAILURE, streak=2)
    run = Run(1, 0.0, pid=100, started_at=0.0, is_started=True, liveness=probe)
    state = InstanceState("web", Phase.RUNNING, desired=Desired.RUNNING, run=run, run_number=1)
    memory = memory_with(component("web", probes=Probes(liveness=liveness)), state)
    found = load_project(memory, 20.0, "one")["web"].state.run
    assert found is not None
    assert found.liveness is not None
    assert found.liveness.streak == 0


def test_a_run_that_may_not_have_had_its_stop_signal_is_not_killed_with_it() -> None:
    """A supervisor has died between the record of a stop and its signal, and the next one comes an hour later: SIGTERM
    and SIGKILL come at the same moment."""
    run = Run(
        1, 0.0, pid=100, started_at=0.0, is_started=True, stop_cause=StopCause.BY_HAND, stop_began_at=50.0, kill_at=60.0
    )
    state = InstanceState("web", Phase.STOPPING, 50.0, run=run, run_number=1)
    project = Project([Instance(component("web"), state)])
    project.recover([], 3600.0)
    assert not [e for e in project.handle("web", Due(), 3600.0) if isinstance(e, KillRun)]


def test_what_is_started_with_a_restart_does_not_start_on_what_is_about_to_go() -> None:
    """``restart a c``, where c needs b, which is stopped and needs a: b waits for the new run of a."""
    simulation = Simulation(random.Random(0), [component("a"), component("b", "a"), component("c", "b")])  # noqa: S311
    simulation.up()
    simulation.pass_time(1.0)
    simulation.command("stop", ["b"])
    simulation.pass_time(1.0)
    simulation.command("restart", ["a", "c"])
    assert simulation.engine is not None
    assert simulation.engine.project["b"].state.phase is Phase.WAITING


def test_what_was_noted_of_a_run_that_is_lost_is_no_failed_run() -> None:
    """The records are lost and a pid file is left. The next supervisor dies when it has decided run 1, and the one
    after it takes the pid file for that of run 1, which then has begun, and failed."""
    simulation = Simulation(random.Random(0), [component("web")])  # noqa: S311
    simulation.up()
    simulation.pass_time(1.0)
    simulation.kill_supervisor()
    simulation.kill_process("web", 9)
    simulation.lose_records()
    simulation.light_fuses([4])
    simulation.up()
    assert not simulation.names(), "it dies between the record of run 1 and its start"
    simulation.up()
    assert simulation.engine is not None
    assert simulation.engine.project["web"].state.last_end is None


@pytest.mark.parametrize("verb", ["start", "restart", "reset", "stop"])
def test_nothing_is_begun_once_everything_is_stopped_or_left(verb: str) -> None:
    """A start that came in late ran on, and ``down`` never ended. What was left to the next supervisor would have been
    stopped by that, when a stop was written down after all."""
    for end in ("stop_all", "let_go"):
        simulation = Simulation(random.Random(0), [component("a")])  # noqa: S311
        simulation.up()
        simulation.pass_time(1.0)
        engine = simulation.engine
        assert engine is not None
        if end == "stop_all":
            engine.stop_all(lambda: None)
        else:
            engine.let_go()
        before = engine.project["a"].state
        if (end, verb) == ("stop_all", "stop"):
            commands.act(engine, ["a"], verb)
        else:
            with pytest.raises(Refused):
                commands.act(engine, ["a"], verb)
        with pytest.raises(Refused):
            engine.apply({"a": component("a")}, [])
        assert engine.project["a"].state == before


@pytest.mark.parametrize("why", [Why.ENGINE, Why.PAUSED])
def test_what_one_supervisor_was_told_of_an_engine_is_not_said_by_the_next(why: Why) -> None:
    """It died while the engine was away. The next one finds the engine there, is told nothing, for there is nothing to
    take back, and would say for ever that it is away; whoever waits for one that starts would be told to give up."""
    run = Run(1, 0.0, pid=100, container="c1", started_at=0.0, is_started=True)
    state = InstanceState("web", Phase.RUNNING, reason=Reason(why), desired=Desired.RUNNING, run=run, run_number=1)
    for boot in ("one", "two"):
        loaded = load_project(memory_with(component("web"), state), 20.0, boot)["web"].state
        assert loaded.reason == NO_REASON


def test_a_stop_while_the_engine_is_away_says_what_it_waits_for() -> None:
    """``stop web`` waits for the engine, and says nothing; in the end it blames the kernel. The world says that the
    engine is away once, when it goes."""
    run = Run(1, 0.0, pid=100, container="c1", started_at=0.0, is_started=True)
    state = InstanceState("web", Phase.RUNNING, desired=Desired.RUNNING, run=run, run_number=1)
    project = Project([Instance(component("web"), state)])
    project.handle("web", Noted(1, Reason(Why.ENGINE, detail="the engine does not answer")), 1.0)
    project.handle("web", Stop(), 2.0)
    shown = [reason_shown(project["web"].state)]
    for at in (12.0, 17.0):
        project.handle("web", Due(), at)
        shown.append(reason_shown(project["web"].state))
    assert shown == ["the engine does not answer"] * 3


class Containers:
    """Notes which runs are looked for at an engine."""

    def __init__(self) -> None:
        self.sought: list[int] = []

    def take_over(self, instance: str, run: Run, spec: ComponentSpec, started: int | None) -> None:
        self.sought.append(run.number)


@pytest.mark.parametrize("is_container", [False, True])
def test_a_run_is_looked_for_where_it_was_started_whatever_the_file_says_by_now(*, is_container: bool) -> None:
    """``command`` has been edited into ``image``, or the other way round, and the supervisor died before the old run
    had ended. The next one took the old run for ended, and started another beside it."""
    world, containers = LocalWorld.__new__(LocalWorld), Containers()
    world._containers = containers  # type: ignore[assignment]
    process, execution = component("web"), ContainerExecution("web:1", "p-web", "p", "/logs/web.log")
    spec = process if is_container else ComponentSpec("web", container=execution)
    run = Run(1, 0.0, pid=100, container="c1" if is_container else None, started_at=0.0)
    assert world.take_over("web", run, spec, 12345) is is_container
    assert containers.sought == ([1] if is_container else [])


def test_the_number_of_a_run_whose_record_was_lost_is_not_used_again() -> None:
    """It is killed, for the file doesn't have its component any more; which comes back at that moment, and its first
    run has the same number, and is taken for ended."""
    simulation = Simulation(random.Random(0), [component("a"), component("b")])  # noqa: S311
    simulation.up()
    simulation.pass_time(1.0)
    simulation.kill_supervisor()
    simulation.lose_records()
    for names in ("a", "ab"):
        simulation.edit([component(name) for name in names])
        simulation.up()
    simulation.pass_time(1.0)
    assert simulation.engine is not None
    state = simulation.engine.project["b"].state
    assert (state.phase, state.run_number, state.failed_runs) == (Phase.RUNNING, 2, 0)
