"""Whether an engine takes requests is asked of it wherever its name leads, and nothing else is blamed on it."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from stigmer_pm.runtime.containers.address import EngineAddress
from stigmer_pm.runtime.containers.knock import Answer, knock


@pytest.fixture
def port_on_six() -> Iterator[int]:
    """That of something that answers as an engine does, at the IPv6 address of this machine alone."""
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_an_engine_whose_name_has_only_an_ipv6_address_is_asked(
    port_on_six: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is open, and whoever kills a container of it is not taken for an engine on its way out."""
    look_up = socket.getaddrinfo

    def look_up_six(host: str, *rest: Any) -> Any:
        return look_up("::1" if host == "engine-six" else host, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_six)
    assert knock(EngineAddress(f"tcp://engine-six:{port_on_six}"), 5.0) is Answer.YES


def test_an_engine_that_nobody_is_at_is_closed() -> None:
    """Its port refuses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert knock(EngineAddress(f"tcp://127.0.0.1:{port}"), 5.0) is Answer.CLOSED
    assert knock(EngineAddress("unix:///nowhere/docker.sock"), 5.0) is Answer.CLOSED


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EMFILE, "too many open files"), socket.gaierror(socket.EAI_AGAIN, "temporary failure")],
    ids=["descriptors", "names"],
)
def test_what_is_lacking_here_says_nothing_of_an_engine(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell."""

    def fail(*_: object, **__: object) -> socket.socket:
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    monkeypatch.setattr(socket, "socket", fail)
    assert knock(EngineAddress("tcp://engine:2375"), 1.0) is Answer.YES
