"""Handler cases: one real attempt by the real handler, against a scripted server or a real command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from unittest import mock

from stigmer_pm.probes import CheckResult, Outcome, ProbeContext, run_check
from stigmer_pm.spec import ExecCheck, GrpcCheck, HttpCheck, ProbeKind, ProbeSpec, TcpCheck

from ..probes.grpc_server import grpc_health_server
from ..probes.real_spawner import RealSpawner
from ..probes.scripted_server import Answer, ScriptedServer
from .core_driver import Case

# Times that a case names are made five times shorter. One that names none isn't about time, and gets plenty.
_SECOND = 0.2
_PLENTY = 10.0
_RESULTS = {
    "success": Outcome.SUCCESS,
    "warning": Outcome.WARNING,
    "failure": Outcome.FAILURE,
    "discard": Outcome.DISCARDED,
}


def run_attempt(case: Case) -> list[str] | None:
    """What differs from the case; nothing when it passes, ``None`` for a handler that is not known here."""
    for handler, run in (("httpGet", _http), ("tcpSocket", _tcp), ("exec", _exec), ("grpc", _grpc)):
        if handler in case:
            with mock.patch.dict(os.environ, case.get("env", {})):
                return asyncio.run(run(case))
    return None


def _result_problems(case: Case, result: CheckResult) -> list[str]:
    expected = _RESULTS[case["result"]]
    problems = [] if result.outcome is expected else [f"{result.outcome} ({result.output}), expected {expected}"]
    if case.get("message_contains", "") not in result.output:
        problems.append(f"the message lacks {case['message_contains']!r}: {result.output}")
    if "message_lacks" in case and case["message_lacks"] in result.output:
        problems.append(f"the message holds {case['message_lacks']!r}: {result.output}")
    return problems


def _probe(case: Case, check: HttpCheck | TcpCheck | ExecCheck | GrpcCheck) -> ProbeSpec:
    timeout = case["timeoutSeconds"] * _SECOND if "timeoutSeconds" in case else _PLENTY
    return ProbeSpec(
        ProbeKind.READINESS,
        http=check if isinstance(check, HttpCheck) else None,
        tcp=check if isinstance(check, TcpCheck) else None,
        exec=check if isinstance(check, ExecCheck) else None,
        grpc=check if isinstance(check, GrpcCheck) else None,
        timeout=timeout,
    )


async def _attempt(
    case: Case, check: HttpCheck | TcpCheck | ExecCheck | GrpcCheck, spawner: RealSpawner
) -> CheckResult:
    context = ProbeContext(environment=dict(os.environ), working_dir="/", spawner=spawner)
    return await run_check(_probe(case, check), context)


# --- http -------------------------------------------------------------------------------------------------------


async def _http(case: Case) -> list[str]:
    fields, script = case["httpGet"], case["server"]
    async with (
        _http_server(case.get("server2", {}), {}) as other,
        _http_server(script, {"PORT2": str(other.port), "HOST": "127.0.0.1"}) as server,
    ):
        with _port_of(fields["port"], server.port) as port:
            headers = tuple((header["name"], header["value"]) for header in fields.get("httpHeaders", ()))
            check = HttpCheck(
                port, path=fields.get("path", "/"), scheme=fields.get("scheme", "HTTP").lower(), headers=headers
            )
            result = await _attempt(case, check, RealSpawner())
    return _result_problems(case, result) + _request_problems(case, server)


def _request_problems(case: Case, server: ScriptedServer) -> list[str]:
    problems = []
    count = case.get("expect_requests", len(server.requests))
    if len(server.requests) != count:
        problems.append(f"{len(server.requests)} requests, expected {count}")
    for name, value in case.get("expect_request", {}).items():
        request = server.requests[0]
        if name == "absent":
            problems += [f"the header {header} was sent" for header in value if request.values(header)]
        elif name == "target":
            problems += [] if request.target == value else [f"asked for {request.target}, expected {value}"]
        else:
            wanted = value if isinstance(value, list) else [value]
            found = request.values(name)
            problems += [] if found == wanted else [f"{name} is {found}, expected {wanted}"]
    return problems


def _http_server(script: Case, words: dict[str, str]) -> ScriptedServer:
    def answer(path: str) -> Answer:
        if "/r/N" in script:
            left = int(path.removeprefix("/r/"))
            return Answer(302, (("Location", f"/r/{left - 1}"),)) if left else Answer()
        return _answer(script[path], words) if path in script else Answer(404)

    return ScriptedServer(answer, tls="tls" in script)


def _answer(fields: Case, words: dict[str, str]) -> Answer:
    location = fields.get("location")
    for word, value in words.items():
        location = location and location.replace(word, value)
    raw = fields.get("raw")
    return Answer(
        status=fields.get("status", 200),
        headers=(("Location", location),) if location else (),
        body=fields.get("body", "").encode() or b"x" * fields.get("body_bytes", 0),
        hang=fields.get("hang", False),
        body_hang=fields.get("body_hang", False),
        raw=raw and raw.replace("\\n", "\n").encode(),
    )


# --- tcp --------------------------------------------------------------------------------------------------------


async def _tcp(case: Case) -> list[str]:
    async with _tcp_server(case["server"]) as (bound, received):
        with _port_of(case["tcpSocket"]["port"], bound) as port:
            result = await _attempt(case, TcpCheck(port), RealSpawner())
        problems = _result_problems(case, result)
        if "expect_received_bytes" in case:
            count = len(await asyncio.wait_for(received, _PLENTY))
            if count != case["expect_received_bytes"]:
                problems.append(f"{count} bytes were sent, expected {case['expect_received_bytes']}")
    return problems


@contextlib.asynccontextmanager
async def _tcp_server(script: Case) -> AsyncIterator[tuple[int, asyncio.Future[bytes]]]:
    """A port as the case has it, and what its first connection sends."""
    received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    with socket.socket() as listener, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        if script.get("udp_only"):
            datagrams.bind(("127.0.0.1", port))
            yield port, received
            return
        if not script.get("listen"):
            yield port, received
            return
        listener.listen()
        if script.get("accept") is False:
            yield port, received
            return

        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: _Peer(received, closes=bool(script.get("close"))), sock=listener):
            yield port, received


class _Peer(asyncio.Protocol):
    """Keeps what a client sends until it closes; or closes first."""

    def __init__(self, received: asyncio.Future[bytes], *, closes: bool) -> None:
        self._received = received
        self._closes = closes
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._closes:
            transport.close()

    def data_received(self, data: bytes) -> None:
        self._data += data

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._received.done():
            self._received.set_result(self._data)


# --- exec -------------------------------------------------------------------------------------------------------


async def _exec(case: Case) -> list[str]:
    spawner = RealSpawner()
    try:
        result = await _attempt(case, ExecCheck(tuple(case["exec"]["command"])), spawner)
        problems = _result_problems(case, result)
        if case.get("expect_no_leftover") and not await _gone(spawner):
            problems.append(f"left behind: {spawner.children[0].living()}")
    finally:
        spawner.close()
    return problems


async def _gone(spawner: RealSpawner) -> bool:
    ends_at = time.monotonic() + _PLENTY
    while spawner.children[0].living():
        if time.monotonic() > ends_at:
            return False
        await asyncio.sleep(0.005)
    return True


# --- grpc -------------------------------------------------------------------------------------------------------


async def _grpc(case: Case) -> list[str]:
    fields, script = case["grpc"], case["server"]
    async with _grpc_server(script) as bound:
        with _port_of(fields["port"], bound) as port:
            result = await _attempt(case, GrpcCheck(port, service=fields.get("service", "")), RealSpawner())
    return _result_problems(case, result)


@contextlib.asynccontextmanager
async def _grpc_server(script: Case) -> AsyncIterator[int]:
    if "grpc_health" in script or script.get("grpc_hang"):
        async with grpc_health_server(script.get("grpc_health", {}), hangs=bool(script.get("grpc_hang"))) as port:
            yield port
        return
    answers = {path: fields for path, fields in script.items() if path.startswith("/")}
    server = ScriptedServer(lambda path: _answer(answers.get(path, {}), {}), tls=bool(script.get("grpc_tls")))
    async with server:
        yield server.port


@contextlib.contextmanager
def _port_of(name: object, bound: int) -> Iterator[int]:
    """The port that a case names: a number, that of the server, or one that refuses connections."""
    if isinstance(name, int):
        yield name
        return
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield int(closed.getsockname()[1]) if name == "CLOSED_PORT" else bound
