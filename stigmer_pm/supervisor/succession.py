"""Replacing this supervisor in place: first a trial, then a moment in which nothing is under way, then the exec."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stigmer_pm.runtime.probe_child import CommandChild
from stigmer_pm.supervisor import signals
from stigmer_pm.supervisor.checking import check
from stigmer_pm.supervisor.contents import check_readable
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.handover import Handover, Successor, give
from stigmer_pm.supervisor.store import Store, StoreError
from stigmer_pm.supervisor.world import LocalWorld
from stigmer_pm.version import __version__

if TYPE_CHECKING:
    from stigmer_pm.supervisor.service import Service
    from stigmer_pm.supervisor.world import LocalWorld

_log = logging.getLogger(__name__)


#: The single value that tells which runs have had their stop signal.
_SIGNALLED = "signalled"


class Succession:
    """The way from one supervisor to the next in the same process."""

    def __init__(self, service: Service, world: LocalWorld) -> None:
        self._service = service
        self._world = world
        self._replacing: asyncio.Task[None] | None = None
        self._trial: asyncio.Task[str] | None = None

    async def prepare(self, successor: Successor) -> str:
        """The version of a successor that can take over.

        Raises:
            Refused: it can't, or not now.
        """
        self._refuse_when_not_possible()
        work = check(successor, self._service.home.dir.database, self._spawn)
        trial = self._trial = asyncio.get_running_loop().create_task(work)
        try:
            await asyncio.wait([trial])
        finally:
            self._trial = None
            trial.cancel()
        if trial.cancelled():
            self._service.refuse_when_ending()
            raise _not_now("its trial was broken off", "try again")
        return trial.result()

    def break_off(self) -> None:
        """The supervisor ends, and nobody is to take its place: a trial that is under way is ended."""
        if self._trial is not None:
            self._trial.cancel()

    def begin(self, successor: Successor) -> None:
        """Hand over, once the answers under way are sent.

        Raises:
            Refused: it can't be done any more; much may have happened during the trial.
        """
        self._refuse_when_not_possible()
        self._replacing = asyncio.get_running_loop().create_task(self._replace(successor))

    def _refuse_when_not_possible(self) -> None:
        self._service.refuse_when_ending()
        if self._trial is not None or self._replacing is not None or not self._service.is_reachable:
            raise _not_now("the supervisor is being replaced already, or just starting", "try again in a moment")
        self._refuse_without_record()

    def _refuse_without_record(self) -> None:
        """All that the next supervisor knows is in the state folder, and must be there when it comes."""
        service = self._service
        is_there = service.home.is_in_place()
        if not is_there or not service.store.is_sound():
            what = "record was removed or damaged" if is_there else "state folder was removed"
            raise _not_now(
                f"the {what}, and what the next supervisor must know is in it",
                "it is made anew within 10 seconds; try again then",
            )
        # Everything anew, which also shows whether it can be written and read.
        service.engine.write_everything()
        if service.engine.recorder.trouble is None:
            try:
                check_readable(service.home.dir.database)
            except StoreError as error:
                service.engine.recorder.trouble = str(error)
        if service.engine.recorder.trouble is not None:
            raise _not_now(
                f"what the next supervisor must know can't be written: {service.engine.recorder.trouble}",
                "see to that, and try again",
            )

    def begin_by_itself(self) -> None:
        """SIGUSR2: what is installed now where this program was loaded from takes over, if it can."""

        async def work() -> None:
            successor = Successor.of_this_program()
            try:
                await self.prepare(successor)
                self.begin(successor)
            except Refused as refused:
                _log.error("not replaced: %s", refused.message)

        self._trying = asyncio.get_running_loop().create_task(work())

    async def _replace(self, successor: Successor) -> None:
        service, door = self._service, self._service.door
        assert door is not None, "who asks has come through it, or a signal found it open"
        # Streams end, and whoever reads them asks again.
        service.engine.feed.turn_clients_away(has_moved=True)
        try:
            listener_fd = await door.pause()
            while not service.is_ending and not service.ended.is_set():
                with signals.held_back():  # so the loop must not turn in here
                    if not signals.is_one_unheard():
                        self._exec(successor, listener_fd)
                await asyncio.sleep(0)
        except (Refused, StoreError, OSError) as error:
            _log.error("not replaced: %s; going on", error)
        finally:
            self._replacing = None
            if not service.ended.is_set():
                service.engine.feed.take_clients_in()
            await door.resume()

    def _exec(self, successor: Successor, listener_fd: int) -> None:
        """From here on nothing is collected, answered or begun any more: what happens now, the successor is told.

        Raises:
            Refused, StoreError: what is known can't be written down.
            OSError: the program can't be executed after all.
        """
        service = self._service
        service.engine.settle()
        self._refuse_without_record()
        write_signalled(service.store, self._world.signalled())
        self._world.break_off_probes()
        handover = Handover(
            os.getpid(),
            service.home.lock_fd,
            listener_fd,
            service.home.dir.path,
            service.file,
            __version__,
            os.environ.get("PYTHONPATH"),
            service.describe_front(),
        )
        _log.info("handing over to %s", successor.python)
        give(successor, handover)

    def _spawn(self, command: tuple[str, ...], environment: dict[str, str], output_fd: int) -> CommandChild:
        return self._world.spawner.spawn(command, cwd="/", env=environment, output_fd=output_fd, user=None, group=None)


def write_signalled(store: Store, runs: Iterable[tuple[str, int]]) -> None:
    """Put down which runs have certainly had their stop signal, for the supervisor that takes this one's place.

    Raises:
        StoreError: it can't be written.
    """
    with store.transaction():
        store.set_meta({_SIGNALLED: json.dumps(sorted(runs))})


def read_signalled(store: Store) -> set[tuple[str, int]]:
    """What the supervisor before this one has put down. It stays true: no number of a run is used again."""
    return {(str(name), int(run)) for name, run in json.loads(store.meta(_SIGNALLED) or "[]")}


def _not_now(why: str, cure: str) -> Refused:
    return Refused(f"cannot replace the supervisor now: {why}", cure=cure, code="not-now", exit_status=1, status=409)
