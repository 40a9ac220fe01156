"""Sending a signal to a container."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from stigmer_pm.core.reasons import Why
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.trouble import EngineRefusal, EngineSilence
from stigmer_pm.runtime.containers.watch import Watch
from stigmer_pm.spec.signals import signal_name

if TYPE_CHECKING:
    from docker import APIClient

_log = logging.getLogger(__name__)


async def send(link: EngineLink, watch: Watch) -> bool:
    """Send the signal that is wanted; while the engine is away, it stays wanted.

    ``False``: it could not be sent to this container, which has to be looked at.
    """
    number, container = watch.wanted_signal, watch.container
    if number is None or watch.is_over:
        return True
    watch.wanted_signal = None
    name = signal_name(number) if number else _stop_signal(watch)

    def work(client: APIClient) -> None:
        if watch.note.why is Why.PAUSED:
            client.unpause(container)
        client.kill(container, signal=name)

    watch.own_signals += 1
    try:
        await link.call(work)
    except (EngineSilence, EngineRefusal) as error:
        watch.own_signals = max(0, watch.own_signals - 1)
        if isinstance(error, EngineSilence) and watch.wanted_signal is None:
            watch.wanted_signal = number
        _log.info("cannot send %s to %s: %s", name, watch.instance, error)
        return isinstance(error, EngineSilence)
    return True


def _stop_signal(watch: Watch) -> str:
    """The one that the image names."""
    configured = "" if watch.seen is None else watch.seen.details.get("Config", {}).get("StopSignal")
    return str(configured or "SIGTERM")
