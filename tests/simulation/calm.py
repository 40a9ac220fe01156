"""The end of a history: nothing bad happens any more, and everything that is wanted must come to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.state import Phase
from stigmer_pm.core.verdict import Goal, Patience, Standing, judge
from stigmer_pm.spec import ComponentSpec, Condition

from .processes import Program
from .simulation import Simulation
from .violation import Violation
from .wishes import executed

#: Seconds in which everything comes to be what it is to be: the longest backoff, the slowest stop and probe, and more.
_QUIET = 120.0
#: Seconds in which a program obeys a signal, and in which the kernel lets go of one that was killed: what was under way
#: comes to its end.
_SHORT, _LONG = 2.5, 7.5
#: Seconds for which it must then stay so.
_LASTING = 2.0


def calm_down(simulation: Simulation, *, with_up: bool, with_down: bool) -> None:
    """Let the world be kind, and see that all is as it is wished; then as the file says; then gone.

    Raises:
        Violation: it isn't.
    """
    simulation.tell("calm")
    simulation.light_fuses(())
    _make_kind(simulation)
    if any(process.program.dies_in > _SHORT for process in simulation.world.all_living()):
        simulation.pass_time(_LONG)
    if simulation.engine is not None:
        _wait_until(simulation, lambda: simulation.engine is None or _is_as_wished(simulation), "what is wished")
    if with_up or simulation.engine is None:
        # Twice, for what was ending while the first one came may have been given up on.
        for _ in range(2):
            simulation.up()
            _wait_until(simulation, lambda: _is_as_wished(simulation), "what is applied")
        _check_applied(simulation)
        _check_verdicts(simulation)
    if with_down:
        simulation.down()
        _wait_until(simulation, lambda: simulation.engine is None, "down")
        if simulation.world.all_living():
            raise Violation(f"after down {simulation.world.all_living()} live")


def _make_kind(simulation: Simulation) -> None:
    world = simulation.world
    # Also of those that an edit, which is not applied yet, has taken out of the file.
    for name in {*world.programs, *(component.name for component in simulation.components)}:
        world.programs[name] = Program()
    world.engine.come_back()
    for process in world.all_living():
        if process.is_paused:
            world.engine.pause(process)
        if process.own_end is not None:
            process.own_end.cancel()
        process.program = replace(
            process.program, sick=False, healthy_after=0.0, answers_in=0.01, stops_in=0.1, leftovers_stop=True
        )
        world.engine.check_health(process)
    for process in world.processes.values():
        if process.is_starting:
            process.program = Program()


def _wait_until(simulation: Simulation, holds: Callable[[], bool], what: str) -> None:
    # What was under way, as a program that takes two seconds to obey a signal, comes to its end first.
    simulation.pass_time(_SHORT)
    ends_at = simulation.clock.at + _QUIET
    while not holds():
        if simulation.clock.at >= ends_at:
            raise Violation(f"{what} has not come to be in {_QUIET} quiet seconds: {_why(simulation)}")
        simulation.pass_time(1.0)
    simulation.pass_time(_LASTING)
    simulation.check_all()
    if not holds():
        raise Violation(f"{what} has come to be, and has not lasted: {_why(simulation)}")


def _is_as_wished(simulation: Simulation) -> bool:
    return not _why(simulation)


def _why(simulation: Simulation) -> str:
    """What is not as it is wished, in words; empty when everything is."""
    if simulation.engine is None:
        return "there is no supervisor"
    project = simulation.engine.project
    for instance in project:
        name, phase = instance.state.name, instance.state.phase
        wish = simulation.oracle.wish(name)
        if not wish.runs:
            if simulation.world.living(name):
                return f"{name} is to be stopped, and lives"
            if instance.state.run is not None:
                return f"{name} is to be stopped, and its start or its end is under way"
            if wish.is_gone:
                return f"{name} was removed, and is still there"
        elif phase is Phase.WAITING:
            if not _may_wait(instance, {i.state.name: i for i in project}):
                return f"{name} is waiting, and for nothing"
        elif not (instance.state.is_ready or phase in (Phase.COMPLETED, Phase.FAILED)):
            return f"{name} is {phase}: {instance.state}"
    return ""


def _may_wait(instance: Instance, project: Mapping[str, Instance]) -> bool:
    """Something that it needs is at rest, or waits itself, or is a job that has not ended."""
    for dependency in instance.spec.depends_on:
        other = project.get(dependency.name)
        if other is None:
            return True
        phase = other.state.phase
        if dependency.condition is Condition.COMPLETED:
            if phase is not Phase.COMPLETED:
                return True
        elif phase is Phase.WAITING or other.state.run is None:
            return True
    return False


def _check_applied(simulation: Simulation) -> None:
    """What runs is what the file says."""
    assert simulation.engine is not None
    by_name: dict[str, ComponentSpec] = {c.name: c for c in simulation.components}
    for instance in simulation.engine.project:
        state, spec = instance.state, by_name.get(instance.state.name)
        if spec is None:
            raise Violation(f"{state.name} is not in the file, and is still there")
        if spec.profiles:
            continue  # an up without profiles neither compares nor starts it
        if instance.spec != spec:
            raise Violation(f"{state.name} has another spec than the file")
        for process in simulation.world.living(state.name):
            if executed(process.spec) != executed(spec):
                raise Violation(f"{state.name} runs what the file said before")
        if state.phase is Phase.FAILED and spec.autostart and simulation.oracle.wish(state.name).runs:
            raise Violation(f"{state.name} has failed, and up has not started it")
    missing = {c.name for c in simulation.components if not c.profiles} - set(simulation.names())
    if missing:
        raise Violation(f"the file has {sorted(missing)}, and there is {simulation.names()}")


def _check_verdicts(simulation: Simulation) -> None:
    """Whoever waits for something that will not come is told so, and doesn't wait for ever."""
    assert simulation.engine is not None
    project = simulation.engine.project
    for instance in project:
        now = simulation.clock.at
        verdict = judge(instance, Goal.READY, 0, now, Patience(), project.find)
        if (
            instance.state.is_ready and simulation.oracle.wish(instance.state.name).runs
        ) or instance.state.phase is Phase.COMPLETED:
            expected = {Standing.REACHED}
        elif instance.state.phase is Phase.WAITING:
            jobs = _waits_for_a_job(instance, {i.state.name: i for i in project})
            expected = {Standing.PENDING, Standing.LOST} if jobs else {Standing.LOST}
        else:
            expected = {Standing.LOST}
        if verdict.standing not in expected:
            raise Violation(f"a wait for {instance.state.name} is {verdict}, and must be {expected}")


def _waits_for_a_job(instance: Instance, project: Mapping[str, Instance]) -> bool:
    for dependency in instance.spec.depends_on:
        other = project.get(dependency.name)
        if other is None:
            continue
        if dependency.condition is Condition.COMPLETED and other.state.run is not None:
            return True
        if other.state.phase is Phase.WAITING and _waits_for_a_job(other, project):
            return True
    return False
