"""The thread that follows a container's output on the engine and appends it to the component's log file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from stigmer_pm.runtime.containers.log_copy import LogCopy
from stigmer_pm.runtime.containers.log_source import LogReader, LogSource
from stigmer_pm.runtime.containers.trouble import EngineRefusal
from stigmer_pm.threads import DeafThread

#: Seconds between two tries to write to a log that can't be written, because the disk is full for example.
_TRY_AGAIN = 1.0


class LogStream:
    """The output of one container on its way into one log file, each line once.

    It is for the life of the container's process: when that has ended, all of its output is in the file, and
    ``on_end(None)`` is called. When the same container is started again, or the stream broke, a new one with the same
    files goes on where this one has ended, and so does one in another supervisor after this one was killed.

    Args:
        source: the engine.
        container_id: the full id of a container that has been started; it may have ended.
        log_path: where the output goes; appended to.
        position_path: where it is kept how far the output has been copied. One file for each container.
        on_end: called in the thread, once, when the stream is over by itself. ``None``: the engine has delivered
            everything. Otherwise ``LogUnwritable`` (the file), ``EngineRefusal`` (404: the container is gone, 501: its
            log driver can't be read), or whatever shows that the connection to the engine broke. An engine that ends
            in good order while containers go on may look like ``None``, so look at the container then.
        stalled_by: why the stream before couldn't be written, or begun.
    """

    def __init__(
        self,
        source: LogSource,
        container_id: str,
        log_path: str,
        position_path: str,
        on_end: Callable[[Exception | None], None],
        *,
        stalled_by: OSError | None = None,
    ) -> None:
        self._source = source
        self._container_id = container_id
        self._log_path = log_path
        self._position_path = position_path
        self._on_end = on_end
        self._closing = threading.Event()
        self._is_abandoned = False
        self._lock = threading.Lock()
        self._reader: LogReader | None = None
        # It isn't waited for: it may be deep in a call that never returns, and holds nothing that needs a good end.
        self._thread = DeafThread(self._run, f"log {container_id[:12]}")
        #: Why the log can't be written at this moment, as far as is known; the output waits on the engine.
        self.stalled_by = stalled_by

    def start(self) -> None:
        """Begin to follow.

        Raises:
            NoThread: there is no thread to be had for it.
        """
        self._thread.start()

    def close(self, timeout_s: float = 1.0) -> None:
        """Stop following and keep the position. ``on_end`` isn't called for this.

        It takes milliseconds, unless the thread is stuck in a write or in a question to an engine that doesn't answer.
        After ``timeout_s`` seconds it is left to itself, and when it comes back it writes nothing more.
        """
        with self._lock:
            self._closing.set()
            reader = self._reader
        if reader is not None:
            reader.interrupt()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
            self._is_abandoned = self._thread.is_alive()

    def _run(self) -> None:
        error: Exception | None = None
        try:
            self._copy()
        except Exception as caught:  # noqa: BLE001 - the top of this thread; whoever started it hears of everything
            error = caught
        if not self._closing.is_set():
            self._on_end(error)

    def _copy(self) -> None:
        with closing(LogCopy(self._container_id, self._log_path, self._position_path, self._wait_for_room)) as copy:
            self.stalled_by = None
            try:
                self._copy_answer(copy, follow=True)
                # Whoever follows isn't told what a container printed last without a newline (moby#43860). It is in the
                # log all the same.
                self._copy_answer(copy, follow=False)
            finally:
                if not self._is_abandoned:
                    copy.save()

    def _copy_answer(self, copy: LogCopy, *, follow: bool) -> None:
        reader = self._source.open_log(self._container_id, copy.begin_answer(), follow)
        with closing(reader):
            with self._lock:
                self._reader = reader
            while not self._closing.is_set():
                data = reader.read(copy.seconds_to_save())
                if data is None:
                    copy.save()
                elif data and not self._closing.is_set():
                    copy.take(data)
                elif not data:
                    break
            with self._lock:
                self._reader = None
        if self._closing.is_set():
            return
        copy.end_answer()
        if copy.complaint is not None:
            raise EngineRefusal(500, copy.complaint)

    def _wait_for_room(self, error: OSError) -> None:
        self.stalled_by = error
        if self._closing.wait(_TRY_AGAIN):
            raise error
        self.stalled_by = None
