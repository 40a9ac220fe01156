"""Following log files while they are written: new lines of several files, whatever becomes of the files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress

from stigmer_pm.logs.reading import Line, Trouble, open_log, start_of_tail, written_at

#: Bytes that are taken from one file before the others get their turn, so that one that floods hides none of them.
_TURN = 1024 * 1024
#: A line that grows longer than this without an end is handed on in pieces, so that it can't fill the memory.
_LONGEST_LINE = 16 * 1024 * 1024


class Follower:
    """The last lines of several files, then what is added to them. Whoever follows asks again and again.

    A file may come later, be cut, or be replaced by another of the same name: what is in it then counts as added.
    """

    def __init__(self, paths: Mapping[str, str], lines: int, trouble: Trouble) -> None:
        """Begin ``lines`` lines before the end of each file as it is now; a file that is missing now is read whole.

        A file that can't be read is told to ``trouble`` once, and the others are followed.
        """
        self._trouble = trouble
        self._troubled: set[str] = set()
        names = sorted(paths, key=lambda name: written_at(paths[name]))
        self._files = {name: _Followed(name, paths[name], lines) for name in names}
        #: There was more to read than one turn takes; the next poll need not wait.
        self.is_behind = False

    def retarget(self, paths: Mapping[str, str], begin: Mapping[str, int]) -> Iterator[Line]:
        """Follow these files from now on, those that are new from their offset in ``begin``, or else as a whole.

        What the files that are let go of end with is handed on.
        """
        for name, file in list(self._files.items()):
            if paths.get(name) != file.path:
                yield from self._taken(file)
                yield from file.rest()
                file.close()
                del self._files[name]
        for name, path in paths.items():
            if name not in self._files:
                self._files[name] = _Followed(name, path, None, begin.get(name, 0))

    def poll(self) -> Iterator[Line]:
        """The complete lines that have been added since the last time."""
        self.is_behind = False
        for file in self._files.values():
            yield from self._taken(file)
            self.is_behind |= file.is_behind

    def _taken(self, file: _Followed) -> Iterator[Line]:
        try:
            for data in file.take():
                yield Line(file.name, data)
        except OSError as error:
            if file.name not in self._troubled:
                self._troubled.add(file.name)
                self._trouble(file.name, error)

    def offsets(self) -> dict[str, int]:
        """How far each file has been handed on, by its name."""
        return {name: file.offset for name, file in self._files.items()}

    def rest(self) -> Iterator[Line]:
        """What stands at the end of the files without a newline: nothing will be added to it any more."""
        for file in self._files.values():
            yield from file.rest()

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()


class _Followed:
    def __init__(self, name: str, path: str, lines: int | None, begin: int = 0) -> None:
        self.name = name
        self.path = path
        self.is_behind = False
        self._partial = bytearray()
        self._position = begin
        self._descriptor: int | None = None
        with suppress(OSError):  # one that can't be opened is told when it is read
            self._descriptor = self._open()
        if self._descriptor is not None and lines is not None:
            with open(self._descriptor, "rb", closefd=False) as file:
                self._position = start_of_tail(file, lines, 0, file.seek(0, os.SEEK_END))

    @property
    def offset(self) -> int:
        """Where the first line begins that has not been handed on."""
        return self._position - len(self._partial)

    def take(self) -> Iterator[bytes]:
        """Complete lines that were added, at most a turn's worth."""
        left = _TURN
        self.is_behind = False
        while left > 0:
            data = self._read(min(left, 64 * 1024))
            if not data:
                if not self._moved_on():
                    return
                # The old file is at its end and has been replaced: what it ended with ends here.
                if self._partial:
                    yield bytes(self._partial)
                    self._partial.clear()
                continue
            left -= len(data)
            yield from self._split(data)
        self.is_behind = True

    def rest(self) -> Iterator[Line]:
        """What stands at the end without a newline."""
        if self._partial:
            yield Line(self.name, bytes(self._partial))
            self._partial.clear()

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _split(self, data: bytes) -> Iterator[bytes]:
        # Not splitlines: a carriage return or a form feed ends no line of a log.
        end = data.rfind(b"\n") + 1
        if end:
            for piece in (bytes(self._partial) + data[: end - 1]).split(b"\n"):
                yield piece + b"\n"
            self._partial.clear()
        self._partial += data[end:]
        if len(self._partial) > _LONGEST_LINE:
            yield bytes(self._partial)
            self._partial.clear()

    def _read(self, size: int) -> bytes:
        if self._descriptor is None:
            self._descriptor = self._open()
            if self._descriptor is None:
                return b""
        if os.fstat(self._descriptor).st_size < self._position:
            self._position = 0  # it was cut: what is in it now is new
            self._partial.clear()
        data = os.pread(self._descriptor, size, self._position)
        self._position += len(data)
        return data

    def _moved_on(self) -> bool:
        """Another file has this name now, and it is open."""
        if self._descriptor is None:
            return False
        try:
            there, here = os.stat(self.path), os.fstat(self._descriptor)
        except OSError:
            return False  # gone for now; what still writes to it writes to the one that is open
        if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
            return False
        self.close()
        self._position = 0
        self._descriptor = self._open()
        return self._descriptor is not None

    def _open(self) -> int | None:
        return open_log(self.path)
