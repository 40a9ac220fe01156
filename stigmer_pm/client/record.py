"""What a supervisor has left on record, read where none is there to ask. Nothing is written, made or locked by it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, cast
from urllib.parse import quote

from stigmer_pm.client.documents import EventEntry
from stigmer_pm.client.errors import ClientError

#: The format of the tables that is known here: that of the supervisor of the same version.
FORMAT = "1"
#: Seconds that somebody else who has locked the file is waited for.
_WAIT = 5.0


class Record:
    """The open record of one project; closed by ``with``."""

    def __init__(self, path: str) -> None:
        """Open the database of a state folder.

        Raises:
            FileNotFoundError: there is none.
            ClientError: it can't be read, or is of another version.
        """
        os.stat(path)
        self._path = path
        try:
            self._db = sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True, timeout=_WAIT)
        except sqlite3.Error as error:
            raise ClientError(f"cannot read '{path}': {error}") from error
        try:
            found = self._rows("SELECT value FROM meta WHERE key='format'")
            if found != [(FORMAT,)]:
                raise ClientError(f"cannot read '{path}': another version has written it", "'stigmer-pm up' reads it")
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def file(self) -> str | None:
        """The file that was applied last."""
        found = self._rows("SELECT value FROM meta WHERE key='file'")
        return _text(found[0][0]) if found else None

    def labels(self) -> dict[str, Mapping[str, str]]:
        """The instances of which something is on record, with their labels; those that are gone have none any more."""
        found: dict[str, Mapping[str, str]] = {}
        for name, spec in self._rows("SELECT name, spec FROM instances ORDER BY position"):
            found[str(name)] = dict(json.loads(str(spec)).get("labels") or {})
        for (name,) in self._rows("SELECT DISTINCT instance FROM events WHERE instance IS NOT NULL ORDER BY instance"):
            found.setdefault(str(name), {})
        return found

    def events(self, names: Sequence[str] = (), since: str | None = None, limit: int | None = None) -> list[EventEntry]:
        """The journal, oldest first, as a supervisor tells it; ``limit`` keeps the last ones."""
        where = f" AND instance IN ({','.join('?' * len(names))})" if names else ""
        rows = self._rows(
            f"SELECT id, at, instance, run, kind, message FROM events WHERE at >= ?{where} ORDER BY id DESC LIMIT ?",  # noqa: S608
            (_wall(since), *names, -1 if limit is None else limit),
        )
        entries = [
            {"id": number, "at": _stamp(at), "instance": name, "run": run, "kind": kind, "message": _text(message)}
            for number, at, name, run, kind, message in reversed(rows)
        ]
        return cast("list[EventEntry]", entries)

    def _rows(self, query: str, args: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, args).fetchall()
        except sqlite3.Error as error:
            raise ClientError(f"cannot read '{self._path}': {error}") from error


def _text(value: object) -> str:
    """A text of a supervisor's: one with bytes in it that are no UTF-8 (of a path, a variable) is kept as a BLOB."""
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)


def _wall(text: str | None) -> float:
    """Seconds since 1970 of a moment as the command line has it."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def _stamp(wall: float) -> str:
    """As a supervisor writes a moment."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
