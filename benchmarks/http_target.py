"""A small HTTP server that remembers when each request came: what the probes of a benchmark ask.

Prints its port, answers 200 to everything until its standard input ends, and then prints a line ``PATH SECONDS`` for
each request, by the monotonic clock, which is the same for all processes of the machine.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"


class _Connection(asyncio.Protocol):
    arrivals: list[tuple[bytes, float]] = []  # noqa: RUF012 (of all connections)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.arrivals.append((data.split(b" ", 2)[1], time.monotonic()))
        self._transport.write(_ANSWER)
        self._transport.close()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    server.close()


class Target:
    """The server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    def arrivals(self) -> list[tuple[str, float]]:
        """End the server: the path and the time of every request, in the order in which they came."""
        lines = self._process.communicate()[0].splitlines()
        return [(path, float(at)) for path, at in (line.split() for line in lines)]


@contextmanager
def target() -> Iterator[Target]:
    """A server that runs, and doesn't any more afterwards."""
    arguments = [sys.executable, "-m", "benchmarks.http_target"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Target(process)
        finally:
            process.kill()


def main() -> None:
    """Serve, and tell."""
    gc.disable()  # a pause of ours would look like a late probe
    asyncio.run(_serve())
    for path, at in _Connection.arrivals:
        print(path.decode(), f"{at:.6f}")


if __name__ == "__main__":
    main()
