"""One running supervisor, from its first breath to its last: what it stands on, how it begins, serves and ends."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping

from stigmer_pm.core.effects import EventKind
from stigmer_pm.core.plan import Scope
from stigmer_pm.runtime import system
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.assembly import is_copy, make_engine, make_world
from stigmer_pm.supervisor.bodies import Bodies
from stigmer_pm.supervisor.claim import (
    choose_socket,
    refuse_other_file,
    refuse_other_folder,
    refuse_second,
    take_socket,
)
from stigmer_pm.supervisor.clock import stamp
from stigmer_pm.supervisor.documents import Document
from stigmer_pm.supervisor.door import Door, stop_listening
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.home import Home
from stigmer_pm.supervisor.log import log_to
from stigmer_pm.supervisor.neighbours import remove_neighbour
from stigmer_pm.supervisor.order import Order
from stigmer_pm.supervisor.overview import Overview
from stigmer_pm.supervisor.recovery import adopt_runs
from stigmer_pm.supervisor.store import Store, StoreError
from stigmer_pm.supervisor.succession import Succession, read_signalled
from stigmer_pm.supervisor.unrecorded import end_unwanted
from stigmer_pm.supervisor.upkeep import PERIOD, Upkeep
from stigmer_pm.version import __version__

_log = logging.getLogger(__name__)

#: Rounds of ending what has hidden itself from its run, before the supervisor ends; each leaves only what was forked
#: during the one before.
_STRAY_ROUNDS = 50


class Service:
    """A supervisor. Must be made and used on its event loop."""

    def __init__(self, home: Home, order: Order, listener: socket.socket | None = None) -> None:
        """Open the state and load what an earlier supervisor left; ``listener`` is its socket, if it was handed over.

        Raises:
            StoreError: the state can't be read or written.
            Refused: it is lost, and there is no file to go by.
        """
        self.home = home
        self.store = Store(home.dir.database)
        try:
            self._load(order, listener)
        except BaseException:
            self.store.close()
            raise

    def _load(self, order: Order, listener: socket.socket | None) -> None:
        home = self.home
        if listener is None:
            is_of_another = is_copy(self.store, os.path.realpath(home.dir.path))
            refuse_second(home.dir.path, None if is_of_another else self.store.meta("state_dir"))
        self.started_at = system.wall_time()
        self.ended = asyncio.Event()
        self.bodies = Bodies()
        #: The bug that has ended it, if one has.
        self.failure: BaseException | None = None
        self.is_ending = False
        #: It has ended and left what runs to the next one.
        self.has_let_go = False
        #: A service manager brings it back when it ends.
        self.is_kept = False
        #: Called when everything begins to be stopped.
        self.on_ending: Callable[[], None] = lambda: None
        self.file = order.file
        self.project_name = self.store.meta("project") or "" if order.spec is None else order.spec.name
        self.environ = order.environment
        self.door: Door | None = None
        self._listener = listener
        #: Why none could be made when it began, and what runs had to be looked after all the same.
        self.lack: Refused | None = None
        #: What a supervisor in front is about, for the one that takes its place.
        self.describe_front: Callable[[], Mapping[str, object] | None] = lambda: None
        self._loop = asyncio.get_running_loop()
        world = make_world(self._loop, self.store, home.dir, order)
        self.engine = make_engine(self._loop, self.store, world, order)
        self.engine.on_failure = self.fail
        self.overview = Overview(self)
        self._upkeep = Upkeep(self._loop, self)
        self.succession = Succession(self, world)
        # Who has died may not have sent what it had decided to; who has handed over says what it has.
        self._signalled = read_signalled(self.store) if listener is not None else set()
        world.know_signalled(self._signalled)

    # --- the beginning ------------------------------------------------------------------------------------------

    def begin(self, order: Order) -> Document:
        """Find what still runs, then apply the file; the answer is that of ``/v1/apply``.

        Raises:
            Refused: the file can't be applied; nothing was started or stopped.
        """
        applied = self.store.meta("file")
        has_predecessor = self._listener is None and len(self.engine.project) > 0
        if len(self.engine.project) and applied is not None:
            refuse_other_file(self.home.dir.path, self.file, applied)
        refuse_other_folder(self.home.dir.path, self.file, self.environ)
        path = choose_socket(self.home.dir.path, self.environ) if self._listener is None else ""
        if order.spec is not None:
            commands.plan_for(self.engine, order.spec, order.scope)
        if self._listener is None:
            self._take_socket(path)
        system.become_subreaper()
        self.engine.start()
        if has_predecessor:
            self._tell_of_predecessor(has_record=applied is not None)
        if order.spec is not None:
            end_unwanted(self.engine.world, self.engine.project)
        adopt_runs(self.engine, self.store, self._signalled)
        self._upkeep.start()
        if order.spec is None:
            return {}
        return commands.apply(self.engine, self.store, order.spec, order.scope, dry_run=False)

    def _take_socket(self, path: str) -> None:
        """Have it before anything is started. What runs already needs a supervisor more than anybody needs to ask it.

        Raises:
            Refused: it can't be had, and nothing runs.
        """
        try:
            self._listener = take_socket(path)
        except Refused as refused:
            if all(instance.state.run is None for instance in self.engine.project):
                raise
            self.lack = Refused(
                f"{refused.message}; what runs is looked after, and nobody can ask how it is",
                cure=f"see to that (df, df -i, ulimit -n); it is tried again every {PERIOD:.0f} seconds",
                code=refused.code,
                exit_status=1,
            )
            _log.error("%s", self.lack.message)

    async def open_door(self) -> str:
        """Answer on the socket, if there is one; its path. The modules for it are imported beside the loop's work."""
        try:
            door = await self._loop.run_in_executor(None, self._make_door)
        except RuntimeError as error:
            # No further thread may be made. It takes its time here then, which is better than no door.
            _log.warning("%s; going on without", error)
            door = self._make_door()
        self.door = door
        if self._listener is not None:
            listener, self._listener = self._listener, None
            await door.open(listener.getsockname(), listener)
            self._upkeep.publish_address()
        return door.path

    def _make_door(self) -> Door:
        from stigmer_pm.supervisor.api import make_app

        return Door(make_app(self))

    def tell_of_handover(self, version: str) -> None:
        """Another version was here before, in this very process."""
        message = f"the supervisor was replaced in place: {version} by {__version__}"
        self.engine.tell(message, EventKind.REPLACED)
        _log.info("%s", message)

    def _tell_of_predecessor(self, *, has_record: bool) -> None:
        """One was here before and has not ended everything: it has died, or left what runs. What follows in the journal
        (an end of which nothing is known, for one) can't be understood without that."""
        another = f"another one (pid {os.getpid()}) goes on"
        message = f"nothing was on record; {another} with what runs"
        if has_record:
            message = f"the supervisor before is gone; {another} from what is on record"
        # It is written together with what is found: before that, the record must not be touched.
        self.engine.recorder.tell(message, EventKind.TAKEN_OVER)
        _log.info("%s", message)

    # --- while it serves ----------------------------------------------------------------------------------------

    @property
    def is_reachable(self) -> bool:
        """The door is open: there is an address."""
        return self.door is not None and self.door.is_listening

    def address(self) -> Mapping[str, object]:
        """What is written down for clients to find it by; there is one once the door is open."""
        assert self.door is not None
        return {
            "pid": os.getpid(),
            "socket": self.door.path,
            "state_dir": os.path.realpath(self.home.dir.path),
            "version": __version__,
            "file": self.file,
            "project": self.project_name,
            "started_at": stamp(self.started_at),
        }

    def refuse_when_ending(self) -> None:
        """Nothing new is begun while everything is being stopped, or once what runs is left to the next supervisor.

        Raises:
            Refused: it is.
        """
        self.engine.refuse_when_ending()

    def apply(self, spec: ProjectSpec, scope: Scope, *, dry_run: bool) -> Document:
        """Apply a file, which is that of this project from then on: it may have been moved. The answer of
        ``/v1/apply``.

        Raises:
            Refused: the file before it is still there, so it is another one; or it can't be applied.
        """
        refuse_other_file(self.home.dir.path, spec.file, self.file)
        answer = commands.apply(self.engine, self.store, spec, scope, dry_run=dry_run)
        if not dry_run:
            self.file, self.project_name = spec.file, spec.name
        return answer

    def reopen_log(self) -> None:
        """Somebody has moved ``supervisor.log`` away: write into a new one of the same name."""
        try:
            log_to(self.home.dir.supervisor_log)
        except OSError as error:
            _log.error("cannot open '%s' anew: %s", self.home.dir.supervisor_log, error)

    # --- the end ------------------------------------------------------------------------------------------------

    def end_or_kill(self) -> None:
        """The first call stops everything in order, the second kills what is left."""
        if self.is_ending and not self.has_let_go:
            self.engine.kill_all()
        else:
            self.end()

    def end(self) -> None:
        """Stop everything in order, forget what was applied, and end; what is left to the next one is left."""
        if self.is_ending or self.has_let_go:
            return
        self.is_ending = True
        self.succession.break_off()
        self.on_ending()
        self.engine.stop_all(self._all_stopped)

    def _all_stopped(self) -> None:
        self._finishing = self._loop.create_task(self._finish())
        self.look_after(self._finishing)

    async def _finish(self) -> None:
        try:
            with self.store.transaction():
                self.store.clear_instances()
        except StoreError as error:
            _log.error("%s; what was applied is not forgotten, and the next supervisor starts it", error)
        self.home.unpublish()
        await self._end_strays()
        await self.engine.world.clear_away()
        self.ended.set()

    async def _end_strays(self) -> None:
        """Nothing that came from a run outlives the supervisor, however it has hidden itself."""
        for _ in range(_STRAY_ROUNDS):
            strays = self.engine.world.end_strays(everything=True)
            if not strays:
                break
            _log.warning("ended what had hidden itself: %s", ", ".join(map(str, strays)))
            await asyncio.sleep(0.02)

    def let_go(self) -> None:
        """End, and leave what runs to the next supervisor, as a death would; what is known by now is written first."""
        _log.info("ending, and leaving what runs to the next supervisor")
        self.has_let_go = True
        self.engine.let_go()
        self.ended.set()

    def fail(self, error: BaseException) -> None:
        """A bug was met: another supervisor begins from what is on record."""
        if self.ended.is_set():
            _log.error("bug at the end of the supervisor", exc_info=error)
            return
        self.failure = error
        self.ended.set()

    def look_after(self, task: asyncio.Task[None]) -> None:
        """A bug that ends a task is one of the supervisor: what the task was for would never happen."""
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def close(self) -> None:
        """Let go of everything. After an orderly end nothing runs; otherwise what runs goes on."""
        self._upkeep.stop()
        self.succession.break_off()
        if self._listener is not None:
            stop_listening(self._listener)
        if self.door is not None:
            if self.door.path:
                remove_neighbour(self.door.path)
            self.engine.feed.turn_clients_away(has_moved=False)
            await self.door.end()
        await self.engine.close()
        self.store.close()
