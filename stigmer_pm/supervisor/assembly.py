"""An engine put together from what is on record, what is asked for, and what is found to run."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Mapping

from stigmer_pm.runtime.containers.labels import Owner
from stigmer_pm.statedir import StateDir
from stigmer_pm.supervisor.clock import MachineClock
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.keys import Keys, make_keys
from stigmer_pm.supervisor.neighbours import read_neighbours
from stigmer_pm.supervisor.order import Order
from stigmer_pm.supervisor.pidfiles import PidFiles
from stigmer_pm.supervisor.recovery import load_project
from stigmer_pm.supervisor.store import Store, StoreError
from stigmer_pm.supervisor.unrecorded import believe_marks, find_unrecorded
from stigmer_pm.supervisor.upkeep import tell_of_damage
from stigmer_pm.supervisor.world import LocalWorld

_log = logging.getLogger(__name__)


def make_engine(loop: asyncio.AbstractEventLoop, store: Store, world: LocalWorld, order: Order) -> Engine:
    """The engine with all that an earlier supervisor has written down, or that can be found without it.

    Raises:
        StoreError: the record can't be read or written.
        Refused: something runs that is not on it, and there is no file to go by.
    """
    clock = MachineClock()
    believe_marks(store, world)
    unrecorded = find_unrecorded(store, world, order.spec, clock)
    project = load_project(store, clock.now(), world.boot_id(), world.pid_namespace(), unrecorded)
    engine = Engine(loop, clock, store, world, project)
    if store.moved_aside is not None:
        tell_of_damage(engine, store.moved_aside)
    return engine


def make_world(loop: asyncio.AbstractEventLoop, store: Store, folder: StateDir, order: Order) -> LocalWorld:
    """The world of this project.

    Raises:
        StoreError: the record can't be read; or not be written, and nothing is on it.
    """
    keys, environment = _remember(store, folder, order)
    return LocalWorld(
        loop,
        PidFiles(folder.pids),
        key=keys.mark,
        containers_of=Owner(keys.label, order.file),
        base_environment=environment,
        positions=folder.positions,
        cgroup=folder.cgroup,
    )


def is_copy(store: Store, here: str) -> bool:
    """The project whose record this is lies where it was when that was written. One that was moved is there no more,
    though a supervisor that has not noticed it may have made its state folder anew."""
    before, file = store.meta("state_dir"), store.meta("file")
    if before in (None, here) or not os.path.exists(StateDir(str(before)).database):
        return False
    return file is None or os.path.exists(file)


def _keys(store: Store, here: str, order: Order) -> Keys:
    """Those on record; or new ones, if there are none, or if nothing runs that has those of the folder before."""
    mark, label = store.meta("key"), store.meta("label_key")
    if store.meta("state_dir") != here and all(i.state.run is None for i in store.load_instances()):
        mark = label = None
    if mark is not None and label is not None:
        return Keys(mark, label)
    taken = {other.key for other in read_neighbours(order.environment) if other.state_dir != here}
    fresh = make_keys(here, taken)
    return Keys(mark or fresh.mark, label or fresh.label)


def _remember(store: Store, folder: StateDir, order: Order) -> tuple[Keys, Mapping[str, str]]:
    """The keys of the project, and the environment beneath components: that of the first supervisor's ``up``."""
    here = os.path.realpath(folder.path)
    if is_copy(store, here):
        # Of a whole project, state and all: what is on record here runs there.
        with store.transaction():
            store.clear_everything()
    known = store.meta("environment")
    keys = _keys(store, here, order)
    values = {"key": keys.mark, "label_key": keys.label, "state_dir": here}
    if known is None:
        values["environment"] = json.dumps(dict(order.environment))
    try:
        with store.transaction():
            store.set_meta(values)
    except StoreError as error:
        # A full disk must not keep a supervisor from taking over what runs. In a new project nothing does.
        if not store.load_instances():
            raise
        _log.error("%s; going on", error)
    return keys, dict(order.environment) if known is None else dict(json.loads(known))
