"""The engine loop: events in, the core decides, the state is committed, effects go out. No lifecycle decision here."""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

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
from stigmer_pm.core.events import Due, Event, Hurry, Kill, NotStarted, Reset, Restart, Start, Stop
from stigmer_pm.core.plan import Change
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Phase
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.spec import ComponentSpec
from stigmer_pm.supervisor.deadlines import Deadlines
from stigmer_pm.supervisor.errors import ending
from stigmer_pm.supervisor.feed import Feed
from stigmer_pm.supervisor.news_desk import NewsDesk
from stigmer_pm.supervisor.recorder import Recorder
from stigmer_pm.supervisor.surroundings import Clock, Memory, Scheduler, World

_log = logging.getLogger(__name__)

#: Seconds that effects are carried out for before the loop gets a turn, so that a thousand starts in a row delay no
#: exit, probe or command by more than this.
_SLICE = 0.01
#: What may start something. A component that is started while everything is stopped keeps that from its end.
_BEGINS = (Start, Restart, Reset)


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
        self.recorder = Recorder(clock, memory, project)
        self.on_all_stopped: Callable[[], None] | None = None
        #: Called with a bug that was met: what is in memory can't be trusted any more, only what is on record.
        self.on_failure: Callable[[Exception], None] | None = None
        self._desk = NewsDesk(project, self.recorder, self.post, self._warn, chance)
        self._loop = loop
        self._deadlines = Deadlines(loop, clock, self._due)
        self._inbox: deque[tuple[str, Event]] = deque()
        self._attempts: deque[Effect] = deque()
        self._effects: deque[Effect] = deque()
        self._is_scheduled = False
        self._has_failed = self._has_let_go = self._stops_all = False

    # --- what others ask of it ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to listen to the world and to keep deadlines."""
        self.world.begin(self._desk)
        for instance in self.project:
            self._deadlines.set(instance.state.name, self.project.deadline(instance.state.name))

    def post(self, name: str, event: Event) -> None:
        """Something has happened to an instance."""
        self._inbox.append((name, event))
        self._schedule()

    def refuse_when_ending(self) -> None:
        """Raise ``Refused`` when everything is being stopped, or what runs is left to the next supervisor."""
        if self._stops_all or self._has_let_go:
            raise ending(stops_all=self._stops_all)

    def command(self, news: Sequence[tuple[str, Event]]) -> None:
        """Somebody asks something of instances; the state that follows is committed when this returns.

        Raises:
            Refused: it would begin something, and nothing is begun any more.
        """
        if self._has_let_go or any(isinstance(event, _BEGINS) for _, event in news):
            self.refuse_when_ending()
        self._take(lambda: self.project.handle_news(news, self.clock.now()))

    def apply(self, specs: Mapping[str, ComponentSpec], changes: Iterable[Change]) -> None:
        """Carry out a plan; the state that follows is committed when this returns. Raises as :meth:`command`."""
        self.refuse_when_ending()
        self._desk.declared = {name for name, spec in specs.items() if spec.container is not None}
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
        """Stop everything in order, and begin nothing more; ``then`` is called when nothing runs any more."""
        self.on_all_stopped, self._stops_all = then, True
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
        if self.recorder.has_unwritten:
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
        self.recorder.forget_written()
        self._commit()

    def tell(self, message: str, kind: EventKind = EventKind.WARNING) -> None:
        """Put an entry about the project as a whole into the journal."""
        self.recorder.tell(message, kind)
        self._commit()

    def _warn(self, record: Record) -> None:
        self.recorder.note(record)
        self._commit()

    async def close(self) -> None:
        """Let go of everything; what runs goes on."""
        self._deadlines.close()
        await self.world.close()

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
            self.recorder.note_order()
            self._commit()
        except Exception as error:
            self._fail(error)
            raise
        self._schedule()

    def _sort(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Record():
                    self.recorder.note(effect)
                case RunOver():
                    self.recorder.over(effect)
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
        changed = {name for name, is_durable in news.items() if is_durable}
        if changed or self.recorder.has_unwritten:
            self.feed.publish(news, self.recorder.write(changed))
        elif news:
            self.feed.publish(news, ())

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
            self._desk.not_started(name, run, failure)
        except OSError as failure:
            detail = (failure.strerror or str(failure)).lower()
            self._desk.not_started(name, run, SpawnFailure("start it", name, failure.errno or 0, detail))
        else:
            if started is not None:
                self._desk.started(name, run, started)

    def _attempt(self, name: str, effect: AttemptProbe) -> None:
        instance = self.project.find(name)
        if instance is None:
            return
        probe = next((p for p in instance.spec.probes.declared() if p.kind is effect.probe), None)
        if probe is not None:
            self.world.attempt(instance, effect.run, probe, self.recorder.log_offsets.get(name, 0))
