"""Histories that hypothesis looks for, and shortens when one breaks what always holds."""

from __future__ import annotations

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from stigmer_pm.core.plan import Scope

from .calm import calm_down
from .simulation import Simulation
from .specs import NAMES, PROFILE, edited, random_components, random_program

_seeds = st.integers(0, 2**32 - 1)
_names = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)
_name = st.sampled_from(NAMES)


class Histories(RuleBasedStateMachine):
    """The same world as that of the seeds; what happens next is hypothesis's to choose, and to leave out."""

    @initialize(seed=_seeds)
    def begin(self, seed: int) -> None:
        """A file, and its first ``up``."""
        chance = random.Random(seed)  # noqa: S311 (it is to be repeated)
        self.simulation = Simulation(chance, random_components(chance))
        self.simulation.up()
        self.simulation.settle()

    @rule(verb=st.sampled_from(("start", "stop", "restart", "reset")), names=_names, at_once=st.booleans())
    def command(self, verb: str, names: list[str], *, at_once: bool) -> None:
        """Somebody gives a command; the next thing may happen before the engine has had a turn."""
        self.simulation.command(verb, names)
        self._settle(at_once=at_once)

    @rule(some=st.none() | _name, with_profile=st.booleans(), at_once=st.booleans())
    def up(self, some: str | None, *, with_profile: bool, at_once: bool) -> None:
        """``up``, of all or of one."""
        names = () if some is None else (some,)
        self.simulation.up(Scope(names, (PROFILE,) if with_profile else ()))
        self._settle(at_once=at_once)

    @rule(seed=_seeds, is_applied=st.booleans())
    def edit(self, seed: int, *, is_applied: bool) -> None:
        """The file is edited."""
        chance = random.Random(seed)  # noqa: S311
        self.simulation.edit(edited(self.simulation.components, chance))
        if is_applied:
            self.simulation.up()
        self._settle()

    @rule(seconds=st.sampled_from((0.05, 0.4, 1.0, 3.0, 15.0, 70.0)))
    def time(self, seconds: float) -> None:
        """Time passes."""
        self.simulation.pass_time(seconds)
        self._settle()

    @rule(name=_name, seed=_seeds)
    def program(self, name: str, seed: int) -> None:
        """A program behaves otherwise from its next run on."""
        self.simulation.change_program(name, random_program(random.Random(seed)))  # noqa: S311

    @rule(name=_name, status=st.sampled_from((9, 11, 256, 0)))
    def end(self, name: str, status: int) -> None:
        """A run ends."""
        self.simulation.kill_process(name, status)
        self._settle()

    @rule(names=_names)
    def sick(self, names: list[str]) -> None:
        """Probes begin or cease to fail."""
        self.simulation.fall_sick(names)

    @rule(fuses=st.lists(st.integers(1, 6), min_size=1, max_size=3))
    def fuse(self, fuses: list[int]) -> None:
        """The supervisor will die between two effects."""
        self.simulation.light_fuses(fuses)

    @rule(how=st.sampled_from(("killed", "suspended", "rebooted", "forgetful")))
    def supervisor(self, how: str) -> None:
        """Something befalls the supervisor."""
        match how:
            case "killed":
                self.simulation.kill_supervisor()
            case "suspended":
                self.simulation.pause(3.0)
            case "rebooted":
                self.simulation.reboot()
            case _:
                self.simulation.lose_records()

    @rule(is_impatient=st.booleans())
    def down(self, *, is_impatient: bool) -> None:
        """Everything is to end."""
        self.simulation.down()
        if is_impatient:
            self.simulation.kill()
        self._settle()

    @precondition(lambda self: hasattr(self, "simulation"))
    @rule()
    def hurry(self) -> None:
        """Somebody waits."""
        self.simulation.hurry()
        self._settle()

    def teardown(self) -> None:
        """A quiet end, in which everything that is wanted must come to be."""
        if hasattr(self, "simulation"):
            self.simulation.settle()
            calm_down(self.simulation, with_up=True, with_down=True)

    def _settle(self, *, at_once: bool = False) -> None:
        if not at_once:
            self.simulation.settle()
            self.simulation.check_all()


@pytest.mark.slow
def test_hypothesis_finds_no_history_that_breaks_what_always_holds() -> None:
    """Or it shows the shortest that does, with every step."""
    run_state_machine_as_test(Histories, settings=settings(max_examples=150, stateful_step_count=30, deadline=None))
