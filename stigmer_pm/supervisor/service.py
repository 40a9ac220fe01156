"""One running supervisor: its state folder, store and engine, the socket, and the end of it all."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stigmer_pm.core.effects import EventKind
from stigmer_pm.core.plan import Scope
from stigmer_pm.runtime import system
from stigmer_pm.spec import ProjectSpec
from stigmer_pm.statedir import StateDir
from stigmer_pm.supervisor import commands
from stigmer_pm.supervisor.bodies import Bodies
from stigmer_pm.supervisor.clock import MachineClock, stamp
from stigmer_pm.supervisor.documents import Document, instance_document
from stigmer_pm.supervisor.door import Door, answering_pid, socket_path
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.home import Home
from stigmer_pm.supervisor.keys import Keys, make_keys
from stigmer_pm.supervisor.log import log_to
from stigmer_pm.supervisor.neighbours import read_neighbours, remove_neighbour
from stigmer_pm.supervisor.pidfiles import PidFiles
from stigmer_pm.supervisor.recovery import adopt_runs, believe_marks, load_project, reconstruct
from stigmer_pm.supervisor.store import Store, StoreError
from stigmer_pm.supervisor.succession import Succession
from stigmer_pm.supervisor.upkeep import PERIOD, Upkeep, tell_of_damage
from stigmer_pm.supervisor.usage import UsageMeter
from stigmer_pm.supervisor.world import LocalWorld
from stigmer_pm.version import __version__

_log = logging.getLogger(__name__)

#: Rounds of ending what has hidden itself from its run, before the supervisor ends; each leaves only what was forked
#: during the one before.
_STRAY_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Order:
    """What a supervisor is started with: the resolved file, what of it to run, and the environment beneath it.

    Without a spec it finds again what an earlier one ran, and goes on with what is applied. One that ``prefers_record``
    does so whenever something is on record that may still run, and applies the file otherwise.
    """

    state_dir: str
    file: str
    environment: Mapping[str, str]
    spec: ProjectSpec | None = None
    scope: Scope = field(default_factory=Scope)
    prefers_record: bool = False


class Service:
    """A supervisor from its first breath to its last. Must be made and used on its event loop."""

    def __init__(self, home: Home, order: Order, listener: socket.socket | None = None) -> None:
        """Open the state and load what an earlier supervisor left; ``listener`` is its socket, if it was handed over.

        Raises:
            StoreError: the state can't be read or written.
            Refused: it is lost, and there is no file to go by.
        """
        self.home = home
        self.store = Store(home.dir.database)
        self.started_at = system.wall_time()
        self.ended = asyncio.Event()
        self.bodies = Bodies()
        #: The bug that has ended it, if one has.
        self.failure: Exception | None = None
        self.is_ending = False
        #: It has ended and left what runs to the next one.
        self.has_let_go = False
        #: A service manager brings it back when it ends.
        self.is_kept = False
        #: Called when everything begins to be stopped.
        self.on_ending: Callable[[], None] = lambda: None
        self.file = order.file
        self._project_name = self.store.meta("project") or "" if order.spec is None else order.spec.name
        self.environ = order.environment
        self._usage = UsageMeter()
        self.door: Door | None = None
        self._listener = listener
        #: What a supervisor in front is about, for the one that takes its place.
        self.describe_front: Callable[[], Mapping[str, object] | None] = lambda: None
        self._socket_path = ""
        self._loop = asyncio.get_running_loop()
        keys, environment = self._remember(order)
        world = LocalWorld(
            self._loop,
            PidFiles(home.dir.pids),
            key=keys.mark,
            containers_key=keys.label,
            base_environment=environment,
            positions=home.dir.positions,
            cgroup=home.dir.cgroup,
        )
        clock = MachineClock()
        if order.spec is not None:
            reconstruct(self.store, world, order.spec, clock)
        elif not self.store.load_instances() and world.find_marked():
            # Without the file nobody knows what they are: they would be taken for strays, or started a second time.
            raise Refused(
                "the record of what runs is lost, and what runs goes on",
                cure="'stigmer-pm up' finds it again",
                exit_status=1,
                code="lost-record",
            )
        believe_marks(self.store, world)
        project = load_project(self.store, clock.now(), world.boot_id(), world.pid_namespace())
        self.engine = Engine(self._loop, clock, self.store, world, project)
        self.engine.on_failure = self._fail
        if self.store.moved_aside is not None:
            tell_of_damage(self.engine, self.store.moved_aside)
        self._upkeep = Upkeep(self._loop, self)
        self.succession = Succession(self, world.spawner)

    def begin(self, order: Order) -> Document:
        """Find what still runs, then apply the file; the answer is that of ``/v1/apply``.

        Raises:
            Refused: the file can't be applied; nothing was started or stopped.
        """
        self._refuse_files_of_others()
        self._socket_path = self._choose_socket()
        if order.spec is not None:
            commands.plan_for(self.engine, order.spec, order.scope)
        system.become_subreaper()
        self.engine.start()
        adopt_runs(self.engine, self.store)
        self._upkeep.start()
        if order.spec is None:
            return {}
        return commands.apply(self.engine, self.store, order.spec, order.scope, dry_run=False)

    def _refuse_files_of_others(self) -> None:
        """What is on record here was applied from another file that is still there, or runs from another folder."""
        applied = self.store.meta("file")
        if len(self.engine.project) and applied is not None:
            self._refuse_other_file(self.file, applied)
        for other in read_neighbours(self.environ):
            is_ours = other.state_dir == os.path.realpath(self.home.dir.path)
            if not is_ours and os.path.realpath(other.file) == os.path.realpath(self.file):
                raise Refused(
                    f"the components of {self.file} run already, with the state folder '{other.state_dir}'",
                    cure=f"set state_dir back to it, or end them first: kill {other.pid}",
                    code="other-state-dir",
                )

    def _refuse_other_file(self, file: str, applied: str) -> None:
        if os.path.realpath(file) != os.path.realpath(applied) and os.path.exists(applied):
            raise Refused(
                f"the state folder '{self.home.dir.path}' belongs to the project of {applied}",
                cure=f"name that file (-f {applied}), or give this one a state_dir of its own",
                code="other-file",
            )

    async def open_door(self) -> str:
        """Answer on the socket; its path. The modules that this needs are imported beside the loop's work."""
        try:
            door = await self._loop.run_in_executor(None, self._make_door)
        except RuntimeError as error:
            # No further thread may be made. It takes its time here then, which is better than no door.
            _log.warning("%s; going on without", error)
            door = self._make_door()
        self.door = door
        await door.open(self._socket_path, self._listener)
        self._listener = None
        self._upkeep.publish_address()
        return door.path

    def _choose_socket(self) -> str:
        """Where the socket goes; before anything is started, so that a place that can't be had changes nothing."""
        if self._listener is not None:
            return str(self._listener.getsockname())
        try:
            path = socket_path(self.home.dir.path, self.environ)
        except OSError as error:
            raise Refused(
                f"cannot make the socket: {error.strerror.lower() if error.strerror else error}",
                cure="set XDG_RUNTIME_DIR or TMPDIR to a folder of your own, with a short path",
                code="socket",
            ) from error
        pid = answering_pid(path)
        if pid is not None and pid != os.getpid():
            raise Refused(
                f"a supervisor (pid {pid}) of this project runs already, though its state folder was removed",
                cure=f"it makes the folder anew within {PERIOD:.0f} seconds; try again then, or end it: kill {pid}",
                code="removed",
                exit_status=3,
            )
        return path

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
        self.on_ending()
        self.engine.stop_all(self._all_stopped)

    def let_go(self) -> None:
        """End, and leave what runs to the next supervisor, as a death would; what is known by now is written first."""
        _log.info("ending, and leaving what runs to the next supervisor")
        self.has_let_go = True
        self.engine.let_go()
        self.ended.set()

    def reopen_log(self) -> None:
        """Somebody has moved ``supervisor.log`` away: write into a new one of the same name."""
        try:
            log_to(self.home.dir.supervisor_log)
        except OSError as error:
            _log.error("cannot open '%s' anew: %s", self.home.dir.supervisor_log, error)

    async def close(self) -> None:
        """Let go of everything. After an orderly end nothing runs; otherwise what runs goes on."""
        self._upkeep.stop()
        if self.door is not None:
            remove_neighbour(self.door.path)
            await self.door.close()
            await self.door.drain()
        await self.engine.close()
        self.store.close()

    # --- what the API asks --------------------------------------------------------------------------------------

    def ps_document(self, names: Sequence[str]) -> Document:
        """The document of ``ps --json``, and what the applied file was made from."""
        return {
            "project": self._project_name,
            "file": self.file,
            "supervisor": {"pid": os.getpid(), "version": __version__, "since": stamp(self.started_at)},
            "trouble": self.engine.recorder.trouble,
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
                self.engine.recorder.log_offsets.get(i.state.name, 0),
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
        self._refuse_other_file(spec.file, self.file)
        self.file, self._project_name = spec.file, spec.name

    # --- inside -------------------------------------------------------------------------------------------------

    def _remember(self, order: Order) -> tuple[Keys, Mapping[str, str]]:
        """The keys of the project, and the environment beneath components: that of the first supervisor's ``up``."""
        here = os.path.realpath(self.home.dir.path)
        before = self.store.meta("state_dir")
        if before not in (None, here) and os.path.exists(StateDir(str(before)).database):
            # A copy of a whole project, state and all: what is on record here runs there.
            with self.store.transaction():
                self.store.clear_everything()
        known = self.store.meta("environment")
        keys = make_keys(here)
        keys = Keys(self.store.meta("key") or keys.mark, self.store.meta("label_key") or keys.label)
        values = {"key": keys.mark, "label_key": keys.label, "state_dir": here}
        if known is None:
            values["environment"] = json.dumps(dict(order.environment))
        try:
            with self.store.transaction():
                self.store.set_meta(values)
        except StoreError as error:
            # A full disk must not keep a supervisor from taking over what runs. In a new project nothing does.
            if not self.store.load_instances():
                raise
            _log.error("%s; going on", error)
        return keys, dict(order.environment) if known is None else dict(json.loads(known))

    def tell_of_handover(self, version: str) -> None:
        """Another version was here before, in this very process."""
        message = f"the supervisor was replaced in place: {version} by {__version__}"
        self.engine.tell(message, EventKind.REPLACED)
        _log.info("%s", message)

    def _make_door(self) -> Door:
        from stigmer_pm.supervisor.api import make_app

        return Door(make_app(self))

    def address(self) -> Mapping[str, object]:
        """What is written down for clients to find it by; there is one once the door is open."""
        assert self.door is not None
        return {
            "pid": os.getpid(),
            "socket": self.door.path,
            "state_dir": os.path.realpath(self.home.dir.path),
            "version": __version__,
            "file": self.file,
            "project": self._project_name,
            "started_at": stamp(self.started_at),
        }

    def _fail(self, error: Exception) -> None:
        self.failure = error
        self.ended.set()

    def _all_stopped(self) -> None:
        try:
            with self.store.transaction():
                self.store.clear_instances()
        except StoreError as error:
            _log.error("%s; what was applied is not forgotten, and the next supervisor starts it", error)
        self.home.unpublish()
        self._ending = self._loop.create_task(self._end_strays())

    async def _end_strays(self) -> None:
        """Nothing that came from a run outlives the supervisor, however it has hidden itself."""
        for _ in range(_STRAY_ROUNDS):
            strays = self.engine.world.end_strays(everything=True)
            if not strays:
                break
            _log.warning("ended what had hidden itself: %s", ", ".join(map(str, strays)))
            await asyncio.sleep(0.02)
        await self.engine.world.clear_away()
        self.ended.set()
