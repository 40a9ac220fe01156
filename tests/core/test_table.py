"""The table of the machine: a case for every phase and every event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import get_args

import pytest

from stigmer_pm.core.events import (
    Emptied,
    Event,
    Exited,
    HealthTold,
    Hurry,
    Noted,
    NotStarted,
    ProbeDone,
    Reset,
    Spawned,
    SpawnFailed,
    Start,
)
from stigmer_pm.core.lifecycle import TABLE, deadline, step
from stigmer_pm.core.state import RESTING, Desired, InstanceState, Phase
from tools.machine import Coming, Situation, can_come, events, explore

# The representative states are found by running the machine, which takes some seconds of a processor that others may
# need as well.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EVENTS: tuple[type[Event], ...] = get_args(Event)
ABOUT_A_RUN = (Spawned, SpawnFailed, NotStarted, Exited, Emptied, Noted, HealthTold, ProbeDone)


Case = tuple[Situation, Coming]


@cache
def _cases() -> Mapping[tuple[Phase, type[Event]], list[Case]]:
    """Every representative state with every variety of every event, also where it can't come."""
    found: dict[tuple[Phase, type[Event]], list[Case]] = {}
    for situation in explore().situations:
        for coming in events(situation):
            found.setdefault((situation.state.phase, type(coming.event)), []).append((situation, coming))
    return found


#: Handlers that other phases need as well, and that find nothing to do here: what waits is wanted already, readiness is
#: not asked of one that is not started, and one that has completed has no failed runs.
IDLE = {(Phase.WAITING, Start), (Phase.STARTING, Hurry), (Phase.COMPLETED, Reset)}

CELLS = [pytest.param(phase, kind, id=f"{phase.value}-{kind.__name__}") for phase in Phase for kind in EVENTS]


def test_the_table_names_every_phase_and_every_event() -> None:
    """That an event means nothing in a phase is written down too."""
    assert set(TABLE) == set(Phase)
    for phase, row in TABLE.items():
        assert set(row) == set(EVENTS), phase
        assert "" not in row.values(), phase


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_is_got_into(phase: Phase) -> None:
    """Or nothing below would say anything about it."""
    assert sum(situation.state.phase is phase for situation in explore().situations) >= 5


@pytest.mark.parametrize(("phase", "kind"), CELLS)
def test_a_cell_does_what_the_table_says(phase: Phase, kind: type[Event]) -> None:
    """No event raises in any state. An ignored one changes nothing and asks for nothing; a handled one does something
    in some state, and what can come leads to a state that makes sense."""
    is_ignored = isinstance(TABLE[phase][kind], str)
    did_something = False
    for situation, coming in _cases()[phase, kind]:
        state, effects = step(coming.spec, situation.state, coming.event, situation.now + coming.later)
        if state is not situation.state or effects:
            assert not is_ignored, coming
            did_something = did_something or state != situation.state or bool(effects)
            if can_come(situation.state, coming.event):
                check_sense(situation, coming, state)
    assert did_something or is_ignored or (phase, kind) in IDLE, "the handler never does anything"


def check_sense(before: Situation, coming: Coming, state: InstanceState) -> None:
    """A run where the phase has one and nowhere else, a pid in ``running``, an end to every backoff, nothing asked for
    that nobody carries out, and readiness only where the program runs and is started."""
    where = (before, coming, state)
    assert (state.run is not None) == (state.phase in (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)), where
    assert state.run is None or state.run.number == state.run_number, where
    assert (state.start_at is not None) == (state.phase is Phase.BACKOFF), where
    if state.phase is Phase.RUNNING:
        assert state.run is not None, where
        assert state.run.is_alive, where
        assert state.run.is_started, where
    if state.phase in (Phase.WAITING, Phase.BACKOFF):
        assert state.desired is Desired.RUNNING, where
    if state.phase in RESTING:
        assert deadline(coming.spec, state) is None, where
    assert state.run is not None or state.restart_for is None, where
    assert not state.is_ready or state.phase is Phase.RUNNING, where
    assert state.since <= before.now + coming.later, where


@pytest.mark.parametrize("kind", ABOUT_A_RUN, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("phase", Phase)
def test_what_is_about_a_run_that_is_over_is_dropped(phase: Phase, kind: type[Event]) -> None:
    """It may come late (a timer, the result of a probe), and changes nothing, whatever the phase."""
    for situation, coming in _cases()[phase, kind]:
        assert isinstance(coming.event, ABOUT_A_RUN)
        late = replace(coming.event, run=coming.event.run - 1)
        assert step(coming.spec, situation.state, late, situation.now) == (situation.state, ()), coming
