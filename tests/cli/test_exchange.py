"""The part of HTTP/1.1 that the client reads, against every way of sending a body and of ending too early."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.client.exchange import Answer, BadAnswer, ask


def answer_to(data: bytes) -> Answer:
    """The answer of a server that reads the request, sends ``data`` and hangs up."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)

    def serve() -> None:
        with theirs:
            theirs.recv(1000)
            theirs.sendall(data)

    server = threading.Thread(target=serve)
    server.start()
    try:
        with ours:  # what has been made of it keeps it open for as long as the answer is read
            return ask(ours, "GET", "/", None)
    finally:
        server.join()


def chunked(*parts: bytes) -> bytes:
    """An answer whose body comes in these pieces."""
    body = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\nTrailer: x\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\na\nbc\nd",
        b"HTTP/1.0 200\r\n\r\na\nbc\nd",
        chunked(b"a\n", b"b", b"c\nd"),
    ],
)
def test_a_body_is_read_however_its_end_is_marked(data: bytes) -> None:
    """By its length, by the end of the connection, or by its last chunk."""
    assert answer_to(data).read() == b"a\nbc\nd"
    assert list(answer_to(data).lines()) == [b"a", b"bc", b"d"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"SSH-2.0-something\r\n\r\n",
        b"HTTP/1.1 " + b"x" * 10_000,
    ],
)
def test_what_is_no_complete_answer_is_said_to_be_none(data: bytes) -> None:
    """An ``OSError``, as any other trouble with the connection; never half of a body."""
    with pytest.raises(BadAnswer, match="its answer"):
        answer_to(data).read()


@pytest.mark.slow
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
def test_lines_are_the_same_wherever_the_pieces_are_cut(parts: list[bytes]) -> None:
    """A message may be spread over any number of pieces."""
    whole = b"".join(parts)
    assert answer_to(chunked(*parts)).read() == whole
    expected = whole.split(b"\n")
    assert list(answer_to(chunked(*parts)).lines()) == (expected if expected[-1] else expected[:-1])


def test_a_request_says_its_length_and_that_nothing_follows() -> None:
    """Anything else would leave the server waiting."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        assert ask(ours, "POST", "/v1/x?y=z", b"{}").status == 404
        head, _, body = theirs.recv(1000).partition(b"\r\n\r\n")
    assert head.splitlines()[0] == b"POST /v1/x?y=z HTTP/1.1"
    assert {b"Content-Length: 2", b"Connection: close"} <= set(head.splitlines())
    assert body == b"{}"
