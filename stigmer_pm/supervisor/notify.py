"""Telling a service manager how it goes, as sd_notify(3) has it: datagrams of ``KEY=VALUE`` lines at ``NOTIFY_SOCKET``.

By hand, for it is a dozen lines. Components must not have these variables, or one of them could speak for us, and
``runtime/marked_environment.py`` takes them out.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterable, Mapping

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.graph import heaviest_chain
from stigmer_pm.core.reasons import words
from stigmer_pm.core.state import Desired, InstanceState, Phase
from stigmer_pm.supervisor.service import Service

_log = logging.getLogger(__name__)

#: Seconds that a message may wait for room in the service manager's queue.
_SEND_WITHIN = 1.0
#: Seconds between two words about how it goes, so that a thousand starts are a few messages.
_GATHER = 0.5
#: Seconds that an orderly stop may take beyond the longest chain of stop_timeout: SIGKILL, commits, networks.
_SLACK = 30.0
#: Components that are named in the status; it is one line for people.
_NAMED = 3


class Notifier:
    """Speaks to the service manager that ``environ`` tells of; to nobody when there is none."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address_of(environ.get("NOTIFY_SOCKET", ""))
        self._watchdog_s = _watchdog_of(environ) if self._address else None

    def tell(self, *lines: str) -> None:
        """Send one message. A service manager that doesn't listen changes nothing here."""
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(_SEND_WITHIN)
                sender.sendto("\n".join(lines).encode(errors="backslashreplace"), self._address)
        except OSError as error:
            _log.warning("cannot tell the service manager %s: %s", lines[0], error)

    def tell_ready(self) -> None:
        """The file is applied, what is to run has begun to be started, and the socket answers."""
        # The pid as well, for one that a shell of the unit has started.
        self.tell("READY=1", f"MAINPID={os.getpid()}")

    def tell_stopping(self, project: Iterable[Instance]) -> None:
        """Everything is being stopped, and how long that may take."""
        self.tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int((longest_stop(project) + _SLACK) * 1e6)}")

    async def keep_telling(self, service: Service) -> None:
        """How it goes, whenever that changes."""
        if self._address is None:
            return
        subscription = service.engine.feed.subscribe()
        told = ""
        while True:
            status = summary(i.state for i in service.engine.project)
            if status != told:
                told = status
                self.tell(f"STATUS={status}")
            await subscription.take()
            await asyncio.sleep(_GATHER)

    async def keep_watchdog_calm(self) -> None:
        """As long as this is told, the loop turns; without it, the service manager ends us, and what runs goes on."""
        while self._watchdog_s is not None:
            self.tell("WATCHDOG=1")
            # Twice in each interval, as sd_watchdog_enabled(3) recommends.
            await asyncio.sleep(self._watchdog_s / 2)


def longest_stop(project: Iterable[Instance]) -> float:
    """Seconds that an orderly stop of everything may take: what depends on another stops before it."""
    instances = list(project)
    return heaviest_chain(
        {i.state.name: i.spec.stop_timeout for i in instances},
        {i.state.name: [d.name for d in i.spec.depends_on] for i in instances},
    )


def summary(states: Iterable[InstanceState]) -> str:
    """One line about how everything stands: ``3 of 5 ready; api: backoff: exited 1 after 2s``."""
    wanted = [s for s in states if s.desired is Desired.RUNNING or s.run is not None]
    count = sum(s.is_ready or s.phase is Phase.COMPLETED for s in wanted)
    unwell = [s for s in wanted if s.phase in (Phase.BACKOFF, Phase.FAILED)]
    parts = [f"{s.name}: {s.phase.value}: {words(s.reason)}" for s in unwell[:_NAMED]]
    if len(unwell) > _NAMED:
        parts.append(f"and {len(unwell) - _NAMED} more")
    return "; ".join([f"{count} of {len(wanted)} ready", *parts]).replace("\n", " ")


def _address_of(text: str) -> str | None:
    if text.startswith("@"):
        return "\0" + text[1:]  # abstract: it has no file
    return text if text.startswith("/") else None


def _watchdog_of(environ: Mapping[str, str]) -> float | None:
    """Seconds within which to be heard of; ``None``: no watchdog, or another process's."""
    try:
        interval = int(environ.get("WATCHDOG_USEC", "")) / 1e6
        pid = int(environ.get("WATCHDOG_PID") or os.getpid())
    except ValueError:
        return None
    return interval if interval > 0 and pid == os.getpid() else None
