"""The http handler, beyond the conformance cases."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from stigmer_pm.probes import CheckResult, Outcome
from stigmer_pm.probes.http import check_http
from stigmer_pm.spec import HttpCheck
from stigmer_pm.version import __version__

from .scripted_server import Answer, Request, ScriptedServer, always

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]


def _ask(answer: Answer, *headers: tuple[str, str], path: str = "/") -> tuple[CheckResult, Request]:
    """One attempt against a server with one answer: its result, and the request that was seen."""

    async def attempt() -> tuple[CheckResult, Request]:
        async with ScriptedServer(always(answer)) as server:
            result = await check_http(HttpCheck(server.port, path=path, headers=headers), 10)
            return result, server.requests[0]

    return asyncio.run(attempt())


def test_the_output_names_url_and_status() -> None:
    """A result reads as a sentence: what was asked, and what was answered."""

    async def attempt() -> None:
        async with ScriptedServer(always(Answer(503))) as server:
            result = await check_http(HttpCheck(server.port, path="/healthz"), 10)
            assert result == CheckResult(Outcome.FAILURE, f"GET http://127.0.0.1:{server.port}/healthz answered 503")

    asyncio.run(attempt())


def test_the_output_never_holds_the_query() -> None:
    """A token in the query isn't shown by ps."""
    result, request = _ask(Answer(500), path="/h?token=SECRET")
    assert request.target == "/h?token=SECRET"
    assert "SECRET" not in result.output


def test_a_request_carries_the_documented_headers_and_no_others() -> None:
    """Host with its port, our User-Agent, any type accepted, no keep-alive, no compression."""
    _, request = _ask(Answer())
    host = request.values("Host")[0]
    assert host.startswith("127.0.0.1:")
    assert dict(request.headers) == {
        "Host": host,
        "User-Agent": f"stigmer-pm/{__version__}",
        "Accept": "*/*",
        "Connection": "close",
    }


def test_an_empty_user_agent_is_not_sent() -> None:
    """Kubernetes: a User-Agent that is present but empty suppresses the default."""
    _, request = _ask(Answer(), ("user-agent", ""))
    assert request.values("User-Agent") == []


def test_a_given_host_header_names_the_virtual_host_only() -> None:
    """Kubernetes: the connection still goes to host and port."""
    _, request = _ask(Answer(), ("Host", "shop.example"))
    assert request.values("Host") == ["shop.example"]


def test_headers_that_would_change_the_framing_are_not_sent() -> None:
    """A GET without a body that announces one would make the server wait for it."""
    result, request = _ask(Answer(), ("Content-Length", "5"), ("Transfer-Encoding", "chunked"))
    assert result.outcome is Outcome.SUCCESS
    assert request.values("Content-Length") == request.values("Transfer-Encoding") == []


def test_a_header_value_in_utf8_is_sent_as_it_is() -> None:
    """A value is bytes to HTTP, and Go sends them unchanged."""
    _, request = _ask(Answer(), ("X-Name", "Grüße"))
    assert request.values("X-Name") == ["Grüße"]


def test_a_header_that_http_forbids_is_a_failure() -> None:
    """It is said in words, and nothing is sent."""

    async def attempt() -> None:
        async with ScriptedServer(always(Answer())) as server:
            result = await check_http(HttpCheck(server.port, headers=(("X-A", "SECRET\r\nX-B: 2"),)), 10)
            assert result.outcome is Outcome.FAILURE
            assert "cannot send the request" in result.output
            assert "SECRET" not in result.output
            assert server.requests == []

    asyncio.run(attempt())


@pytest.mark.parametrize(
    ("location", "kept"),
    [("/b", True), ("?a=x:y", True), ("//127.0.0.1:{port}/b", True), ("http://127.0.0.1:{port}/b", False)],
)
def test_a_custom_host_survives_relative_redirects_only(location: str, kept: bool) -> None:
    """Go: a Location that names its scheme names its host, too."""

    async def attempt() -> None:
        async with ScriptedServer(lambda path: next(answers)) as server:
            answers = iter([Answer(302, (("Location", location.format(port=server.port)),)), Answer()])
            result = await check_http(HttpCheck(server.port, path="/a", headers=(("Host", "shop.example"),)), 10)
            assert result.outcome is Outcome.SUCCESS
            own = f"127.0.0.1:{server.port}"
            assert server.requests[1].values("Host") == ["shop.example" if kept else own]

    asyncio.run(attempt())


@pytest.mark.parametrize(
    ("location", "outcome"),
    [
        ("http://localhost/", Outcome.WARNING),  # another name, though the same machine
        ("app://open/page", Outcome.WARNING),
        ("mailto:ops@example.org", Outcome.WARNING),
        ("ftp://127.0.0.1/", Outcome.FAILURE),
        ("http://127.0.0.1:99999/", Outcome.FAILURE),
        ("http://127.0.0.1:no/", Outcome.FAILURE),
        ("http://[", Outcome.FAILURE),
        ("/%zz", Outcome.FAILURE),
    ],
)
def test_a_redirect_that_cannot_be_followed_is_judged_as_go_does(location: str, outcome: Outcome) -> None:
    """Elsewhere is a warning, whatever the URL; what is no http URL on the same host is an error of the client."""
    result, _ = _ask(Answer(302, (("Location", location),)))
    assert result.outcome is outcome


def test_the_body_of_a_redirect_is_not_waited_for() -> None:
    """Only the last answer's body counts."""

    async def attempt() -> None:
        moved = Answer(302, (("Location", "/b"),), body_hang=True)
        async with ScriptedServer(lambda path: moved if path == "/a" else Answer()) as server:
            result = await check_http(HttpCheck(server.port, path="/a"), 10)
            assert result.outcome is Outcome.SUCCESS

    asyncio.run(attempt())


@pytest.mark.parametrize(
    ("raw", "outcome", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nSECR", Outcome.FAILURE, "answered 200, but its body broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nSECRET", Outcome.FAILURE, "its body broke off"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", Outcome.SUCCESS, "answered 200"),
        (b"HTTP/1.0 200 OK\n\nold", Outcome.SUCCESS, "answered 200"),
        (b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 None\r\n\r\n", Outcome.SUCCESS, "answered 204"),
        (b"HTTP/1.1 399 Odd\r\n\r\n", Outcome.WARNING, "answered 399"),
        (b"HTTP/1.1 999 Odd\r\n\r\n", Outcome.FAILURE, "answered 999"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000, Outcome.FAILURE, "what was answered is not valid HTTP"),
        (b"", Outcome.FAILURE, "the connection was closed before an answer"),
        (b"SECRET\r\n\r\n", Outcome.FAILURE, "what was answered is not valid HTTP"),
        (b"HTTP/1.1 20", Outcome.FAILURE, "what was answered is not valid HTTP"),
    ],
)
def test_odd_answers_have_an_outcome_and_words(raw: bytes, outcome: Outcome, words: str) -> None:
    """Whatever a server sends, the attempt ends, and its words never quote the body."""
    result, _ = _ask(Answer(raw=raw))
    assert result.outcome is outcome
    assert words in result.output
    assert "SECR" not in result.output


def test_a_switch_of_protocols_is_a_final_answer() -> None:
    """101 is below 200, so a failure, also when the probe asked for the switch."""
    headers = (("Connection", "Upgrade"), ("Upgrade", "websocket"))
    result, request = _ask(
        Answer(raw=b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"), *headers
    )
    assert result.outcome is Outcome.FAILURE
    assert result.output.endswith("answered 101")
    assert request.values("Connection") == ["Upgrade", "close"]


def test_a_server_that_never_answers_is_said_in_words() -> None:
    """The words name the limit that was exceeded."""

    async def attempt() -> None:
        async with ScriptedServer(always(Answer(hang=True))) as server:
            result = await check_http(HttpCheck(server.port), 0.05)
            assert result.outcome is Outcome.FAILURE
            assert result.output.endswith(": no answer within 0.05s")

    asyncio.run(attempt())


def test_a_reset_connection_is_a_failure(eventually: Eventually) -> None:
    """A server that dies before it answers."""

    async def attempt() -> None:
        def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

        async with await asyncio.start_server(reset, "127.0.0.1", 0) as server:
            result = await check_http(HttpCheck(server.sockets[0].getsockname()[1]), 10)
            assert result.outcome is Outcome.FAILURE
            assert result.output.endswith(": connection reset by peer")

    asyncio.run(attempt())


def test_a_refused_connection_reads_well_by_name_and_by_address(closed_port: int) -> None:
    """One reason in words, also where a name has two addresses."""

    async def attempt() -> None:
        for host in ("127.0.0.1", "localhost"):
            result = await check_http(HttpCheck(closed_port, host=host), 10)
            assert result == CheckResult(Outcome.FAILURE, f"GET http://{host}:{closed_port}/: connection refused")

    asyncio.run(attempt())


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
def test_a_name_that_cannot_be_resolved_is_a_failure(host: str) -> None:
    """Kubernetes: DNS errors are failures, not internal errors."""
    result = asyncio.run(check_http(HttpCheck(80, host=host), 10))
    assert result.outcome is Outcome.FAILURE
    assert "cannot resolve the host" in result.output


def test_ipv6_addresses_stand_in_brackets() -> None:
    """In the Host header and in the words."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")

    async def attempt() -> None:
        try:
            server = await ScriptedServer(always(Answer()), host="::1").__aenter__()
        except OSError:
            pytest.skip("no IPv6 here")
        result = await check_http(HttpCheck(server.port, host="::1"), 10)
        await server.__aexit__(None, None, None)
        assert result.output == f"GET http://[::1]:{server.port}/ answered 200"
        assert server.requests[0].values("Host") == [f"[::1]:{server.port}"]

    asyncio.run(attempt())


def test_a_redirect_from_http_to_https_is_followed() -> None:
    """The scheme may change, while the host name is the same."""

    async def attempt() -> None:
        async with ScriptedServer(always(Answer(204)), tls=True) as secure:
            there = f"https://127.0.0.1:{secure.port}/in"
            async with ScriptedServer(always(Answer(308, (("Location", there),)))) as server:
                result = await check_http(HttpCheck(server.port), 10)
        assert result == CheckResult(Outcome.SUCCESS, f"GET {there} answered 204")

    asyncio.run(attempt())


@pytest.mark.parametrize("tls", [False, True])
def test_a_cancelled_attempt_closes_its_connection(tls: bool, eventually: Eventually) -> None:
    """The server sees the end at once, and the cancellation goes through."""

    async def attempt() -> None:
        async with ScriptedServer(always(Answer(hang=True)), tls=tls) as server:
            check = HttpCheck(server.port, scheme="https" if tls else "http")
            task = asyncio.create_task(check_http(check, 60))
            await eventually(lambda: bool(server.requests))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await eventually(lambda: server.hung_up == 1)

    asyncio.run(attempt())
