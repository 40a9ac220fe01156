"""The same simulation, driven by hypothesis: it looks for a history in which something doesn't hold, and shrinks it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stigmer_pm.core.plan import Scope

from .calm import calm_down
from .processes import Program
from .simulation import Simulation
from .specs import NAMES, PROFILE, edited, random_components

some_names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)
a_name = st.sampled_from(NAMES)
programs = st.builds(
    Program,
    cannot_start=st.booleans(),
    is_short=st.booleans(),
    lives=st.sampled_from([None, 0.0, 0.3, 2.5, 11.0]),
    exit_status=st.sampled_from([0, 256, 768, 11, 15]),
    stops_in=st.sampled_from([0.1, 0.0, 2.0, None]),
    dies_in=st.sampled_from([0.0, 0.2, 7.0]),
    leaves=st.sampled_from([0, 2]),
    leftovers_stop=st.booleans(),
    healthy_after=st.sampled_from([0.0, 1.0, 9.0, None]),
    sick=st.booleans(),
    answers_in=st.sampled_from([0.01, 0.0, 0.5, 5.0]),
    begins_in=st.sampled_from([0.0, 0.3, 2.0, 6.0]),
    is_past_recall=st.booleans(),
    has_healthcheck=st.booleans(),
)
scopes = st.one_of(st.just(Scope()), st.builds(Scope, names=st.tuples(a_name)), st.just(Scope(profiles=(PROFILE,))))


class Histories(RuleBasedStateMachine):
    """Every rule is something that can happen."""

    simulation: Simulation

    @initialize(
        chance=st.randoms(use_true_random=False), seed=st.integers(0, 3), is_slow=st.booleans(), sees_pids=st.booleans()
    )
    def begin(self, chance: random.Random, seed: int, is_slow: bool, sees_pids: bool) -> None:
        """A file, and a first ``up``."""
        takes = 0.006 if is_slow else 0.0
        own = random.Random(seed)  # noqa: S311 (what is wanted is that it can be repeated)
        self.simulation = Simulation(own, random_components(chance), start_takes=takes, sees_pids=sees_pids)
        self.simulation.up()

    # --- users ------------------------------------------------------------------------------------------------------

    @rule(scope=scopes)
    def up(self, scope: Scope) -> None:
        self.simulation.up(scope)

    @rule(chance=st.randoms(use_true_random=False), is_applied=st.booleans())
    def edit(self, chance: random.Random, is_applied: bool) -> None:
        self.simulation.edit(edited(self.simulation.components, chance))
        if is_applied:
            self.simulation.up()

    @rule(verb=st.sampled_from(["start", "stop", "restart", "reset"]), names=some_names)
    def command(self, verb: str, names: list[str]) -> None:
        self.simulation.command(verb, names)

    @rule(name=a_name, number=st.sampled_from([15, 9]))
    def signal(self, name: str, number: int) -> None:
        self.simulation.signal(name, number)

    @rule()
    def hurry(self) -> None:
        self.simulation.hurry()

    @rule(and_kill=st.booleans())
    def down(self, and_kill: bool) -> None:
        self.simulation.down()
        if and_kill:
            self.simulation.kill()

    # --- the world --------------------------------------------------------------------------------------------------

    @rule(name=a_name, program=programs)
    def change_program(self, name: str, program: Program) -> None:
        self.simulation.change_program(name, program)

    @rule(names=some_names)
    def fall_sick(self, names: list[str]) -> None:
        self.simulation.fall_sick(names)

    @rule(name=a_name, status=st.sampled_from([9, 256, 0]))
    def kill_process(self, name: str, status: int) -> None:
        self.simulation.kill_process(name, status)

    @rule(seconds=st.sampled_from([0.4, 3.0, 15.0]), ends_containers=st.booleans())
    def stop_engine(self, seconds: float, ends_containers: bool) -> None:
        self.simulation.stop_engine(seconds, ends_containers=ends_containers)

    @rule(name=a_name)
    def pause_container(self, name: str) -> None:
        self.simulation.pause_container(name)

    @rule(seconds=st.sampled_from([0.05, 0.4, 1.0, 3.0, 15.0, 70.0]))
    def pass_time(self, seconds: float) -> None:
        self.simulation.pass_time(seconds)

    # --- the supervisor ---------------------------------------------------------------------------------------------

    @rule(fuses=st.lists(st.integers(1, 6), min_size=1, max_size=3))
    def light_fuses(self, fuses: list[int]) -> None:
        self.simulation.light_fuses(fuses)

    @rule()
    def kill_supervisor(self) -> None:
        self.simulation.kill_supervisor()

    @rule()
    def hand_over(self) -> None:
        self.simulation.hand_over()

    @precondition(lambda self: self.simulation.engine is None)
    @rule()
    def begin_again(self) -> None:
        self.simulation.begin_again()

    @precondition(lambda self: self.simulation.engine is None)
    @rule()
    def lose_records(self) -> None:
        self.simulation.lose_records()

    @rule()
    def reboot(self) -> None:
        self.simulation.reboot()

    @rule(seconds=st.sampled_from([0.4, 3.0, 70.0]))
    def pause(self, seconds: float) -> None:
        self.simulation.pause(seconds)

    # --- what must hold ---------------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        """Everything that ``oracle`` says."""
        self.simulation.settle()
        self.simulation.check_all()

    def teardown(self) -> None:
        """And everything that is wanted comes to be, once the world is kind."""
        if hasattr(self, "simulation"):
            calm_down(self.simulation, with_up=True, with_down=True)


Case: Any = Histories.TestCase
#: The same histories each time, so that nobody's build fails by chance; the seeds of test_histories do the wide search.
Case.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.slow
class TestHistories(Case):  # type: ignore[misc]
    """What always must hold holds in every history that hypothesis thinks of."""
