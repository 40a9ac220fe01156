"""One SQLite file that may be damaged, locked, removed or full at any time: opening, writing and renewing it."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

from stigmer_pm.supervisor.full_disk import has_no_room, is_full

_log = logging.getLogger(__name__)

#: What SQLite says of a file that is none of its own, or was written to by somebody else.
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
#: What it says of one that another program has locked.
LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
#: What every database begins with (https://sqlite.org/fileformat.html).
_HEADER = b"SQLite format 3\0"
#: Seconds that opening waits for somebody else who has locked the file: a copy of it that is being made takes a moment.
_WAIT_TO_OPEN = 5.0
#: Milliseconds that a write waits. Everything else waits with it, so it is tried again later rather than for long.
_WAIT_TO_WRITE = 50

OnConnection = Callable[[sqlite3.Connection], None]
#: Device and inode of a file, which tell it from another of the same name.
Identity = tuple[int, int]


class StoreError(Exception):
    """The state could not be read or written; the message says which file and why, ``cure`` what helps.

    ``is_full``: it was for want of room.
    """

    def __init__(self, message: str, cure: str | None = None, *, is_full: bool = False) -> None:
        super().__init__(message)
        self.cure = cure
        self.is_full = is_full


class Meaningless(ValueError):
    """SQLite can read it, and it means nothing to us: as good as damaged."""


def check_format(path: str, found: str | None, known: int) -> None:
    """Make sure that a record is of the format that this version knows.

    Raises:
        Meaningless: it is of none.
        StoreError: it is of another one, which the version that wrote it reads.
    """
    if found == str(known):
        return
    if found is None or not found.isdecimal():
        raise Meaningless("it is of no known format")
    raise StoreError(
        f"'{path}' is of format {found}, and this version knows {known}",
        cure="use the version that wrote it; or move the file away, and 'stigmer-pm up' finds what runs without it",
    )


class Database:
    """The open file.

    Attributes:
        moved_aside: where the damaged file lies in whose place this one was made; ``None``: there was none.
    """

    def __init__(self, path: str, tables: str, format_number: int, load: OnConnection) -> None:
        """Open it, making it anew when it is damaged: the old one is moved aside then.

        ``load`` reads what has to be readable, and is called again with the new one when it isn't. It raises
        ``Meaningless`` where it can be read and is nothing of ours.

        Raises:
            StoreError: it can't be opened or made, or it is of another format than ``format_number``.
        """
        self.path = path
        self.moved_aside: str | None = None
        self._tables, self._format = tables, format_number
        self._is_damaged = False
        #: The journal (-wal) of the open file; and a file that was made for its place and couldn't be opened yet.
        self._journal: Identity | None = None
        self._made: Identity | None = None
        try:
            _remove(f"{path}.new")  # of one that was killed while it renewed
            if _is_no_file(path):
                self._move_aside()
            try:
                self.connection, self._file = self._open(load)
            except (sqlite3.DatabaseError, ValueError) as error:
                # SQLITE_ERROR: it lacks a table or a column.
                if not _shows_damage(error) and getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_ERROR:
                    raise
                _log.warning("'%s' is damaged: %s", path, words_of(error))
                self._move_aside()
                self.connection, self._file = self._open(load)
        except (sqlite3.Error, OSError) as error:
            raise self._trouble("open", error) from error

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
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._is_damaged |= _shows_damage(error)
            raise self._trouble("write", error) from error
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
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._is_damaged |= _shows_damage(error)
            raise self._trouble("read", error) from error

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

        It is made under another name and then renamed, so that until it is whole nothing that is there is touched.

        ``False``: that can't be read any more, and it has what ``write_what_is_kept`` has written instead.

        Raises:
            StoreError: it can't be made.
        """
        if self._made is None:
            self.moved_aside = None
        new = f"{self.path}.new"
        try:
            _remove(new)
            try:
                has_all = self._make(new, write_what_is_kept)
                if not self._is_at(self._made):
                    self._move_aside()
                self._made = _identity(new)
                os.replace(new, self.path)
            finally:
                _remove(new)
            connection, file = self._open(lambda db: None)
        except (sqlite3.Error, OSError) as error:
            raise self._trouble("make anew", error) from error
        with suppress(sqlite3.Error):
            self.connection.close()
        os.close(self._file)
        self.connection, self._file, self._is_damaged, self._made = connection, file, False, None
        return has_all

    # --- inside -------------------------------------------------------------------------------------------------

    def _trouble(self, what: str, error: Exception) -> StoreError:
        code = (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF
        is_io = code == sqlite3.SQLITE_IOERR and has_no_room(os.path.dirname(self.path))
        if is_io or code == sqlite3.SQLITE_FULL or (isinstance(error, OSError) and is_full(error)):
            return StoreError(f"cannot {what} '{self.path}': the disk is full; free some space", is_full=True)
        return StoreError(f"cannot {what} '{self.path}': {words_of(error)}")

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
        self._journal = _identity(f"{self.path}-wal")
        return db, file

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        self._fill(db)
        db.execute(f"PRAGMA busy_timeout={_WAIT_TO_WRITE}")

    def _fill(self, db: sqlite3.Connection) -> None:
        """Make the tables where they are missing."""
        db.executescript(self._tables)
        row = db.execute("SELECT value FROM meta WHERE key='format'").fetchone()
        if row is None:
            db.execute("INSERT INTO meta VALUES ('format', ?)", (str(self._format),))
        else:
            check_format(self.path, str(row[0]), self._format)

    def _is_at(self, identity: Identity | None) -> bool:
        """The file of this name is that one."""
        return identity is not None and _identity(self.path) == identity

    def _move_aside(self) -> None:
        """Keep what is damaged, or lies in the place of our file, under another name."""
        journal = _identity(f"{self.path}-wal")
        if not os.path.lexists(self.path):
            _remove(self.path)
            return
        _remove(f"{self.path}.damaged")
        # A journal goes with the file that it belongs to: SQLite would play it back into any. What it has of a file of
        # ours that somebody has moved away, our connection has as well.
        if journal is not None and (journal != self._journal or self._is_at(_identity(self._file))):
            os.replace(f"{self.path}-wal", f"{self.path}.damaged-wal")
        os.replace(self.path, f"{self.path}.damaged")
        _remove(self.path)
        self.moved_aside = f"{self.path}.damaged"

    def _make(self, path: str, write_what_is_kept: OnConnection) -> bool:
        """A new file with all that ours has, or else with what is kept, and no journal beside it."""
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            self._fill(db)
            if self._is_copied_into(db):
                return True
            db.execute("BEGIN")
            write_what_is_kept(db)
            db.execute("COMMIT")
            return False

    def _is_copied_into(self, renewed: sqlite3.Connection) -> bool:
        if self._is_damaged:
            return False
        try:
            self.connection.backup(renewed)
        except sqlite3.DatabaseError as error:
            if not _shows_damage(error):
                raise
            return False
        return True


def _identity(file: str | int) -> Identity | None:
    """Which file has this name or descriptor; ``None``: there is none."""
    try:
        found = os.lstat(file) if isinstance(file, str) else os.fstat(file)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _is_no_file(path: str) -> bool:
    """It is a pipe, say. A link is not moved aside, and not followed: whoever has made it is to be told."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISLNK(mode))


def _remove(path: str) -> None:
    """Remove a database, if it is there, and what lies beside it; its journal first, which could spoil another."""
    for suffix in ("-wal", "-shm", "-journal", ""):
        with suppress(FileNotFoundError):
            os.unlink(path + suffix)


def _shows_damage(error: Exception) -> bool:
    """The file is no database, is broken, or means nothing; anything else may pass."""
    if not isinstance(error, sqlite3.DatabaseError):
        return isinstance(error, (Meaningless, UnicodeDecodeError))
    code = getattr(error, "sqlite_errorcode", None)  # a text that is no UTF-8 has none
    return code is None or code & 0xFF in _DAMAGED


def words_of(error: Exception) -> str:
    """Why something couldn't be read or written. Never what is in the file: secrets are."""
    code = getattr(error, "sqlite_errorcode", 0) or 0
    if (not code and isinstance(error, sqlite3.Error)) or isinstance(error, UnicodeDecodeError):
        return "a text in it is no UTF-8"  # the only error of Python's own; it quotes the text
    if code & 0xFF in LOCKED:
        return "another program has locked it ('fuser' tells which)"
    if code & 0xFF == sqlite3.SQLITE_READONLY:
        return "it, its folder or its file system is read-only"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)
