"""The edges of every rule: what holds at a limit, and what a moment before it or one step beyond it.

Each test here answers a mutant that nothing else noticed (``make mutants``).
"""

from __future__ import annotations

import pytest

from stigmer_pm.core.restart import failed_runs_shown
from stigmer_pm.core.state import Phase
from stigmer_pm.spec import Backoff, RestartPolicy

from .harness import World, component

# --- restarts -----------------------------------------------------------------------------------------------------


def shown(world: World, name: str = "web") -> int:
    """Failed runs in a row, as people see them."""
    return failed_runs_shown(world.project[name].spec, world.state(name), world.now)


def test_failed_runs_are_shown_until_a_run_is_stable_and_not_after() -> None:
    """``ps`` must not say that one fails which has been up for a week."""
    world = World()
    world.up(component("web", min_uptime=10.0))
    world.exit("web", 1)
    world.run_until(1.0)
    assert shown(world) == 1
    world.run_until(10.9)
    assert shown(world) == 1
    world.run_until(11.0)
    assert shown(world) == 0


def test_failed_runs_are_shown_of_one_that_has_no_run() -> None:
    """In backoff, and when it was given up on."""
    world = World()
    world.up(component("web", max_restarts=1))
    world.exit("web", 1)
    assert shown(world) == 1
    world.run_until(1.0)
    world.exit("web", 1)
    assert (world.phase("web"), shown(world)) == (Phase.FAILED, 2)


def test_nothing_is_said_of_flapping_where_there_was_none() -> None:
    """A restart at once is the usual thing."""
    world = World()
    world.up(component("web", min_uptime=1.0))
    world.run_until(5.0)
    world.exit("web", 1)
    assert world.phase("web") is Phase.RUNNING
    assert not [record for record in world.records("web") if "flapping" in record]


@pytest.mark.parametrize(("uptime", "failed"), [(9.0, 1), (10.0, 0)])
def test_one_that_is_not_restarted_counts_its_last_run_as_any_other(uptime: float, failed: int) -> None:
    """Under ``never`` a failed run is a failed run, and a stable one isn't."""
    world = World()
    world.up(component("job", restart=RestartPolicy.NEVER, min_uptime=10.0))
    world.run_until(uptime)
    world.exit("job", 1)
    assert world.phase("job") is Phase.FAILED
    assert world.state("job").failed_runs == failed


def test_a_restart_as_old_as_the_window_is_not_in_it_when_giving_up() -> None:
    """The second failed run ends a window after the first was restarted; a moment earlier it would be given up on."""
    for length, phase in ((100.0, Phase.BACKOFF), (99.9, Phase.FAILED)):
        world = World()
        spec = component("web", max_restarts=1, restart_window=100.0, min_uptime=1000.0, backoff=Backoff(1.0, 1.0, 1.0))
        world.up(spec)
        world.exit("web", 1)
        world.run_until(1.0)
        world.run_until(1.0 + length)
        world.exit("web", 1)
        assert world.phase("web") is phase, length


def test_a_restart_as_old_as_the_window_is_not_in_it_when_flapping() -> None:
    """The same for runs that were stable."""
    for length, phase in ((100.0, Phase.RUNNING), (99.9, Phase.BACKOFF)):
        world = World()
        world.up(component("web", max_restarts=1, restart_window=100.0, min_uptime=1.0))
        world.run_until(5.0)
        world.exit("web", 1)
        world.run_until(5.0 + length)
        world.exit("web", 1)
        assert world.phase("web") is phase, length
