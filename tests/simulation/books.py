"""Everything that is known of every instance, and what the supervisor has come to know and to decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Phase, Run, StopCause

from .kubelet import Kubelet, probe_of
from .ledger import Ledger
from .lives import After, End, Life, judge
from .violation import Violation
from .virtual_world import VirtualWorld
from .wishes import Command, Wish, wish_of

#: Seconds within which two moments are the same: rounding; and where starting a run takes time, whatever comes after it
#: in the same turn of the engine is late by that.
_CLOSE, _CLOSE_WHEN_SLOW = 1e-6, 0.1


@dataclass(slots=True)
class Books:
    """What is wanted of every instance, and the accounts of each.

    Attributes:
        world: what has been seen.
        project: what the supervisor has, where nothing else can tell.
        wishes: what users have asked for.
        ledgers: the account of each instance.
        awake_at: since when the supervisor has been there without a pause.
        under_way: the command that is being carried out, or over which the supervisor has died.
        trusts_records: all records were lost, so there is nothing to compare the next ones with.
        is_new_boot: the machine was started again, and what is on record is still that of before.
        signalled: the runs that the supervisor knows to have had their stop signal before it came.
    """

    world: VirtualWorld
    project: Project = field(default_factory=Project)
    wishes: dict[str, Wish] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    awake_at: float = 0.0
    under_way: Command | None = None
    trusts_records: bool = False
    is_new_boot: bool = False
    signalled: frozenset[tuple[str, int]] = frozenset()
    _on_record: dict[str, Run] = field(default_factory=dict)

    @property
    def tolerance(self) -> float:
        """Seconds within which two moments are the same."""
        return _CLOSE_WHEN_SLOW if self.world.start_takes else _CLOSE

    def ledger(self, name: str) -> Ledger:
        """The account of an instance."""
        found = self.ledgers.get(name)
        if found is None:
            found = self.ledgers[name] = Ledger(self.tolerance)
        return found

    def life(self, name: str) -> Life | None:
        """The last run of an instance."""
        ledger = self.ledgers.get(name)
        return None if ledger is None else ledger.life

    def wish(self, name: str) -> Wish:
        """What is wanted, also by the command that is being carried out."""
        news: Mapping[str, Wish] = self.under_way.wishes if self.under_way is not None else {}
        return news.get(name) or self.wishes.get(name) or Wish(runs=False)

    def hear(self, command: Command) -> None:
        """A command is being carried out."""
        for name, said in command.counts.items():
            ledger = self.ledger(name)
            ledger.hear(said)
            if command.is_stop:
                ledger.is_asked = False
                if ledger.life is not None:
                    ledger.life.is_replaced = False

    def forget(self, names: Callable[[str], bool]) -> None:
        """These are no instances any more."""
        for name in [name for name in self.wishes if names(name)]:
            del self.wishes[name]
            self.ledgers.pop(name, None)

    # --- the death of a supervisor ------------------------------------------------------------------------------

    def fall_back(self, record_of: Callable[[str], Instance | None]) -> None:
        """Nobody knows more than what was written down."""
        if self.under_way is not None:
            for name in (*self.under_way.wishes, *self.under_way.counts):
                self.ledger(name).is_unsure = True
                self._take_back_stop(name, record_of(name))
        for name, ledger in self.ledgers.items():
            record = None if self.is_new_boot else record_of(name)
            if record is not None:
                self._fall_back(ledger, record)

    def _take_back_stop(self, name: str, record: Instance | None) -> None:
        """What was to stop by the command that has come to nothing is restarted with its dependency after all."""
        life = self.life(name)
        if life is not None and record is not None and record.state.restart_for is StopCause.DEPENDENCY:
            life.is_replaced = True

    def _fall_back(self, ledger: Ledger, record: Instance) -> None:
        life, run = ledger.life, record.state.run
        if life is not None and not life.is_over and run is not None and run.number == life.process.run:
            life.edit(record)
            life.kubelet.recount(run)
            if run.exit is None:
                life.process.told_status = None
            if run.was_killed and life.process.kill_began_at is None:
                life.process.kill_began_at = self.world.clock.at
            life.is_forgotten = not (life.process.is_started or life.process.is_starting)
        self.learn(ledger, record)
        self.decide(ledger, record)

    def compare(self, project: Project) -> None:
        """Every command was carried out wholly or not at all.

        Raises:
            Violation: the records of another supervisor say something else.
        """
        self.project, self.awake_at, self.is_new_boot = project, self.world.clock.at, False
        self._on_record = {i.state.name: i.state.run for i in project if i.state.run is not None}
        under_way, self.under_way = self.under_way, None
        news: Mapping[str, Wish] = under_way.wishes if under_way is not None else {}
        for instance in project:
            name, found = instance.state.name, wish_of(instance.state)
            before = self.wishes.get(name)
            if found not in (before, news.get(name)) and not self.trusts_records:
                raise Violation(f"{name} is on record as {found}, and was {before}, or {news.get(name)} at most")
            self.wishes[name] = found
            life = self.life(name)
            if life is not None and self.trusts_records:
                life.kubelet = Kubelet(instance.spec.probes)
        for name, wish in self.wishes.items():
            if project.find(name) is None and not (wish.is_gone or name in news):
                raise Violation(f"{name} was applied, and is not on record any more")
        self.forget(lambda name: project.find(name) is None)
        self.trusts_records = False

    def lose(self) -> None:
        """Everything that was written down is gone; what lives will be put on record again."""
        lives = {name: ledger.life for name, ledger in self.ledgers.items()}
        self.under_way, self.trusts_records = None, True
        self.wishes.clear()
        self.ledgers.clear()
        for name, life in lives.items():
            if life is not None and life.process.lives and not life.process.is_container:
                life.process.kill_began_at = life.process.stop_began_at = None
                # What a leader has left behind by the time that it is found again is killed at once.
                found = Ledger(self.tolerance, life=Life(life.process, {}), is_unsure=True, decided=life.process.run)
                self.ledgers[name] = found

    def go_on(self, instance: Instance) -> None:
        """A supervisor has come back and found what lives. A stop that was under way ends when it should have; or has
        all its time once more, where nobody was there then.

        Raises:
            Violation: it doesn't, or the run is not what it must be.
        """
        ledger, run = self.ledger(instance.state.name), instance.state.run
        self.learn(ledger, instance)
        life = ledger.life
        if life is None or run is None or run.number != life.process.run or (run.pid is None and run.exit is None):
            return
        if instance.state.phase is Phase.STOPPING and not run.was_killed:
            if run.kill_at is None:
                raise Violation(f"{life.process} is being stopped, and will never be killed")
            record = self._on_record.get(instance.state.name)
            due = None if record is None else record.kill_at
            # The one before may have died when it had written down that it puts it off.
            life.was_put_off |= record is not None and record.was_put_off
            is_signalled = (instance.state.name, run.number) in self.signalled
            if due is not None and (due > self.world.clock.at or life.was_put_off or is_signalled):
                if run.kill_at != due:
                    raise Violation(f"{life.process} was to be killed at {due}, and now it is at {run.kill_at}")
                life.kill_at = due
                return
            life.was_put_off = due is not None
            life.kill_at = None
            self._set_kill(ledger, life, run.kill_at, instance)

    # --- what the supervisor knows and decides ------------------------------------------------------------------

    def learn(self, ledger: Ledger, instance: Instance) -> None:
        """What the supervisor has come to know of a run since the last look.

        Raises:
            Violation: its run is over, and what follows is not what must.
        """
        life, state = ledger.life, instance.state
        if life is None or life.is_over:
            return
        run, process = state.run, life.process
        if run is not None and run.number == process.run:
            if run.pid is not None:
                self._know(life)
            if run.exit is not None:
                self._tell(life)
        elif process.is_starting:
            raise Violation(f"{process} is over for the supervisor, and its start is under way")
        elif not (process.lives or (run is not None and run.number < process.run)):
            life.is_over = True
            if state.last_end is None or state.last_end.run != process.run:
                life.is_forgotten = True
                return
            self._know(life)
            self._tell(life)
            ledger.end_run(state, self._end(ledger, life, instance), self.world.clock.at)

    def decide(self, ledger: Ledger, instance: Instance) -> bool:
        """What has been written down that was not before: a restart with a dependency, the time of SIGKILL, a start.

        Returns:
            Whether it is a start.

        Raises:
            Violation: it is not what must be.
        """
        state, life, run = instance.state, ledger.life, instance.state.run
        if state.restart_for is StopCause.DEPENDENCY and life is not None and not life.is_replaced:
            if not (self.has_newer_dependency(instance, life) or ledger.is_starting):
                raise Violation(f"{state.name} is restarted with a dependency, and none has been: {life}")
            life.is_replaced = True
        if run is not None and life is not None and run.number == life.process.run and run.kill_at is not None:
            self._set_kill(ledger, life, run.kill_at, instance)
        if run is None or run.pid is not None or run.exit is not None or run.number <= ledger.decided:
            return False
        self.learn(ledger, instance)
        ledger.decide(state, instance.spec, self.world.clock.at)
        return state.phase is Phase.STARTING

    def may_end(self, instance: Instance, life: Life) -> bool:
        """There is a reason to end its run."""
        return (
            life.kubelet.failed is not None
            or life.is_replaced
            or self._leaves_anyway(instance)
            or self.has_newer_dependency(instance, life)
        )

    def has_newer_dependency(self, instance: Instance, life: Life) -> bool:
        """A dependency that it is to be restarted with has had another run since it began."""
        return any(
            d.restart and d.name in life.needs and self._run_number(d.name) > life.needs[d.name]
            for d in instance.spec.depends_on
        )

    # --- inside -------------------------------------------------------------------------------------------------

    def _leaves_anyway(self, instance: Instance) -> bool:
        ledger = self.ledger(instance.state.name)
        return not self.wish(instance.state.name).runs or ledger.is_asked or ledger.is_unsure

    def _run_number(self, name: str) -> int:
        instance = self.project.find(name)
        return 0 if instance is None else instance.state.run_number

    def _know(self, life: Life) -> None:
        if life.known_at is None:
            life.known_at = self.world.clock.at if self.trusts_records else max(life.process.known_from, self.awake_at)

    def _tell(self, life: Life) -> None:
        if life.told_at is None:
            process = life.process
            life.told_at = max(process.ended_at or 0.0 if process.told_at is None else process.told_at, self.awake_at)

    def _set_kill(self, ledger: Ledger, life: Life, kill_at: float, instance: Instance) -> None:
        """When SIGKILL is to come: after ``stop_timeout``, or after the time that the failed probe gives."""
        run = instance.state.run
        if life.kill_at == kill_at or ledger.is_killed or self.trusts_records or run is None or run.was_killed:
            return
        life.kill_at = kill_at
        life.kubelet.take_over(run)
        times = [instance.spec.stop_timeout]
        failed = life.kubelet.failed
        probe = None if failed is None else probe_of(instance.spec.probes, failed)
        if probe is not None and probe.termination_grace is not None:
            # A stop by hand, or with a dependency, may have come at the very moment at which the probe failed.
            times = [probe.termination_grace, *(times if life.is_replaced or self._leaves_anyway(instance) else ())]
        seconds = kill_at - self.world.clock.at
        if all(abs(seconds - expected) > self.tolerance for expected in times):
            raise Violation(f"{life.process} is to be killed in {seconds} s, and it must be {times}")

    def _end(self, ledger: Ledger, life: Life, instance: Instance) -> End | None:
        assert life.told_at is not None, "only an end that is known is judged"
        if not self.wish(instance.state.name).runs:
            return End(life.told_at, instance.spec, After.STOPPED)
        if ledger.is_asked or life.is_replaced:
            return End(life.told_at, instance.spec, After.REPLACED)
        if life.process.never_began or (life.process.told_cause is StopCause.ENGINE and life.kubelet.failed is None):
            failed, slowed = ledger.counts.failed, ledger.counts.slowed
            return End(life.told_at, instance.spec, After.UNCOUNTED, failed=failed, slowed=slowed)
        if self.has_newer_dependency(instance, life):
            # Whether it went for that or by itself, at the very same moment, only the core can tell.
            last = instance.state.last_end
            by_core = last is not None and last.cause is StopCause.DEPENDENCY
            return End(life.told_at, instance.spec, After.REPLACED) if by_core else None
        return judge(life, instance.spec, ledger.counts, self.tolerance if self.world.start_takes else 0.0)
