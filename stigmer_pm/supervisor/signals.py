"""Which signal does what to a supervisor: docs/reference/signals.md shows the same table to users.

What is handled here is also what reaches process 1 of a container: the kernel drops every signal to it that has no
handler, SIGKILL from outside apart.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from stigmer_pm.runtime import system
from stigmer_pm.threads import DeafExecutor

if TYPE_CHECKING:
    from stigmer_pm.supervisor.service import Service

_log = logging.getLogger(__name__)

Meanings = Mapping[int, Callable[[], None]]

#: What asks process 1 of a container to end, beside SIGTERM: LXC sends SIGPWR, systemd-nspawn and podman (to what they
#: take for an init) SIGRTMIN+3, and SIGQUIT is the STOPSIGNAL of some images.
ENDS_A_CONTAINER = tuple(
    number for number in (signal.SIGQUIT, getattr(signal, "SIGPWR", None), signal.SIGRTMIN + 3) if number is not None
)
#: What process 1 passes on to the component that it stands for.
PASSED_ON = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)

#: What would end a program before it has a handler. Held back, it follows then.
_HELD_BACK = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGRTMIN + 3,
    *((signal.SIGPWR,) if hasattr(signal, "SIGPWR") else ()),
)

#: Signals that have come, and whose deed is still to be done.
_noted: set[int] = set()


def handle(loop: asyncio.AbstractEventLoop, meanings: Meanings) -> None:
    """From now on each of these signals does what it means; those that were held back meanwhile follow at once.

    Called once for each loop, before anything is carried out in its default executor: no signal comes to its threads.
    """
    loop.set_default_executor(DeafExecutor())
    system.default_signals()
    for number, deed in meanings.items():
        loop.add_signal_handler(number, _do, number, deed)
        # In place of asyncio's, which does nothing, for it is the byte in its pipe that wakes the loop up.
        signal.signal(number, _note)
        signal.siginterrupt(number, False)
        if number in _noted:
            loop.call_soon(_do, number, deed)  # it came at the end of the loop before this one
    system.let_signals_through()


def is_one_unheard() -> bool:
    """A signal has come that the loop will hear of on its next turn."""
    return bool(_noted)


@contextmanager
def held_back() -> Iterator[None]:
    """What would end the next program waits until it has handlers; or until the block ends, when there is none.

    Nothing may be started within the block: it would have the signals blocked for life.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def hold_back() -> None:
    """They wait until :func:`handle` is called for another loop."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)


def _note(number: int, frame: FrameType | None) -> None:
    _noted.add(number)


def _do(number: int, deed: Callable[[], None]) -> None:
    _noted.discard(number)
    deed()


def in_background(service: Service) -> Meanings:
    """A supervisor that ``up`` has left behind: the end of a terminal means nothing to it."""
    return {**common(service), signal.SIGTERM: service.end_or_kill, signal.SIGINT: service.end_or_kill}


def common(service: Service) -> Meanings:
    """What means the same in the background, in front and under a service manager."""
    return {
        signal.SIGHUP: _means_nothing,
        signal.SIGQUIT: service.let_go,
        signal.SIGUSR1: service.reopen_log,
        signal.SIGUSR2: service.succession.begin_by_itself,
    }


def cares_for_its_terminal() -> bool:
    """It wants to be told by SIGHUP when its terminal is closed; under nohup it doesn't. Ask before :func:`handle`."""
    return signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN


def _means_nothing() -> None:
    _log.info("SIGHUP means nothing to a supervisor; 'stigmer-pm up' applies an edited file")
