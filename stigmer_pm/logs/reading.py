"""Reading the end of log files: the last lines of one, or of each of several."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

#: Bytes that are read at once while looking back for line ends; a screen of lines is usually within one.
_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a component's log, byte for byte, with its newline unless it is a last line without one."""

    name: str
    data: bytes


def tail(path: str, lines: int, start_offset: int = 0) -> list[bytes]:
    """The last ``lines`` lines of a file that begin at ``start_offset`` or later; none when there is no such file.

    An offset beyond the end means that the file has been cut since, so the whole of it counts.

    Raises:
        OSError: it can't be read.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115 (closed below; only the opening may find nothing)
    except (FileNotFoundError, NotADirectoryError):
        return []
    with file:
        size = file.seek(0, os.SEEK_END)
        first = start_offset if start_offset <= size else 0
        file.seek(start_of_tail(file, lines, first, size))
        return list(file)


def history(paths: Mapping[str, str], lines: int) -> Iterator[Line]:
    """The last ``lines`` lines of every file, one file after the other; the one that was written to last comes last.

    Lines carry no times of their own, so those of different files can't be put in order.

    Raises:
        OSError: one can't be read.
    """
    for name in sorted(paths, key=lambda name: written_at(paths[name])):
        for data in tail(paths[name], lines):
            yield Line(name, data)


def written_at(path: str) -> float:
    """When a file was last written to, in seconds since 1970; 0 when there is none."""
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def start_of_tail(file: BinaryIO, lines: int, first: int, end: int) -> int:
    """Where the last ``lines`` lines before ``end`` begin, at or after ``first``. Reads only what it must."""
    if lines <= 0:
        return end
    position, missing = end, lines
    while position > first:
        begin = max(first, position - _BLOCK)
        file.seek(begin)
        block = file.read(position - begin)
        # The newline that ends the last line ends nothing before it.
        at = len(block) - 1 if position == end and block.endswith(b"\n") else len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            missing -= 1
            if missing == 0:
                return begin + at + 1
        position = begin
    return first
