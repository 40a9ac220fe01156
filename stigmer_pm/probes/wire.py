"""The connection of one HTTP request: a bare socket, or TLS on top of it."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Protocol

from stigmer_pm.probes.connect import connect

if TYPE_CHECKING:
    import socket
    from ssl import SSLContext

_CHUNK = 16 * 1024
_TLS_GOODBYE = 1.0  # seconds that a finished probe leaves the server to answer the end of TLS, in the background


class Wire(Protocol):
    """Bytes to and from a server. Exactly one of ``close`` and ``abort`` ends it."""

    async def send(self, data: bytes) -> None:
        """Send all of ``data``."""
        ...

    async def receive(self) -> bytes:
        """The next bytes, empty at the end."""
        ...

    def close(self) -> None:
        """End it in good order, without waiting for the server."""
        ...

    def abort(self) -> None:
        """End it at once: the time is up, or the server is gone."""
        ...


async def open_wire(host: str, port: int, *, tls: bool) -> Wire:
    """Connect to ``host:port``.

    Raises:
        OSError: no connection, or no TLS.
    """
    sock = await connect(host, port)
    if not tls:
        return _BareWire(sock)
    reader, writer = await asyncio.open_connection(
        sock=sock, limit=_CHUNK, ssl=_tls_context(), server_hostname=host, ssl_shutdown_timeout=_TLS_GOODBYE
    )
    return _TlsWire(reader, writer)


class _BareWire:
    """A socket without transport and streams, to keep so short an exchange cheap."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._sock, data)

    async def receive(self) -> bytes:
        return await self._loop.sock_recv(self._sock, _CHUNK)

    def close(self) -> None:
        self._sock.close()

    abort = close


class _TlsWire:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> bytes:
        return await self._reader.read(_CHUNK)

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._writer.transport.abort()


@cache
def _tls_context() -> SSLContext:
    import ssl  # 4 MB, which a project without https probes need not pay

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # Kubernetes never checks a certificate: a probe asks whether it runs, not who it is
    context.verify_mode = ssl.CERT_NONE
    return context
