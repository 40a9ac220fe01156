"""What the tests of probes share."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from .real_spawner import RealSpawner


@pytest.fixture
def spawner() -> Iterator[RealSpawner]:
    """Starts real commands, and ends what they leave behind."""
    spawner = RealSpawner()
    yield spawner
    spawner.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections, and that nobody else can take meanwhile: it is bound and doesn't listen."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield int(sock.getsockname()[1])


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait until a condition holds, at most ten seconds."""

    async def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "the condition never came to hold"
            await asyncio.sleep(0.005)

    return wait
