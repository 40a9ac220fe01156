"""One request and its answer, in the part of HTTP/1.1 that a supervisor speaks.

http.client would do; importing it (with email and ssl, which it brings along) takes 20 ms of the 100 that a ``ps``
takes as a whole, and asks for nothing that a socket of our own needs.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

#: The longest line of a header or of a chunk's size that is read. A supervisor's have some 60 bytes.
_LONGEST_LINE = 8192


class BadAnswer(ConnectionError):
    """What came back is no complete HTTP answer."""


@dataclass(frozen=True)
class Answer:
    """The status of an answer, and its body, which is read from the connection when it is asked for."""

    status: int
    headers: dict[str, str]
    _stream: BinaryIO

    def read(self) -> bytes:
        """The whole body.

        Raises:
            BadAnswer: it was cut off.
            OSError: it can't be read, or not in time.
        """
        return b"".join(self.parts())

    def lines(self) -> Iterator[bytes]:
        """The body line by line, as it comes in; raises as :meth:`read`."""
        rest = b""
        for part in self.parts():
            *complete, rest = (rest + part).split(b"\n")
            yield from complete
        if rest:
            yield rest

    def parts(self) -> Iterator[bytes]:
        """The body in the pieces in which it comes; raises as :meth:`read`."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            yield from _chunks(self._stream)
        elif "content-length" in self.headers:
            yield _exactly(self._stream, _number(self.headers["content-length"].encode(), 10))
        else:
            yield self._stream.read()


def ask(connection: socket.socket, method: str, target: str, body: bytes | None) -> Answer:
    """Send a request on ``connection``, which carries nothing after it, and read the head of the answer.

    Raises:
        BadAnswer: what came back is no HTTP.
        OSError: it can't be sent, or nothing came back in time.
    """
    head = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close"]
    if body is not None:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    connection.sendall("\r\n".join([*head, "", ""]).encode() + (body or b""))
    stream = connection.makefile("rb")
    words = _line(stream).split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1."):
        raise BadAnswer("its answer is no HTTP")
    return Answer(_number(words[1], 10), _headers(stream), stream)


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := _line(stream):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    # Each piece has its size in hexadecimal before it; one of size 0 and the lines of a trailer end the body.
    while size := _number(_line(stream).partition(b";")[0], 16):
        yield _exactly(stream, size)
        _line(stream)
    _headers(stream)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise BadAnswer("its answer was cut off")
    return data


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise BadAnswer("its answer was cut off" if len(line) < _LONGEST_LINE else "its answer is no HTTP")
    return line.rstrip(b"\r\n")


def _number(text: bytes, base: int) -> int:
    try:
        number = int(text, base)
    except ValueError:
        raise BadAnswer("its answer is no HTTP") from None
    if number < 0:
        raise BadAnswer("its answer is no HTTP")
    return number
