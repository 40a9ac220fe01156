"""The engine loop: events in, the core decides, the state is committed, effects go out. No lifecycle decision here."""

from __future__ import annotations

import logging
import os
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from stigmer_pm.core.effects import (
    AttemptProbe,
    CancelStart,
    Effect,
    EventKind,
    KillRun,
    Record,
    RunOver,
    SignalRun,
    StartRun,
)
from stigmer_pm.core.events import (
    Due,
    Emptied,
    Event,
    Exited,
    HealthTold,
    Hurry,
    Kill,
    Noted,
    NotStarted,
    ProbeDone,
    Spawned,
    SpawnFailed,
    Stop,
)
from stigmer_pm.core.plan import Change
from stigmer_pm.core.project import Project
from stigmer_pm.core.reasons import Reason
from stigmer_pm.core.state import Exit, Phase, SpawnError, StopCause
from stigmer_pm.runtime.run import Started
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.spec import ComponentSpec
from stigmer_pm.supervisor.deadlines import Deadlines
from stigmer_pm.supervisor.feed import Feed
from stigmer_pm.supervisor.records import EventRow, RunRow
from stigmer_pm.supervisor.store import StoreError
from stigmer_pm.supervisor.surroundings import Clock, Memory, Scheduler, World

_log = logging.getLogger(__name__)

#: Seconds that effects are carried out for before the loop gets a turn, so that a thousand starts in a row delay no
#: exit, probe or command by more than this.
_SLICE = 0.01


class Engine:
    """Owns the project's state. Everything happens on one event loop, in one thread.

    ``chance`` gives numbers in [0, 1) for the jitter of backoffs.
    """

    def __init__(
        self,
        loop: Scheduler,
        clock: Clock,
        memory: Memory,
        world: World,
        project: Project,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.project = project
        self.world = world
        self.clock = clock
        self.feed = Feed()
        self.trouble: str | None = None
        self.on_all_stopped: Callable[[], None] | None = None
        #: Called with a bug that was met: what is in memory can't be trusted any more, only what is on record.
        self.on_failure: Callable[[Exception], None] | None = None
        self.log_offsets: dict[str, int] = memory.latest_log_offsets()
        self._loop = loop
        self._memory = memory
        self._chance = chance
        self._deadlines = Deadlines(loop, clock, self._due)
        self._inbox: deque[tuple[str, Event]] = deque()
        self._attempts: deque[Effect] = deque()
        self._effects: deque[Effect] = deque()
        self._records: list[EventRow] = []
        self._runs: list[RunRow] = []
        self._told: list[EventRow] = []
        self._unsaved: set[str] = set()
        self._stored_specs: dict[str, ComponentSpec] = {i.state.name: i.spec for i in project}
        self._is_scheduled = False
        self._has_failed = self._has_let_go = False
        self._declared: set[str] | None = None

    # --- what others ask of it ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to listen to the world and to keep deadlines."""
        self.world.begin(self)
        for instance in self.project:
            self._deadlines.set(instance.state.name, self.project.deadline(instance.state.name))

    def post(self, name: str, event: Event) -> None:
        """Something has happened to an instance."""
        self._inbox.append((name, event))
        self._schedule()

    def command(self, news: Iterable[tuple[str, Event]]) -> None:
        """Somebody asks something of instances; the state that follows is committed when this returns."""
        self._take(lambda: self.project.handle_news(news, self.clock.now()))

    def apply(self, specs: Mapping[str, ComponentSpec], changes: Iterable[Change]) -> None:
        """Carry out a plan; the state that follows is committed when this returns."""
        self._declared = {name for name, spec in specs.items() if spec.container is not None}
        self._take(lambda: self.project.apply(specs, changes, self.clock.now()))

    def recover(self, news: Iterable[tuple[str, Event]]) -> None:
        """Go on with loaded states: what has happened meanwhile, and what was under way."""
        self._take(lambda: self.project.recover(news, self.clock.now()))

    def hurry(self, names: Iterable[str]) -> None:
        """Somebody waits for these to be ready: have those that are not asked again now."""
        for name in names:
            self._inbox.append((name, Hurry()))
        self._schedule()

    def stop_all(self, then: Callable[[], None]) -> None:
        """Stop everything in order; ``then`` is called when nothing runs any more."""
        self.on_all_stopped = then
        self.command([(i.state.name, Stop()) for i in self.project])
        self._schedule()

    def kill_all(self) -> None:
        """SIGKILL everything at once."""
        self.command([(i.state.name, Kill()) for i in self.project])

    def send_signal(self, name: str, number: int) -> int | None:
        """Send a signal to the leader of an instance's run; its pid, or ``None`` when it has none."""
        run = self.project[name].state.run
        if run is None or run.pid is None or not run.is_alive:
            return None
        return run.pid if self.world.signal_leader(name, run.number, number) else None

    def retry_saving(self) -> None:
        """Write what could not be written before, if there is anything."""
        if self._unsaved or self._records or self._runs or self._told:
            self._commit()

    def let_go(self) -> None:
        """Take in what has been told, write it down, and begin nothing more: what is still to be done is left to the
        next supervisor."""
        self.settle()
        self._has_let_go = True

    def settle(self) -> None:
        """Take in and write down all that has been told by now: nobody is told it a second time."""
        if self._inbox and not self._has_failed:
            news, self._inbox = self._inbox, deque()
            self._take(lambda: self.project.handle_news(news, self.clock.now()))
        self.retry_saving()

    def write_everything(self) -> None:
        """Write all that is known of every instance: what was written before is lost."""
        self._stored_specs.clear()
        self._unsaved.update(i.state.name for i in self.project)
        self._commit()

    def tell(self, message: str, kind: EventKind = EventKind.WARNING) -> None:
        """Put an entry about the project as a whole into the journal."""
        self._told.append(EventRow(self.clock.wall(), None, None, kind.value, message))
        self._commit()

    async def close(self) -> None:
        """Let go of everything; what runs goes on."""
        self._deadlines.close()
        await self.world.close()

    # --- what the world tells -----------------------------------------------------------------------------------

    def exited(self, instance: str, run: int, status: int | None, remaining: bool) -> None:
        """The leader of a run is gone."""
        self.post(instance, Exited(run, exit_of(status), remaining, self._chance()))

    def emptied(self, instance: str, run: int) -> None:
        """The last process that a leader left behind is gone."""
        self.post(instance, Emptied(run, self._chance()))

    def started(self, instance: str, run: int, started: Started) -> None:
        """A run whose start took its time, or that was found again, has begun."""
        self._keep(instance, run, started)
        self.post(instance, Spawned(run, started.pid, started.container, started.health))

    def not_started(self, instance: str, run: int, failure: SpawnFailure | None) -> None:
        """A start that took its time has come to nothing."""
        if failure is None:
            self.post(instance, NotStarted(run))
            return
        error = SpawnError(failure.step, failure.subject, failure.number, failure.detail)
        self.post(instance, SpawnFailed(run, error, self._chance()))

    def ended(self, instance: str, run: int, end: Exit, cause: StopCause | None = None) -> None:
        """A container has ended."""
        self.post(instance, Exited(run, end, chance=self._chance(), cause=cause))

    def noted(self, instance: str, run: int, reason: Reason) -> None:
        """Something about a run that is under way."""
        self.post(instance, Noted(run, reason))

    def health(self, instance: str, run: int, *, passes: bool, output: str) -> None:
        """What the HEALTHCHECK of a container says."""
        self.post(instance, HealthTold(run, passes, output))

    def warned(self, instance: str, words: str) -> None:
        """Something about an instance that is about no run of it."""
        self._records.append(self._event_of(Record(instance, EventKind.WARNING, words)))
        self._commit()

    def has(self, instance: str) -> bool:
        """It is an instance of the project."""
        return self.project.find(instance) is not None

    def knows(self, instance: str) -> bool:
        """It runs as a container, and is an instance of the project, or may become one: the file has it, or this
        supervisor hasn't seen a file."""
        found = self.project.find(instance)
        if found is None:
            return self._declared is None or instance in self._declared
        return found.spec.container is not None

    def probed(self, instance: str, result: ProbeDone) -> None:
        """An attempt of a probe has ended."""
        self.post(instance, result)

    # --- the loop -----------------------------------------------------------------------------------------------

    def _due(self, names: list[str]) -> None:
        for name in names:
            self._inbox.append((name, Due()))
        self._turn()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._is_scheduled = False
        if self._has_failed or self._has_let_go:
            return
        try:
            self._take_turn()
        except Exception as error:  # noqa: BLE001 (the top of the engine)
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """A bug leaves the state half changed: it is the end of this engine, and another one loads the record.

        Nothing goes on from here, for an event that is lost is a component that is stuck.
        """
        self._has_failed = True
        if self.on_failure is None:
            raise error
        self.on_failure(error)

    def _take_turn(self) -> None:
        now = self.clock.now()
        news, self._inbox = self._inbox, deque()
        self._sort(self.project.handle_news(news, now))
        self._commit()
        until = self.clock.now() + _SLICE
        # Attempts of probes come first: each costs little, and behind a thousand starts all of them would be late.
        while (queue := self._attempts or self._effects) and self.clock.now() < until:
            effect = queue.popleft()
            try:
                self._carry_out(effect)
            except OSError as error:
                # One that fails must not keep the others from happening; what it was for is seen by its deadline.
                _log.error("cannot carry out %s: %s", effect, error)
        if self._attempts or self._effects or self._inbox:
            self._schedule()
        elif self.on_all_stopped is not None and all(i.state.run is None for i in self.project):
            then, self.on_all_stopped = self.on_all_stopped, None
            self._loop.call_soon(then)

    def _take(self, move: Callable[[], list[Effect]]) -> None:
        try:
            self._sort(move())
            self._commit()
        except Exception as error:
            self._fail(error)
            raise
        self._schedule()

    def _sort(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Record():
                    self._records.append(self._event_of(effect))
                case RunOver(instance, run, ended_at, uptime, ended):
                    wall = self.clock.wall() - (self.clock.now() - ended_at)
                    self._runs.append(RunRow(instance, run, ended_at=wall, uptime=uptime, ended=ended))
                    self._effects.append(effect)
                case AttemptProbe():
                    self._attempts.append(effect)
                case _:
                    self._effects.append(effect)

    def _commit(self) -> None:
        """Write what has changed, before anything is done about it, and tell whoever listens."""
        news = self.project.take_changed()
        for name in news:
            self._deadlines.set(name, self.project.deadline(name))
        changed = {name for name, is_durable in news.items() if is_durable} | self._unsaved
        if changed or self._records or self._runs or self._told:
            self.feed.publish(news, self._remember(changed))
        elif news:
            self.feed.publish(news, ())

    def _event_of(self, record: Record) -> EventRow:
        """With the time of its happening: it may be written down much later."""
        return EventRow(self.clock.wall(), record.instance, record.run, record.kind.value, record.message)

    def _remember(self, changed: set[str]) -> list[EventRow]:
        events = sorted(self._told + self._records, key=lambda row: row.at)
        try:
            events = self._write(changed, events)
        except StoreError as error:
            # Supervision goes on without its memory, and the resync tries again: a full disk must not stop a restart.
            if self.trouble is None:
                _log.error("%s; going on, and trying again", error)
                self._told.append(EventRow(self.clock.wall(), None, None, EventKind.WARNING.value, str(error)))
            self.trouble = f"{error}; what runs goes on, and writing is tried again"
            self._unsaved = changed
            del self._records[:-1000]
        else:
            self.trouble, self._unsaved = None, set()
            self._records, self._runs, self._told = [], [], []
        return events

    def _write(self, changed: set[str], events: list[EventRow]) -> list[EventRow]:
        instances = {name: self.project.find(name) for name in changed}
        present = [i for i in instances.values() if i is not None]
        with_new_spec = [i for i in present if self._stored_specs.get(i.state.name) is not i.spec]
        gone = [name for name, i in instances.items() if i is None]
        with self._memory.transaction():
            if with_new_spec:
                position = {i.state.name: at for at, i in enumerate(self.project)}
                self._memory.save_instances((position[i.state.name], i) for i in with_new_spec)
            self._memory.save_states(i.state for i in present if self._stored_specs.get(i.state.name) is i.spec)
            self._memory.delete_instances(gone)
            self._memory.save_runs(self._runs)
            events = self._memory.append_events(events)
        self._stored_specs.update({i.state.name: i.spec for i in with_new_spec})
        for name in gone:
            self._stored_specs.pop(name, None)
        return events

    # --- effects ------------------------------------------------------------------------------------------------

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case StartRun(instance, run):
                self._start_run(instance, run)
            case CancelStart(instance, run):
                self.world.cancel_start(instance, run)
            case SignalRun(instance, run, number):
                self.world.signal(instance, run, number)
            case KillRun(instance, run):
                self.world.kill(instance, run)
            case AttemptProbe(instance, run, kind):
                self._attempt(instance, AttemptProbe(instance, run, kind))
            case RunOver(instance, run):
                self.world.forget(instance, run)
            case Record():
                raise AssertionError("records are written, not carried out")

    def _start_run(self, name: str, run: int) -> None:
        instance = self.project.find(name)
        if instance is None or instance.state.run is None or instance.state.run.number != run:
            return
        if instance.state.phase is not Phase.STARTING:
            self.post(name, NotStarted(run))  # a stop has overtaken it
            return
        try:
            started = self.world.start(name, run, instance.spec)
        except SpawnFailure as failure:
            self.not_started(name, run, failure)
        except OSError as failure:
            detail = (failure.strerror or str(failure)).lower()
            self.not_started(name, run, SpawnFailure("start it", name, failure.errno or 0, detail))
        else:
            if started is not None:
                self.started(name, run, started)

    def _keep(self, name: str, run: int, started: Started) -> None:
        """What a later supervisor needs to find the run again, and where its output begins."""
        if started.log_from is not None:
            self.log_offsets[name] = started.log_from
        self._runs.append(
            RunRow(name, run, started.pid, started.started, started.log_from, started_at=self.clock.wall())
        )

    def _attempt(self, name: str, effect: AttemptProbe) -> None:
        instance = self.project.find(name)
        if instance is None:
            return
        probe = next((p for p in instance.spec.probes.declared() if p.kind is effect.probe), None)
        if probe is not None:
            self.world.attempt(instance, effect.run, probe, self.log_offsets.get(name, 0))


def exit_of(status: int | None) -> Exit:
    """A wait status as the core keeps it; ``None``: nobody could tell."""
    if status is None:
        return Exit()
    if os.WIFSIGNALED(status):
        return Exit(signal=os.WTERMSIG(status))
    return Exit(code=os.WEXITSTATUS(status))
