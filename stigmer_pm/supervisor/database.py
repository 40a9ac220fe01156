"""One SQLite file that may be damaged, locked, removed or full at any time: opening, writing and renewing it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

#: What SQLite says of a file that is none of its own, or was written to by somebody else.
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
#: What every database begins with (https://sqlite.org/fileformat.html).
_HEADER = b"SQLite format 3\0"
#: Seconds that opening waits for somebody else who has locked the file: a copy of it that is being made takes a moment.
_WAIT_TO_OPEN = 5.0
#: Milliseconds that a write waits. Everything else waits with it, so it is tried again later rather than for long.
_WAIT_TO_WRITE = 50

OnConnection = Callable[[sqlite3.Connection], None]


class StoreError(Exception):
    """The state could not be read or written; the message says which file and why."""


class Database:
    """The open file.

    Attributes:
        moved_aside: where the damaged file lies in whose place this one was made; ``None``: there was none.
    """

    def __init__(self, path: str, tables: str, format_number: int, load: OnConnection) -> None:
        """Open it, making it anew when it is damaged: the old one is moved aside then.

        ``load`` reads what has to be readable, and is called again with the new one when it isn't. A file of another
        ``format_number`` is as good as damaged.

        Raises:
            StoreError: it can't be opened or made.
        """
        self.path = path
        self.moved_aside: str | None = None
        self._tables, self._format = tables, format_number
        self._is_damaged = False
        try:
            try:
                self.connection, self._file = self._open(load)
            except sqlite3.DatabaseError as error:
                if not _shows_damage(error):
                    raise
                self._move_aside()
                self.connection, self._file = self._open(load)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot open '{path}': {_words(error)}") from error

    def close(self) -> None:
        """Write everything back into the one file, and close it."""
        self.connection.close()
        os.close(self._file)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are committed together, or none is.

        Raises:
            StoreError: they can't be.
        """
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._is_damaged |= _shows_damage(error)
            raise StoreError(f"cannot write '{self.path}': {_words(error)}") from error
        finally:
            # Also after a COMMIT that failed: some errors end the transaction, others leave it open.
            if self.connection.in_transaction:
                with suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")

    def rows(self, query: str, args: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a query finds.

        Raises:
            StoreError: it can't be read.
        """
        try:
            return self.connection.execute(query, args).fetchall()
        except sqlite3.Error as error:
            self._is_damaged |= _shows_damage(error)
            raise StoreError(f"cannot read '{self.path}': {_words(error)}") from error

    def is_sound(self) -> bool:
        """The file that is open is still the one of this name, and a database; somebody may have removed, replaced or
        overwritten it, and SQLite wouldn't notice as long as it finds in memory what it needs."""
        try:
            there, ours = os.stat(self.path), os.fstat(self._file)
            self._is_damaged |= os.pread(self._file, len(_HEADER), 0) != _HEADER
        except OSError:
            return False
        return not self._is_damaged and (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def renew(self, write_what_is_kept: OnConnection) -> bool:
        """Make a file of the same name that has what the open one had, and move aside what lies there now.

        ``False``: that can't be read any more, and it has what ``write_what_is_kept`` has written instead.

        Raises:
            StoreError: it can't be made.
        """
        self.moved_aside = None
        try:
            self._move_aside()
            connection, file = self._open(lambda db: None)
            try:
                has_all = self._copy_into(connection, write_what_is_kept)
            except BaseException:
                connection.close()
                os.close(file)
                raise
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot make '{self.path}' anew: {_words(error)}") from error
        with suppress(sqlite3.Error):
            self.connection.close()
        os.close(self._file)
        self.connection, self._file, self._is_damaged = connection, file, False
        return has_all

    # --- inside -------------------------------------------------------------------------------------------------

    def _open(self, load: OnConnection) -> tuple[sqlite3.Connection, int]:
        # Kept open for as long as the database is: closing any descriptor of a file takes the locks from it that SQLite
        # holds in the same process (POSIX), and another program would take the file for one that nobody uses.
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            db = sqlite3.connect(self.path, isolation_level=None, timeout=_WAIT_TO_OPEN, check_same_thread=False)
            try:
                self._prepare(db)
                load(db)
            except BaseException:
                db.close()
                raise
        except BaseException:
            os.close(file)
            raise
        return db, file

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.executescript(self._tables)
        row = db.execute("SELECT value FROM meta WHERE key='format'").fetchone()
        if row is None:
            db.execute("INSERT INTO meta VALUES ('format', ?)", (str(self._format),))
        elif row[0] != str(self._format):
            raise sqlite3.DatabaseError(f"format {row[0]}, expected {self._format}")
        db.execute(f"PRAGMA busy_timeout={_WAIT_TO_WRITE}")

    def _move_aside(self) -> None:
        is_there = os.path.exists(self.path)
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                if is_there:
                    os.replace(self.path + suffix, f"{self.path}.damaged{suffix}")
                else:
                    os.unlink(self.path + suffix)
        if is_there:
            self.moved_aside = f"{self.path}.damaged"

    def _copy_into(self, renewed: sqlite3.Connection, write_what_is_kept: OnConnection) -> bool:
        if not self._is_damaged:
            try:
                self.connection.backup(renewed)
            except sqlite3.DatabaseError as error:
                if not _shows_damage(error):
                    raise
            else:
                return True
        write_what_is_kept(renewed)
        return False


def _shows_damage(error: sqlite3.Error) -> bool:
    """The file is no database, is broken, or is of another format; anything else may pass."""
    code = getattr(error, "sqlite_errorcode", None)  # one that is ours has none
    return isinstance(error, sqlite3.DatabaseError) and (code is None or code & 0xFF in _DAMAGED)


def _words(error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", 0) or 0
    if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another program has locked it ('fuser' tells which)"
    if code & 0xFF == sqlite3.SQLITE_FULL:
        return "the disk is full; free some space"
    if code & 0xFF == sqlite3.SQLITE_READONLY:
        return "it, its folder or its file system is read-only"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)
