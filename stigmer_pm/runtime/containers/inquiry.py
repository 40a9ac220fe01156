"""What can be asked about the container of a run, and of it: where a port answers, what a command inside it says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from stigmer_pm.runtime.containers import endpoint
from stigmer_pm.runtime.containers.execution import Executed, execute
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.seen import published_ports
from stigmer_pm.runtime.containers.trouble import EngineRefusal, EngineSilence
from stigmer_pm.runtime.containers.watch import Watch
from stigmer_pm.runtime.containers.workers import Workers
from stigmer_pm.spec import ExecCheck

#: Commands that run inside containers at the same time, each in a thread that waits for it.
_MOST_COMMANDS = 64


class Inquiry:
    """Asks about the containers of ``watches``, which somebody else adds and removes."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, link: EngineLink, watches: Mapping[tuple[str, int], Watch]
    ) -> None:
        self.link = link
        self._watches = watches
        self._commands = Workers(loop, "engine-commands", _MOST_COMMANDS)

    def facts(self, instance: str) -> Mapping[str, object]:
        """What ``describe`` shows of a container."""
        watch = next((w for w in self._watches.values() if w.instance == instance and not w.is_over), None)
        if watch is None or watch.seen is None:
            return {}
        seen = watch.seen
        return {
            "engine": self.link.address.url,
            "name": str(seen.details.get("Name", "")).removeprefix("/"),
            "id": seen.id,
            "image_id": seen.details.get("Image"),
            "networks": sorted(seen.details.get("NetworkSettings", {}).get("Networks") or ()),
            "ports": published_ports(seen.details),
            "health": None if seen.health is None else {"passes": seen.health, "output": seen.health_output},
        }

    def has_ended(self, instance: str, run: int) -> bool:
        """The run's container doesn't run any more, as far as is known."""
        watch = self._watches.get((instance, run))
        return watch is not None and watch.seen is not None and not watch.seen.is_running

    def is_found(self, instance: str, run: int) -> bool:
        """The run's container is known; after a death of the supervisor it has to be found first."""
        watch = self._watches.get((instance, run))
        return watch is not None and watch.seen is not None

    def endpoint(self, instance: str, run: int, port: int) -> tuple[str, int] | None:
        """Where a port of the container answers; ``None``: nowhere."""
        watch = self._watches.get((instance, run))
        if watch is None or watch.seen is None:
            return None
        return endpoint.find(watch.seen.details, port, self.link.address)

    async def execute(self, instance: str, run: int, check: ExecCheck, timeout: float) -> Executed:
        """Run a command inside the container.

        Raises:
            EngineSilence: the engine is away.
            EngineRefusal: it can't be run.
        """
        watch = self._watches.get((instance, run))
        if watch is None or not watch.container:
            raise EngineRefusal(404, "it has ended")
        container = watch.container

        def work() -> Executed:
            return self.link.call_here(
                lambda client: execute(
                    client,
                    container,
                    check.argv,
                    timeout,
                    environment=check.environment,
                    working_dir=check.working_dir,
                    user=check.user,
                )
            )

        return await self._commands.run(work)

    def abandon(self, words: str) -> None:
        """The engine is away, and commands under way are not waited for."""
        self._commands.abandon(EngineSilence(words))

    def close(self) -> None:
        """Begin nothing more."""
        self._commands.close()
