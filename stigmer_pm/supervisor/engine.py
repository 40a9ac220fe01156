"""The engine loop: events in, the core decides, the state is committed, effects go out. No lifecycle decision here."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.effects import AttemptProbe, CancelProbes, Effect, KillRun, Record, SignalRun, StartRun
from stigmer_pm.core.ending import end_words
from stigmer_pm.core.events import Due, Emptied, Event, Exited, Kill, Spawned, SpawnFailed, Stop
from stigmer_pm.core.plan import Change
from stigmer_pm.core.project import Project
from stigmer_pm.core.state import Exit, SpawnError
from stigmer_pm.probes import DeclaredProbe, ProbeContext
from stigmer_pm.runtime import system
from stigmer_pm.runtime.probe_child import CommandSpawner
from stigmer_pm.runtime.process import ProcessRuntime
from stigmer_pm.runtime.reaper import Reaper
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.spec import ComponentSpec, ExecCheck, ProbeSpec
from stigmer_pm.supervisor.clock import wall_of
from stigmer_pm.supervisor.deadlines import Deadlines
from stigmer_pm.supervisor.feed import Feed
from stigmer_pm.supervisor.pidfiles import PidFiles
from stigmer_pm.supervisor.prober import Prober
from stigmer_pm.supervisor.store import EventRow, RunRow, Store, StoreError

_log = logging.getLogger(__name__)

#: Seconds that effects are carried out for before the loop gets a turn, so that a thousand starts in a row delay no
#: exit, probe or command by more than this.
_SLICE = 0.01


class Engine:
    """Owns the project's state. Everything happens on one event loop, in one thread."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        store: Store,
        project: Project,
        pidfiles: PidFiles,
        *,
        key: str,
        base_environment: Mapping[str, str],
    ) -> None:
        self.project = project
        self.feed = Feed()
        self.trouble: str | None = None
        self.on_all_stopped: Callable[[], None] | None = None
        self.log_offsets: dict[str, int] = store.latest_log_offsets()
        self._loop = loop
        self._store = store
        self._pidfiles = pidfiles
        self._reaper = Reaper(loop)
        self.runtime = ProcessRuntime(loop, self._reaper, self, key=key, base_environment=base_environment)
        self._spawner = CommandSpawner(loop, self._reaper)
        self._prober = Prober(loop, self.post)
        self._deadlines = Deadlines(loop, self._due)
        self._inbox: deque[tuple[str, Event]] = deque()
        self._effects: deque[Effect] = deque()
        self._records: list[Record] = []
        self._runs: list[RunRow] = []
        self._unsaved: set[str] = set()
        self._stored_specs: dict[str, ComponentSpec] = {i.state.name: i.spec for i in project}
        self._ended: dict[str, int] = {i.state.name: i.state.last_end.run for i in project if i.state.last_end}
        self._is_scheduled = False

    # --- what others ask of it ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to collect children and to keep deadlines."""
        self._reaper.start()
        for instance in self.project:
            self._deadlines.set(instance.state.name, self.project.deadline(instance.state.name))

    def post(self, name: str, event: Event) -> None:
        """Something has happened to an instance."""
        self._inbox.append((name, event))
        self._schedule()

    def command(self, names: Iterable[str], event: Event) -> None:
        """Somebody asks something of instances; the state that follows is committed when this returns."""
        self._take(self.project.handle_all(names, event, system.now()))

    def apply(self, specs: Mapping[str, ComponentSpec], changes: Iterable[Change]) -> None:
        """Carry out a plan; the state that follows is committed when this returns."""
        self._take(self.project.apply(specs, changes, system.now()))

    def recover(self) -> None:
        """Go on with loaded states: ask again for what was under way."""
        self._take(self.project.recover(system.now()))

    def stop_all(self, then: Callable[[], None]) -> None:
        """Stop everything in order; ``then`` is called when nothing runs any more."""
        self.on_all_stopped = then
        self.command([i.state.name for i in self.project], Stop())
        self._schedule()

    def kill_all(self) -> None:
        """SIGKILL everything at once."""
        self.command([i.state.name for i in self.project], Kill())

    def send_signal(self, name: str, number: int) -> int | None:
        """Send a signal to the leader of an instance's run; its pid, or ``None`` when it has none."""
        run = self.project[name].state.run
        if run is None or run.pid is None or not run.is_alive:
            return None
        return run.pid if system.send_signal(run.pid, number) else None

    def retry_saving(self) -> None:
        """Write what could not be written before, if there is anything."""
        if self._unsaved or self._records or self._runs:
            self._commit()

    async def close(self) -> None:
        """Let go of everything; what runs goes on."""
        self._deadlines.close()
        await self._prober.close()
        self.runtime.close()
        self._reaper.close()

    # --- what the runtime tells ---------------------------------------------------------------------------------

    def exited(self, instance: str, run: int, status: int | None, remaining: bool) -> None:
        """The leader of a run is gone (the runtime's news)."""
        self.post(instance, Exited(run, exit_of(status), remaining, random.random()))  # noqa: S311 - jitter

    def emptied(self, instance: str, run: int) -> None:
        """The last process that a leader left behind is gone (the runtime's news)."""
        self.post(instance, Emptied(run, random.random()))  # noqa: S311 - jitter

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
        now = system.now()
        while self._inbox:
            name, event = self._inbox.popleft()
            self._sort(self.project.handle(name, event, now))
        self._commit()
        until = system.now() + _SLICE
        while self._effects and system.now() < until:
            self._carry_out(self._effects.popleft())
        if self._effects or self._inbox:
            self._schedule()
        elif self.on_all_stopped is not None and all(i.state.run is None for i in self.project):
            then, self.on_all_stopped = self.on_all_stopped, None
            self._loop.call_soon(then)

    def _take(self, effects: list[Effect]) -> None:
        self._sort(effects)
        self._commit()
        self._schedule()

    def _sort(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Record):
                self._records.append(effect)
            else:
                self._effects.append(effect)

    def _commit(self) -> None:
        """Write the state that has changed, before anything is done about it, and tell whoever listens."""
        changed = self.project.take_changed() | self._unsaved
        if not (changed or self._records or self._runs):
            return
        for name in changed:
            self._deadlines.set(name, self.project.deadline(name))
        self._note_ends(changed)
        wall = system.wall_time()
        events = [EventRow(wall, r.instance, r.run, r.kind.value, r.message) for r in self._records]
        try:
            events = self._write(changed, events)
        except StoreError as error:
            # Supervision goes on without its memory, and the resync tries again: a full disk must not stop a restart.
            if self.trouble is None:
                _log.error("%s; going on, and trying again", error)
            self.trouble, self._unsaved = str(error), changed
            del self._records[:-1000]
        else:
            self.trouble, self._unsaved = None, set()
            self._records, self._runs = [], []
        self.feed.publish(changed, events)

    def _write(self, changed: set[str], events: list[EventRow]) -> list[EventRow]:
        instances = {name: self.project.find(name) for name in changed}
        present = [i for i in instances.values() if i is not None]
        with_new_spec = [i for i in present if self._stored_specs.get(i.state.name) is not i.spec]
        gone = [name for name, i in instances.items() if i is None]
        with self._store.transaction():
            if with_new_spec:
                position = {i.state.name: at for at, i in enumerate(self.project)}
                self._store.save_instances((position[i.state.name], i) for i in with_new_spec)
            self._store.save_states(i.state for i in present if self._stored_specs.get(i.state.name) is i.spec)
            self._store.delete_instances(gone)
            self._store.save_runs(self._runs)
            events = self._store.append_events(events)
        self._stored_specs.update({i.state.name: i.spec for i in with_new_spec})
        for name in gone:
            self._stored_specs.pop(name, None)
        return events

    def _note_ends(self, changed: set[str]) -> None:
        for name in changed:
            instance = self.project.find(name)
            end = instance.state.last_end if instance is not None else None
            if end is None or self._ended.get(name, 0) >= end.run:
                continue
            self._ended[name] = end.run
            self._pidfiles.remove(name)
            self._runs.append(RunRow(name, end.run, ended_at=wall_of(end.at), uptime=end.uptime, ended=end_words(end)))

    # --- effects ------------------------------------------------------------------------------------------------

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case StartRun(instance, run):
                self._start_run(instance, run)
            case SignalRun(instance, run, number):
                self.runtime.signal(instance, run, number)
            case KillRun(instance, run):
                self.runtime.kill(instance, run)
            case AttemptProbe(instance, run, kind):
                self._attempt(instance, AttemptProbe(instance, run, kind))
            case CancelProbes(instance, run):
                self._prober.cancel(instance, run)
            case Record():
                raise AssertionError("records are written, not carried out")

    def _start_run(self, name: str, run: int) -> None:
        instance = self.project.find(name)
        if instance is None or instance.state.run is None or instance.state.run.number != run:
            return
        if instance.state.run.pid is not None:
            return  # asked for by an earlier supervisor, which had started it after all
        execution = instance.spec.process
        if execution is None:
            error = SpawnError("run its container", "", 0, "containers are not supported yet")
            self.post(name, SpawnFailed(run, error, random.random()))  # noqa: S311 - jitter
            return
        try:
            started = self.runtime.start(name, run, execution)
        except SpawnFailure as failure:
            error = SpawnError(failure.step, failure.subject, failure.number, failure.detail)
            self.post(name, SpawnFailed(run, error, random.random()))  # noqa: S311 - jitter
            return
        self.log_offsets[name] = started.log_from
        self._pidfiles.write(name, started.pid)
        self._runs.append(
            RunRow(name, run, started.pid, started.started, started.log_from, started_at=system.wall_time())
        )
        self.post(name, Spawned(run, started.pid))

    def _attempt(self, name: str, effect: AttemptProbe) -> None:
        instance = self.project.find(name)
        if instance is None or instance.spec.process is None:
            return
        probe = next((p for p in instance.spec.probes.declared() if p.kind is effect.probe), None)
        if probe is None:
            return
        context = self._context(instance, probe, effect.run)
        self._prober.attempt(name, effect.run, effect.probe, DeclaredProbe(probe, context))

    def _context(self, instance: Instance, probe: ProbeSpec, run: int) -> ProbeContext:
        execution = instance.spec.process
        assert execution is not None
        environment: Mapping[str, str] = {}
        if isinstance(probe.check, ExecCheck):  # the others need none, and it is a large copy for each attempt
            environment = self.runtime.environment(execution, self.runtime.mark_of(instance.state.name, run))
        return ProbeContext(environment, execution.working_dir, self._spawner, execution.user, execution.group)


def exit_of(status: int | None) -> Exit:
    """A wait status as the core keeps it; ``None``: nobody could tell."""
    if status is None:
        return Exit()
    if os.WIFSIGNALED(status):
        return Exit(signal=os.WTERMSIG(status))
    return Exit(code=os.WEXITSTATUS(status))
