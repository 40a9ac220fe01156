"""The oracle is alive: a bug that is planted into the core, the engine or the recovery makes it object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stigmer_pm.core import dependencies, ending, lifecycle, plan, probe_steps, probing, restart, stopping
from stigmer_pm.core.effects import SignalRun
from stigmer_pm.core.events import Due, Emptied, Exited, Hurry, ResumeStop
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Desired, Pending, Phase, RunEnd, StopCause
from stigmer_pm.core.verdict import Standing, Verdict
from stigmer_pm.supervisor import recovery
from stigmer_pm.supervisor.deadlines import Deadlines
from stigmer_pm.supervisor.engine import Engine

from . import books, calm, lives, simulation
from .planting import Bugs, Plant, name_of, table
from .virtual_memory import VirtualMemory
from .virtual_world import VirtualWorld

pytestmark = pytest.mark.slow

BUGS = Bugs()
shows_as = BUGS.shows_as


# --- bugs -------------------------------------------------------------------------------------------------------------


@shows_as("has no run, and|while .* of it lives")
def _leftovers_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    def exited(spec: Any, state: Any, event: Exited, now: float) -> Any:
        return original(spec, state, replace(event, remaining=False), now)

    original = stopping.take_exit
    table(patch, Exited, exited)


@shows_as("is started, and is to be stopped")
def _a_stopped_run_is_followed_by_another(patch: pytest.MonkeyPatch) -> None:
    def stopped(state: Any, end: Any, now: float) -> Any:
        return ending.enter(replace(state, desired=Desired.RUNNING), Phase.WAITING, now), ()

    patch.setattr(ending, "_stopped", stopped)


@shows_as("and asked for was")
def _a_crash_is_taken_for_a_stop(patch: pytest.MonkeyPatch) -> None:
    def enter(state: Any, phase: Phase, now: float, *reason: Any) -> Any:
        entered = original(state, phase, now, *reason)
        return replace(entered, desired=Desired.STOPPED) if phase is Phase.BACKOFF else entered

    original = ending.enter
    patch.setattr(ending, "enter", enter)


@shows_as("is started before")
def _dependencies_always_hold(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dependencies, "_holds", lambda condition, state: True)


@shows_as("is stuck in waiting")
def _dependencies_never_hold(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dependencies, "_holds", lambda condition, state: False)


@shows_as("is to wait until")
def _restarts_come_too_soon(patch: pytest.MonkeyPatch) -> None:
    original = restart.delay_after
    patch.setattr(restart, "delay_after", lambda *arguments: original(*arguments) * 0.4)


@shows_as("must be followed by .*RETRIED")
def _a_start_that_a_shortage_stopped_is_a_failed_run(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RunEnd, "is_shortage", False)


@shows_as("is to wait until .*RETRIED")
def _a_shortage_is_waited_for_no_longer_than_the_first_time(patch: pytest.MonkeyPatch) -> None:
    def fail_to_spawn(spec: Any, state: Any, *rest: Any) -> Any:
        return original(spec, replace(state, shortages=0), *rest)

    original = ending.fail_to_spawn
    patch.setattr(lifecycle, "fail_to_spawn", fail_to_spawn)


@shows_as("has restarts at")
def _a_start_that_is_tried_again_is_counted_again(patch: pytest.MonkeyPatch) -> None:
    def decide(spec: Any, state: Any, end: Any, **rest: Any) -> Any:
        decision = original(spec, state, end, **rest)
        retried = replace(decision.state, pending=Pending.AFTER_STABLE)
        return replace(decision, state=retried) if end.is_shortage else decision

    original = restart.decide
    patch.setattr(ending, "decide", decide)


@shows_as("is to wait until")
def _restarts_come_too_late(patch: pytest.MonkeyPatch) -> None:
    original = restart.delay_after
    patch.setattr(restart, "delay_after", lambda *arguments: original(*arguments) + 0.05)


@shows_as("is stuck in backoff|nobody will be called")
def _the_end_of_a_backoff_is_missed(patch: pytest.MonkeyPatch) -> None:
    table(patch, Due, lambda spec, state, event, now: (state, ()), Phase.BACKOFF)


@shows_as("after a run that must be followed by .*FAILED")
def _nothing_is_given_up(patch: pytest.MonkeyPatch) -> None:
    original = restart._after_failed
    patch.setattr(restart, "_after_failed", lambda spec, *rest: original(replace(spec, max_restarts=None), *rest))


@shows_as("restarts of failed runs in its window")
def _nothing_is_given_up_and_the_first_check_sleeps(patch: pytest.MonkeyPatch) -> None:
    def judge(life: Any, spec: Any, *rest: Any) -> Any:
        found = original(life, replace(spec, max_restarts=None), *rest)
        return None if found is None else replace(found, spec=spec)

    _nothing_is_given_up(patch)
    original = lives.judge
    patch.setattr(books, "judge", judge)


@shows_as("is restarted at once, after")
def _nothing_flaps_and_the_first_check_sleeps(patch: pytest.MonkeyPatch) -> None:
    _nothing_is_given_up_and_the_first_check_sleeps(patch)
    patch.setattr(restart, "flapping_threshold", lambda spec: None)


@shows_as("has restarts at")
def _restarts_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    def count(spec: Any, state: Any, now: float) -> Any:
        counted = original(spec, state, now)
        return replace(counted, automatic_restarts=counted.automatic_restarts[:-1])

    original = restart.count_restart
    patch.setattr(lifecycle, "count_restart", count)


@shows_as("counts .* after|has restarts at")
def _counts_die_with_the_supervisor(patch: pytest.MonkeyPatch) -> None:
    def load(*arguments: Any) -> Project:
        project = original(*arguments)
        for name, instance in project._instances.items():
            state = replace(instance.state, automatic_restarts=(), failed_runs=0, slowed_restarts=0)
            project._instances[name] = replace(instance, state=state)
        return project

    original = recovery.load_project
    patch.setattr(simulation, "load_project", load)


@shows_as("after a run that must be followed by")
def _policies_are_not_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(restart, "_is_restarted", lambda spec, end: True)


@shows_as("everything has stopped, and")
def _down_does_not_wait(patch: pytest.MonkeyPatch) -> None:
    def stop_all(self: Engine, then: Callable[[], None]) -> None:
        original(self, then)
        then()

    original = Engine.stop_all
    patch.setattr(Engine, "stop_all", stop_all)


@shows_as("is stuck in running")
def _a_stop_does_not_begin(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Project, "_halt_rule", lambda self, instance: None)


@shows_as("is stuck in stopping|has not come to be")
def _the_last_leftover_goes_unnoticed(patch: pytest.MonkeyPatch) -> None:
    table(patch, Emptied, lambda spec, state, event, now: (state, ()))


@shows_as("is stuck in stopping")
def _kills_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    def signal(*arguments: Any) -> Any:
        state: Any
        state, effects = original(*arguments)
        return replace(state, run=replace(state.run, kill_at=None)), effects

    original = stopping.signal
    patch.setattr(stopping, "signal", signal)


@shows_as("should have been killed")
def _kills_are_decided_and_not_done(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(VirtualWorld, "kill", lambda self, instance, run: None)


@shows_as("is to be killed in")
def _kills_come_early(patch: pytest.MonkeyPatch) -> None:
    def signal(spec: Any, *rest: Any) -> Any:
        return original(replace(spec, stop_timeout=spec.stop_timeout / 2), *rest)

    original = stopping.signal
    patch.setattr(stopping, "signal", signal)


@shows_as("is killed at .*, before")
def _kills_come_with_the_first_event(patch: pytest.MonkeyPatch) -> None:
    def due(spec: Any, state: Any, event: Due, now: float) -> Any:
        return original(spec, replace(state, run=replace(state.run, kill_at=now)), event, now)

    original = stopping.take_due
    table(patch, Due, due, Phase.STOPPING)


@shows_as("is to be killed in")
def _the_grace_of_a_probe_is_not_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(probe_steps, "stop_seconds", lambda spec, run: spec.stop_timeout)


@shows_as("is to be killed in")
def _a_stop_that_is_taken_up_again_gets_no_more_time(patch: pytest.MonkeyPatch) -> None:
    def resume(spec: Any, state: Any, event: ResumeStop, now: float) -> Any:
        return state, (SignalRun(state.name, state.run_number, spec.stop_signal),)

    table(patch, ResumeStop, resume, Phase.STOPPING)


@shows_as("is to be killed in")
def _a_stop_that_is_taken_up_again_gets_half_of_its_time(patch: pytest.MonkeyPatch) -> None:
    def resume(spec: Any, *rest: Any) -> Any:
        return original(replace(spec, stop_timeout=spec.stop_timeout / 2), *rest)

    original = stopping.resume
    table(patch, ResumeStop, resume, Phase.STOPPING)


@shows_as("was to be killed at .*, and now it is at")
def _a_stop_that_is_taken_up_again_begins_anew(patch: pytest.MonkeyPatch) -> None:
    def resume(spec: Any, state: Any, event: ResumeStop, now: float) -> Any:
        if state.run.was_killed or (state.run.pid is None and state.run.exit is None):
            return state, ()
        return stopping.signal(spec, state, now)

    table(patch, ResumeStop, resume, Phase.STOPPING)


@shows_as("a stop signal goes to .*, which has had it")
def _what_is_known_of_a_stop_signal_is_not_read(patch: pytest.MonkeyPatch) -> None:
    def resume(spec: Any, state: Any, event: ResumeStop, now: float) -> Any:
        return original(spec, state, ResumeStop(), now)

    original = stopping.resume
    table(patch, ResumeStop, resume, Phase.STOPPING)


@shows_as("was to be killed at .*, and now it is at")
def _a_stop_is_put_off_again_and_again(patch: pytest.MonkeyPatch) -> None:
    def resume(spec: Any, state: Any, event: ResumeStop, now: float) -> Any:
        return original(spec, replace(state, run=replace(state.run, was_put_off=False)), event, now)

    original = stopping.resume
    table(patch, ResumeStop, resume, Phase.STOPPING)


@shows_as("nobody will be called")
def _deadlines_are_lost(patch: pytest.MonkeyPatch) -> None:
    original = Deadlines.set

    def keep(self: Deadlines, name: str, at: float | None) -> None:
        original(self, name, None if name == "b" else at)

    patch.setattr(Deadlines, "set", keep)


@shows_as("runs what the file said before")
def _edits_are_never_executed(patch: pytest.MonkeyPatch) -> None:
    original = plan.differing_fields
    patch.setattr(plan, "differing_fields", lambda old, new: ((), sum(original(old, new), ())))


@shows_as("and asked for was")
def _what_is_removed_stays(patch: pytest.MonkeyPatch) -> None:
    def carry_out(self: Project, change: Any, now: float) -> Any:
        return [] if change.action is plan.Action.STOP else original(self, change, now)

    original = Project._carry_out
    patch.setattr(Project, "_carry_out", carry_out)


@shows_as("has failed, and it runs on")
def _thresholds_are_one_too_high(patch: pytest.MonkeyPatch) -> None:
    def finish(probe: Any, *rest: Any) -> Any:
        return original(replace(probe, failure_threshold=probe.failure_threshold + 1), *rest)

    original = probing.finish
    patch.setattr(probing, "finish", finish)


@shows_as("is stopped, and there is no reason to|probe of .* says")
def _thresholds_are_one(patch: pytest.MonkeyPatch) -> None:
    original = probing.finish
    patch.setattr(probing, "finish", lambda probe, *rest: original(replace(probe, failure_threshold=1), *rest))


@shows_as("its gate is closed")
def _gates_are_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(probe_steps, "gate_is_open", lambda state, kind: state.run is not None and state.run.is_alive)


@shows_as("before its initial delay")
def _initial_delays_are_not_waited(patch: pytest.MonkeyPatch) -> None:
    original = probing.arm
    patch.setattr(probing, "arm", lambda probe, *rest: original(replace(probe, initial_delay=0.0), *rest))


@shows_as("waits for an answer that nobody will give")
def _an_answer_is_lost(patch: pytest.MonkeyPatch) -> None:
    def attempt(self: VirtualWorld, instance: Any, run: int, *rest: Any) -> None:
        if run != 2:
            original(self, instance, run, *rest)

    original = VirtualWorld.attempt
    patch.setattr(VirtualWorld, "attempt", attempt)


@shows_as("is to be asked at")
def _probes_come_a_period_late(patch: pytest.MonkeyPatch) -> None:
    def finish(probe: Any, *rest: Any) -> Any:
        state = original(probe, *rest)
        return replace(state, next_at=state.next_at + probe.period)

    original = probing.finish
    patch.setattr(probing, "finish", finish)


@shows_as("is stopped, and there is no reason to")
def _a_hurry_restarts(patch: pytest.MonkeyPatch) -> None:
    def hurry(spec: Any, state: Any, event: Hurry, now: float) -> Any:
        return replace(state, restart_for=StopCause.RESTART), ()

    table(patch, Hurry, hurry, Phase.RUNNING)


@shows_as("is restarted with a dependency, and none has been")
def _every_restart_takes_dependents_along(patch: pytest.MonkeyPatch) -> None:
    def follow(self: Project, instance: Any) -> Any:
        state = instance.state
        older = dict.fromkeys(state.run.dependency_runs, -1 if state.run_number < 3 else 1000)
        return original(self, replace(instance, state=replace(state, run=replace(state.run, dependency_runs=older))))

    original = Project._follow_rule
    patch.setattr(Project, "_follow_rule", follow)


@shows_as("nobody watches")
def _what_is_adopted_is_not_watched(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(VirtualWorld, "adopt", lambda self, *arguments: True)


@shows_as("is on record as")
def _a_stop_is_not_written_down(patch: pytest.MonkeyPatch) -> None:
    def save(self: VirtualMemory, states: Any) -> None:
        original(self, (state for state in states if state.desired is Desired.RUNNING))

    original = VirtualMemory.save_states
    patch.setattr(VirtualMemory, "save_states", save)


@shows_as("calls at the moment")
def _the_engine_never_rests(patch: pytest.MonkeyPatch) -> None:
    def turn(self: Engine) -> None:
        original(self)
        self._schedule()

    original = Engine._turn
    patch.setattr(Engine, "_turn", turn)


@shows_as("a wait for")
def _waits_hang(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(calm, "judge", lambda *arguments: Verdict(Standing.PENDING))


@pytest.mark.parametrize("plant", BUGS, ids=name_of)
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by the check that is there for it."""
    BUGS.must_be_found(plant, monkeypatch)
