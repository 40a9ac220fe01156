"""What the simulation has found, each as small as it gets."""

from __future__ import annotations

import random

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.effects import KillRun
from stigmer_pm.core.events import Due
from stigmer_pm.core.probing import ProbeState, Result
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Desired, InstanceState, Phase, Run, StopCause
from stigmer_pm.spec import (
    ComponentSpec,
    Condition,
    Dependency,
    ProbeKind,
    Probes,
    ProbeSpec,
    ProcessExecution,
    TcpCheck,
)
from stigmer_pm.supervisor.recovery import load_project

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
