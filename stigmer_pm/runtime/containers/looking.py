"""Looking at containers: what an inspection says of one, and the comparison of what is watched with what is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.core.state import Exit, StopCause
from stigmer_pm.runtime.containers import labels, making
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.output import Output
from stigmer_pm.runtime.containers.outsiders import REMOVED, who_ended
from stigmer_pm.runtime.containers.seen import Seen, exit_of
from stigmer_pm.runtime.containers.trouble import EngineRefusal, EngineSilence
from stigmer_pm.runtime.containers.watch import Stage, Watch
from stigmer_pm.threads import NoThread, is_without_thread

if TYPE_CHECKING:
    from docker import APIClient

_log = logging.getLogger(__name__)

#: How an engine calls those that have a process.
_ALIVE = ("running", "paused", "restarting")
#: Seconds that the end of a run waits for the last of its output, which its engine hands out a moment later.
_LAST_OUTPUT = 1.0
#: Seconds from a look that can't be made to the next attempt.
_AGAIN = 1.0
#: Seconds from the event of a death to that of what somebody has asked for: a stop, or a removal.
_TOLD_LATER = 0.05


class Hooks(Protocol):
    """What follows from a look."""

    def over(self, watch: Watch, end: Exit, cause: StopCause | None = None) -> None:
        """The run has ended."""

    def note(self, watch: Watch, reason: Reason) -> None:
        """Something about it."""

    def health(self, watch: Watch, seen: Seen) -> None:
        """What its HEALTHCHECK says."""

    def knows(self, instance: str) -> bool:
        """It runs as a container, and is an instance of the project, or may become one."""
        ...

    def send(self, watch: Watch) -> None:
        """It is to have a signal that it has not had yet."""

    def has(self, instance: str) -> bool:
        """It is an instance of the project."""
        ...

    def warned(self, instance: str, words: str) -> None:
        """Something happened to an instance that is no run's."""

    def task(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this beside everything else."""

    def quietly(self, job: Callable[[APIClient], None]) -> None:
        """Do this at the engine, now or never."""


class Looker:
    """Looks at the containers of ``watches``, which somebody else adds and removes."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        link: EngineLink,
        output: Output,
        key: str,
        watches: Mapping[tuple[str, int], Watch],
        hooks: Hooks,
    ) -> None:
        self._loop = loop
        self._link = link
        self._key = key
        self._watches = watches
        self._hooks = hooks
        self._strays: set[str] = set()
        self._output = output

    def look_soon(self, watch: Watch) -> None:
        """Look at a container; when that is under way, once more after it."""
        if watch.is_looked_at:
            watch.must_look_again = True
            return
        watch.is_looked_at = True
        self._hooks.task(self._look(watch))

    def is_ending(self, container: str) -> bool:
        """It is nobody's run, and on its way out."""
        return container in self._strays

    async def _look(self, watch: Watch) -> None:
        try:
            while not watch.is_over:
                watch.must_look_again = False
                await self._look_once(watch)
                if not watch.must_look_again:
                    break
        except (EngineSilence, EngineRefusal, NoThread) as error:
            _log.info("cannot look at the container of %s: %s", watch.instance, error)
            # When the engine has gone away, everything is looked at once it is back.
            if self._link.is_up and not isinstance(error, EngineRefusal):
                self._loop.call_later(_AGAIN, self.look_soon, watch)
        finally:
            watch.is_looked_at = False

    async def _look_once(self, watch: Watch) -> None:
        container = watch.container
        try:
            seen = await self._link.call(lambda client: making.inspect(client, container))
        except EngineRefusal as refusal:
            if refusal.status != 404:
                raise
            seen = None
        if watch.stage is not Stage.RUNNING:
            return
        if seen is not None and seen.is_running and seen.started == watch.started:
            self._still_runs(watch, seen)
            return
        await self._output.finish(watch, _LAST_OUTPUT)
        by_engine = watch.was_silent and watch.told_code is None
        if who_ended(watch, self._loop.time()):
            # It may be the engine that has ended it, and is being stopped; what somebody asked for is told last.
            by_engine = by_engine or not await self._link.takes_requests()
            await asyncio.sleep(_TOLD_LATER)
        by = who_ended(watch, self._loop.time())
        if by and (seen is None or seen.is_going):
            by = REMOVED
        is_same = seen is not None and seen.started == watch.started
        code = seen.exit_code if seen is not None and is_same else watch.told_code
        out_of_memory = seen is not None and is_same and seen.out_of_memory
        if seen is None:
            await self._drop_output(container)
        end = exit_of(code, out_of_memory=out_of_memory, by="" if by_engine else by)
        self._hooks.over(watch, end, StopCause.ENGINE if by_engine else None)

    async def _drop_output(self, container: str) -> None:
        try:
            await asyncio.to_thread(self._output.drop, container)
        except RuntimeError as error:
            if not is_without_thread(error):
                raise  # otherwise the next look at everything forgets it

    def _still_runs(self, watch: Watch, seen: Seen) -> None:
        if watch.was_silent:
            watch.was_silent = False
            self._output.follow(watch)
        self.tell(watch, seen)
        if watch.wanted_signal is not None:
            self._hooks.send(watch)

    def tell(self, watch: Watch, seen: Seen) -> None:
        """What may have changed of one that runs: that it is paused, and what its HEALTHCHECK says."""
        watch.seen = seen
        note = Reason(Why.PAUSED) if seen.is_paused else _output_note(watch)
        if note == NO_REASON and watch.note.why is Why.REFUSED:
            note = watch.note  # it holds until the signal is sent after all
        if note != watch.note:
            self._hooks.note(watch, note)
        if seen.health is not None:
            self._hooks.health(watch, seen)

    def look_at_outputs(self) -> None:
        """Whether the output of those that run can be written is known here."""
        for watch in self._watches.values():
            note = _output_note(watch)
            if watch.stage is Stage.RUNNING and watch.note.why in (Why.NONE, Why.OUTPUT) and note != watch.note:
                self._hooks.note(watch, note)

    async def look_at_all(self) -> None:
        """Compare everything that is watched with everything that is there."""
        try:
            entries = await self._link.call(lambda client: making.all_of(client, self._key))
        except (EngineSilence, EngineRefusal) as error:
            _log.info("cannot list the containers of the project: %s", error)
            return
        except NoThread as error:
            _log.warning("cannot list the containers of the project: no thread can be made: %s", error)
            self._loop.call_later(_AGAIN, lambda: self._hooks.task(self.look_at_all()))
            return
        states = {str(entry["Id"]): str(entry["State"]) for entry in entries}
        for watch in list(self._watches.values()):
            is_paused = watch.note.why is Why.PAUSED
            expected = "paused" if is_paused else "running"
            if watch.stage is Stage.RUNNING and (
                states.get(watch.container) != expected or watch.was_silent or watch.wanted_signal is not None
            ):
                self.look_soon(watch)
        for entry in entries:
            marks: Any = entry.get("Labels") or {}
            self._end_stray(str(entry["Id"]), str(marks.get(labels.INSTANCE, "")), states[str(entry["Id"])])
        self._output.forget_all_but({*states, *(watch.container for watch in self._watches.values())})

    def _end_stray(self, container: str, instance: str, state: str) -> None:
        """One of a component that the project doesn't have any more goes. One that runs beside what is wanted is
        stopped: somebody has started it, or a start that was taken back has come to something after all."""
        if container in self._strays or any(watch.container == container for watch in self._watches.values()):
            return
        short = container[:12]
        if not self._hooks.knows(instance):
            _log.warning("ending the container %s of '%s', which is no component any more", short, instance)
            self._end(container, making.stop_and_remove)
            return
        if state not in _ALIVE or not self._hooks.has(instance):
            return
        if any(watch.instance == instance and watch.stage is Stage.BEGINNING for watch in self._watches.values()):
            return  # a start that is under way takes it over, or ends it
        self._hooks.warned(instance, f"its container {short} was running although no run of it was; it is stopped")
        self._end(container, making.stop)

    def _end(self, container: str, job: Callable[[APIClient, str], None]) -> None:
        self._strays.add(container)

        def work(client: APIClient) -> None:
            try:
                job(client, container)
            finally:
                self._strays.discard(container)  # if it lives, the next look at all finds it again

        self._hooks.quietly(work)


def _output_note(watch: Watch) -> Reason:
    """That its output can't be written just now, if it can't."""
    error = watch.output_error if watch.log is None else watch.log.stalled_by
    return NO_REASON if error is None else Reason(Why.OUTPUT, detail=(error.strerror or str(error)).lower())
