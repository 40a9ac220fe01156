"""Asking an engine anew, on a connection of its own, whether it still takes requests.

An engine that is being stopped closes its door first, then stops its containers, and goes on answering on connections
that it has. So who asks on one of those learns how a container ended, and not that the engine has ended it.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from stigmer_pm.runtime.containers.address import EngineAddress

#: Seconds within which an engine answers that isn't on its way out.
_WITHIN = 1.0


def takes_requests(address: EngineAddress) -> bool:
    """It does, or nobody can tell. Blocks for a second at most."""
    try:
        if address.is_local:
            return _answers(address.socket)
        parts = urlsplit(address.url)
        if parts.scheme in ("tcp", "http", "https") and parts.hostname and parts.port:
            socket.create_connection((parts.hostname, parts.port), timeout=_WITHIN).close()
    except OSError:
        return False
    return True


def _answers(path: str) -> bool:
    """An answer is asked for, since a socket that systemd holds takes connections for an engine that isn't there."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_WITHIN)
        connection.connect(path)
        connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
        return connection.recv(12).startswith(b"HTTP/1.")
