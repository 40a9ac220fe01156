"""Threads that carry out blocking calls for the event loop.

The executors of the standard library are waited for when the interpreter ends, however long an engine that hangs keeps
a call; these threads are not.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias, TypeVar

from stigmer_pm.threads import DeafThread, NoThread

T = TypeVar("T")
_Jobs: TypeAlias = "queue.SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None]"


class Workers:
    """At most ``most`` threads, started when they are needed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, most: int) -> None:
        self._loop = loop
        self._name = name
        self._most = most
        self._jobs: _Jobs = queue.SimpleQueue()
        self._waited_for: set[asyncio.Future[Any]] = set()
        self._threads = 0
        self._unfinished = 0
        self._lock = threading.Lock()

    async def run(self, job: Callable[[], T]) -> T:
        """What ``job`` returns or raises. One that is cancelled goes on in its thread, and its result is dropped.

        Raises:
            NoThread: there is none, and none can be made; nothing of the job is done.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        with self._lock:
            # Counted are the jobs, and not the threads that wait: one that has just taken a job is seen waiting still.
            if self._unfinished >= self._threads and self._threads < self._most:
                self._begin_thread()
            self._unfinished += 1
            self._jobs.put((job, future))
        self._waited_for.add(future)
        try:
            return await future
        finally:
            self._waited_for.discard(future)

    def abandon(self, error: Exception) -> None:
        """Whoever waits for a job gets ``error``. What has begun goes on by itself, in threads that take up nothing
        more; those that come after begin at once."""
        for future in self._waited_for:
            if not future.done():
                future.set_exception(error)
        with self._lock:
            self.close()
            self._jobs, self._threads, self._unfinished = queue.SimpleQueue(), 0, 0

    def close(self) -> None:
        """Begin nothing more; threads end when what they do is done."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _begin_thread(self) -> None:
        """One more. Where it can't be made, the job waits for those that there are."""
        try:
            DeafThread(partial(self._work, self._jobs), self._name).start()
        except NoThread:
            if not self._threads:
                raise
        else:
            self._threads += 1

    def _work(self, jobs: _Jobs) -> None:
        while (job := jobs.get()) is not None:
            self._carry_out(*job)
            with self._lock:
                self._unfinished -= jobs is self._jobs  # of those that were abandoned nobody counts any

    def _carry_out(self, job: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        if future.done():
            return
        try:
            result, error = job(), None
        except BaseException as raised:  # noqa: BLE001 (whatever it is, it belongs to who waits for the job)
            result, error = None, raised
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
