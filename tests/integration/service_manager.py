"""A service manager as far as sd_notify goes: a datagram socket, and what was told at it."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..project import eventually


@dataclass
class ServiceManager:
    """``messages`` are what has come: the pid of the sender by the kernel's word, and the lines."""

    variable: str
    _socket: socket.socket
    messages: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def listen(self) -> list[tuple[int, dict[str, str]]]:
        """All that has come by now."""
        size = struct.calcsize("3i")
        with suppress(BlockingIOError):
            while True:
                data, ancillary, _, _ = self._socket.recvmsg(65536, socket.CMSG_SPACE(size))
                ((_, _, credentials),) = ancillary
                pid, _, _ = struct.unpack("3i", credentials)
                lines = (line.partition("=") for line in data.decode().splitlines())
                self.messages.append((pid, {key: value for key, _, value in lines}))
        return self.messages

    def has(self, key: str, words: str = "") -> tuple[int, dict[str, str]] | None:
        """A message with this key, whose value has these words."""
        return next((m for m in self.listen() if key in m[1] and words in m[1][key]), None)

    def wait(self, key: str, words: str = "") -> tuple[int, dict[str, str]]:
        """Until there is such a message."""
        return eventually(lambda: self.has(key, words), f"{key} with '{words}' is told")


@contextmanager
def service_manager(folder: Path, *, abstract: bool = False) -> Iterator[ServiceManager]:
    """One that listens at a file of ``folder``, or at an abstract name."""
    name = f"@spm-{os.getpid()}-{folder.name}" if abstract else str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        listener.bind("\0" + name[1:] if abstract else name)
        listener.setblocking(False)
        yield ServiceManager(name, listener)
