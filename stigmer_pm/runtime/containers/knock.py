"""Asking an engine anew, on a connection of its own, whether it still takes requests.

An engine that is being stopped closes its door first, then stops its containers, and goes on answering on connections
that it has. So who asks on one of those learns how a container ended, and not that the engine has ended it. And one
that hangs keeps all connections open, and takes new ones: the kernel does that for it.
"""

from __future__ import annotations

import socket
from enum import Enum, auto
from urllib.parse import urlsplit

from stigmer_pm.runtime.containers.address import EngineAddress


class Answer(Enum):
    """What comes of it."""

    YES = auto()  # it takes requests, or nobody can tell
    CLOSED = auto()  # nobody is there, or it is on its way out
    NOTHING = auto()  # somebody is there, and says nothing in time


def knock(address: EngineAddress, within: float) -> Answer:
    """Ask. Blocks for ``within`` seconds at most, twice where the connection takes its time as well."""
    parts = urlsplit(address.url)
    place = (parts.hostname, parts.port)
    try:
        if address.is_local:
            return _ask(socket.socket(socket.AF_UNIX), address.socket, within)
        if parts.scheme in ("tcp", "http", "https") and place[0] and place[1]:
            is_plain = address.certificates is None and parts.scheme != "https"
            return _ask(socket.socket(_family(place[0])), (place[0], place[1]), within, is_silent=not is_plain)
    except (TimeoutError, BlockingIOError):
        return Answer.NOTHING
    except OSError:
        return Answer.CLOSED
    return Answer.YES


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _ask(connection: socket.socket, place: object, within: float, *, is_silent: bool = False) -> Answer:
    """An answer is asked for, since a socket that systemd holds takes connections for an engine that isn't there."""
    with connection:
        connection.settimeout(within)
        connection.connect(place)  # type: ignore[arg-type]
        if is_silent:  # in a language that isn't spoken here (TLS)
            return Answer.YES
        connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
        return Answer.YES if connection.recv(12).startswith(b"HTTP/1.") else Answer.CLOSED
