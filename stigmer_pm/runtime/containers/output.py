"""The output of containers on its way into the components' log files, one stream a container."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Set
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from stigmer_pm.logs.sink import open_sink
from stigmer_pm.runtime.containers.engine_log import EngineLogs
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.log_file import LogUnwritable
from stigmer_pm.runtime.containers.log_position import load_position
from stigmer_pm.runtime.containers.log_source import LogReader
from stigmer_pm.runtime.containers.log_stream import LogStream
from stigmer_pm.runtime.containers.trouble import EngineRefusal, EngineSilence, explain
from stigmer_pm.runtime.containers.watch import Stage, Watch
from stigmer_pm.threads import NoThread

_log = logging.getLogger(__name__)

#: Seconds from the end of a stream to the next one of the same container, while that runs.
_AGAIN = 1.0
#: Seconds that what is left of a container's output may take before the container is removed.
_DRAIN_WITHIN = 30.0
#: Attempts at that: a connection that breaks is one to an engine that goes away, or to a log that is damaged.
_DRAIN_TRIES = 3
#: What an engine answers when the output of a container can't be read.
_UNREADABLE = 501


@dataclass(slots=True)
class _Kept:
    """A stream into ``log``. ``is_over``: by itself; ``error``: before all that its container has printed is copied."""

    stream: LogStream
    log: str
    is_over: threading.Event
    error: Exception | None = None

    @property
    def has_broken(self) -> bool:
        """There may be more to copy, and this one won't."""
        return self.is_over.is_set() and self.error is not None


class Output:
    """The streams of one supervisor.

    Args:
        positions: the folder in which is kept how far each has come.
        look: called on the event loop when a stream is over, for its container may be as well.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, link: EngineLink, positions: str, look: Callable[[Watch], None]
    ) -> None:
        self._loop = loop
        self._link = link
        self._positions = positions
        self._look = look
        self._streams: dict[str, _Kept] = {}

    @property
    def has_begun(self) -> bool:
        """Some container of the project has run, under this supervisor or an earlier one, and is not cleared away."""
        return os.path.isdir(self._positions)

    def follow(self, watch: Watch) -> None:
        """Copy what the container of a run prints, if that isn't done yet. What can't be begun is tried again."""
        if watch.log is not None or watch.is_over or watch.has_no_log:
            return
        watch.log_is_over.clear()
        try:
            log, end = watch.execution.log, partial(self._tell, watch)
            watch.log = self._begin(watch.container, log, end, watch.output_error).stream
        except NoThread as error:
            watch.output_error = error
            self._loop.call_later(_AGAIN, self._follow_again, watch)

    async def finish(self, watch: Watch, seconds: float) -> None:
        """Wait until everything is copied that a container has printed which has ended, but no longer than that."""
        if watch.log is None:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(watch.log_is_over.wait(), seconds)

    def drain(self, watch: Watch, container: str) -> None:
        """Copy what is left of the output of an earlier container of the instance, which is then removed. Blocks.

        It goes where that before it has gone: an edit may have given the instance another log since.

        Raises:
            EngineSilence: the engine has gone away meanwhile.
            NoThread: there is no thread to be had for it.
        """
        self._drain(container, self._log_of(container) or watch.execution.log, time.monotonic() + _DRAIN_WITHIN)

    def drain_left(self, container: str, ends_at: float) -> None:
        """The same until ``ends_at`` (of the monotonic clock) for one that is removed with the whole project, if
        anything of its output was ever copied. Raises the same."""
        log = self._log_of(container)
        if log is not None:
            self._drain(container, log, ends_at)

    def drop(self, container: str) -> None:
        """The container is removed. Blocks for a moment when it is still read from."""
        found = self._streams.pop(container, None)
        if found is not None:
            found.stream.close()
        with suppress(OSError):
            os.unlink(self._position(container))

    def forget_all_but(self, containers: Set[str]) -> None:
        """Those of which a position is kept, and which are neither among these nor read from, have gone."""
        with suppress(OSError):
            kept = {name.removesuffix(".json") for name in os.listdir(self._positions)}
            for container in kept - containers:
                if container not in self._streams or self._streams[container].is_over.is_set():
                    self.drop(container)

    def drop_all(self) -> None:
        """All containers of the project are removed."""
        with suppress(OSError):
            for name in os.listdir(self._positions):
                os.unlink(os.path.join(self._positions, name))
            os.rmdir(self._positions)

    async def close(self) -> None:
        """Let go of all; the next supervisor goes on where they have come to."""
        # At once: threads that copy the last of something take theirs away meanwhile.
        streams = [kept.stream for kept in list(self._streams.values())]
        results = await asyncio.gather(*(asyncio.to_thread(stream.close) for stream in streams), return_exceptions=True)
        for stream, result in zip(streams, results, strict=True):
            if isinstance(result, Exception):  # there is no thread to be had
                stream.close(timeout_s=0.0)

    # --- inside -------------------------------------------------------------------------------------------------

    def open_log(self, container_id: str, since: int | None, follow: bool) -> LogReader:
        """As a source of the streams: by the client that the engine is reached with just now."""
        return self._link.call_here(lambda client: EngineLogs(client).open_log(container_id, since, follow))

    def _drain(self, container: str, log: str, ends_at: float) -> None:
        for attempt in range(1, _DRAIN_TRIES + 1):
            kept = self._unbroken(container, log)
            is_over = kept.is_over.wait(max(0.0, ends_at - time.monotonic()))
            if not self._is_cut_short(kept) or attempt == _DRAIN_TRIES:
                break
            time.sleep(_AGAIN)
        if not is_over or not (kept.error is None or _has_none(kept.error)):
            why = f": {kept.error}" if kept.error is not None else ""
            _log.warning("the last output of container %s, for '%s', is lost%s", container[:12], log, why)
        kept.stream.close()
        self._streams.pop(container, None)

    def _log_of(self, container: str) -> str | None:
        """The log that the output of a container has been copied into; ``None``: nothing of it ever was."""
        kept = self._streams.get(container)
        if kept is not None:
            return kept.log
        with suppress(OSError):
            position = load_position(self._position(container))
            return None if position is None else position.log
        return None

    def _unbroken(self, container: str, log: str) -> _Kept:
        kept = self._streams.get(container)
        return self._begin(container, log, lambda error: None) if kept is None or kept.has_broken else kept

    def _is_cut_short(self, kept: _Kept) -> bool:
        """The connection broke, and another attempt may get the rest.

        Raises:
            EngineSilence: the engine is away.
        """
        if kept.error is None or not isinstance(explain(kept.error, self._link.address), EngineSilence):
            return False
        if isinstance(kept.error, EngineSilence):
            raise kept.error
        if self._link.silence:
            raise EngineSilence(self._link.silence)
        return True

    def _begin(
        self,
        container: str,
        log: str,
        on_end: Callable[[Exception | None], None],
        stalled_by: OSError | None = None,
    ) -> _Kept:
        """Begin to copy.

        Raises:
            NoThread: there is no thread to be had for it.
        """
        is_over = threading.Event()

        def end(error: Exception | None) -> None:
            kept.error = error
            is_over.set()
            on_end(error)

        position = self._position(container)
        stream = LogStream(self, container, log, position, end, stalled_by=stalled_by)
        kept = _Kept(stream, log, is_over)
        stream.start()
        self._streams[container] = kept
        return kept

    def _position(self, container: str) -> str:
        return os.path.join(self._positions, f"{container}.json")

    def _tell(self, watch: Watch, error: Exception | None) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._ended, watch, error)

    def _ended(self, watch: Watch, error: Exception | None) -> None:
        watch.log = None
        watch.log_is_over.set()
        if isinstance(error, EngineRefusal) and error.status == _UNREADABLE:
            watch.has_no_log = True
            _say(watch, f"the output of this container is not to be had: {error.message}")
            return
        is_ours = isinstance(error, LogUnwritable)
        if error is not None and (not is_ours or watch.output_error is None):
            _log.info("the output of %s is not to be read just now: %s", watch.instance, error)
        cause = error.__cause__ if error is not None and is_ours else None
        watch.output_error = cause if isinstance(cause, OSError) else None
        if watch.stage is Stage.RUNNING:
            if not is_ours:
                self._look(watch)
            self._loop.call_later(_AGAIN, self._follow_again, watch)

    def _follow_again(self, watch: Watch) -> None:
        if watch.stage is Stage.RUNNING and self._link.is_up:
            self.follow(watch)


def _has_none(error: Exception) -> bool:
    """There is no output to be had, for it can't be read, or somebody else removes it with its container."""
    return isinstance(error, EngineRefusal) and error.status in (404, 409, _UNREADABLE)


def _say(watch: Watch, words: str) -> None:
    """Where people look for the output, they find why there is none."""
    with suppress(OSError):
        log = open_sink(watch.execution.log)
        try:
            os.write(log, f"stigmer-pm: {words}\n".encode())
        finally:
            os.close(log)
