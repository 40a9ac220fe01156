"""The handler cases of the conformance file: what the kubelet does, attempt by attempt."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stigmer_pm.probes import ProbeContext, run_check
from stigmer_pm.spec import ExecCheck, HttpCheck, ProbeKind, ProbeSpec, TcpCheck

from .real_spawner import RealSpawner
from .scripted_server import Answer, ScriptedServer

Case = dict[str, Any]
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]

_FILE = Path(__file__).parents[1] / "conformance" / "k8s.yaml"
_CASES: list[Case] = yaml.safe_load(_FILE.read_text())["handler_cases"]
# Times that a case names are made five times shorter. One that names none isn't about time, and gets plenty.
_SECOND = 0.2
_PLENTY = 10.0


def _of(*handlers: str) -> list[Any]:
    chosen = [case for case in _CASES if any(handler in case for handler in handlers)]
    return [pytest.param(case, id=case["id"]) for case in chosen]


def test_every_case_is_run() -> None:
    """No case of the file falls through because of a handler that this module doesn't know."""
    assert len(_of("httpGet", "tcpSocket", "exec", "grpc")) == len(_CASES) > 50


@pytest.mark.parametrize("case", _of("httpGet"))
def test_an_http_attempt_ends_as_the_kubelets_does(
    case: Case, closed_port: int, monkeypatch: pytest.MonkeyPatch, spawner: RealSpawner
) -> None:
    """httpGet: status, redirects, headers, TLS, timeouts, limits."""
    for name, value in case.get("env", {}).items():
        monkeypatch.setenv(name, value)

    async def attempt() -> None:
        script = case["server"]
        async with (
            _server(case.get("server2", {}), {}) as other,
            _server(script, {"PORT2": str(other.port), "HOST": "127.0.0.1"}) as server,
        ):
            port = closed_port if case["httpGet"]["port"] == "CLOSED_PORT" else server.port
            probe = _probe(case, http=_http_check(case["httpGet"], port))
            result = await run_check(probe, _context(spawner))
        assert result.outcome == case["result"], result
        assert case.get("message_contains", "") in result.output
        assert case.get("message_lacks", "no such words") not in result.output
        if "expect_requests" in case:
            assert len(server.requests) == case["expect_requests"]
        _check_request(case.get("expect_request", {}), server)

    asyncio.run(attempt())


@pytest.mark.parametrize("case", _of("tcpSocket"))
def test_a_tcp_attempt_ends_as_the_kubelets_does(case: Case, spawner: RealSpawner) -> None:
    """tcpSocket: a connection that is accepted is enough, and nothing is sent."""

    async def attempt() -> None:
        async with _tcp_server(case["server"]) as (port, received):
            result = await run_check(_probe(case, tcp=TcpCheck(port)), _context(spawner))
            assert result.outcome == case["result"], result
            if "expect_received_bytes" in case:
                assert len(await asyncio.wait_for(received, 10)) == case["expect_received_bytes"]

    asyncio.run(attempt())


@pytest.mark.parametrize("case", _of("exec"))
def test_an_exec_attempt_ends_as_the_kubelets_does(case: Case, spawner: RealSpawner, eventually: Eventually) -> None:
    """exec: the exit status decides; a command that takes too long is killed with all it started."""

    async def attempt() -> None:
        result = await run_check(_probe(case, exec=ExecCheck(tuple(case["exec"]["command"]))), _context(spawner))
        assert result.outcome == case["result"], result
        if case.get("expect_no_leftover"):
            await eventually(lambda: not spawner.children[0].living())

    asyncio.run(attempt())


@pytest.mark.parametrize("case", _of("grpc"))
def test_a_grpc_attempt_ends_as_the_kubelets_does(case: Case) -> None:
    """grpc: the standard health service."""
    pytest.skip("not supported yet")


def _probe(
    case: Case, *, http: HttpCheck | None = None, tcp: TcpCheck | None = None, exec: ExecCheck | None = None
) -> ProbeSpec:
    timeout = case["timeoutSeconds"] * _SECOND if "timeoutSeconds" in case else _PLENTY
    return ProbeSpec(ProbeKind.READINESS, http=http, tcp=tcp, exec=exec, timeout=timeout)


def _context(spawner: RealSpawner) -> ProbeContext:
    return ProbeContext(environment=dict(os.environ), working_dir="/", spawner=spawner)


def _http_check(fields: Case, port: int) -> HttpCheck:
    headers = tuple((header["name"], header["value"]) for header in fields.get("httpHeaders", ()))
    return HttpCheck(port, path=fields["path"], scheme=fields.get("scheme", "HTTP").lower(), headers=headers)


def _server(script: Case, words: dict[str, str]) -> ScriptedServer:
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


def _check_request(expected: Case, server: ScriptedServer) -> None:
    for name, value in expected.items():
        request = server.requests[0]
        if name == "absent":
            assert not any(request.values(header) for header in value)
        elif name == "target":
            assert request.target == value
        else:
            assert request.values(name) == (value if isinstance(value, list) else [value])


@contextlib.asynccontextmanager
async def _tcp_server(script: Case) -> AsyncIterator[tuple[int, asyncio.Future[bytes]]]:
    """A port as the case has it, and what its first connection sends."""
    loop = asyncio.get_running_loop()
    received: asyncio.Future[bytes] = loop.create_future()
    with socket.socket() as listener, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        if script.get("udp_only"):
            datagrams.bind(("127.0.0.1", port))
            yield port, received
            return
        listener.listen()
        if script.get("accept") is False:
            yield port, received
            return

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not script.get("close"):
                received.set_result(await reader.read())
            writer.close()

        async with await asyncio.start_server(serve, sock=listener):
            yield port, received
