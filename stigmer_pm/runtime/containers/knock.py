"""Asking an engine anew, on a connection of its own, whether it still takes requests.

An engine that is being stopped closes its door first, then stops its containers, and goes on answering on connections
that it has. So who asks on one of those learns how a container ended, and not that the engine has ended it. And one
that hangs keeps all connections open, and takes new ones: the kernel does that for it.
"""

from __future__ import annotations

import errno
import socket
from enum import Enum, auto
from urllib.parse import urlsplit

from stigmer_pm.runtime.containers.address import EngineAddress

#: Of descriptors, or memory.
_SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)


class Answer(Enum):
    """What comes of it."""

    YES = auto()  # it takes requests, or nobody can tell
    CLOSED = auto()  # nobody is there, or it is on its way out
    NOTHING = auto()  # somebody is there, and says nothing in time


def knock(address: EngineAddress, within: float) -> Answer:
    """Ask. Blocks for ``within`` seconds at most, again for each address of its name, and while that is looked up."""
    parts = urlsplit(address.url)
    try:
        if address.is_local:
            return _ask(_connect_here(address.socket, within))
        if parts.scheme in ("tcp", "http", "https") and parts.hostname and parts.port:
            is_plain = address.certificates is None and parts.scheme != "https"
            connection = socket.create_connection((parts.hostname, parts.port), within)
            return _ask(connection, is_silent=not is_plain)
    except (TimeoutError, BlockingIOError):
        return Answer.NOTHING
    except OSError as error:
        # A name that nobody can look up, and a lack of descriptors here, say nothing of an engine.
        return Answer.YES if isinstance(error, socket.gaierror) or error.errno in _SHORT else Answer.CLOSED
    return Answer.YES


def _connect_here(path: str, within: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(within)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _ask(connection: socket.socket, *, is_silent: bool = False) -> Answer:
    """An answer is asked for, since a socket that systemd holds takes connections for an engine that isn't there."""
    with connection:
        if is_silent:  # in a language that isn't spoken here (TLS)
            return Answer.YES
        connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
        return Answer.YES if connection.recv(12).startswith(b"HTTP/1.") else Answer.CLOSED
