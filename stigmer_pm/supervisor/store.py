"""What survives the supervisor: the applied specs, every instance's state, run history and the journal (SQLite).

Intent is written before effect: a state that says "run 5 is to be started" is committed before run 5 is started, so a
supervisor that dies in between neither loses nor doubles it. Commits are not flushed to the disk one by one (WAL,
``synchronous=NORMAL``): they survive the death of the supervisor, and a power cut ends every run anyway.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.state import InstanceState
from stigmer_pm.spec.codec import encode
from stigmer_pm.supervisor.columns import RUN_FIELDS, as_row, as_run, from_column, to_column
from stigmer_pm.supervisor.contents import FORMAT, INSTANCES, LAST_RUNS, LOG_OFFSETS, decoded, read
from stigmer_pm.supervisor.database import Database, Meaningless, StoreError
from stigmer_pm.supervisor.records import EventRow, RunRow

__all__ = ["FORMAT", "KEEP_EVENTS", "KEEP_RUNS", "Store", "StoreError"]

#: Entries of the journal and runs of an instance that are kept. A component that flaps at its slowest (once a minute)
#: leaves five entries a run, so this is about a day of one, and a few MiB at most.
KEEP_EVENTS = 10_000
KEEP_RUNS = 50

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS instances (
    name TEXT PRIMARY KEY, position INTEGER NOT NULL, spec TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
    instance TEXT NOT NULL, run INTEGER NOT NULL, pid INTEGER, started INTEGER, log_from INTEGER,
    started_at REAL, ended_at REAL, uptime REAL, ended TEXT, PRIMARY KEY (instance, run));
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, instance TEXT, run INTEGER, kind TEXT NOT NULL,
    message TEXT NOT NULL);
"""

_SAVE_RUN = """
INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance, run) DO UPDATE SET
    pid=COALESCE(excluded.pid, pid), started=COALESCE(excluded.started, started),
    log_from=COALESCE(excluded.log_from, log_from), started_at=COALESCE(excluded.started_at, started_at),
    ended_at=COALESCE(excluded.ended_at, ended_at), uptime=COALESCE(excluded.uptime, uptime),
    ended=COALESCE(excluded.ended, ended)
"""


class Store:
    """The open database of one project.

    What a later supervisor can't do without is kept in memory as well, so that it can be written down anew when the
    file is damaged under us: single values, and the newest run of each instance.
    """

    def __init__(self, path: str) -> None:
        """Open it, making it anew when it is damaged: the old one is moved aside.

        Raises:
            StoreError: it can't be opened or made.
        """
        self.path = path
        # At the first entry: who was here before may have been killed before it came to prune.
        self._open_events = KEEP_EVENTS // 10
        self._meta: dict[str, str] = {}
        self._unwritten: dict[str, str] = {}
        self._newest: dict[str, RunRow] = {}
        #: The instances as they were read when the file was opened, as long as nothing was written to them.
        self._instances: list[Instance] | None = None
        self._database = Database(path, _TABLES, FORMAT, self._load)

    def _load(self, db: sqlite3.Connection) -> None:
        found = read(db, self.path)
        self._meta, self._instances = found.meta, found.instances
        self._newest = {run.instance: run for run in found.newest}

    @property
    def moved_aside(self) -> str | None:
        """Where the file lies that was damaged when it was opened or renewed; ``None``: it wasn't."""
        return self._database.moved_aside

    def is_sound(self) -> bool:
        """The file is still there, and a database (see :meth:`Database.is_sound`)."""
        return self._database.is_sound()

    def renew(self) -> bool:
        """The file has been removed, replaced or damaged under us: make one of the same name that has what it had.

        ``False``: that can't be read, so that the new one has only what is kept in memory, and lacks all instances.

        Raises:
            StoreError: it can't be made.
        """
        return self._database.renew(self._write_what_is_kept)

    def _write_what_is_kept(self, db: sqlite3.Connection) -> None:
        _write_meta(db, self._meta)
        db.executemany(_SAVE_RUN, [as_row(run) for run in self._newest.values()])

    def close(self) -> None:
        """Write everything back into the one file, and close it."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are committed together, or none is; and with them what is remembered and not yet written.

        Raises:
            StoreError: the disk is full, or the file was taken away.
        """
        with self._database.transaction():
            self.set_meta(self._unwritten)
            yield
        self._unwritten = {}

    @property
    def _db(self) -> sqlite3.Connection:
        return self._database.connection

    # --- meta ---------------------------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A single value, or ``None``."""
        return self._meta.get(key)

    def set_meta(self, values: Mapping[str, str]) -> None:
        """Set single values."""
        self._meta.update(values)
        if values:
            _write_meta(self._db, values)

    def remember(self, values: Mapping[str, str]) -> None:
        """Go by these single values from now on. They are written with the next that is written."""
        self._meta.update(values)
        self._unwritten.update(values)

    @property
    def has_unwritten(self) -> bool:
        """There are single values that are remembered and not yet written."""
        return bool(self._unwritten)

    # --- instances ----------------------------------------------------------------------------------------------

    def load_instances(self) -> list[Instance]:
        """Every instance as it was last written.

        Raises:
            StoreError: one can't be read, as when another version wrote it.
        """
        if self._instances is None:
            rows = self._database.rows(INSTANCES)
            try:
                return decoded(rows)
            except Meaningless as error:
                raise StoreError(f"cannot read '{self.path}': {error}") from error
        return list(self._instances)

    def save_instances(self, instances: Iterable[tuple[int, Instance]]) -> None:
        """Write instances with their position in the project."""
        self._instances = None
        self._db.executemany(
            "INSERT OR REPLACE INTO instances VALUES (?, ?, ?, ?)",
            [(i.state.name, at, json.dumps(encode(i.spec)), json.dumps(encode(i.state))) for at, i in instances],
        )

    def save_order(self, names: Iterable[str]) -> None:
        """Write the positions of instances that are written already: the order in which they are loaded."""
        self._instances = None
        self._db.executemany("UPDATE instances SET position=? WHERE name=?", enumerate(names))

    def save_states(self, states: Iterable[InstanceState]) -> None:
        """Write the states of instances whose specs are written already."""
        self._instances = None
        self._db.executemany(
            "UPDATE instances SET state=? WHERE name=?", [(json.dumps(encode(s)), s.name) for s in states]
        )

    def delete_instances(self, names: Iterable[str]) -> None:
        """Forget instances; their runs and events stay."""
        self._instances = None
        self._db.executemany("DELETE FROM instances WHERE name=?", [(name,) for name in names])

    def clear_everything(self) -> None:
        """Forget all that is about one project: this file is a copy of another project's."""
        for table in ("instances", "runs", "events"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 (the names stand in the line above)
        self._db.execute("DELETE FROM meta WHERE key <> 'format'")
        self._meta, self._newest, self._instances = {"format": str(FORMAT)}, {}, None

    def clear_instances(self) -> None:
        """Forget every instance, the applied specs with them, and the environment beneath them (``down``)."""
        self._instances = None
        self._db.execute("DELETE FROM instances")
        self._db.execute("DELETE FROM meta WHERE key IN ('environment', 'inputs')")
        self._meta.pop("environment", None)
        self._meta.pop("inputs", None)

    # --- runs ---------------------------------------------------------------------------------------------------

    def last_run_numbers(self) -> dict[str, int]:
        """The newest run number of every instance that ever was, so that none is used again."""
        return {str(n): int(r) for n, r in self._database.rows(LAST_RUNS)}

    def save_runs(self, rows: Iterable[RunRow]) -> None:
        """Write runs; ``None`` fields keep what is there."""
        rows = list(rows)
        for row in rows:
            known = self._newest.get(row.instance)
            if known is None or known.run <= row.run:
                self._newest[row.instance] = row if known is None or known.run < row.run else _merged(known, row)
        self._db.executemany(_SAVE_RUN, [as_row(row) for row in rows])

    def runs(self, instance: str, limit: int = KEEP_RUNS) -> list[RunRow]:
        """The newest runs of an instance, newest first."""
        return [
            as_run(row)
            for row in self._database.rows(
                "SELECT * FROM runs WHERE instance=? ORDER BY run DESC LIMIT ?", (instance, limit)
            )
        ]

    def find_run(self, instance: str, run: int) -> RunRow | None:
        """One run, if it is on record."""
        rows = self._database.rows("SELECT * FROM runs WHERE instance=? AND run=?", (instance, run))
        return as_run(rows[0]) if rows else None

    def latest_log_offsets(self) -> dict[str, int]:
        """Where the output of each instance's newest run begins in its log."""
        rows = self._database.rows(LOG_OFFSETS)
        return {str(name): int(log_from or 0) for name, log_from, _ in rows}

    # --- journal ------------------------------------------------------------------------------------------------

    def append_events(self, rows: Sequence[EventRow]) -> list[EventRow]:
        """Write entries; the same with their ids."""
        written = []
        for row in rows:
            cursor = self._db.execute(
                "INSERT INTO events (at, instance, run, kind, message) VALUES (?, ?, ?, ?, ?)",
                (row.at, row.instance, row.run, row.kind, to_column(row.message)),
            )
            number = cursor.lastrowid or 0
            written.append(EventRow(row.at, row.instance, row.run, row.kind, row.message, number))
        self._prune(len(rows))
        return written

    def events(self, *, since: float = 0.0, instances: Sequence[str] = (), limit: int | None = None) -> list[EventRow]:
        """The newest ``limit`` entries since a wall clock time, oldest first."""
        where, args = "at >= ?", [since, *instances]
        if instances:
            where += f" AND instance IN ({','.join('?' * len(instances))})"
        rows = self._database.rows(
            f"SELECT at, instance, run, kind, message, id FROM events WHERE {where} ORDER BY id DESC LIMIT ?",  # noqa: S608
            (*args, -1 if limit is None else limit),
        )
        return [
            EventRow(at, instance, run, kind, from_column(message), number)
            for at, instance, run, kind, message, number in rows
        ][::-1]

    def _prune(self, written: int) -> None:
        # Every thousandth entry is often enough, and keeps the cost off the common path.
        self._open_events += written
        if self._open_events < KEEP_EVENTS // 10:
            return
        self._open_events = 0
        self._db.execute("DELETE FROM events WHERE id <= (SELECT MAX(id) FROM events) - ?", (KEEP_EVENTS,))
        self._db.execute(
            "DELETE FROM runs WHERE run <= (SELECT MAX(r.run) FROM runs r WHERE r.instance = runs.instance) - ?",
            (KEEP_RUNS,),
        )


def _write_meta(db: sqlite3.Connection, values: Mapping[str, str]) -> None:
    rows = [(key, to_column(value)) for key, value in values.items()]
    db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)


def _merged(known: RunRow, news: RunRow) -> RunRow:
    """What is known of a run, and what has come to it."""
    return RunRow(*(getattr(known, n) if getattr(news, n) is None else getattr(news, n) for n in RUN_FIELDS))
