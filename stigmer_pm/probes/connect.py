"""Connecting a TCP socket the way Go's dialer does, which is what Kubernetes' probes are measured by."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from functools import lru_cache
from typing import Any

from stigmer_pm.probes.shortage import check_resolver

_Address = tuple[
    int, int, int, str, Any
]  # family, type, protocol, canonical name, socket address: as getaddrinfo has it


async def connect(host: str, port: int) -> socket.socket:
    """A non-blocking socket connected to ``host:port``, which the caller closes. The addresses are tried in turn.

    SO_LINGER, which the kubelet sets, stays off: on Linux it makes ``close`` wait even on a non-blocking socket,
    and so would stop the whole supervisor for up to a second.

    Raises:
        OSError: the name cannot be resolved, or no address answers; then the error of the first address. What this
            process itself is short of is told as such.
    """
    failed: OSError | None = None
    for family, kind, protocol, _, address in await _resolve(host, port):
        sock = socket.socket(family, kind, protocol)
        try:
            await _connect(sock, address)
        except OSError as error:
            sock.close()
            failed = failed or error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failed or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))


async def _connect(sock: socket.socket, address: Any) -> None:
    sock.setblocking(False)
    failure = sock.connect_ex(address)
    if failure == errno.EINPROGRESS:
        # With a server on this machine the handshake is over before the call returns, though it says otherwise. Asking
        # again finds out, and spares the event loop two turns.
        failure = sock.connect_ex(address)
    if failure == errno.EALREADY:
        await asyncio.get_running_loop().sock_connect(sock, address)
    elif failure not in (0, errno.EISCONN):
        raise OSError(failure, os.strerror(failure))
    if is_connected_to_itself(sock):
        raise OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))


def is_connected_to_itself(sock: socket.socket) -> bool:
    """A connect to a local port that nobody listens on may draw that same port for its own end, and then the kernel
    connects the socket to itself. Go's dialer takes that for what it is, too."""
    return bool(sock.getsockname() == sock.getpeername())


async def _resolve(host: str, port: int) -> list[_Address]:
    if host.isascii() and "%" not in host:  # the number of an interface (fe80::1%eth0) may change
        try:
            family, kind, protocol, name, address = _numeric(host)
            return [(family, kind, protocol, name, (address[0], port, *address[2:]))]
        except socket.gaierror:
            pass
    try:
        return list(await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except socket.gaierror as error:
        check_resolver(error)
        raise
    except UnicodeError as error:  # an empty or over-long label, which the idna codec refuses before any resolver
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from error


# An address needs no resolver and no thread, and always comes to the same; nearly all probes ask the same one.
@lru_cache(maxsize=64)
def _numeric(host: str) -> _Address:
    # As bytes, since a str is loaded through the idna codec.
    found = socket.getaddrinfo(host.encode("ascii"), 0, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return found[0]
