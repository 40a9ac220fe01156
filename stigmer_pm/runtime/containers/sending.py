"""Sending a signal to a container."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.trouble import EngineRefusal, EngineSilence
from stigmer_pm.runtime.containers.watch import Watch
from stigmer_pm.spec.signals import signal_name
from stigmer_pm.threads import NoThread

if TYPE_CHECKING:
    from docker import APIClient

_log = logging.getLogger(__name__)

#: Seconds after which the delivery of a signal has taken long, at most and at least: well before its ``stop_timeout``.
_LONG, _SHORT = 1.0, 0.05
#: Seconds from a signal that could not be sent to the look, after which it is sent again.
_AGAIN = 0.5
#: What an engine answers about a container that isn't there, or doesn't run.
_GONE = (404, 409)


async def send(link: EngineLink, watch: Watch, note: Callable[[Watch, Reason], None]) -> bool:
    """Send the signal that is wanted; while the engine can't be asked, it stays wanted.

    ``False``: it could not be sent to this container, which has to be looked at. Where its engine refuses a signal by
    which it is to end, that is noted.
    """
    number, container, is_stop = watch.wanted_signal, watch.container, watch.is_stop_wanted
    if number is None or watch.is_over:
        return True
    watch.wanted_signal = None
    name = signal_name(number) if number else _stop_signal(watch)
    # By what was seen, and not by what is said of it when its turn comes: by then that may be that this takes long.
    is_paused = watch.seen is not None and watch.seen.is_paused

    was_asked = False

    def work(client: APIClient) -> None:
        nonlocal was_asked
        if is_paused:
            _unpause(client, container)
        was_asked = True
        client.kill(container, signal=name)

    watch.own_signals += 1
    watch.was_told_to_end |= is_stop
    try:
        async with _said_when_it_takes_long(watch, note):
            await link.call(work)
    except (EngineSilence, EngineRefusal, NoThread) as error:
        # One that has swallowed the call may carry it out later, and what comes of it is nobody else's doing.
        if not (was_asked and isinstance(error, EngineSilence)):
            watch.own_signals = max(0, watch.own_signals - 1)
        watch.was_told_to_end = watch.was_told_to_end and not is_stop
        _log.info("cannot send %s to %s: %s", name, watch.instance, error)
        if isinstance(error, EngineRefusal):
            _note_refusal(watch, note, name if is_stop else "", error)
        elif watch.wanted_signal is None:
            watch.wanted_signal, watch.is_stop_wanted = number, is_stop
        if isinstance(error, NoThread):
            note(watch, Reason(Why.DELIVERING))
        if isinstance(error, EngineSilence) and not link.is_up:
            return True  # once it is back, everything is looked at
        if not isinstance(error, EngineRefusal):
            await asyncio.sleep(_AGAIN)
        return False
    watch.is_signalled |= is_stop
    if watch.note.why in (Why.DELIVERING, Why.REFUSED):
        note(watch, NO_REASON)
    return True


def _unpause(client: APIClient, container: str) -> None:
    """Let it go on. Where that is refused, somebody else was quicker, or the signal will be refused as well."""
    try:
        client.unpause(container)
    except Exception as error:
        if getattr(error, "status_code", None) is None:
            raise


def _note_refusal(watch: Watch, note: Callable[[Watch, Reason], None], name: str, error: EngineRefusal) -> None:
    """``name``: of a signal by which it is to end; the time for that goes on. A container that isn't there, or doesn't
    run, is refused it as well, and about that a look tells more."""
    if name and (watch.note.why is Why.DELIVERING or error.status not in _GONE):
        note(watch, Reason(Why.REFUSED, subject=name, detail=error.message))
    elif watch.note.why is Why.DELIVERING:
        note(watch, NO_REASON)


@asynccontextmanager
async def _said_when_it_takes_long(watch: Watch, note: Callable[[Watch, Reason], None]) -> AsyncIterator[None]:
    """While an engine takes its time, so that nobody thinks that the container has had the signal."""
    soon = max(_SHORT, min(_LONG, watch.spec.stop_timeout / 2))
    timer = asyncio.get_running_loop().call_later(soon, note, watch, Reason(Why.DELIVERING))
    try:
        yield
    finally:
        timer.cancel()


def _stop_signal(watch: Watch) -> str:
    """The one that the image names."""
    configured = "" if watch.seen is None else watch.seen.details.get("Config", {}).get("StopSignal")
    return str(configured or "SIGTERM")
