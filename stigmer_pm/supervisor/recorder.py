"""Writing down what has happened: what is to be written is kept until the record has taken it."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from stigmer_pm.core.effects import EventKind, Record, RunOver
from stigmer_pm.core.project import Project
from stigmer_pm.runtime.run import Started
from stigmer_pm.spec import ComponentSpec
from stigmer_pm.supervisor.records import EventRow, RunRow
from stigmer_pm.supervisor.store import StoreError
from stigmer_pm.supervisor.surroundings import Clock, Memory

_log = logging.getLogger(__name__)

#: Entries of the journal, and runs that are over, that are kept for a record that can't be written. Past that the
#: oldest are dropped: a disk that stays full must not cost memory without end.
_KEPT = 1000
_GOES_ON = "; what runs goes on, and writing is tried again"


class Recorder:
    """What is to be written of a project, and hasn't been.

    ``trouble`` says why nothing can be written now; ``log_offsets`` where the output of each instance's newest run
    begins.
    """

    def __init__(self, clock: Clock, memory: Memory, project: Project) -> None:
        self.trouble: str | None = None
        self.log_offsets: dict[str, int] = memory.latest_log_offsets()
        self._clock = clock
        self._memory = memory
        self._project = project
        self._events: list[EventRow] = []
        self._runs: list[RunRow] = []
        self._unsaved: set[str] = set()
        self._stored_specs: dict[str, ComponentSpec] = {i.state.name: i.spec for i in project}
        self._stored_order = [i.state.name for i in project]
        self._has_new_order = False

    @property
    def last_trouble(self) -> str:
        """``trouble`` as it is said by one that ends, and so does not try again; or empty."""
        return (self.trouble or "").removesuffix(_GOES_ON)

    @property
    def has_unwritten(self) -> bool:
        """There is something to write."""
        has_news = self._unsaved or self._events or self._runs or self._has_new_order
        return bool(has_news or self._memory.has_unwritten)

    def note(self, record: Record) -> None:
        """An entry for the journal, with the time of its happening: it may be written down much later."""
        row = EventRow(self._clock.wall(), record.instance, record.run, record.kind.value, record.message)
        self._events.append(row)

    def tell(self, message: str, kind: EventKind) -> None:
        """An entry about the project as a whole."""
        self._events.append(EventRow(self._clock.wall(), None, None, kind.value, message))

    def begun(self, name: str, run: int, started: Started) -> None:
        """What a later supervisor needs to find the run again, and where its output begins."""
        if started.log_from is not None:
            self.log_offsets[name] = started.log_from
        row = RunRow(name, run, started.pid, started.started, started.log_from, started_at=self._clock.wall())
        self._runs.append(row)

    def over(self, effect: RunOver) -> None:
        """How a run has ended."""
        wall = self._clock.wall() - (self._clock.now() - effect.ended_at)
        row = RunRow(effect.instance, effect.run, ended_at=wall, uptime=effect.uptime, ended=effect.ended)
        self._runs.append(row)

    def note_order(self) -> None:
        """The instances may stand in another order than is written, as when a file was applied."""
        self._has_new_order |= self._order() != self._stored_order

    def forget_written(self) -> None:
        """What was written before is lost: all that is known of every instance is to be written again."""
        self._stored_specs.clear()
        self._unsaved.update(i.state.name for i in self._project)

    def write(self, changed: Iterable[str] = ()) -> list[EventRow]:
        """Write what there is, and the states of ``changed``; the entries of the journal that have been written by it.

        Where it can't be, supervision goes on without its memory, and all of it is written the next time: a full disk
        must not stop a restart.
        """
        self._unsaved.update(changed)
        try:
            events = self._save(self._unsaved, sorted(self._events, key=lambda row: row.at))
        except StoreError as error:
            if self.trouble is None:
                _log.error("%s; going on, and trying again", error)
                self.tell(str(error), EventKind.WARNING)
            self.trouble = f"{error}{_GOES_ON}"
            self._drop_oldest()
            return []
        self.trouble = None
        self._unsaved, self._events, self._runs = set(), [], []
        return events

    def _save(self, changed: set[str], events: list[EventRow]) -> list[EventRow]:
        instances = {name: self._project.find(name) for name in changed}
        present = [i for i in instances.values() if i is not None]
        with_new_spec = [i for i in present if self._stored_specs.get(i.state.name) is not i.spec]
        gone = [name for name, i in instances.items() if i is None]
        order = self._order() if with_new_spec or self._has_new_order else self._stored_order
        with self._memory.transaction():
            if with_new_spec:
                position = {name: at for at, name in enumerate(order)}
                self._memory.save_instances((position[i.state.name], i) for i in with_new_spec)
            if self._has_new_order:
                self._memory.save_order(order)
            self._memory.save_states(i.state for i in present if self._stored_specs.get(i.state.name) is i.spec)
            self._memory.delete_instances(gone)
            self._memory.save_runs(self._runs)
            events = self._memory.append_events(events)
        self._stored_specs.update({i.state.name: i.spec for i in with_new_spec})
        self._stored_order, self._has_new_order = order, False
        for name in gone:
            self._stored_specs.pop(name, None)
        return events

    def _order(self) -> list[str]:
        return [i.state.name for i in self._project]

    def _drop_oldest(self) -> None:
        """Never what is known of a run that is not over: without it, a later supervisor could not find it again."""
        del self._events[:-_KEPT]
        if len(self._runs) <= 2 * _KEPT:
            return
        over = {(row.instance, row.run) for row in self._runs if row.ended_at is not None}
        kept = [row for row in self._runs if (row.instance, row.run) in over][-_KEPT:]
        self._runs = [row for row in self._runs if (row.instance, row.run) not in over] + kept
