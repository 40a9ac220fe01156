"""What survives the supervisor, in memory: values are frozen, so keeping them is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.state import InstanceState
from stigmer_pm.supervisor.records import EventRow, RunRow


@dataclass
class Tables:
    """Everything that is written."""

    meta: dict[str, str] = field(default_factory=dict)
    instances: dict[str, tuple[int, Instance]] = field(default_factory=dict)
    runs: dict[tuple[str, int], RunRow] = field(default_factory=dict)
    events: list[EventRow] = field(default_factory=list)

    def copy(self) -> Tables:
        """The same, to be written to."""
        return Tables(dict(self.meta), dict(self.instances), dict(self.runs), list(self.events))


class VirtualMemory:
    """Writes happen together or not at all; ``before_commit`` and ``after_commit`` are where a supervisor may die."""

    def __init__(self, on_point: Callable[[str], None]) -> None:
        self.tables = Tables()
        self._written = self.tables
        self._on_point = on_point

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside happen, or none does."""
        self._written = self.tables.copy()
        try:
            yield
            self._on_point("before commit")
            self.tables = self._written
        finally:
            self._written = self.tables
        self._on_point("after commit")

    def meta(self, key: str) -> str | None:
        return self.tables.meta.get(key)

    def set_meta(self, values: Mapping[str, str]) -> None:
        self._written.meta.update(values)

    def load_instances(self) -> list[Instance]:
        return [instance for _, instance in sorted(self.tables.instances.values(), key=lambda entry: entry[0])]

    def save_instances(self, instances: Iterable[tuple[int, Instance]]) -> None:
        for position, instance in instances:
            self._written.instances[instance.state.name] = (position, instance)

    def save_states(self, states: Iterable[InstanceState]) -> None:
        for state in states:
            if state.name in self._written.instances:
                position, instance = self._written.instances[state.name]
                self._written.instances[state.name] = (position, Instance(instance.spec, state))

    def delete_instances(self, names: Iterable[str]) -> None:
        for name in names:
            self._written.instances.pop(name, None)

    def clear_instances(self) -> None:
        """What ``down`` does at its end."""
        self._written.instances.clear()

    def save_runs(self, rows: Iterable[RunRow]) -> None:
        for row in rows:
            known = self._written.runs.get((row.instance, row.run))
            news = {f.name: value for f in fields(row) if (value := getattr(row, f.name)) is not None}
            self._written.runs[row.instance, row.run] = row if known is None else replace(known, **news)

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
        self._written.events.extend(rows)
        return list(rows)
