"""Threads that no signal comes to."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import TypeVar

import pytest

from stigmer_pm.threads import DeafExecutor, DeafThread, deaf

T = TypeVar("T")

SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1}


def in_thread(job: Callable[[], T]) -> T:
    """What ``job`` returns in a thread that no signal comes to."""
    results: queue.Queue[T] = queue.Queue()
    DeafThread(lambda: results.put(job()), "test").start()
    return results.get(timeout=10)


def in_executor(job: Callable[[], T]) -> T:
    """The same in the executor."""
    with DeafExecutor(1) as executor:
        return executor.submit(job).result(10)


def blocked() -> set[int]:
    """The signals that this thread has blocked."""
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


@pytest.mark.parametrize("inside", [in_thread, in_executor])
def test_no_signal_comes_to_it_and_the_thread_that_began_it_hears_as_before(
    inside: Callable[[Callable[[], set[int]]], set[int]],
) -> None:
    """From its first instruction on, since it has the mask of who begins it."""
    before = blocked()
    assert inside(blocked) >= SIGNALS
    assert blocked() == before
    with deaf():
        assert blocked() >= SIGNALS
    assert blocked() == before


def test_a_program_that_it_forks_hears_signals() -> None:
    """The Docker SDK runs ssh this way, and ends it by SIGTERM."""

    def start() -> int:
        look = "import signal; print(len(signal.pthread_sigmask(signal.SIG_BLOCK, ())))"
        done = subprocess.run([sys.executable, "-c", look], capture_output=True, check=True, preexec_fn=os.getpid)
        return int(done.stdout)

    assert in_thread(start) == 0
