"""How things must stand whenever the engine has nothing to do at a moment."""

from __future__ import annotations

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.reasons import Why
from stigmer_pm.core.state import RESTING, InstanceState, Phase, Run, StopCause
from stigmer_pm.core.verdict import Goal, Patience, judge
from stigmer_pm.core.verdict import Standing as Verdict
from stigmer_pm.spec import Condition, Dependency, ProbeKind

from .books import Books
from .kubelet import probe_of, state_of
from .lives import Life
from .violation import Violation
from .virtual_world import VirtualWorld
from .wishes import Wish, wish_of

#: Seconds between attempts to kill what the kernel holds: after a death of the supervisor, one may be late by this.
_KILL_AGAIN = 5.0
_LEAVES = "it is about to go"


class Standing:
    """Checks one instance at a time."""

    def __init__(self, world: VirtualWorld, books: Books) -> None:
        self.dependencies = Dependencies(books)
        self._world = world
        self._books = books
        self._tolerance = books.tolerance

    def check(self, instance: Instance, wish: Wish, next_call: float | None) -> None:
        """All of it.

        Raises:
            Violation: something does not stand as it must.
        """
        state = instance.state
        if wish_of(state) != wish:
            raise Violation(f"{state.name} is {wish_of(state)}, and asked for was {wish}")
        self._check_phase(state)
        life = self._books.life(state.name)
        run = state.run
        if run is not None and life is not None and life.process.run == run.number:
            self._check_run(instance, run, life)
            self._check_probes(instance, run, life)
            self._check_note(instance, run, life)
        elif run is not None and not self._world.engine.seeks(state.name, run.number):
            raise Violation(f"{state.name} is {state.phase}, and its run {run.number} was never started")
        self._check_progress(instance, next_call)

    def _check_phase(self, state: InstanceState) -> None:
        living = self._world.living(state.name)
        where = f"{state.name} is {state.phase}"
        if len(living) > 1:
            raise Violation(f"two runs of {state.name} live: {living}")
        if state.run is None and living:
            raise Violation(f"{where} and has no run, and {living[0]} lives")
        if state.run is None and self._world.engine.starts(state.name) is not None:
            raise Violation(f"{where} and has no run, and {self._world.engine.starts(state.name)} is about to")
        if state.phase in RESTING and state.run is not None:
            raise Violation(f"{where} and has a run")
        if state.phase in (Phase.RUNNING, Phase.STARTING) and not living and not self._owes_news(state):
            raise Violation(f"{where}, and nothing of it lives")
        if state.phase is Phase.RUNNING and (state.run is None or state.run.pid is None):
            raise Violation(f"{where} without a pid")
        if state.is_ready and (state.phase is not Phase.RUNNING or not state.is_started):
            raise Violation(f"{where} and ready")

    def _check_run(self, instance: Instance, run: Run, life: Life) -> None:
        """The supervisor looks at it, knows what there is to know, and ends it in time."""
        process, now = life.process, self._world.clock.at
        if not process.is_watched:
            raise Violation(f"nobody watches {process}, and {process.instance} is {instance.state.phase}")
        if self._owes_news(instance.state):
            pass  # there is more to know, and nobody could yet
        elif run.pid is None and run.exit is None:
            raise Violation(f"{process} runs, and its pid is not known")
        elif not process.leader and run.exit is None:
            raise Violation(f"the leader of {process} is gone, and nobody has noticed")
        is_ending = instance.state.phase is Phase.STOPPING and process.leader and run.pid is not None
        if is_ending and process.stop_began_at is None and process.kill_began_at is None:
            raise Violation(f"{process} is being stopped, and nobody has told it so")
        if life.kill_at is not None and process.kill_began_at is None:
            # A supervisor that has died may have written down the kill and not carried it out.
            late = self._books.awake_at + _KILL_AGAIN if self._books.awake_at > process.began_at else 0.0
            if not self._is_out_of_reach(instance.state) and now > max(life.kill_at, late) + self._tolerance:
                raise Violation(f"{process} should have been killed at {life.kill_at}")

    def _check_note(self, instance: Instance, run: Run, life: Life) -> None:
        """What is said of a container is so; and whoever waits for one that its engine keeps waiting is told so."""
        state, process, is_away = instance.state, life.process, self._world.engine.is_away
        waits_for_engine = process.is_container and is_away and state.phase is Phase.STARTING and run.pid is None
        match state.reason.why:
            case Why.ENGINE:
                is_so = process.is_container and is_away
            case Why.PAUSED:
                is_so = process.is_paused
            case Why.PREPARING:
                is_so = run.pid is None
            case Why.UNKILLABLE:
                is_so = process.kill_began_at is not None and (run.pid is not None or run.exit is not None)
            case _:
                is_so = not waits_for_engine
        if not is_so:
            raise Violation(f"{process} is {state.phase} and said to be {state.reason}, and the engine is {is_away=}")
        if state.phase is Phase.STARTING and state.reason.why is Why.ENGINE:
            verdict = judge(instance, Goal.READY, 0, self._world.clock.at, Patience(), self._books.project.find)
            if verdict.standing is not Verdict.LOST:
                raise Violation(f"a wait for {process}, whose engine is away, is {verdict}")

    def _owes_news(self, state: InstanceState) -> bool:
        """The world is still to tell how its run stands."""
        return state.run is not None and self._world.engine.owes_news(state.name, state.run.number)

    def _check_probes(self, instance: Instance, run: Run, life: Life) -> None:
        kubelet, process = life.kubelet, life.process
        kubelet.is_fresh = False
        if kubelet.gone_on_with:
            kubelet.take_over(run)
        if instance.state.phase not in (Phase.STARTING, Phase.RUNNING) or run.pid is None:
            return
        if kubelet.failed is not None:
            raise Violation(f"the {kubelet.failed} probe of {process} has failed, and it runs on")
        if run.is_started is not kubelet.is_started:
            raise Violation(f"{process} is started: {run.is_started}, by its probes: {kubelet}")
        if run.health is not kubelet.health:
            raise Violation(f"the HEALTHCHECK of {process} says {kubelet.health}, and known is {run.health}")
        must = kubelet.is_ready and instance.state.reason.why is not Why.PAUSED
        if instance.state.phase is Phase.RUNNING and instance.state.is_ready is not must:
            raise Violation(f"{process} is ready: {instance.state.is_ready}, and must be {must}: {kubelet}")
        latest = self._world.clock.at + self._tolerance
        for kind in ProbeKind:
            found, probe = state_of(run, kind), probe_of(instance.spec.probes, kind)
            if (None if found is None else found.result) is not kubelet.results.get(kind):
                raise Violation(f"the {kind} probe of {process} says {found}, and counted is {kubelet}")
            if found is None or probe is None or not kubelet.may_be_asked(kind):
                continue
            if found.began_at is not None:
                if kind not in process.attempts:
                    raise Violation(f"the {kind} probe of {process} waits for an answer that nobody will give")
            elif found.next_at > max(latest, (life.known_at or latest) + probe.initial_delay) + probe.period:
                raise Violation(f"the {kind} probe of {process} is to be asked at {found.next_at} only")

    def _check_progress(self, instance: Instance, next_call: float | None) -> None:
        """Whatever does not rest has something that will move it."""
        state, now = instance.state, self._world.clock.at
        deadline = self._books.project.deadline(state.name)
        if deadline is not None and (next_call is None or next_call > max(deadline, now) + 1e-6):
            raise Violation(f"{state.name} has the deadline {deadline}, and nobody will be called then: {next_call}")
        match state.phase:
            case Phase.WAITING:
                is_stuck = self.dependencies.all_hold(instance)
            case Phase.BACKOFF:
                is_stuck = deadline is None or deadline != state.start_at or deadline < now - self._tolerance
            case Phase.STOPPING:
                is_stuck = self._never_ends(state, deadline)
            case Phase.STARTING:
                is_stuck = self._never_runs(state) or self._waits_for_no_one(state)
            case Phase.RUNNING:
                is_stuck = self._waits_for_no_one(state)
            case _:
                is_stuck = False
        if is_stuck:
            raise Violation(f"{state.name} is stuck in {state.phase}: {state}")

    def _never_ends(self, state: InstanceState, deadline: float | None) -> bool:
        """It is being ended, and no SIGKILL will follow; of a start under way, that it was not taken back."""
        run, engine = state.run, self._world.engine
        if run is None:
            return True
        if run.pid is None and run.exit is None and not run.was_killed:
            start = engine.starts(state.name)
            is_recalled = start is None or start.is_recalled or engine.seeks(state.name, run.number)
            return not (is_recalled and self._owes_news(state))
        if self._is_out_of_reach(state):
            return False
        return run.kill_at is None or deadline is None or run.kill_at < self._world.clock.at

    def _is_out_of_reach(self, state: InstanceState) -> bool:
        """Its stop signal may not have arrived, and the time for its stop begins when its engine answers again."""
        return state.reason.why is Why.ENGINE and state.run is not None and not state.run.was_killed

    def _never_runs(self, state: InstanceState) -> bool:
        """It neither waits for its startup probe, nor for a start that is under way."""
        if state.run is None:
            return True
        return not self._owes_news(state) if state.run.pid is None else state.run.startup is None

    def _waits_for_no_one(self, state: InstanceState) -> bool:
        """It is to be stopped or replaced, and no dependent that goes as well is still there."""
        if not state.is_leaving:
            return False
        return not any(
            dependency.name == state.name and other.state.is_leaving
            for other in self._books.project
            for dependency in other.spec.depends_on
        )


class Dependencies:
    """Whether the conditions of ``depends_on`` hold, by what the world has seen."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def check_start(self, instance: Instance) -> None:
        """A start has just been decided.

        Raises:
            Violation: a condition does not hold.
        """
        for dependency in instance.spec.depends_on:
            why_not = self._why_not(dependency)
            other = self._books.project.find(dependency.name)
            if why_not == _LEAVES and other is not None and other.state.restart_for is StopCause.DEPENDENCY:
                continue  # what it needs goes with what that needs, and both were decided at this very moment
            if why_not:
                name, condition = dependency.name, dependency.condition
                raise Violation(f"{instance.state.name} is started before {name} is {condition}: {why_not}")

    def all_hold(self, instance: Instance) -> bool:
        """Nothing keeps it from starting."""
        return not any(self._why_not(dependency) for dependency in instance.spec.depends_on)

    def _why_not(self, dependency: Dependency) -> str:
        other, life = self._books.project.find(dependency.name), self._books.life(dependency.name)
        if other is None:
            return "it does not exist"
        if dependency.condition is Condition.COMPLETED:
            return "" if other.state.phase is Phase.COMPLETED else f"it is {other.state.phase}"
        run = other.state.run
        if life is None or run is None or run.number != life.process.run or run.exit is not None:
            return "it does not live"
        if other.state.is_leaving:
            return _LEAVES
        if run.pid is None or not life.process.is_started:
            return "its start is under way"
        # What a probe has answered at this very moment, the supervisor may have heard or not.
        kubelet, is_fresh = life.kubelet, life.kubelet.is_fresh
        if not (other.state.is_started if is_fresh else kubelet.is_started):
            return "it is not started"
        if dependency.condition is Condition.READY and other.state.reason.why is Why.PAUSED:
            return "it is paused"
        if dependency.condition is Condition.READY and not (other.state.is_ready if is_fresh else kubelet.is_ready):
            return "it is not ready"
        return ""
