"""The least that asks so many HTTP probes in Python: bare asyncio, raw sockets, nothing counted and nothing parsed.

``python -m benchmarks.plain_prober PORT COUNT PERIOD`` asks for ``/c0``, ``/c1`` and so on, each once every ``PERIOD``
seconds and evenly spread over it, until it is killed.
"""

from __future__ import annotations

import asyncio
import socket
import sys

_TIMEOUT = 1.0


async def _probe(address: tuple[str, int], request: bytes) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        async with asyncio.timeout(_TIMEOUT):
            await loop.sock_connect(sock, address)
            await loop.sock_sendall(sock, request)
            answer = b""
            while data := await loop.sock_recv(sock, 16384):
                answer += data
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError("the target does not answer")


async def _probe_for_ever(port: int, count: int, period: float) -> None:
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def ask(number: int, at: float) -> None:
        request = f"GET /c{number} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
        task = loop.create_task(_probe(("127.0.0.1", port), request))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        loop.call_at(at + period, ask, number, at + period)

    began = loop.time()
    for number in range(count):
        at = began + number * period / count
        loop.call_at(at, ask, number, at)
    await asyncio.Event().wait()


def main() -> None:
    """Parse the arguments, and ask."""
    asyncio.run(_probe_for_ever(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))


if __name__ == "__main__":
    main()
