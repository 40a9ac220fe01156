"""Threads that no signal comes to.

The kernel gives a signal that is meant for a process to any thread that doesn't block it. Only the main thread of a
supervisor knows what to do about one, and while that holds signals back, to hand its place to another program by exec,
one that came to another thread would be lost: Python would note it there, and the exec would forget it. One that every
thread blocks stays with the process, over the exec.

And what it means when no further thread can be made.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

#: What Python says where no thread can be made, in a RuntimeError without an errno.
_NO_THREAD = "can't start new thread"


class NoThread(OSError):
    """No further thread can be made (EAGAIN), for the user, the container or the machine may have no more of them."""


def is_without_thread(error: BaseException) -> bool:
    """It says that a thread could not be made, here or where the standard library makes some (to look up a host in)."""
    return isinstance(error, NoThread) or (isinstance(error, RuntimeError) and str(error) == _NO_THREAD)


@contextmanager
def deaf() -> Iterator[None]:
    """Threads that are begun within the block never hear a signal, for they have the mask of who begins them.

    A thread that blocked signals as the first thing that it does would hear them until then.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class DeafThread(threading.Thread):
    """A thread that no signal comes to, and that isn't waited for when the interpreter ends."""

    def __init__(self, target: Callable[[], None], name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)

    def start(self) -> None:
        """Begin.

        Raises:
            NoThread: it can't be made, and doesn't run.
        """
        try:
            with deaf():
                super().start()
        except RuntimeError as error:
            if not is_without_thread(error):
                raise
            raise NoThread(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error


class DeafExecutor(ThreadPoolExecutor):
    """What an event loop has in place of its default executor: host names are looked up there, for one."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have it carried out, perhaps by a thread that is begun for it."""
        with deaf():
            return super().submit(fn, *args, **kwargs)


def _hear_in_child() -> None:
    """A program has the mask of the thread that starts it, and must hear what it is told to end by (ssh, of the Docker
    SDK). This reaches what is forked with a function to call before the exec; Python has no word for the others."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


os.register_at_fork(after_in_child=_hear_in_child)
