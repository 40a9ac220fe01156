"""A file system that doesn't answer for as long as a test likes: FUSE, spoken by hand, with one program in it.

What is held back is the page that the kernel reads last while it executes a program: the one in which its variables
begin, when everything else of the process that was there before is gone already.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_PAGE = 4096
_LOOKUP, _FORGET, _GETATTR, _OPEN, _READ, _RELEASE, _FLUSH, _INIT, _ACCESS, _FORGETS = (
    1,
    2,
    3,
    14,
    15,
    18,
    25,
    26,
    34,
    42,
)
_KEEP_CACHE = 2
_PROGRAM = b"program"
_LAZILY = 2


class SlowFiles:
    """A mounted folder with ``program`` in it. ``release`` lets it be read to its end, from then on."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.program = folder / _PROGRAM.decode()
        self.release = threading.Event()
        self._content = program.read_bytes()
        self._held = _page_of_variables(self._content)
        self._fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._fuse},rootmode=40000,user_id=0,group_id=0,allow_other"
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"slow", os.fsencode(folder), b"fuse", 0, options.encode()):
            os.close(self._fuse)
            raise OSError(ctypes.get_errno(), "cannot mount")
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):  # unmounted
            while True:
                request = os.read(self._fuse, 1 << 20)
                _, operation, number, node = struct.unpack_from("<IIQQ", request)
                self._answer(operation, number, node, request[40:])

    def _answer(self, operation: int, number: int, node: int, argument: bytes) -> None:
        if operation == _INIT:  # version 7.31, no reading ahead
            self._reply(number, struct.pack("<4I2H2I2H8I", 7, 31, 0, 0, 1, 1, _PAGE, 1, 1, 0, *[0] * 8))
        elif operation == _LOOKUP and argument.rstrip(b"\0") == _PROGRAM:
            self._reply(number, struct.pack("<4Q2I", 2, 0, 0, 0, 0, 0) + self._attributes(2))
        elif operation == _LOOKUP:
            self._reply(number, error=errno.ENOENT)
        elif operation == _GETATTR:
            self._reply(number, struct.pack("<QII", 0, 0, 0) + self._attributes(node))
        elif operation == _OPEN:
            self._reply(number, struct.pack("<QII", 1, _KEEP_CACHE, 0))
        elif operation == _READ:
            threading.Thread(target=self._read, args=(number, argument), daemon=True).start()
        elif operation in (_RELEASE, _FLUSH, _ACCESS):
            self._reply(number)
        elif operation not in (_FORGET, _FORGETS):
            self._reply(number, error=errno.ENOSYS)

    def _read(self, number: int, argument: bytes) -> None:
        _, offset, size = struct.unpack_from("<QQI", argument)
        if offset <= self._held < offset + size:
            self.release.wait()
        self._reply(number, self._content[offset : offset + size])

    def _attributes(self, node: int) -> bytes:
        size, mode = (0, 0o40755) if node == 1 else (len(self._content), 0o100755)
        return struct.pack("<6Q10I", node, size, size // 512 + 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, _PAGE, 0)

    def _reply(self, number: int, body: bytes = b"", error: int = 0) -> None:
        with suppress(OSError):  # who asked has been killed
            os.write(self._fuse, struct.pack("<IiQ", 16 + len(body), -error, number) + body)


def _page_of_variables(content: bytes) -> int:
    """Where in an ELF file the page begins that is partly of the file and partly zeros."""
    start, size, count = struct.unpack_from("<Q", content, 32) + struct.unpack_from("<HH", content, 54)
    for index in range(count):
        kind, _, offset, _, _, in_file, in_memory = struct.unpack_from("<IIQQQQQ", content, start + index * size)
        if kind == 1 and in_memory > in_file:
            return int((offset + in_file) // _PAGE * _PAGE)
    pytest.skip("a program without variables")


@contextmanager
def slow_files(folder: Path, program: Path) -> Iterator[SlowFiles]:
    """Mount them; gone, and answering, afterwards."""
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        pytest.skip("needs root, and FUSE")
    folder.mkdir()
    try:
        files = SlowFiles(folder, program)
    except OSError as error:
        pytest.skip(f"FUSE can't be used here: {error}")
    try:
        yield files
    finally:
        files.release.set()
        ctypes.CDLL(None).umount2(os.fsencode(folder), _LAZILY)
