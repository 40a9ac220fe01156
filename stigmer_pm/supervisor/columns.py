"""Text in columns of the record. A path may have bytes in it that are no UTF-8 (surrogates in Python), and a text of
SQLite's can't: such a text is kept as a BLOB, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

from stigmer_pm.supervisor.records import RunRow

#: What a row about a run has, in this order.
RUN_FIELDS = tuple(f.name for f in fields(RunRow))


def to_column(text: str | None) -> str | bytes | None:
    """What is written of a text."""
    if text is None or text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="surrogateescape")
    return text


def from_column(value: object) -> str:
    """The text that was written."""
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)


def as_row(run: RunRow) -> tuple[object, ...]:
    """What is written of a run."""
    return tuple(to_column(value) if isinstance(value, str) else value for value in astuple(run))


def as_run(row: Sequence[Any]) -> RunRow:
    """The run that was written."""
    values: list[Any] = [from_column(value) if isinstance(value, bytes) else value for value in row]
    return RunRow(*values)
