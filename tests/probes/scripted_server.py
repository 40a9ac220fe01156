"""An HTTP server that answers as a test tells it to, also wrongly, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

CERTIFICATE = Path(__file__).parent / "data" / "expired-for-another-name.pem"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server does with a request. ``raw`` is written as it is, and the connection is closed."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    hang: bool = False
    body_hang: bool = False
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What the server was asked."""

    target: str
    headers: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        """The values of a header, one for each of its lines."""
        return [value for given, value in self.headers if given.lower() == name.lower()]


@dataclass
class ScriptedServer:
    """Serves on a free port of ``host`` while its context is open. ``answer`` maps a path to what is done."""

    answer: Callable[[str], Answer]
    host: str = "127.0.0.1"
    tls: bool = False
    requests: list[Request] = field(default_factory=list)
    hung_up: int = 0
    port: int = 0

    async def __aenter__(self) -> Self:
        self._end = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()
        context = None
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
        self._server = await asyncio.start_server(self._connected, self.host, 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._server.close()
        if self._serving:
            await asyncio.wait(self._serving, timeout=5)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(1)
        if not first.isalpha():  # no HTTP: the start of a TLS handshake
            writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            return
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        lines = [line.partition(": ") for line in head[1:] if line]
        request = Request(head[0].split(" ")[1], tuple((name, value) for name, _, value in lines))
        self.requests.append(request)
        await self._answer(self.answer(request.target.partition("?")[0]), reader, writer)

    async def _answer(self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer.hang:
            await self._hang(reader)
            return
        if answer.raw is not None:
            writer.write(answer.raw)
            return
        length = 100 if answer.body_hang else len(answer.body)
        headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
        writer.write(f"HTTP/1.1 {answer.status} Said So\r\nContent-Length: {length}\r\n{headers}\r\n".encode())
        writer.write(answer.body)
        await writer.drain()
        if answer.body_hang:
            await self._hang(reader)

    async def _hang(self, reader: asyncio.StreamReader) -> None:
        """Do nothing until the client hangs up, or the test is over."""
        ends = [asyncio.ensure_future(reader.read()), asyncio.ensure_future(self._end.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        self.hung_up += ends[0].done()
        for end in ends:
            end.cancel()


def always(answer: Answer) -> Callable[[str], Answer]:
    """The same answer whatever the path."""
    return lambda _path: answer
