"""Stops: escalation, order, joining, and what a leader leaves behind."""

from __future__ import annotations

import pytest

from stigmer_pm.core.effects import KillRun, Record
from stigmer_pm.core.events import (
    Due,
    Emptied,
    Exited,
    Halt,
    Kill,
    ProbeDone,
    Proceed,
    Restart,
    ResumeStop,
    Spawned,
    Start,
    Stop,
)
from stigmer_pm.core.lifecycle import deadline, step
from stigmer_pm.core.plan import Scope
from stigmer_pm.core.probing import Outcome
from stigmer_pm.core.reasons import words
from stigmer_pm.core.state import Exit, InstanceState, Phase
from stigmer_pm.core.verdict import Goal, Patience, Standing, judge
from stigmer_pm.spec import ComponentSpec, ProbeKind, Probes, ProbeSpec, RestartPolicy, TcpCheck

from .harness import World, after, component, container


def started(spec: ComponentSpec) -> InstanceState:
    """The state of an instance whose first run has just begun."""
    state = InstanceState(spec.name)
    for event in (Start(), Proceed(), Spawned(1, 100)):
        state, _ = step(spec, state, event, 0.0)
    return state


def test_one_that_ignores_the_stop_signal_is_killed_after_its_stop_timeout() -> None:
    """``stop_signal``, ``stop_timeout``, then SIGKILL, and the journal says that it had to be killed."""
    world = World(ignores_signals={"web"})
    world.up(component("web", stop_signal=2, stop_timeout=7.0))
    world.send("web", Stop())
    assert world.signals == [("web", 2)]
    world.run_until(6.999)
    assert world.phase("web") is Phase.STOPPING
    world.run_until(7.0)
    assert world.kills == ["web"]
    assert world.phase("web") is Phase.STOPPED
    assert any("had to be killed" in r for r in world.records("web"))


def test_dependents_stop_before_what_they_depend_on() -> None:
    """``down`` of a chain: the last in it first; each waits and says for what."""
    world = World(ignores_signals={"web", "api", "db"})
    world.up(component("db"), component("api", depends_on=after("db")), component("web", depends_on=after("api")))
    world.send_all(["db", "api", "web"], Stop())
    assert world.signals == [("web", 15)]
    assert words(world.state("api").reason) == "waits for web to stop"
    world.exit("web", 0)
    assert world.signals == [("web", 15), ("api", 15)]
    world.exit("api", 0)
    assert world.signals == [("web", 15), ("api", 15), ("db", 15)]


def test_what_is_independent_stops_side_by_side() -> None:
    """Fifty at once all get their signal at once."""
    names = [f"c{i}" for i in range(50)]
    world = World(ignores_signals=set(names))
    world.up(*(component(name) for name in names))
    world.send_all(names, Stop())
    assert len(world.signals) == 50


def test_stopping_only_the_dependency_does_not_wait_for_its_dependents() -> None:
    """Its dependents are to go on running, so there is nothing to wait for."""
    world = World()
    world.up(component("db"), component("web", depends_on=after("db")))
    world.send("db", Stop())
    assert world.phase("db") is Phase.STOPPED
    assert world.phase("web") is Phase.RUNNING


def test_a_second_restart_joins_the_one_under_way() -> None:
    """One stop, one start."""
    world = World(ignores_signals={"web"})
    world.up(component("web"))
    world.send("web", Restart())
    world.send("web", Restart())
    assert len(world.signals) == 1
    world.exit("web", 0)
    assert len(world.starts) == 2
    assert world.phase("web") is Phase.RUNNING


def test_a_start_during_a_stop_follows_it() -> None:
    """Nothing is refused because another command runs."""
    world = World(ignores_signals={"web"})
    world.up(component("web"))
    world.send("web", Stop())
    world.send("web", Start())
    assert world.phase("web") is Phase.STOPPING
    world.exit("web", 0)
    assert world.phase("web") is Phase.RUNNING


def test_a_stop_during_a_restart_wins() -> None:
    """The last word counts."""
    world = World(ignores_signals={"web"})
    world.up(component("web"))
    world.send("web", Restart())
    world.send("web", Stop())
    world.exit("web", 0)
    assert world.phase("web") is Phase.STOPPED


def test_what_a_dead_leader_leaves_behind_is_ended_before_the_next_run() -> None:
    """``sh -c 'sleep 600 & exit 3'``: the next start comes only when nothing of the run lives."""
    world = World(ignores_signals={"web"})
    world.up(component("web", stop_timeout=5.0))
    world.exit("web", 3, remaining=True)
    assert world.phase("web") is Phase.STOPPING
    assert words(world.state("web").reason) == "exited 3 after 0ms; ending what it left behind".replace("0ms", "0s")
    world.run_until(5.0)
    assert world.kills == ["web"]


def test_the_end_of_leftovers_is_followed_by_what_the_exit_asked_for() -> None:
    """Its leader exited 3 before ``min_uptime``: a failed run, counted from the moment the leader ended."""
    world = World(ignores_signals={"web"})
    world.up(component("web"))
    world.exit("web", 3, remaining=True)
    world.now = 0.5
    world.send("web", Emptied(1))
    assert world.phase("web") is Phase.BACKOFF
    assert world.state("web").start_at == 1.0


@pytest.mark.parametrize(("ends_at", "phase"), [(4.0, Phase.COMPLETED), (5.5, Phase.FAILED)])
def test_a_job_whose_leftovers_had_to_be_killed_has_failed(ends_at: float, phase: Phase) -> None:
    """Its leader exited 0; what it left behind ignored the stop signal, which is no orderly end."""
    world = World(ignores_signals={"job"})
    world.up(component("job", stop_timeout=5.0, restart=RestartPolicy.NEVER))
    world.exit("job", 0, remaining=True)
    world.project.handle("job", Due(), ends_at)
    world.project.handle("job", Emptied(1), ends_at)
    assert world.phase("job") is phase


def test_kill_does_not_wait_for_dependents_or_timeouts() -> None:
    """A second Ctrl-C."""
    world = World(ignores_signals={"db", "web"})
    world.up(component("db"), component("web", depends_on=after("db")))
    world.send_all(["db", "web"], Stop())
    world.send_all(["db", "web"], Kill())
    assert sorted(world.kills) == ["db", "web"]
    assert world.phase("db") is world.phase("web") is Phase.STOPPED


def test_news_of_a_run_that_is_over_mean_nothing() -> None:
    """Events carry the number of their run."""
    world = World()
    world.up(component("web"))
    world.send("web", Restart())
    before = world.state("web")
    world.send("web", Exited(1, Exit(code=0)))
    assert world.state("web") == before


def test_unless_stopped_stays_stopped_through_up_and_always_does_not() -> None:
    """design.md, policies; naming it in ``up`` starts it."""
    world = World()
    world.up(component("a", restart=RestartPolicy.UNLESS_STOPPED), component("b"))
    world.send_all(["a", "b"], Stop())
    assert world.up() == ("start b",)
    assert world.phase("a") is Phase.STOPPED
    assert world.up(scope=Scope(names=("a",))) == ("start a",)


def test_what_the_kernel_holds_is_tried_again_and_said() -> None:
    """A process in an uninterruptible wait outlives SIGKILL; it is not lost sight of."""
    world = World(ignores_signals={"web"})
    world.up(component("web", stop_timeout=1.0))
    world.send("web", Stop())
    spec, state = world.project["web"].spec, world.state("web")
    state, first = step(spec, state, Due(), 1.0)
    state, second = step(spec, state, Due(), 6.0)
    assert [type(e).__name__ for e in first] == ["Record", "KillRun"]
    assert [type(e).__name__ for e in second] == ["KillRun"]
    assert words(state.reason).startswith("SIGKILL had no effect yet")


def test_what_is_not_in_the_group_of_a_stopped_leader_gets_the_stop_signal_as_well() -> None:
    """A grandchild in a session of its own would else sit out the whole ``stop_timeout``."""
    world = World(ignores_signals={"web"})
    world.up(component("web", stop_timeout=5.0))
    world.send("web", Stop())
    world.exit("web", 0, remaining=True)
    assert world.signals == [("web", 15), ("web", 15)]
    world.send("web", Emptied(1))
    assert world.phase("web") is Phase.STOPPED


def test_a_kill_that_came_before_the_pid_was_known_is_not_forgotten() -> None:
    """SIGKILL follows as soon as there is something to kill."""
    spec = component("web")
    state, _ = step(spec, InstanceState("web"), Start(), 0.0)
    state, _ = step(spec, state, Proceed(), 0.0)
    state, _ = step(spec, state, Kill(), 0.0)
    state, effects = step(spec, state, Spawned(1, 100), 0.1)
    assert [e for e in effects if isinstance(e, KillRun)]


def test_one_that_is_stopping_has_not_stopped() -> None:
    """Whoever waits for the stop waits until nothing of it lives."""
    world = World(ignores_signals={"web"})
    world.up(component("web"))
    world.send("web", Stop())

    def standing() -> Standing:
        return judge(world.project["web"], Goal.STOPPED, 1, world.now, Patience(), world.project.find).standing

    assert standing() is Standing.PENDING
    world.exit("web", 0)
    assert standing() is Standing.REACHED


@pytest.mark.parametrize("leader_is_gone", [False, True])
def test_a_supervisor_that_comes_back_too_late_for_sigkill_gives_a_stop_all_its_time_once_more(
    leader_is_gone: bool,
) -> None:
    """Nobody knows whether the stop signal was sent before the last supervisor died, and ``kill_at`` is long past."""
    world = World(ignores_signals={"web"})
    world.up(component("web", stop_timeout=10.0))
    world.send("web", Stop())
    if leader_is_gone:
        world.exit("web", 0, remaining=True)
    world.now, before = 3600.0, len(world.signals)
    effects = world.project.recover([], world.now)
    assert [type(effect).__name__ for effect in effects] == ["SignalRun"]
    assert not [e for e in world.project.handle("web", Due(), 3609.9) if isinstance(e, KillRun)]
    assert [e for e in world.project.handle("web", Due(), 3610.0) if isinstance(e, KillRun)]
    assert len(world.signals) == before


def test_supervisors_that_come_and_go_do_not_lengthen_a_stop() -> None:
    """The signal is sent again each time, and SIGKILL is due when it was; or ``stop_timeout`` after the first who came
    too late for it, and not after each of them."""
    world = World(ignores_signals={"web"})
    world.up(component("web", stop_timeout=10.0))
    world.send("web", Stop())
    spec, state = world.project["web"].spec, world.state("web")
    for now, due in ((3.0, 10.0), (9.9, 10.0), (60.0, 70.0), (69.0, 70.0), (100.0, 70.0)):
        state, effects = step(spec, state, ResumeStop(), now)
        assert [type(effect).__name__ for effect in effects] == ["SignalRun"]
        assert deadline(spec, state) == due


@pytest.mark.parametrize("leader_is_gone", [False, True])
def test_a_stop_goes_on_where_the_signal_is_known_to_have_been_sent(leader_is_gone: bool) -> None:
    """To the leader, nothing more is sent. What it has left behind since may not have had it."""
    world = World(ignores_signals={"web"})
    world.up(component("web", stop_timeout=10.0))
    world.send("web", Stop())
    if leader_is_gone:
        world.exit("web", 0, remaining=True)
    effects = world.project.recover([("web", ResumeStop(is_signalled=True))], 9.0)
    assert [type(effect).__name__ for effect in effects] == (["SignalRun"] if leader_is_gone else [])
    assert world.project.deadline("web") == 10.0


def test_a_supervisor_that_comes_back_signals_once_what_it_finds_without_its_leader() -> None:
    """The news that the leader is gone sends the signal to the rest, and taking up the stop would send it again."""
    world = World(ignores_signals={"web"})
    world.up(component("web"))
    world.send("web", Stop())
    effects = world.project.recover([("web", Exited(1, Exit(code=0), remaining=True))], 100.0)
    assert [type(effect).__name__ for effect in effects] == ["Record", "SignalRun"]
    run = world.state("web").run
    assert run is not None
    assert run.kill_at == 100.0 + component("web").stop_timeout


def test_a_supervisor_that_comes_back_asks_nothing_of_what_was_killed() -> None:
    """After SIGKILL there is nothing left to ask for."""
    world = World(ignores_signals={"web"})
    world.up(component("web", stop_timeout=1.0))
    world.send("web", Stop())
    spec, state = world.project["web"].spec, world.state("web")
    state, _ = step(spec, state, Due(), 1.0)
    assert step(spec, state, ResumeStop(), 2.0) == (state, ())


def test_a_supervisor_that_comes_back_does_not_signal_what_is_not_known_to_run() -> None:
    """Its start may have come to nothing; the signal follows when its pid is known."""
    spec = component("web")
    state = InstanceState("web")
    for event in (Start(), Proceed(), Stop(), Halt()):
        state, _ = step(spec, state, event, 0.0)
    assert state.phase is Phase.STOPPING
    assert step(spec, state, ResumeStop(), 1.0) == (state, ())


def test_a_stop_that_is_taken_up_again_keeps_the_time_that_its_probe_gives() -> None:
    """``terminationGracePeriodSeconds`` of the liveness probe that has failed, and not ``stop_timeout``; and what the
    event says of the time is true."""
    liveness = ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(80), failure_threshold=1, termination_grace=2.0)
    spec = component("web", stop_timeout=30.0, probes=Probes(liveness=liveness))
    state = started(spec)
    state, _ = step(spec, state, Due(), 10.0)
    state, _ = step(spec, state, ProbeDone(1, ProbeKind.LIVENESS, Outcome.FAILURE), 10.0)
    assert deadline(spec, state) == 12.0
    state, effects = step(spec, state, ResumeStop(), 60.0)
    assert [type(effect).__name__ for effect in effects] == ["SignalRun"]
    assert deadline(spec, state) == 62.0
    _, effects = step(spec, state, Due(), 62.0)
    assert [e.message for e in effects if isinstance(e, Record)] == [
        "killed (SIGKILL): it was still there 2s after the stop signal"
    ]


@pytest.mark.parametrize("named", [0, 3])
def test_a_process_that_an_edit_makes_a_container_of_gets_a_signal_that_it_knows(named: int) -> None:
    """SIGTERM, where the file leaves the signal to the image. It got none, and SIGKILL after its stop_timeout."""
    world = World()
    world.up(component("web"))
    world.up(container("web", stop_signal=named))
    assert world.signals == [("web", named or 15)]


def test_a_container_that_an_edit_makes_a_process_of_gets_the_signal_that_it_was_made_with() -> None:
    """0 stands for it: that of the file before, or of the image. SIGTERM is the quick end of a PostgreSQL, say."""
    world = World(takes_its_time={"web"})
    world.up(container("web", stop_signal=0))
    world.begin("web")
    world.up(component("web"))
    assert world.signals == [("web", 0)]
