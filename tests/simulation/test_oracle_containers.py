"""The oracle sees what goes wrong with containers: starts that take their time, an engine that is away, health."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stigmer_pm.core import ending, lifecycle, notes, restart, stopping
from stigmer_pm.core.effects import CancelStart
from stigmer_pm.core.events import Exited, Halt, HealthTold, Noted, NotStarted, Proceed, Spawned
from stigmer_pm.core.reasons import NO_REASON, Why
from stigmer_pm.core.state import Exit, InstanceState, Pending, Phase, SpawnError, StopCause
from stigmer_pm.core.verdict import Standing, Verdict
from stigmer_pm.spec import RestartPolicy
from stigmer_pm.supervisor import recovery
from stigmer_pm.supervisor.engine import Engine

from . import standing
from .planting import Bugs, Plant, name_of, table
from .virtual_world import VirtualWorld

pytestmark = pytest.mark.slow

BUGS = Bugs()
shows_as = BUGS.shows_as


def after_an_outage(patch: pytest.MonkeyPatch, change: Any) -> None:
    """The state that follows a run that the engine has ended is another."""

    def exited(spec: Any, state: Any, event: Exited, now: float) -> Any:
        after, effects = original(spec, state, event, now)
        by_engine = event.cause is StopCause.ENGINE and after.run is None and after.phase is Phase.WAITING
        return (change(after) if by_engine else after), effects

    original = stopping.take_exit
    table(patch, Exited, exited)


# --- an engine that stops ---------------------------------------------------------------------------------------------


@shows_as("must be followed by .*UNCOUNTED")
def _an_end_with_the_engine_is_a_failed_run(patch: pytest.MonkeyPatch) -> None:
    def exited(spec: Any, state: Any, event: Exited, now: float) -> Any:
        return original(spec, state, replace(event, cause=None), now)

    original = stopping.take_exit
    table(patch, Exited, exited)


@shows_as("counts .* after .*UNCOUNTED")
def _an_end_with_the_engine_is_counted(patch: pytest.MonkeyPatch) -> None:
    after_an_outage(patch, lambda state: replace(state, failed_runs=state.failed_runs + 1))


@shows_as("has restarts at")
def _a_start_after_the_engine_was_away_is_an_automatic_restart(patch: pytest.MonkeyPatch) -> None:
    after_an_outage(patch, lambda state: replace(state, pending=Pending.AFTER_STABLE))


@shows_as("must be followed by .*UNCOUNTED")
def _never_means_also_not_after_the_engine_was_away(patch: pytest.MonkeyPatch) -> None:
    def follow(spec: Any, state: Any, run: Any, end: Any, *rest: Any) -> Any:
        is_over = spec.restart is RestartPolicy.NEVER and end.cause is StopCause.ENGINE
        return original(spec, state, run, replace(end, cause=None) if is_over else end, *rest)

    original = ending._follow
    patch.setattr(ending, "_follow", follow)


@shows_as("is starting and said to be")
def _nobody_says_that_the_engine_is_away(patch: pytest.MonkeyPatch) -> None:
    table(patch, Noted, lambda spec, state, event, now: (state, ()))


@shows_as("said to be")
def _nobody_says_that_the_engine_is_back(patch: pytest.MonkeyPatch) -> None:
    def note(spec: Any, state: Any, event: Noted, now: float) -> Any:
        return (state, ()) if event.reason == NO_REASON else original(spec, state, event, now)

    original = notes.note
    table(patch, Noted, note)


@shows_as("said to be")
def _what_was_said_of_the_engine_outlives_the_supervisor(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recovery, "reason_without_note", lambda state: state.reason)


@shows_as("a wait for .*, whose engine is away, is")
def _a_wait_for_an_engine_that_is_away_hangs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(standing, "judge", lambda *arguments: Verdict(Standing.PENDING))


# --- a start that takes its time --------------------------------------------------------------------------------------


@shows_as("is stuck in stopping")
def _a_start_is_not_taken_back(patch: pytest.MonkeyPatch) -> None:
    def carry_out(self: Engine, effect: Any) -> None:
        if not isinstance(effect, CancelStart):
            original(self, effect)

    original = Engine._carry_out
    patch.setattr(Engine, "_carry_out", carry_out)


@shows_as("is over for the supervisor, and its start is under way")
def _a_start_that_is_taken_back_counts_as_over(patch: pytest.MonkeyPatch) -> None:
    def halt(spec: Any, state: Any, event: Any, now: float) -> Any:
        state, effects = original(spec, state, event, now)
        if state.run.pid is not None or spec.container is None:
            return state, effects
        state, more = ending.conclude(spec, state, state.run, now, 0.0)
        return state, (*effects, *more)

    original = stopping.halt
    patch.setattr(stopping, "halt", halt)
    table(patch, Halt, halt, Phase.STARTING, Phase.RUNNING)


@shows_as("nobody watches .* is stopping")
def _the_answer_to_a_start_that_is_taken_back_is_not_heard(patch: pytest.MonkeyPatch) -> None:
    table(patch, NotStarted, lambda spec, state, event, now: (state, ()), Phase.STOPPING)


@shows_as("is being stopped, and nobody has told it so")
def _what_begins_too_late_is_not_stopped(patch: pytest.MonkeyPatch) -> None:
    def spawned(spec: Any, state: Any, event: Spawned, now: float) -> Any:
        run = replace(state.run, pid=event.pid, started_at=now, kill_at=now + spec.stop_timeout)
        return replace(state, run=run), ()

    table(patch, Spawned, spawned, Phase.STOPPING)


@shows_as("must be followed by .*UNCOUNTED")
def _a_start_that_never_came_to_it_is_a_failed_run(patch: pytest.MonkeyPatch) -> None:
    def not_started(spec: Any, state: Any, event: NotStarted, now: float) -> Any:
        return ending.fail_to_spawn(spec, state, state.run, SpawnError("start it", "", 0, ""), now, 0.0)

    table(patch, NotStarted, not_started, Phase.STARTING)


# --- what is found again ----------------------------------------------------------------------------------------------


@shows_as("has no run, and|is started while|was never started")
def _what_is_looked_for_counts_as_ended(patch: pytest.MonkeyPatch) -> None:
    def find_again(engine: Any, memory: Any, instance: Any, run: Any) -> Any:
        event = original(engine, memory, instance, run)
        is_sought = event is None and instance.spec.container is not None
        return Exited(run.number, Exit()) if is_sought else event

    original = recovery._find_again
    patch.setattr(recovery, "_find_again", find_again)


@shows_as("is over for the supervisor, and its start is under way")
def _nobody_knows_that_what_was_to_begin_is_a_container(patch: pytest.MonkeyPatch) -> None:
    def proceed(spec: Any, state: Any, event: Proceed, now: float) -> Any:
        after: Any
        after, effects = original(spec, state, event, now)
        return replace(after, run=replace(after.run, container=None)), effects

    original = lifecycle._proceed
    table(patch, Proceed, proceed, Phase.WAITING)


@shows_as("nobody watches")
def _containers_are_not_looked_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(VirtualWorld, "take_over", lambda self, instance, run, spec, started: spec.container is not None)


# --- health, and how containers end -----------------------------------------------------------------------------------


@shows_as("is ready: True, and must be False")
def _a_healthcheck_means_nothing(patch: pytest.MonkeyPatch) -> None:
    def is_ready(self: InstanceState) -> bool:
        return self.is_started and (self.run is None or self.run.readiness is None or self.run.readiness.is_passing)

    patch.setattr(InstanceState, "is_ready", property(is_ready))


@shows_as("is ready: False, and must be True")
def _a_healthcheck_means_more_than_a_readiness_probe(patch: pytest.MonkeyPatch) -> None:
    def is_ready(self: InstanceState) -> bool:
        is_well = self.run is not None and self.run.health is not False
        return is_well and bool(original.fget(self))

    original: Any = InstanceState.is_ready
    patch.setattr(InstanceState, "is_ready", property(is_ready))


@shows_as("the HEALTHCHECK of")
def _a_healthcheck_is_heard_once(patch: pytest.MonkeyPatch) -> None:
    def take(spec: Any, state: Any, event: HealthTold, now: float) -> Any:
        return (state, ()) if state.run.health else original(spec, state, event, now)

    original = notes.take_health
    table(patch, HealthTold, take)


@shows_as("must be followed by .*COMPLETED|is restarted after .*COMPLETED")
def _the_code_of_a_death_by_signal_is_not_read(patch: pytest.MonkeyPatch) -> None:
    def is_success(spec: Any, end: Any) -> bool:
        if end.exit is not None and end.exit.signal is not None:
            return end.exit.signal in spec.success.signals and not end.killed
        return original(spec, end)

    original = restart.is_success
    patch.setattr(restart, "is_success", is_success)


@shows_as("said to be .*paused")
def _a_pause_is_never_over(patch: pytest.MonkeyPatch) -> None:
    def note(spec: Any, state: Any, event: Noted, now: float) -> Any:
        goes_on = state.reason.why is Why.PAUSED and event.reason == NO_REASON
        return (state, ()) if goes_on else original(spec, state, event, now)

    original = notes.note
    table(patch, Noted, note)


@pytest.mark.parametrize("plant", BUGS, ids=name_of)
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by the check that is there for it."""
    BUGS.must_be_found(plant, monkeypatch)
