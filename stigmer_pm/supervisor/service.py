"""One running supervisor: its state folder, store and engine, the socket, and the end of it all."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stigmer_pm.core.plan import Scope
from stigmer_pm.runtime import system
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.clock import stamp
from stigmer_pm.supervisor.documents import Document, instance_document
from stigmer_pm.supervisor.door import Door, socket_path
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.home import Home
from stigmer_pm.supervisor.pidfiles import PidFiles
from stigmer_pm.supervisor.recovery import adopt_runs, load_project
from stigmer_pm.supervisor.store import Store
from stigmer_pm.supervisor.usage import UsageMeter
from stigmer_pm.version import __version__

_log = logging.getLogger(__name__)

#: Seconds between looks at what no event tells: a socket that a cleaner removed, a disk that was full.
_RESYNC = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a supervisor is started with: the resolved file, what of it to run, and the environment beneath it."""

    spec: ProjectSpec
    scope: Scope
    environment: Mapping[str, str]


class Service:
    """A supervisor from its first breath to its last. Must be made and used on its event loop."""

    def __init__(self, home: Home, order: Order) -> None:
        """Open the state and load what an earlier supervisor left.

        Raises:
            StoreError: the state can't be read or written.
        """
        self.home = home
        self.store = Store(home.dir.database)
        self.started_at = system.wall_time()
        self.ended = asyncio.Event()
        self.is_ending = False
        self._spec_file = order.spec.file
        self._project_name = order.spec.name
        self._environ = order.environment
        self._usage = UsageMeter()
        self._door: Door | None = None
        self._resync: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        project = load_project(self.store)
        environment = self._remember(order)
        self.engine = Engine(
            self._loop,
            self.store,
            project,
            PidFiles(home.dir.pids),
            key=self._key,
            base_environment=environment,
        )

    def begin(self, order: Order) -> Document:
        """Find what still runs, then apply the file; the answer is that of ``/v1/apply``.

        Raises:
            Refused: the file can't be applied; nothing was started or stopped.
        """
        commands.plan_for(self.engine, order.spec, order.scope)
        system.become_subreaper()
        self.engine.start()
        adopt_runs(self.engine, self.store)
        answer = commands.apply(self.engine, self.store, order.spec, order.scope, dry_run=False)
        self._resync = self._loop.call_later(_RESYNC, self._look_after_things)
        return answer

    async def open_door(self) -> str:
        """Answer on the socket; its path. The modules that this needs are imported beside the loop's work."""
        door = await self._loop.run_in_executor(None, self._make_door)
        self._door = door
        await door.open(socket_path(self.home.dir.path, self._environ))
        self._publish_address()
        return door.path

    def handle_signals(self, *, interrupt: Callable[[], None] | None = None) -> None:
        """SIGTERM (and SIGINT, unless somebody else takes it) stops everything in order; a second one kills."""
        self._loop.add_signal_handler(signal.SIGTERM, self.end_or_kill)
        self._loop.add_signal_handler(signal.SIGINT, interrupt or self.end_or_kill)

    def end_or_kill(self) -> None:
        """The first call stops everything in order, the second kills what is left."""
        if self.is_ending:
            self.engine.kill_all()
        else:
            self.end()

    def end(self) -> None:
        """Stop everything in order, forget what was applied, and end."""
        if self.is_ending:
            return
        self.is_ending = True
        self.engine.stop_all(self._all_stopped)

    async def close(self) -> None:
        """Let go of everything. After an orderly end nothing runs; otherwise what runs goes on."""
        if self._resync is not None:
            self._resync.cancel()
        if self._door is not None:
            await self._door.close()
            await self._door.drain()
        await self.engine.close()
        self.store.close()

    # --- what the API asks --------------------------------------------------------------------------------------

    def ps_document(self, names: Sequence[str]) -> Document:
        """The document of ``ps --json``, and what the applied file was made from."""
        return {
            "project": self._project_name,
            "file": self._spec_file,
            "supervisor": {"pid": os.getpid(), "version": __version__, "since": stamp(self.started_at)},
            "trouble": self.engine.trouble,
            "inputs": json.loads(self.store.meta("inputs") or "[]"),
            "components": self.entries(names),
        }

    def entries(self, names: Sequence[str]) -> list[Document]:
        """The entries of ``ps --json`` for some instances."""
        instances = [self.engine.project[name] for name in names]
        leaders = {
            run.pid: run.started_at
            for run in (i.state.run for i in instances)
            if run is not None and run.pid is not None and run.started_at is not None and run.is_alive
        }
        usage, now = self._usage.measure(leaders), system.now()
        return [
            instance_document(
                i,
                now,
                usage.get(i.state.run.pid) if i.state.run is not None and i.state.run.pid is not None else None,
                self.engine.log_offsets.get(i.state.name, 0),
            )
            for i in instances
        ]

    def refuse_when_ending(self) -> None:
        """Nothing new is begun while everything is being stopped.

        Raises:
            Refused: it is.
        """
        if self.is_ending:
            raise Refused(
                "the supervisor is stopping everything ('down')",
                cure="try again when it has ended",
                code="ending",
                exit_status=1,
                status=409,
            )

    def refuse_other_file(self, spec: ProjectSpec) -> None:
        """A state folder belongs to one file.

        Raises:
            Refused: ``spec`` was read from another one.
        """
        if spec.file != self._spec_file and os.path.exists(self._spec_file):
            raise Refused(
                f"the state folder '{self.home.dir.path}' belongs to the project of {self._spec_file}",
                cure="give this file a state_dir of its own",
                code="other-file",
            )
        self._spec_file, self._project_name = spec.file, spec.name

    # --- inside -------------------------------------------------------------------------------------------------

    def _remember(self, order: Order) -> Mapping[str, str]:
        """The environment beneath the components: that of the ``up`` that started the first supervisor."""
        known = self.store.meta("environment")
        self._key = self.store.meta("key") or secrets.token_hex(8)
        values = {"key": self._key, "boot_id": system.boot_id()}
        if known is None:
            values["environment"] = json.dumps(dict(order.environment))
        with self.store.transaction():
            self.store.set_meta(values)
        return dict(order.environment) if known is None else dict(json.loads(known))

    def _make_door(self) -> Door:
        from stigmer_pm.supervisor.api import make_app

        return Door(make_app(self))

    def _publish_address(self) -> None:
        assert self._door is not None
        self.home.publish(
            {
                "pid": os.getpid(),
                "socket": self._door.path,
                "version": __version__,
                "file": self._spec_file,
                "project": self._project_name,
                "started_at": stamp(self.started_at),
            }
        )

    def _look_after_things(self) -> None:
        self._resync = self._loop.call_later(_RESYNC, self._look_after_things)
        self.engine.retry_saving()
        if self._door is not None and not self._door.is_open():
            self._reopening = self._loop.create_task(self._reopen_door())

    async def _reopen_door(self) -> None:
        assert self._door is not None
        try:
            await self._door.open(socket_path(self.home.dir.path, self._environ))
            self._publish_address()
            _log.warning("the socket was gone and has been made anew: %s", self._door.path)
        except OSError as error:
            _log.error("cannot make the socket anew: %s; trying again in %d s", error, _RESYNC)

    def _all_stopped(self) -> None:
        with self.store.transaction():
            self.store.clear_instances()
        self.ended.set()
