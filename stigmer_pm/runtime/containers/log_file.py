"""A component's log file as a container's output is appended to it, without what stands in it already."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress

from stigmer_pm.logs.sink import open_sink

#: What keeps a write from succeeding until somebody makes room, raises a limit, or the disk recovers.
_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EAGAIN}


def is_passing(error: OSError) -> bool:
    """Whether the same write may succeed later, without anything being opened anew."""
    return error.errno in _PASSING


class LogUnwritable(Exception):
    """The log file can't be opened or written, and waiting won't help. Its text is for the user."""


class LogFile:
    """Appends to a log file. Others may append to it, cut it, rename or delete it at any time.

    Args:
        path: the file; it and its folders are made when they are missing.
        stalled: called when a write has failed that may succeed later. It waits and returns, and then the write is
            tried again; or it raises.
        write: ``os.write``.

    Raises:
        LogUnwritable: it can't be opened.
    """

    def __init__(
        self, path: str, stalled: Callable[[OSError], None], *, write: Callable[[int, memoryview], int] = os.write
    ) -> None:
        self.path = path
        self._stalled = stalled
        self._write = write
        self._descriptor = -1
        self._replayed: _Replayed | None = None
        #: Just after the last byte that was written or found.
        self.offset = 0
        self._open()

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode of the file that is open."""
        status = os.fstat(self._descriptor)
        return status.st_dev, status.st_ino

    def expect(self, device: int, inode: int, offset: int) -> None:
        """Take what stands behind ``offset`` for the beginning of what will be appended, if this is the same file.

        As far as it is the same, byte for byte, it isn't appended again.
        """
        if (device, inode) == self.identity and self.offset > offset:
            self._replayed = _Replayed(self.path, (device, inode), offset, self.offset)
            self.offset = offset

    def append(self, data: bytes) -> None:
        """Write all of it at the end of the file, however long that takes.

        Raises:
            LogUnwritable: it can't be written.
        """
        if self._replayed is not None:
            data = self._without_replayed(self._replayed, data)
        if not data:
            return
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._write(self._descriptor, rest) :]
            except OSError as error:
                if not is_passing(error):
                    raise _unwritable(self.path, error) from error
                self._stalled(error)
        # In a file that is opened for appending this is where the last write has ended, whoever else writes to it.
        self.offset = os.lseek(self._descriptor, 0, os.SEEK_CUR)

    def is_replaced(self) -> bool:
        """Another file stands under the path, or none: it was renamed or deleted."""
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return True
        except OSError:
            return False  # nothing better could be opened
        return (status.st_dev, status.st_ino) != self.identity

    def reopen(self) -> None:
        """Append to the file under the path from now on.

        Raises:
            LogUnwritable: it can't be opened; the one that was open still is.
        """
        self._forget_replayed()
        old = self._descriptor
        self._open()
        os.close(old)

    def close(self) -> None:
        """Let go of the file."""
        self._forget_replayed()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        try:
            self._descriptor = open_sink(self.path)
            self.offset = os.lseek(self._descriptor, 0, os.SEEK_END)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _without_replayed(self, replayed: _Replayed, data: bytes) -> bytes:
        found = replayed.count_equal(data)
        self.offset = replayed.offset
        if replayed.is_over:
            self._forget_replayed()
        return data[found:]

    def _forget_replayed(self) -> None:
        if self._replayed is not None:
            self._replayed.close()
            self._replayed = None


class _Replayed:
    """What a supervisor that died had appended after its last word about it: the bytes from ``offset`` to ``end``."""

    def __init__(self, path: str, identity: tuple[int, int], offset: int, end: int) -> None:
        self.offset = offset
        self._end = end
        self._descriptor = -1
        with suppress(OSError):  # one that can't be read is taken for a different one, and lines are doubled
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            status = os.fstat(self._descriptor)
            if (status.st_dev, status.st_ino) != identity:
                self._end = offset

    @property
    def is_over(self) -> bool:
        return self.offset >= self._end

    def count_equal(self, data: bytes) -> int:
        """How many bytes at the beginning of ``data`` need not be written, as they come next here.

        At the first that differs somebody else has written to the file or cut it, and this is over. What of its line
        was equal then counts as different: a line twice is better than half a line.
        """
        wanted = min(len(data), self._end - self.offset)
        there = self._read(wanted)
        equal = len(there) if data.startswith(there) else _count_common(there, data)
        if equal < wanted:
            equal = data.rfind(b"\n", 0, equal) + 1
            self._end = self.offset + equal
        self.offset += equal
        return equal

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _read(self, size: int) -> bytes:
        try:
            return os.pread(self._descriptor, size, self.offset)
        except OSError:
            return b""


def _count_common(one: bytes, other: bytes) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _unwritable(path: str, error: OSError) -> LogUnwritable:
    return LogUnwritable(f"cannot write the log '{path}': {(error.strerror or str(error)).lower()}")
