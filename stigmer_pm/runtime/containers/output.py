"""The output of containers on its way into the components' log files, one stream a container."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Set
from contextlib import suppress

from stigmer_pm.logs.sink import open_sink
from stigmer_pm.runtime.containers.engine_log import EngineLogs
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.log_source import LogReader
from stigmer_pm.runtime.containers.log_stream import LogStream
from stigmer_pm.runtime.containers.trouble import EngineRefusal
from stigmer_pm.runtime.containers.watch import Stage, Watch

_log = logging.getLogger(__name__)

#: Seconds from the end of a stream to the next one of the same container, while that runs.
_AGAIN = 1.0
#: Seconds that what is left of a container's output may take before the container is removed.
_DRAIN_WITHIN = 30.0
#: What an engine answers when the output of a container can't be read.
_UNREADABLE = 501


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
        self._streams: dict[str, tuple[LogStream, threading.Event]] = {}

    @property
    def has_begun(self) -> bool:
        """Some container of the project has run, under this supervisor or an earlier one, and is not cleared away."""
        return os.path.isdir(self._positions)

    def follow(self, watch: Watch) -> None:
        """Copy what the container of a run prints, if that isn't done yet."""
        if watch.log is not None or watch.is_over or watch.has_no_log:
            return
        watch.log_is_over.clear()
        watch.log = self._begin(watch, watch.container, lambda error: self._tell(watch, error))

    async def finish(self, watch: Watch, seconds: float) -> None:
        """Wait until everything is copied that a container has printed which has ended, but no longer than that."""
        if watch.log is None:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(watch.log_is_over.wait(), seconds)

    def drain(self, watch: Watch, container: str) -> None:
        """Copy what is left of the output of an earlier container of the instance, which is then removed. Blocks."""
        if container not in self._streams:
            self._begin(watch, container, lambda error: None)
        stream, is_over = self._streams[container]
        if not is_over.wait(_DRAIN_WITHIN):
            _log.warning("the last output of container %s of %s is lost", container[:12], watch.instance)
        stream.close()
        self._streams.pop(container, None)

    def drop(self, container: str) -> None:
        """The container is removed. Blocks for a moment when it is still read from."""
        found = self._streams.pop(container, None)
        if found is not None:
            found[0].close()
        with suppress(OSError):
            os.unlink(self._position(container))

    def forget_all_but(self, containers: Set[str]) -> None:
        """Those of which a position is kept, and which are neither among these nor read from, have gone."""
        with suppress(OSError):
            kept = {name.removesuffix(".json") for name in os.listdir(self._positions)}
            for container in kept - containers:
                if container not in self._streams or self._streams[container][1].is_set():
                    self.drop(container)

    def drop_all(self) -> None:
        """All containers of the project are removed."""
        with suppress(OSError):
            for name in os.listdir(self._positions):
                os.unlink(os.path.join(self._positions, name))
            os.rmdir(self._positions)

    async def close(self) -> None:
        """Let go of all; the next supervisor goes on where they have come to."""
        await asyncio.gather(*(asyncio.to_thread(stream.close) for stream, _ in self._streams.values()))

    # --- inside -------------------------------------------------------------------------------------------------

    def open_log(self, container_id: str, since: int | None, follow: bool) -> LogReader:
        """As a source of the streams: by the client that the engine is reached with just now."""
        return self._link.call_here(lambda client: EngineLogs(client).open_log(container_id, since, follow))

    def _begin(self, watch: Watch, container: str, on_end: Callable[[Exception | None], None]) -> LogStream:
        os.makedirs(self._positions, mode=0o700, exist_ok=True)
        is_over = threading.Event()

        def end(error: Exception | None) -> None:
            is_over.set()
            on_end(error)

        stream = LogStream(self, container, watch.execution.log, self._position(container), end)
        self._streams[container] = (stream, is_over)
        stream.start()
        return stream

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
        if error is not None:
            _log.info("the output of %s is not to be read just now: %s", watch.instance, error)
        if watch.stage is Stage.RUNNING:
            self._look(watch)
            self._loop.call_later(_AGAIN, self._follow_again, watch)

    def _follow_again(self, watch: Watch) -> None:
        if watch.stage is Stage.RUNNING and self._link.is_up:
            self.follow(watch)


def _say(watch: Watch, words: str) -> None:
    """Where people look for the output, they find why there is none."""
    with suppress(OSError):
        log = open_sink(watch.execution.log)
        try:
            os.write(log, f"stigmer-pm: {words}\n".encode())
        finally:
            os.close(log)
