"""Gates of ``depends_on``, in words; and verdicts for whoever waits."""

from __future__ import annotations

from stigmer_pm.core.events import Restart, Spawned, Start, Stop
from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.reasons import words
from stigmer_pm.core.state import Phase, StopCause
from stigmer_pm.core.verdict import Goal, Patience, Standing, judge
from stigmer_pm.spec import Condition, ProbeKind, Probes, ProbeSpec, RestartPolicy, TcpCheck

from .harness import World, after, component

READINESS = Probes(readiness=ProbeSpec(ProbeKind.READINESS, tcp=TcpCheck(80), period=1.0))


def verdict(world: World, name: str, goal: Goal = Goal.READY, patience: float | None = None) -> Standing:
    """How ``name`` stands."""
    return judge(world.project[name], goal, 0, world.now, Patience(1.0, patience), world.project.find).standing


def test_a_dependent_starts_when_its_dependency_is_ready_and_says_what_it_waits_for() -> None:
    """Condition ``ready`` waits for the readiness probe."""
    world = World()
    world.answers["db", ProbeKind.READINESS] = Outcome.FAILURE
    world.up(component("db", probes=READINESS), component("web", depends_on=after("db", Condition.READY)))
    world.run_until(3.0)
    assert world.phase("web") is Phase.WAITING
    assert words(world.state("web").reason) == "waits for db to be ready (running)"
    world.answers["db", ProbeKind.READINESS] = Outcome.SUCCESS
    world.run_until(5.0)
    assert world.phase("web") is Phase.RUNNING


def test_completed_waits_for_success() -> None:
    """A job that fails leaves its dependents waiting, with the reason."""
    job = component("migrate", restart=RestartPolicy.NEVER)
    web = component("web", depends_on=after("migrate", Condition.COMPLETED))
    world = World()
    world.up(job, web)
    assert world.phase("web") is Phase.WAITING
    world.exit("migrate", 1)
    assert words(world.state("web").reason) == "waits for migrate, which failed: exited 1"
    assert verdict(world, "web") is Standing.LOST
    world.send("migrate", Start())
    assert verdict(world, "web") is Standing.PENDING
    world.exit("migrate", 0)
    assert world.phase("web") is Phase.RUNNING


def test_a_dependency_that_becomes_unready_later_stops_nothing() -> None:
    """design.md, issue 5."""
    world = World()
    world.up(component("db", probes=READINESS), component("web", depends_on=after("db", Condition.READY)))
    world.run_until(1.0)
    world.answers["db", ProbeKind.READINESS] = Outcome.FAILURE
    world.run_until(20.0)
    assert not world.state("db").is_ready
    assert world.phase("web") is Phase.RUNNING


def test_restart_true_restarts_the_dependent_with_its_dependency() -> None:
    """Compose's ``depends_on: restart: true``; without it nothing happens."""
    world = World()
    world.up(
        component("db"),
        component("web", depends_on=after("db", restart=True)),
        component("other", depends_on=after("db")),
    )
    world.exit("db", signal=9)
    world.run_until(2.0)
    assert world.state("web").run_number == 2
    assert world.state("web").restarts == 0
    assert world.state("other").run_number == 1


def test_a_lost_verdict_reaches_through_a_chain() -> None:
    """web waits for api, which waits for db, which can't be started: waiting for web ends at once."""
    world = World(cannot_start={"db"})
    world.up(component("db"), component("api", depends_on=after("db")), component("web", depends_on=after("api")))
    assert verdict(world, "db") is Standing.LOST
    assert verdict(world, "web") is Standing.LOST


def test_one_that_fails_twice_and_then_runs_is_waited_for() -> None:
    """Backoff is no end."""
    world = World()
    world.up(component("db"), component("web", depends_on=after("db")))
    world.send("web", Stop())
    for _ in range(2):
        world.exit("db", 1)
        assert verdict(world, "db", patience=5.0) is Standing.PENDING
        world.run_until(world.state("db").start_at or 0)
    world.run_until(world.now + 1)
    assert verdict(world, "db", patience=5.0) is Standing.REACHED


def test_a_long_backoff_is_not_sat_out_by_the_impatient() -> None:
    """``up`` without ``--timeout`` gives up waiting when the next start is more than its patience away."""
    world = World()
    world.up(component("db"))
    for _ in range(4):
        world.exit("db", 1)
        if world.state("db").failed_runs < 4:
            world.run_until(world.state("db").start_at or 0)
    assert verdict(world, "db", patience=5.0) is Standing.LOST
    assert verdict(world, "db", patience=None) is Standing.PENDING


def test_one_without_probes_is_watched_until_it_has_settled() -> None:
    """``--settle``: an instant crash shows in the result."""
    world = World()
    world.up(component("web"))
    assert verdict(world, "web") is Standing.PENDING
    world.now = 1.0
    assert verdict(world, "web") is Standing.REACHED


def test_one_whose_port_was_answered_before_it_began_is_watched_as_well() -> None:
    """Its probe may be answered by a stranger, for lack of whose port it is about to die. Any other is ready at once;
    and so is the next run, when the port is free by then."""
    world = World()
    world.takes_its_time |= {"web", "free"}
    world.up(component("web", probes=READINESS), component("free", probes=READINESS))
    world.send("web", Spawned(1, 100, port_was_taken=True))
    world.send("free", Spawned(1, 101))
    world.run_until(0.5)
    assert world.state("web").is_ready
    assert (verdict(world, "web"), verdict(world, "free")) == (Standing.PENDING, Standing.REACHED)
    judged = judge(world.project["web"], Goal.READY, 0, world.now, Patience(1.0), world.project.find)
    assert judged.reason == "runs; watching that it stays up, for somebody answered on its port before it began"
    assert judged.until == 1.0
    world.now = 1.0
    assert verdict(world, "web") is Standing.REACHED
    world.send("web", Restart(StopCause.RESTART))
    world.send("web", Spawned(2, 102))
    world.run_until(1.1)
    assert verdict(world, "web") is Standing.REACHED


def test_waiting_for_completed_of_one_that_never_completes_is_lost_at_once() -> None:
    """Its policy is ``always``."""
    world = World()
    world.up(component("web"))
    assert verdict(world, "web", Goal.COMPLETED) is Standing.LOST
