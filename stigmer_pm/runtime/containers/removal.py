"""Removing what is left at the engine: the containers of runs that are over, and everything of a project at its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from stigmer_pm.runtime.containers import making, networks
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.output import Output
from stigmer_pm.runtime.containers.trouble import EngineRefusal, EngineSilence
from stigmer_pm.runtime.containers.watch import Watch
from stigmer_pm.threads import NoThread

if TYPE_CHECKING:
    from docker import APIClient

_log = logging.getLogger(__name__)

#: Seconds that an engine which is away is waited for when everything is to be removed.
_CLEAR_WITHIN = 3.0
#: Seconds that the last output of all containers may take before they are removed: 'down' waits ten for the end.
_DRAIN_WITHIN = 6.0
#: How an engine calls those whose process has ended.
_ENDED = ("exited", "dead")


class Removal:
    """Removes what one project has at an engine; ``key`` tells it from others.

    ``has_left``: something of it may be there, since under this supervisor or an earlier one a container or a network
    was made, or was about to be.
    """

    def __init__(self, link: EngineLink, output: Output, key: str, has_left: Callable[[], bool]) -> None:
        self._link = link
        self._output = output
        self._key = key
        self._has_left = has_left

    async def quietly(self, job: Callable[[APIClient], None]) -> None:
        """Do this at the engine, now or never: what it is about is seen again by the next look at everything."""
        try:
            await self._link.call(job)
        except (EngineSilence, EngineRefusal, NoThread) as error:
            _log.info("what is left of a run could not be removed yet: %s", error)

    def drained(self, watch: Watch, client: APIClient) -> None:
        """Remove the container of a run once all that it printed is in its log. Blocks."""
        self._output.drain(watch, watch.container)
        making.remove(client, watch.container)
        self._output.drop(watch.container)

    def _remove_last(self, entry: Mapping[str, object], ends_at: float, client: APIClient) -> None:
        """Remove a container with the whole project. Of one that has ended all is copied before. Blocks."""
        container = str(entry["Id"])
        if entry["State"] in _ENDED:
            try:
                self._output.drain_left(container, ends_at)
            except NoThread as error:
                _log.warning(
                    "the last output of container %s is lost: no thread can be made: %s", container[:12], error
                )
        making.remove(client, container)

    def what_stays(self) -> str:
        """What :meth:`of_everything` can't remove just now, and why, in words."""
        if not (self._link.silence and self._has_left()):
            return ""
        return (
            f"its containers and networks are still there, for {self._link.silence}; once it answers, 'up' and "
            "then 'down' remove them"
        )

    def what_was_not_reached(self) -> str:
        """That the engine was needed and never there, and that this leaves nothing behind; empty when it isn't so."""
        if not self._link.silence or self._has_left():
            return ""
        return "the Docker engine was never reached, and nothing of this project is known to be there"

    async def of_everything(self) -> None:
        """Remove the project's containers and networks, if it ever had any; volumes stay."""
        if not (self._link.has_begun or self._output.has_begun) or self.what_was_not_reached():
            return
        try:
            async with asyncio.timeout(_CLEAR_WITHIN):
                await self._link.ready()
            entries = await self._link.call(lambda client: making.all_of(client, self._key))
            ends_at = time.monotonic() + _DRAIN_WITHIN
            await asyncio.gather(*(self._link.call(partial(self._remove_last, entry, ends_at)) for entry in entries))
            await self._link.call(lambda client: networks.remove_all(client, self._key))
            self._output.drop_all()
        except (EngineSilence, EngineRefusal, NoThread, TimeoutError) as error:
            why = self._link.silence or error
            _log.warning("cannot remove the containers and networks of the project: %s; the next 'down' does", why)
