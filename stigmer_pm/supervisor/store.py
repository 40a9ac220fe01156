"""What survives the supervisor: the applied specs, every instance's state, run history and the journal (SQLite).

Intent is written before effect: a state that says "run 5 is to be started" is committed before run 5 is started, so a
supervisor that dies in between neither loses nor doubles it. Commits are not flushed to the disk one by one (WAL,
``synchronous=NORMAL``): they survive the death of the supervisor, and a power cut ends every run anyway.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.state import InstanceState
from stigmer_pm.spec import ComponentSpec
from stigmer_pm.spec.codec import decode, encode
from stigmer_pm.supervisor.records import EventRow, RunRow

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Raised whenever the tables or the meaning of their content change, so that an older file is recognised.
FORMAT = 1

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


class StoreError(Exception):
    """The state could not be read or written; the message says which file and why."""


def check_readable(path: str) -> None:
    """Read all that is on record without touching it.

    Raises:
        StoreError: it is of another format, or can't be read.
    """
    from urllib.parse import quote

    try:
        db = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=5.0)
        try:
            found = db.execute("SELECT value FROM meta WHERE key='format'").fetchone()
            rows = db.execute("SELECT spec, state FROM instances").fetchall()
        finally:
            db.close()
        if found is None or found[0] != str(FORMAT):
            raise StoreError(f"'{path}' is of format {found and found[0]}, and this version knows {FORMAT}")
        for spec, state in rows:
            decode(ComponentSpec, json.loads(spec))
            decode(InstanceState, json.loads(state))
    except (sqlite3.Error, ValueError) as error:
        raise StoreError(f"cannot read '{path}': {error}") from error


class Store:
    """The open database of one project."""

    def __init__(self, path: str) -> None:
        """Open it, making it anew when it is damaged: the old one is moved aside.

        Raises:
            StoreError: it can't be opened or made.
        """
        self.path = path
        self.moved_aside: str | None = None
        self._open_events = 0
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if not isinstance(error, sqlite3.OperationalError) or "malformed" in str(error):
                self._move_aside()
                self._db = self._open()
            else:
                raise StoreError(f"cannot open '{path}': {error}") from error
        except OSError as error:
            raise StoreError(f"cannot open '{path}': {(error.strerror or str(error)).lower()}") from error

    def _open(self) -> sqlite3.Connection:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.close(descriptor)
        db = sqlite3.connect(self.path, isolation_level=None, timeout=5.0, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.executescript(_TABLES)
        row = db.execute("SELECT value FROM meta WHERE key='format'").fetchone()
        if row is None:
            db.execute("INSERT INTO meta VALUES ('format', ?)", (str(FORMAT),))
        elif row[0] != str(FORMAT):
            db.close()
            raise sqlite3.DatabaseError(f"format {row[0]}, expected {FORMAT}")
        return db

    def _move_aside(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(self.path + suffix):
                os.replace(self.path + suffix, f"{self.path}.damaged{suffix}")
        self.moved_aside = f"{self.path}.damaged"

    def move_back(self) -> None:
        """The file has been removed under us: write all that it had into a new one of the same name.

        Raises:
            StoreError: it can't be made.
        """
        try:
            renewed = self._open()
            self._db.backup(renewed)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot make '{self.path}' anew: {error}") from error
        self._db.close()
        self._db = renewed

    def close(self) -> None:
        """Write everything back into the one file, and close it."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are committed together, or none is.

        Raises:
            StoreError: the disk is full, or the file was taken away.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"cannot write '{self.path}': {error}") from error
        finally:
            # Also after a COMMIT that failed: some errors end the transaction, others leave it open.
            if self._db.in_transaction:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")

    # --- meta ---------------------------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A single value, or ``None``."""
        row = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, values: Mapping[str, str]) -> None:
        """Set single values."""
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))

    # --- instances ----------------------------------------------------------------------------------------------

    def load_instances(self) -> list[Instance]:
        """Every instance as it was last written.

        Raises:
            StoreError: one can't be read, as when another version wrote it.
        """
        rows = self._db.execute("SELECT name, spec, state FROM instances ORDER BY position").fetchall()
        try:
            return [
                Instance(decode(ComponentSpec, json.loads(spec)), decode(InstanceState, json.loads(state)))
                for _, spec, state in rows
            ]
        except ValueError as error:
            raise StoreError(f"cannot read '{self.path}': {error}") from error

    def save_instances(self, instances: Iterable[tuple[int, Instance]]) -> None:
        """Write instances with their position in the project."""
        self._db.executemany(
            "INSERT OR REPLACE INTO instances VALUES (?, ?, ?, ?)",
            [(i.state.name, at, json.dumps(encode(i.spec)), json.dumps(encode(i.state))) for at, i in instances],
        )

    def save_states(self, states: Iterable[InstanceState]) -> None:
        """Write the states of instances whose specs are written already."""
        self._db.executemany(
            "UPDATE instances SET state=? WHERE name=?", [(json.dumps(encode(s)), s.name) for s in states]
        )

    def delete_instances(self, names: Iterable[str]) -> None:
        """Forget instances; their runs and events stay."""
        self._db.executemany("DELETE FROM instances WHERE name=?", [(name,) for name in names])

    def clear_everything(self) -> None:
        """Forget all that is about one project: this file is a copy of another project's."""
        for table in ("instances", "runs", "events"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 (the names stand in the line above)
        self._db.execute("DELETE FROM meta WHERE key <> 'format'")

    def clear_instances(self) -> None:
        """Forget every instance, the applied specs with them, and the environment beneath them (``down``)."""
        self._db.execute("DELETE FROM instances")
        self._db.execute("DELETE FROM meta WHERE key IN ('environment', 'inputs')")

    # --- runs ---------------------------------------------------------------------------------------------------

    def last_run_numbers(self) -> dict[str, int]:
        """The newest run number of every instance that ever was, so that none is used again."""
        return {str(n): int(r) for n, r in self._db.execute("SELECT instance, MAX(run) FROM runs GROUP BY instance")}

    def save_runs(self, rows: Iterable[RunRow]) -> None:
        """Write runs; ``None`` fields keep what is there."""
        self._db.executemany(
            _SAVE_RUN,
            [
                (r.instance, r.run, r.pid, r.started, r.log_from, r.started_at, r.ended_at, r.uptime, r.ended)
                for r in rows
            ],
        )

    def runs(self, instance: str, limit: int = KEEP_RUNS) -> list[RunRow]:
        """The newest runs of an instance, newest first."""
        return [
            RunRow(*row)
            for row in self._db.execute(
                "SELECT * FROM runs WHERE instance=? ORDER BY run DESC LIMIT ?", (instance, limit)
            )
        ]

    def find_run(self, instance: str, run: int) -> RunRow | None:
        """One run, if it is on record."""
        row = self._db.execute("SELECT * FROM runs WHERE instance=? AND run=?", (instance, run)).fetchone()
        return None if row is None else RunRow(*row)

    def latest_log_offsets(self) -> dict[str, int]:
        """Where the output of each instance's newest run begins in its log."""
        rows = self._db.execute("SELECT instance, log_from, MAX(run) FROM runs GROUP BY instance")
        return {str(name): int(log_from or 0) for name, log_from, _ in rows}

    # --- journal ------------------------------------------------------------------------------------------------

    def append_events(self, rows: Sequence[EventRow]) -> list[EventRow]:
        """Write entries; the same with their ids."""
        written = []
        for row in rows:
            cursor = self._db.execute(
                "INSERT INTO events (at, instance, run, kind, message) VALUES (?, ?, ?, ?, ?)",
                (row.at, row.instance, row.run, row.kind, row.message),
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
        rows = self._db.execute(
            f"SELECT at, instance, run, kind, message, id FROM events WHERE {where} ORDER BY id DESC LIMIT ?",  # noqa: S608
            (*args, -1 if limit is None else limit),
        )
        return [EventRow(*row) for row in rows][::-1]

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
