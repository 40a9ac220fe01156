"""The short way to read an answer never says anything else than h11 does."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stigmer_pm.probes.short_answer import status_of_short_answer

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (_OK, 200),
        (b"HTTP/1.0 503\r\ncontent-length:0\r\n\r\n", 503),
        (b"HTTP/1.1 404 Not Found\r\nX: \xff\tb\r\nContent-Length: 3 \r\nY:\r\n\r\nabcdef", 404),
    ],
)
def test_an_answer_that_is_there_to_its_end_is_read_at_once(data: bytes, status: int) -> None:
    """Which is what nearly every probe gets."""
    assert status_of_short_answer(data) == status


@pytest.mark.parametrize(
    "data",
    [
        b"",
        _OK[:-1],
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
def test_whatever_needs_more_than_a_look_is_left_to_h11(data: bytes) -> None:
    """What is not there to its end, leads on, is framed otherwise, or is not valid."""
    assert status_of_short_answer(data) is None


_LINES = st.sampled_from(
    [
        b"X: y",
        b"Y:\t\xff z ",
        b"Z:",
        b"Content-Length: 2",
        b"content-length:0",
        b"Content-Length: 2, 2",
        b"Content-Length: x",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Upgrade: y",
        b"Location: /b",
        b" folded",
        b"X : y",
        b"no colon",
        b"A\x0bB: c",
        b"A: b\x0bc",
        b"A: b\x00",
        b"A: \x7f",
        b"A: b\x85",
        b"A: b\x1c",
        b"\xa0: b",
        b"A: b\nC: d",
        b"A: b\rC: d",
        b"",
    ]
)
_STATUSES = st.sampled_from(
    [b"200 OK", b"200", b"200 ", b"204 No Content", b"304", b"404 \xe9", b"500 a\x0bb", b"600", b"20"]
)


@settings(deadline=None, max_examples=150)
@given(_STATUSES, st.lists(_LINES, max_size=3), st.sampled_from([b"", b"o", b"ok", b"okay"]))
def test_it_says_what_h11_says_or_nothing(status_line: bytes, lines: list[bytes], body: bytes) -> None:
    """Of any answer, valid or not: a wrong word here could restart a component."""
    data = b"\r\n".join([b"HTTP/1.1 " + status_line, *lines, b"Content-Length: 2", b"", body])
    status = status_of_short_answer(data)
    if status is not None:
        assert _by_h11(data) == status


def _by_h11(data: bytes) -> int:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "h"), ("Connection", "close")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    answer = connection.next_event()
    assert isinstance(answer, h11.Response)
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
    return answer.status_code
