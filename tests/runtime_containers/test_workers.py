"""Blocking calls beside the event loop, also when no thread can be made for them."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from stigmer_pm.runtime.containers.workers import Workers
from stigmer_pm.threads import NoThread
from tests.no_threads import Threads
from tests.runtime_containers.fake_engine import until

T = TypeVar("T")
WITHIN = 10.0


def run(test: Callable[[Workers], Awaitable[T]], most: int = 2) -> T:
    """What ``test`` comes to with workers of its own, which it has to itself."""

    async def main() -> T:
        workers = Workers(asyncio.get_running_loop(), "test", most)
        try:
            async with asyncio.timeout(WITHIN):
                return await test(workers)
        finally:
            workers.close()

    return asyncio.run(main())


def test_after_threads_could_not_be_made_calls_go_on(threads: Threads) -> None:
    """However often that failed: one that isn't there does not count."""

    async def test(workers: Workers) -> str:
        threads.left = 0
        for _ in range(3):
            with pytest.raises(NoThread):
                await workers.run(lambda: "never")
        threads.left = None
        return await workers.run(lambda: "done")

    assert run(test) == "done"


def test_a_call_that_has_failed_for_want_of_a_thread_is_not_carried_out_later(threads: Threads) -> None:
    """Who asked was told so, and does without; a container that is made for it would be nobody's."""
    done: list[str] = []

    async def test(workers: Workers) -> None:
        threads.left = 0
        with pytest.raises(NoThread):
            await workers.run(lambda: done.append("first"))
        threads.left = None
        await workers.run(lambda: done.append("second"))

    run(test, most=1)
    assert done == ["second"]


def test_calls_wait_for_the_threads_there_are_when_there_can_be_no_more(threads: Threads) -> None:
    """One is enough."""
    may_go = threading.Event()

    async def test(workers: Workers) -> list[object]:
        threads.left = 1
        first = asyncio.ensure_future(workers.run(lambda: may_go.wait(WITHIN)))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(workers.run(lambda: "second"))
        await asyncio.sleep(0)
        may_go.set()
        return [await first, await second]

    assert run(test) == [True, "second"]


class Preempted(queue.SimpleQueue[Any]):
    """A queue whose reader loses the processor in the moment in which it has been given something."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        found = super().get(block, timeout)
        time.sleep(0.1)
        return found


def test_a_thread_that_has_just_taken_a_call_is_not_taken_for_a_free_one() -> None:
    """The next call would wait behind one that hangs, though a thread could be made for it."""

    async def main() -> None:
        workers = Workers(asyncio.get_running_loop(), "calls", 2)
        workers._jobs = Preempted()
        await workers.run(lambda: None)
        end, begun = threading.Event(), []

        def hang() -> None:
            begun.append(1)
            end.wait(10)

        calls = [asyncio.ensure_future(workers.run(hang))]
        await asyncio.sleep(0.05)  # the only thread has taken it, and counts as idle still
        calls.append(asyncio.ensure_future(workers.run(hang)))
        try:
            await until(lambda: len(begun) == 2, "both have begun")
        finally:
            end.set()
            await asyncio.gather(*calls)
            workers.close()

    asyncio.run(main())
