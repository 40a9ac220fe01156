"""What survives the supervisor, in memory: values are frozen, so keeping them is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.state import InstanceState
from stigmer_pm.supervisor.records import EventRow, RunRow
from stigmer_pm.supervisor.store import StoreError

_RUN_FIELDS = tuple(f.name for f in fields(RunRow))


@dataclass(slots=True)
class Tables:
    """Everything that is written, but for the journal, which nothing but people read."""

    meta: dict[str, str] = field(default_factory=dict)
    instances: dict[str, tuple[int, Instance]] = field(default_factory=dict)
    runs: dict[tuple[str, int], RunRow] = field(default_factory=dict)

    def copy(self) -> Tables:
        """The same, to be written to."""
        return Tables(dict(self.meta), dict(self.instances), dict(self.runs))


class VirtualMemory:
    """Writes happen together or not at all. ``on_point`` is told of the points where a supervisor may die."""

    def __init__(self, on_point: Callable[[str], None]) -> None:
        self.tables = Tables()
        self._written = self.tables
        self._remembered: dict[str, str] = {}
        self._on_point = on_point

    def state_of(self, name: str) -> InstanceState | None:
        """What is on record about an instance."""
        found = self.tables.instances.get(name)
        return None if found is None else found[1].state

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside happen, or none does."""
        self._written = self.tables.copy()
        try:
            self._written.meta.update(self._remembered)
            yield
            self._on_point("before a commit")
            self.tables = self._written
        except StoreError:
            raise
        except BaseException:
            self._remembered = {}  # nobody is left who remembers
            raise
        else:
            self._remembered = {}
        finally:
            self._written = self.tables
        self._on_point("after a commit")

    def meta(self, key: str) -> str | None:
        return self._remembered.get(key, self.tables.meta.get(key))

    def set_meta(self, values: Mapping[str, str]) -> None:
        self._written.meta.update(values)

    def remember(self, values: Mapping[str, str]) -> None:
        self._remembered.update(values)

    @property
    def has_unwritten(self) -> bool:
        return bool(self._remembered)

    def load_instances(self) -> list[Instance]:
        found = self.tables.instances
        return [found[name][1] for name in sorted(found, key=lambda name: (found[name][0], name))]

    def save_instances(self, instances: Iterable[tuple[int, Instance]]) -> None:
        for position, instance in instances:
            self._written.instances[instance.state.name] = (position, instance)

    def save_order(self, names: Iterable[str]) -> None:
        written = self._written.instances
        for position, name in enumerate(names):
            if name in written:
                written[name] = (position, written[name][1])

    def save_states(self, states: Iterable[InstanceState]) -> None:
        written = self._written.instances
        for state in states:
            if state.name in written:
                position, instance = written[state.name]
                written[state.name] = (position, Instance(instance.spec, state))

    def delete_instances(self, names: Iterable[str]) -> None:
        for name in names:
            self._written.instances.pop(name, None)

    def clear_instances(self) -> None:
        """What ``down`` does at its end."""
        self._written.instances.clear()

    def save_runs(self, rows: Iterable[RunRow]) -> None:
        runs = self._written.runs
        for row in rows:
            known = runs.get((row.instance, row.run))
            news = {name: value for name in _RUN_FIELDS if (value := getattr(row, name)) is not None}
            runs[row.instance, row.run] = row if known is None else replace(known, **news)

    def find_run(self, instance: str, run: int) -> RunRow | None:
        return self.tables.runs.get((instance, run))

    def last_run_numbers(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, number in self.tables.runs:
            found[name] = max(number, found.get(name, 0))
        return found

    def latest_log_offsets(self) -> dict[str, int]:
        return {}

    def append_events(self, rows: Sequence[EventRow]) -> list[EventRow]:
        return list(rows)
