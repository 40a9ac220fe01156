"""Reading the end of log files: the last lines of one, or of each of several."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

#: Bytes that are read at once while looking back for line ends; a screen of lines is usually within one.
_BLOCK = 64 * 1024

#: Who is told that the log of an instance can't be read, and why.
Trouble = Callable[[str, OSError], None]


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
    descriptor = open_log(path)
    if descriptor is None:
        return []
    with open(descriptor, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        first = start_offset if start_offset <= size else 0
        file.seek(start_of_tail(file, lines, first, size))
        return list(file)


def open_log(path: str) -> int | None:
    """A descriptor to read a log by; ``None`` when there is none, or when it is no file (``/dev/null``, a pipe).

    Raises:
        OSError: it can't be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return descriptor


def history(paths: Mapping[str, str], lines: int, trouble: Trouble) -> Iterator[Line]:
    """The last ``lines`` lines of every file, one file after the other; the one that was written to last comes last.

    Lines carry no times of their own, so those of different files can't be put in order. A file that can't be read is
    told to ``trouble``, and the others are read.
    """
    for name in sorted(paths, key=lambda name: written_at(paths[name])):
        try:
            for data in tail(paths[name], lines):
                yield Line(name, data)
        except OSError as error:
            trouble(name, error)


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
