"""What no event tells, looked at every few seconds: whether the state folder, the record, the socket and the logs are
still there. What has gone is made anew; what can't be is said."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from stigmer_pm.core.events import Noted
from stigmer_pm.core.reasons import Reason, Why
from stigmer_pm.runtime.log_watch import LogWatch
from stigmer_pm.supervisor.door import socket_path
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.home import Busy
from stigmer_pm.supervisor.log import log_to
from stigmer_pm.supervisor.neighbours import write_neighbour
from stigmer_pm.supervisor.store import StoreError

if TYPE_CHECKING:
    from stigmer_pm.supervisor.engine import Engine
    from stigmer_pm.supervisor.service import Service

_log = logging.getLogger(__name__)

#: Seconds between looks (the resync).
PERIOD = 10.0


class Upkeep:
    """Looks after what a supervisor stands on, for as long as it serves."""

    def __init__(self, loop: asyncio.AbstractEventLoop, service: Service) -> None:
        self._loop = loop
        self._service = service
        self._timer: asyncio.TimerHandle | None = None
        self._logs = LogWatch()
        self._has_lost_log = False
        self._moved_to: str | None = None

    def start(self) -> None:
        """Look for the first time when one period has passed."""
        self._timer = self._loop.call_later(PERIOD, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def publish_address(self) -> None:
        """Write down where clients find this supervisor; what can't be written now is written later."""
        address = self._service.address()
        try:
            self._service.home.publish(address)
            key = self._service.store.meta("key") or ""
            write_neighbour(str(address["socket"]), str(address["file"]), str(address["state_dir"]), key)
        except OSError as error:
            _log.error("cannot write the address down: %s; trying again in %d s", error, PERIOD)

    # --- the looks ----------------------------------------------------------------------------------------------

    def _look(self) -> None:
        self.start()
        engine = self._service.engine
        looks = (
            self._look_at_home,
            self._look_at_store,
            engine.retry_saving,
            engine.world.look_for_lost,
            self._look_for_strays,
            self._look_at_logs,
            self._look_at_door,
        )
        for look in looks:
            try:
                look()
            except OSError as error:
                # As when no descriptor is free. What one look can't do is no reason to leave the others out.
                _log.error("cannot look after everything: %s; trying again in %d s", error, PERIOD)

    def _look_at_home(self) -> None:
        """Somebody may have removed the state folder. What runs is not hurt; what is known is written down again."""
        service = self._service
        if self._is_moved():
            return
        try:
            if not service.home.is_in_place():
                self._has_lost_log = True
                service.home.move_back_in()
            if self._has_lost_log:
                log_to(service.home.dir.supervisor_log)
                self._has_lost_log = False
                _log.warning("the state folder was gone and has been made anew: %s", service.home.dir.path)
        except (Busy, Refused, OSError) as error:
            _log.error("cannot make the state folder anew: %s; trying again in %d s", error, PERIOD)
            return
        if service.is_reachable and not service.home.is_published(service.address()):
            self.publish_address()

    def _is_moved(self) -> bool:
        """The project was moved as a whole. All that is open is in its new place, where an ``up`` finds this supervisor
        and tells it the new paths; in the old place nobody looks."""
        moved_to = self._service.home.moved_to(self._service.file)
        if moved_to is not None and moved_to != self._moved_to:
            words = f"the state folder was moved to {moved_to}; 'stigmer-pm up' there goes on with it"
            _tell(self._service.engine, words)
        self._moved_to = moved_to
        return moved_to is not None

    def _look_at_store(self) -> None:
        """Somebody may have removed, replaced or overwritten the record."""
        store, engine = self._service.store, self._service.engine
        if store.is_sound() or self._moved_to is not None:
            return
        try:
            has_all = store.renew()
        except StoreError as error:
            _log.error("%s; trying again in %d s", error, PERIOD)
            return
        if not has_all:
            engine.write_everything()
        _tell(engine, _words_of_renewal(has_all, store.moved_aside))

    def _look_for_strays(self) -> None:
        strays = self._service.engine.world.end_strays(everything=False)
        if strays:
            _log.warning("ended what was left of runs that are over: %s", ", ".join(map(str, strays)))

    def _look_at_logs(self) -> None:
        """Nobody can give a process another log while it runs, so that it is said; a container's is made anew.

        Of a run that is on its way out it helps nobody, and the file may name the log of the next one already.
        """
        engine = self._service.engine
        runs = [
            (i.state.name, i.state.run.number, i.state.run.pid, i.spec.process.log)
            for i in engine.project
            if i.spec.process is not None
            and i.state.run is not None
            and i.state.run.is_alive
            and i.state.run.pid
            and not i.state.is_leaving
        ]
        for instance, run, words in self._logs.look(runs):
            engine.post(instance, Noted(run, Reason(Why.LOG_LOST, subject=instance, detail=words)))

    def _look_at_door(self) -> None:
        if self._service.door is not None and not self._service.door.is_open():
            self._reopening = self._loop.create_task(self._reopen_door())

    async def _reopen_door(self) -> None:
        service = self._service
        assert service.door is not None
        try:
            await service.door.open(socket_path(service.home.dir.path, service.environ))
            self.publish_address()
            _log.warning("the socket was gone and has been made anew: %s", service.door.path)
        except OSError as error:
            _log.error("cannot make the socket anew: %s; trying again in %d s", error, PERIOD)


def tell_of_damage(engine: Engine, moved_to: str) -> None:
    """The record could not be read any more when it was opened."""
    _tell(engine, f"the record was damaged: counts and history before this are lost; it is kept as {moved_to}")


def _words_of_renewal(has_all: bool, moved_to: str | None) -> str:
    """What has become of a record that was lost under us. Counts are never lost then: the engine knows them."""
    if not has_all:
        happened = "the record was damaged and has been made anew: history before this is lost"
    elif moved_to is not None:
        happened = "another file lay in the place of the record, which has been made anew: nothing is lost"
    else:
        happened = "the record was gone and has been made anew: nothing is lost"
    return happened if moved_to is None else f"{happened}; what lay there is kept as {moved_to}"


def _tell(engine: Engine, message: str) -> None:
    engine.tell(message)
    _log.warning("%s", message)
