"""A record that is replaced, damaged or removed while it is in use, with real files."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from stigmer_pm.supervisor.database import Database, StoreError

TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS things (name TEXT);
"""
KEPT = "what is kept in memory"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An open one with a thing in it."""
    found = Database(str(tmp_path / "state.db"), TABLES, 1, lambda db: None)
    with found.transaction():
        found.connection.execute("INSERT INTO things VALUES ('written')")
    yield found
    found.close()


@contextmanager
def no_room() -> Iterator[None]:
    """No file may grow past a kilobyte, which is less than a page of SQLite's."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def keep(db: sqlite3.Connection) -> None:
    """Write what a renewal is given where the old file can't be read."""
    db.execute("INSERT INTO things VALUES (?)", (KEPT,))


def things(path: Path) -> list[str]:
    """What another program finds in the file."""
    with closing(sqlite3.connect(path)) as db:
        return [name for (name,) in db.execute("SELECT name FROM things")]


def test_what_was_moved_aside_outlives_renewals_that_fail(database: Database, tmp_path: Path) -> None:
    """A disk that is full must not cost the damaged record, from which somebody may yet save something."""
    path = tmp_path / "state.db"
    path.unlink()
    path.write_bytes(b"the damaged record")
    with no_room():
        for _ in range(3):
            with pytest.raises(StoreError, match="anew"):
                database.renew(keep)
    assert not database.is_sound()
    assert database.renew(keep)
    assert database.is_sound()
    assert Path(f"{path}.damaged").read_bytes() == b"the damaged record"
    assert things(path) == ["written"]
    assert {p.name for p in tmp_path.iterdir()} <= {
        "state.db", "state.db-wal", "state.db-shm", "state.db.damaged"
    }  # fmt: skip


def test_a_renewed_record_that_could_not_be_opened_is_not_moved_aside(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ours, and what was moved aside before it is what must be kept."""
    path = tmp_path / "state.db"
    path.unlink()
    path.write_bytes(b"the damaged record")
    with monkeypatch.context() as patched:
        patched.setattr(database, "_open", _fail)
        for _ in range(2):
            with pytest.raises(StoreError, match="input/output error"):
                database.renew(keep)
            with database.transaction():
                database.connection.execute("INSERT INTO things VALUES ('written meanwhile')")
    assert database.renew(keep)
    assert Path(f"{path}.damaged").read_bytes() == b"the damaged record"
    assert database.moved_aside == f"{path}.damaged"
    assert things(path) == ["written", "written meanwhile", "written meanwhile"]


def _fail(load: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_what_is_moved_aside_gets_no_journal_of_another_database(database: Database, tmp_path: Path) -> None:
    """SQLite would play it back into the wrong file."""
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE others (name TEXT)")
    (tmp_path / "other.db").rename(path)
    Path(f"{path}.damaged-wal").write_bytes(b"of one that was moved aside long ago")
    assert Path(f"{path}-wal").stat().st_size > 0, "what was written lies in it"
    assert database.renew(keep)
    assert not Path(f"{path}.damaged-wal").exists()
    with closing(sqlite3.connect(f"{path}.damaged")) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("others",)]
    assert things(path) == ["written"]


def test_what_is_overwritten_in_its_place_is_moved_aside_with_its_journal(database: Database, tmp_path: Path) -> None:
    """What it had can't be read any more, and what is kept is written."""
    path = tmp_path / "state.db"
    with path.open("r+b") as file:
        file.write(b"\xa5" * path.stat().st_size)
    assert not database.is_sound()
    assert not database.renew(keep)
    assert database.is_sound()
    assert things(path) == [KEPT]
    assert Path(f"{path}.damaged").read_bytes()[:4] == b"\xa5" * 4
    assert Path(f"{path}.damaged-wal").exists()


def test_what_is_written_after_a_renewal_outlives_the_one_who_wrote_it(database: Database, tmp_path: Path) -> None:
    """The connection to the old file takes nothing along that belongs to the new one."""
    path = tmp_path / "state.db"
    path.unlink()
    assert database.renew(keep)
    assert database.moved_aside is None
    with database.transaction():
        database.connection.execute("INSERT INTO things VALUES ('later')")
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("state.db", "state.db-wal"):  # as it lies there when its writer is killed
        (copy / name).write_bytes((tmp_path / name).read_bytes())
    assert things(copy / "state.db") == ["written", "later"]
