"""The tcp handler, beyond the conformance cases."""

from __future__ import annotations

import asyncio
import socket

import pytest

from stigmer_pm.probes import CheckResult, Outcome
from stigmer_pm.probes.connect import _connect
from stigmer_pm.probes.tcp import check_tcp
from stigmer_pm.spec import TcpCheck


def test_a_refused_connection_is_said_in_words(closed_port: int) -> None:
    """The words name the address and the reason."""
    result = asyncio.run(check_tcp(TcpCheck(closed_port), 10))
    assert result == CheckResult(Outcome.FAILURE, f"connect to 127.0.0.1:{closed_port}: connection refused")


def test_a_connect_that_nobody_answers_ends_with_the_timeout() -> None:
    """A full backlog: the kernel drops what comes, so the connect hangs."""

    async def attempt() -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            port = listener.getsockname()[1]
            waiting = []
            try:
                for _ in range(3):
                    waiting.append(sock := socket.socket())
                    sock.setblocking(False)
                    sock.connect_ex(("127.0.0.1", port))
                result = await check_tcp(TcpCheck(port), 0.1)
            finally:
                for sock in waiting:
                    sock.close()
            assert result == CheckResult(Outcome.FAILURE, f"connect to 127.0.0.1:{port}: no answer within 0.1s")

    asyncio.run(attempt())


def test_a_name_is_tried_at_each_of_its_addresses() -> None:
    """A server on 127.0.0.1 is found as localhost, whichever address that name has first."""

    async def attempt() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            assert (await check_tcp(TcpCheck(port, host="localhost"), 10)).outcome is Outcome.SUCCESS

    asyncio.run(attempt())


def test_a_socket_that_the_kernel_connects_to_itself_counts_as_refused() -> None:
    """A probe of a dead local port may draw that very port for its own end, and would then find itself alive."""

    async def attempt() -> None:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            with pytest.raises(ConnectionRefusedError):
                await _connect(sock, sock.getsockname())

    asyncio.run(attempt())
