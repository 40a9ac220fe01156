"""The grpc handler against a real server of the health service, and against what is none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.probes import CheckResult, Outcome
from stigmer_pm.probes.grpc import _request, _status, check_grpc
from stigmer_pm.spec import GrpcCheck

from .grpc_server import grpc_health_server
from .scripted_server import Answer, ScriptedServer, always


def ask(
    statuses: Mapping[str, str], service: str = "", *, hangs: bool = False, timeout: float = 10.0
) -> tuple[CheckResult, int]:
    """One attempt against a server with these services; its result and the port."""

    async def attempt() -> tuple[CheckResult, int]:
        async with grpc_health_server(statuses, hangs=hangs) as port:
            return await check_grpc(GrpcCheck(port, service=service), timeout), port

    return asyncio.run(attempt())


def test_a_server_that_serves_is_a_success() -> None:
    """The empty service stands for the server as a whole (Kubernetes: service defaults to "")."""
    result, port = ask({"": "SERVING"})
    assert result == CheckResult(Outcome.SUCCESS, f"health of the server at 127.0.0.1:{port} is SERVING")


@pytest.mark.parametrize("status", ["UNKNOWN", "NOT_SERVING", "SERVICE_UNKNOWN"])
def test_every_other_status_is_a_failure_that_names_it(status: str) -> None:
    """Kubernetes: success only when the status is SERVING."""
    result, _ = ask({"orders": status}, "orders")
    assert result.outcome is Outcome.FAILURE
    assert result.output.startswith("health of service 'orders'")
    assert result.output.endswith(f"is {status}")


def test_a_service_that_the_server_does_not_know_is_a_failure() -> None:
    """NOT_FOUND."""
    result, _ = ask({"": "SERVING"}, "nope")
    assert result.outcome is Outcome.FAILURE
    assert "it knows no such service" in result.output


def test_a_server_that_does_not_answer_in_time_is_a_failure() -> None:
    """One deadline for connect and call."""
    result, _ = ask({}, hangs=True, timeout=0.2)
    assert result.outcome is Outcome.FAILURE
    assert result.output.endswith("no answer within 0.2s")


def test_nobody_there_is_a_failure_in_words(closed_port: int) -> None:
    """Kubernetes: an error of the call is a failure, and never an internal error."""
    result = asyncio.run(check_grpc(GrpcCheck(closed_port), 5.0))
    assert result == CheckResult(
        Outcome.FAILURE, f"health of the server at 127.0.0.1:{closed_port}: connection refused"
    )


@pytest.mark.parametrize("tls", [False, True])
def test_what_speaks_no_grpc_in_plain_text_is_a_failure(tls: bool) -> None:
    """An HTTP/1.1 server, and one that wants TLS."""

    async def attempt() -> CheckResult:
        async with ScriptedServer(always(Answer()), tls=tls) as server:
            return await check_grpc(GrpcCheck(server.port), 1.0)

    assert asyncio.run(attempt()).outcome is Outcome.FAILURE


@given(st.text(max_size=300))
def test_the_request_is_the_message_of_the_health_service(service: str) -> None:
    """Field 1 of HealthCheckRequest, by the rules of protobuf: a tag, a varint and the text."""
    data = _request(service)
    if not service:
        assert data == b""
        return
    assert data[0] == 0x0A
    length, used = 0, 1
    while True:
        length |= (data[used] & 0x7F) << 7 * (used - 1)
        used += 1
        if data[used - 1] < 0x80:
            break
    assert length == len(data) - used
    assert data[used:].decode() == service


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"", 0), (b"\x08\x01", 1), (b"\x08\x02", 2), (b"\x10\x96\x01\x08\x01", 1), (b"\x12\x03abc\x08\x01", 1)],
)
def test_the_status_is_found_whatever_stands_beside_it(data: bytes, status: int) -> None:
    """Unknown fields are passed over, as protobuf wants it."""
    assert _status(data) == status


@given(st.binary(max_size=40))
def test_no_answer_breaks_the_reader(data: bytes) -> None:
    """A number, or a ValueError."""
    with contextlib.suppress(ValueError):
        assert _status(data) >= 0
