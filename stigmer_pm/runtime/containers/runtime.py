"""Runs of containers: started, watched, signalled and found again, with what becomes of them told.

Everything here is level-triggered. An event of the engine only says which container to look at; what it has come to is
what an inspection says. So an event that is lost costs time and nothing else, and the first look after an engine was
away is the same as every other.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.core.state import Exit, Run, StopCause
from stigmer_pm.runtime.containers import labels, making
from stigmer_pm.runtime.containers.inquiry import Inquiry
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.listener import Listener
from stigmer_pm.runtime.containers.looking import Looker
from stigmer_pm.runtime.containers.output import Output
from stigmer_pm.runtime.containers.removal import Removal
from stigmer_pm.runtime.containers.seen import Seen
from stigmer_pm.runtime.containers.sending import send
from stigmer_pm.runtime.containers.starting import Beginning, Cancelled
from stigmer_pm.runtime.containers.tidings import Tidings
from stigmer_pm.runtime.containers.watch import Stage, Watch
from stigmer_pm.runtime.run import Started, open_log
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.spec import ComponentSpec, ContainerExecution

if TYPE_CHECKING:
    from docker import APIClient

_log = logging.getLogger(__name__)

#: Calls of the resync from one look at everything to the next.
_LIST_AT_EVERY = 3


class ContainerRuntime:
    """All containers of one supervisor. Lives on its event loop; no call blocks.

    Args:
        owner: this project, whose key tells its containers apart from those of any other.
        environment: that of the ``up`` that started the project; it says where the engine is.
        positions: the folder in which is kept how far the output of each container has been copied.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: Listener,
        *,
        owner: labels.Owner,
        environment: Mapping[str, str],
        positions: str,
    ) -> None:
        self._loop = loop
        self._listener = listener
        key = self._key = owner.key
        self._watches: dict[tuple[str, int], Watch] = {}
        self._link = EngineLink(loop, environment, f"{labels.KEY}={key}", Tidings(loop, self._watches, self))
        self._output = Output(loop, self._link, positions, self.look_soon)
        self._looker = Looker(loop, self._link, self._output, key, self._watches, self)
        self._beginning = Beginning(self._link, self._output, owner, self.note, self._looker.is_ending)
        self._removal = Removal(self._link, self._output, key, lambda: self.has_left_something)
        #: What can be asked about containers, and of them.
        self.inquiry = Inquiry(loop, self._link, self._watches)
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_taken_over = False
        self._resyncs = 0

    # --- what the world asks ------------------------------------------------------------------------------------

    def owns(self, instance: str, run: int) -> bool:
        """The run is that of a container."""
        return (instance, run) in self._watches

    def start(self, instance: str, run: int, spec: ComponentSpec) -> None:
        """Begin to start a run; what comes of it is told."""
        watch = self._watch(instance, run, spec)
        self.task(self._start(watch))

    def take_over(self, instance: str, run: Run, spec: ComponentSpec, started: int | None) -> None:
        """Begin to look for a run of an earlier supervisor; what has become of it is told."""
        self._has_taken_over = True
        watch = self._watch(instance, run.number, spec)
        self.task(self._find(watch, started if run.pid is not None else None))

    def cancel_start(self, instance: str, run: int) -> None:
        """A start is not wanted any more."""
        watch = self._watches.get((instance, run))
        if watch is not None:
            watch.is_unwanted.set()

    def signal(self, instance: str, run: int, number: int) -> None:
        """Send a signal to the container's first process, and let it go on when it is paused."""
        watch = self._watches.get((instance, run))
        if watch is None or watch.is_over:
            return
        watch.wanted_signal, watch.is_stop_wanted = number, False
        if watch.container:
            self.send(watch)

    def end(self, instance: str, run: int, number: int) -> None:
        """The same with the signal that is to end it (0: its image's), which it is sent once: many a program takes a
        second one for impatience. SIGKILL is sent again."""
        watch = self._watches.get((instance, run))
        if watch is None or (watch.was_told_to_end and number != signal.SIGKILL):
            return
        if watch.stage is Stage.BEGINNING:
            watch.is_unwanted.set()
        self.signal(instance, run, number)
        watch.is_stop_wanted = True

    def signalled(self) -> set[tuple[str, int]]:
        """Runs that have had the signal that is to end them."""
        return {key for key, watch in self._watches.items() if watch.is_signalled}

    def forget(self, instance: str, run: int) -> None:
        """The run is over. Its container stays for whoever wants to look at it, until the next run, or for as long as
        the component is one of the project."""
        watch = self._watches.pop((instance, run), None)
        if watch is not None:
            watch.stage = Stage.OVER
        if watch is not None and not self._listener.knows(instance) and watch.container:
            self.quietly(partial(self._removal.drained, watch))

    def look_for_lost(self) -> None:
        """The resync: look at everything there is, whatever was told. That is a list of them all, which costs the
        engine more than us, so it is made at every third call only."""
        self._looker.look_at_outputs()
        self._resyncs += 1
        if self._resyncs % _LIST_AT_EVERY == 0:
            self.look_at_all()

    @property
    def has_left_something(self) -> bool:
        """Something of the project may be at the engine: under this supervisor or an earlier one, a container or a
        network was made, or was about to be."""
        return self._output.has_begun or self._beginning.has_begun or self._has_taken_over

    def what_stays(self) -> str:
        """What :meth:`clear_away` can't remove just now, and why, in words."""
        return self._removal.what_stays()

    def what_was_not_reached(self) -> str:
        """That the engine was needed and never there, and that this leaves nothing behind; empty when it isn't so."""
        return self._removal.what_was_not_reached()

    async def clear_away(self) -> None:
        """Remove the project's containers and networks, if it ever had any; volumes stay."""
        await self._removal.of_everything()

    async def close(self) -> None:
        """Let go of everything; containers go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with AsyncExitStack() as stack:  # each, whatever becomes of those before it
            stack.push_async_callback(self._link.close)
            stack.callback(self.inquiry.close)
            stack.push_async_callback(self._output.close)

    # --- inside: beginning --------------------------------------------------------------------------------------

    def _watch(self, instance: str, run: int, spec: ComponentSpec) -> Watch:
        # An edit may have made a process of the component, whose container is still to be ended.
        execution = spec.container or ContainerExecution(image="", container_name="", project="", log=spec.log)
        watch = self._watches[instance, run] = Watch(instance, run, spec, execution)
        self._link.begin()
        if self._link.silence:
            watch.was_silent = True
            self.note(watch, Reason(Why.ENGINE, detail=self._link.silence))
        return watch

    async def _start(self, watch: Watch) -> None:
        log_from = making.log_size(watch.execution.log)
        try:
            os.close(open_log(watch.execution.log))
            seen = await self._beginning.start(watch)
        except Cancelled:
            self._not_started(watch, None)
        except SpawnFailure as failure:
            self._not_started(watch, failure)
        except Exception as error:
            self._not_started(watch, SpawnFailure("start it", watch.instance, 0, f"internal error: {error}"))
            raise
        else:
            self._began(watch, seen, log_from)

    def _not_started(self, watch: Watch, failure: SpawnFailure | None) -> None:
        watch.stage = Stage.OVER
        self._watches.pop((watch.instance, watch.run), None)
        self._listener.not_started(watch.instance, watch.run, failure)

    def _began(self, watch: Watch, seen: Seen, log_from: int | None) -> None:
        """It runs, or has run already; tell so, and then how it stands."""
        self._running(watch, seen)
        self._listener.started(
            watch.instance, watch.run, Started(seen.pid, seen.started, log_from, seen.id, seen.health)
        )
        self._output.follow(watch)
        if not seen.is_running:
            self._looker.look_soon(watch)
        elif watch.wanted_signal is not None:
            self.send(watch)

    def _running(self, watch: Watch, seen: Seen) -> None:
        watch.stage, watch.container, watch.seen, watch.started = Stage.RUNNING, seen.id, seen, seen.started
        watch.is_visible = self._link.address.is_local and watch.process_lives()
        watch.was_silent = watch.was_silent and not seen.is_running
        watch.note = NO_REASON

    async def _find(self, watch: Watch, started: int | None) -> None:
        """Find the container of a run again. ``started`` is on record, or the record is older than its start."""
        seen = await self._beginning.find(watch)
        if seen is None or seen.started == 0:
            self._lost(watch, started, seen)
        elif started is None:
            self._began(watch, seen, None)
        elif seen.started != started:
            # It was started again by somebody else: the run that is on record is over.
            self.over(watch, Exit(by="its container was started again by somebody else"))
        else:
            self._running(watch, seen)
            self._output.follow(watch)
            self._looker.tell(watch, seen)
            self._looker.look_soon(watch)

    def _lost(self, watch: Watch, started: int | None, seen: Seen | None) -> None:
        if started is None:
            if seen is not None:
                container = seen.id
                self.quietly(lambda client: making.remove(client, container))
            self._not_started(watch, None)
        else:
            self.over(watch, Exit(by="its container was removed by somebody else"))

    # --- what follows from a look, or from what the engine tells ---------------------------------------------------

    def over(self, watch: Watch, end: Exit, cause: StopCause | None = None) -> None:
        """A run has ended."""
        if watch.is_over:
            return
        watch.stage = Stage.OVER
        self._listener.ended(watch.instance, watch.run, end, cause)

    def look_soon(self, watch: Watch) -> None:
        """Its container is to be looked at."""
        self._looker.look_soon(watch)

    def look_at_all(self) -> None:
        """Everything is to be looked at, once the engine answers."""
        if self._link.is_up:
            self.task(self._looker.look_at_all())

    def abandon_questions(self, words: str) -> None:
        """Nobody answers what containers are being asked."""
        self.inquiry.abandon(words)

    def note(self, watch: Watch, reason: Reason) -> None:
        """Something about a run, or, with no reason, no longer."""
        if watch.is_over or reason == watch.note:
            return
        watch.note = reason
        self._listener.noted(watch.instance, watch.run, reason)

    def send(self, watch: Watch) -> None:
        """Send the signal that is wanted."""
        self.task(self._send(watch))

    async def _send(self, watch: Watch) -> None:
        if not await send(self._link, watch, self.note):
            self._looker.look_soon(watch)

    def health(self, watch: Watch, seen: Seen) -> None:
        """What a HEALTHCHECK says."""
        self._listener.health(watch.instance, watch.run, passes=seen.health is True, output=seen.health_output)

    def knows(self, instance: str) -> bool:
        """It runs as a container, and is an instance of the project, or may become one: its file has it."""
        return self._listener.knows(instance)

    def has(self, instance: str) -> bool:
        """It is an instance of the project."""
        return self._listener.has(instance)

    def warned(self, instance: str, words: str) -> None:
        """Something about an instance that is about no run of it."""
        self._listener.warned(instance, words)

    def quietly(self, job: Callable[[APIClient], None]) -> None:
        """Do this at the engine, now or never."""
        self.task(self._removal.quietly(job))

    def task(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this beside everything else."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("bug in the containers' runtime", exc_info=error)
