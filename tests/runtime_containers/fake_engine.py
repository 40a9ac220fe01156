"""An engine that answers as the test says, on a socket of its own, without a thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

#: The status of an answer, and its document, or what it is made of.
Answer: TypeAlias = tuple[int, object]
#: Seconds that what a test waits for may take.
WITHIN = 10.0


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait for it."""
    try:
        async with asyncio.timeout(WITHIN):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {WITHIN} s: {what}") from None


def always(status: int, document: object) -> Callable[[], Awaitable[Answer]]:
    """The same answer every time."""

    async def answer() -> Answer:
        return status, document

    return answer


class Silent:
    """Who hears of an engine, and does nothing."""

    def engine_is_there(self) -> None:
        pass

    def engine_is_away(self, words: str) -> None:
        pass

    def engine_event(self, event: Mapping[str, Any]) -> None:
        pass


class FakeEngine:
    """``answers`` has what is answered, by the method and the path, such as ``POST /containers/c0ffee/kill``; what it
    doesn't have is answered with 404. ``asked`` are the requests that came, but for those about the engine itself;
    ``heard``: how often its events were asked for. ``ends_events``: it tells none, and ends."""

    def __init__(self, socket: Path) -> None:
        self.host = f"unix://{socket}"
        self.answers: dict[str, Callable[[], Awaitable[Answer]]] = {}
        self.asked: list[str] = []
        self.heard = 0
        self.ends_events = False
        self._socket = socket
        self._listeners: list[asyncio.StreamWriter] = []
        self._connections: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It answers within."""
        server = await asyncio.start_unix_server(self._serve, self._socket)
        try:
            yield
        finally:
            server.close()
            self._socket.unlink(missing_ok=True)  # Python 3.13 has done it by now
            await self._close_connections()
            self._listeners.clear()

    async def _close_connections(self) -> None:
        for _ in range(2):
            await asyncio.sleep(0.01)  # one that has just been accepted begins to be served
            left = list(self._connections)
            for writer in left:
                writer.close()
            await asyncio.gather(*(writer.wait_closed() for writer in left), return_exceptions=True)
            self._connections.difference_update(left)

    def tell(self, event: dict[str, Any]) -> None:
        """Something has happened."""
        for writer in self._listeners:
            data = json.dumps(event).encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        is_kept = False
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while not is_kept:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
                length = next((line.split()[1] for line in lines if line.startswith("content-length")), "0")
                await reader.readexactly(int(length))
                method, target, _ = lines[0].split()
                is_kept = await self._answer(writer, method.upper(), target.partition("?")[0])
        if not is_kept:
            writer.close()
            self._connections.discard(writer)

    async def _answer(self, writer: asyncio.StreamWriter, method: str, path: str) -> bool:
        """Whether the connection is kept for what is to come."""
        answer: Answer = 200, {}
        match path.rpartition("/")[2]:
            case "events":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
                self.heard += 1
                if self.ends_events:
                    writer.write(b"0\r\n\r\n")
                    return False
                self._listeners.append(writer)
                return True
            case "version":
                answer = 200, {"ApiVersion": "1.41", "Version": "24.0"}
            case "_ping":
                pass
            case _:
                answer = await self._say(f"{method} {path.partition('/v1.41')[2]}")
        status, document = answer
        if isinstance(document, bytes):  # a log, whose end is that of the connection
            writer.write(f"HTTP/1.1 {status} Said\r\nConnection: close\r\n\r\n".encode() + document)
            await writer.drain()
            raise ConnectionError
        body = b"" if status == 204 else json.dumps(document).encode()
        head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        return False

    async def _say(self, asked: str) -> Answer:
        self.asked.append(asked)
        answer = self.answers.get(asked)
        return (404, {"message": f"there is no {asked}"}) if answer is None else await answer()
