"""Whether a port is answered before the component that is to have it begins."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from stigmer_pm.probes import is_answered
from stigmer_pm.spec import ExecCheck, GrpcCheck, HttpCheck, ProbeKind, Probes, ProbeSpec, TcpCheck


@pytest.fixture
def port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        yield int(stranger.getsockname()[1])


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def readiness(port: int, host: str = "127.0.0.1") -> Probes:
    """A readiness probe of that port."""
    return Probes(readiness=ProbeSpec(ProbeKind.READINESS, tcp=TcpCheck(port, host)))


def test_a_port_that_somebody_listens_on_is_answered(port: int) -> None:
    """By every handler that asks one; and nothing of it is left behind."""
    for field in ({"tcp": TcpCheck(port)}, {"http": HttpCheck(port)}, {"grpc": GrpcCheck(port)}):
        assert is_answered(Probes(startup=ProbeSpec(ProbeKind.STARTUP, **field)))
    assert is_answered(readiness(port, "localhost"))
    assert is_answered(readiness(port, "127.1.2.3")) is False  # it listens on another of the machine's addresses


def test_a_port_that_nobody_listens_on_is_not() -> None:
    """Nor is one where somebody listens on another address."""
    assert not is_answered(readiness(free_port()))
    assert not is_answered(readiness(free_port(), "::1"))
    assert not is_answered(Probes())


def test_one_with_too_many_in_its_queue_is_answered_as_well() -> None:
    """The kernel keeps who asks waiting; the probe may come through later."""
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen(0)
        port = stranger.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        assert is_answered(readiness(port))
        for sock in waiting:
            sock.close()


def test_other_machines_and_liveness_are_not_asked(port: int) -> None:
    """What listens there is meant; and liveness says nothing about the start."""
    assert not is_answered(readiness(port, "192.0.2.1"))
    assert not is_answered(Probes(liveness=ProbeSpec(ProbeKind.LIVENESS, tcp=TcpCheck(port))))


def test_a_probe_that_asks_the_component_itself_settles_it(port: int) -> None:
    """One of a command or of its log passes by nobody else's doing."""
    startup = ProbeSpec(ProbeKind.STARTUP, exec=ExecCheck(("true",)))
    assert not is_answered(Probes(startup, None, readiness(port).readiness))
