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

if TYPE_CHECKING:
    from docker import APIClient

_log = logging.getLogger(__name__)

#: Seconds after which the delivery of a signal has taken long, at most and at least: well before its ``stop_timeout``.
_LONG, _SHORT = 1.0, 0.05


async def send(link: EngineLink, watch: Watch, note: Callable[[Watch, Reason], None]) -> bool:
    """Send the signal that is wanted; while the engine is away, it stays wanted.

    ``False``: it could not be sent to this container, which has to be looked at.
    """
    number, container, is_stop = watch.wanted_signal, watch.container, watch.is_stop_wanted
    if number is None or watch.is_over:
        return True
    watch.wanted_signal = None
    name = signal_name(number) if number else _stop_signal(watch)

    def work(client: APIClient) -> None:
        if watch.note.why is Why.PAUSED:
            client.unpause(container)
        client.kill(container, signal=name)

    watch.own_signals += 1
    watch.was_told_to_end |= is_stop
    try:
        async with _said_when_it_takes_long(watch, note):
            await link.call(work)
    except (EngineSilence, EngineRefusal) as error:
        watch.own_signals = max(0, watch.own_signals - 1)
        watch.was_told_to_end = watch.was_told_to_end and not is_stop
        if isinstance(error, EngineSilence) and watch.wanted_signal is None:
            watch.wanted_signal, watch.is_stop_wanted = number, is_stop
        _log.info("cannot send %s to %s: %s", name, watch.instance, error)
        return isinstance(error, EngineSilence)
    watch.is_signalled |= is_stop
    return True


@asynccontextmanager
async def _said_when_it_takes_long(watch: Watch, note: Callable[[Watch, Reason], None]) -> AsyncIterator[None]:
    """While an engine takes its time, so that nobody thinks that the container has had the signal. What it delivers is
    delivered then; and when it doesn't answer at all, its silence is noted."""
    soon = max(_SHORT, min(_LONG, watch.spec.stop_timeout / 2))
    timer = asyncio.get_running_loop().call_later(soon, note, watch, Reason(Why.DELIVERING))
    try:
        yield
    finally:
        timer.cancel()
    if watch.note.why is Why.DELIVERING:
        note(watch, NO_REASON)


def _stop_signal(watch: Watch) -> str:
    """The one that the image names."""
    configured = "" if watch.seen is None else watch.seen.details.get("Config", {}).get("StopSignal")
    return str(configured or "SIGTERM")
