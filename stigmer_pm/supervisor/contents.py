"""What a record has in it: reading all of it and making sense of it, also where nothing of it may be touched."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.state import InstanceState
from stigmer_pm.spec import ComponentSpec, InputFile
from stigmer_pm.spec.codec import decode
from stigmer_pm.supervisor.columns import as_run, from_column
from stigmer_pm.supervisor.database import LOCKED, Meaningless, StoreError, check_format, words_of
from stigmer_pm.supervisor.records import RunRow

#: Raised whenever the tables or the meaning of their content change, so that an older version leaves the file alone.
FORMAT = 1

#: What :func:`decoded` makes instances from.
INSTANCES = "SELECT name, spec, state FROM instances ORDER BY position"
#: The newest run of every instance.
_NEWEST = "SELECT * FROM runs r WHERE run = (SELECT MAX(run) FROM runs WHERE instance = r.instance)"
#: The newest run number of every instance that ever was.
LAST_RUNS = "SELECT instance, MAX(run) FROM runs GROUP BY instance"
#: Where the output of each instance's newest run begins in its log.
LOG_OFFSETS = "SELECT instance, log_from, MAX(run) FROM runs GROUP BY instance"
#: Runs with something in them that no run has: SQLite takes any type in any column.
_IMPOSSIBLE_RUNS = """
SELECT 1 FROM runs WHERE typeof(instance) <> 'text' OR typeof(run) <> 'integer'
    OR typeof(pid) NOT IN ('integer', 'null') OR typeof(started) NOT IN ('integer', 'null')
    OR typeof(log_from) NOT IN ('integer', 'null') OR typeof(ended) NOT IN ('text', 'blob', 'null')
    OR 'text' IN (typeof(started_at), typeof(ended_at), typeof(uptime))
    OR 'blob' IN (typeof(started_at), typeof(ended_at), typeof(uptime))
LIMIT 1
"""


def peek(path: str) -> tuple[Mapping[str, str], int]:
    """The single values and the number of instances on record, without touching the file; nothing where there is no
    record, or none that is sound.

    Raises:
        StoreError: it can't be read just now; another program has locked it, for example.
    """
    try:
        with closing(_connect_to_read(path)) as db:
            found = read(db, path)
    except sqlite3.OperationalError as error:
        if (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF in LOCKED:
            raise StoreError(f"cannot read '{path}': {words_of(error)}") from error
        return {}, 0
    except (sqlite3.Error, ValueError):
        return {}, 0
    return found.meta, len(found.instances)


def check_readable(path: str) -> None:
    """Read all that is on record without touching it.

    Raises:
        StoreError: it is of another format, or can't be read.
    """
    try:
        with closing(_connect_to_read(path)) as db:
            read(db, path)
    except (sqlite3.Error, ValueError) as error:
        raise StoreError(f"cannot read '{path}': {words_of(error)}") from error


def _connect_to_read(path: str) -> sqlite3.Connection:
    from urllib.parse import quote

    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True, timeout=5.0)


@dataclass(frozen=True, slots=True)
class Content:
    """What a supervisor can't go on without: single values, every instance as it was last written, its newest run."""

    meta: dict[str, str]
    instances: list[Instance]
    newest: list[RunRow]


def read(db: sqlite3.Connection, path: str) -> Content:
    """What is on record.

    Raises:
        Meaningless: it can be read, and is nothing of ours.
        StoreError: it is of another format.
    """
    # A tree of SQLite's own that is broken shows only where it is walked, and then it is too late to do without. Takes
    # 10 ms where a thousand components have all the history that is kept.
    if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",) or db.execute(_IMPOSSIBLE_RUNS).fetchone():
        raise Meaningless("its tables are broken")
    # Both walk the index, which has numbers of its own and which a quick check leaves out.
    db.execute(LOG_OFFSETS).fetchall()
    if not all(isinstance(run, int) for _, run in db.execute(LAST_RUNS)):
        raise Meaningless("its runs have no numbers")
    meta = {str(key): from_column(value) for key, value in db.execute("SELECT key, value FROM meta")}
    check_format(path, meta.get("format"), FORMAT)
    rows = db.execute(INSTANCES).fetchall()
    runs = db.execute(_NEWEST).fetchall()
    try:
        # Not the words of these errors: they quote what was found, and variables are among it.
        decode(dict[str, str], json.loads(meta.get("environment", "{}")))
        decode(tuple[InputFile, ...], json.loads(meta.get("inputs", "[]")))
        newest = [as_run(row) for row in runs]
    except (ValueError, TypeError):
        raise Meaningless("what it says of the project means nothing") from None
    return Content(meta, decoded(rows), newest)


def decoded(rows: Iterable[tuple[Any, Any, Any]]) -> list[Instance]:
    """Instances from the rows that ``INSTANCES`` gives.

    Raises:
        Meaningless: one of them can be read, and is nothing of ours.
    """
    found = []
    for name, spec, state in rows:
        try:
            instance = Instance(decode(ComponentSpec, json.loads(spec)), decode(InstanceState, json.loads(state)))
        except (ValueError, TypeError):
            raise Meaningless(f"what it says of '{name}' means nothing") from None
        if not name == instance.spec.name == instance.state.name:
            raise Meaningless(f"what it says of '{name}' is of another")
        found.append(instance)
    return found
