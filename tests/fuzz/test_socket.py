"""Bytes on the supervisor's socket that are no request, or only a part of one."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.project import Project, eventually, make_project

from .effort import EFFORT, examples

pytestmark = pytest.mark.slow

#: Bytes by which a supervisor may have grown after all of it: its allocator keeps some of what it once had.
_MAY_GROW = 8 << 20

#: Lines of a request, each at its end; all that HTTP has and a supervisor has no use for.
_HEADS = """GET /v1/ps HTTP/1.1
POST /v1/stop HTTP/1.1
POST /v1/apply HTTP/1.1
GET /v1/components/%ff%00 HTTP/1.1
GET /v1/events?limit=-1&since=%zz HTTP/1.1
GET http://[ HTTP/1.1
GET //x/../v1/ps HTTP/1.1
OPTIONS * HTTP/1.1
CONNECT x:1 HTTP/1.1
PRI * HTTP/2.0
Host: x
Content-Length: 10
Content-Length: -1
Content-Length: 99999999999999999999999999999999
Transfer-Encoding: chunked
Transfer-Encoding: x
Expect: 100-continue
Upgrade: websocket
Connection: close
Connection: upgrade
 folded
ffffffffffffffffff
"""
_LINES = st.one_of(
    st.sampled_from([line.encode() + b"\r\n" for line in _HEADS.splitlines()]),
    st.sampled_from([b"\r\n", b"\n", b"\r", b"0\r\n\r\n", b'5\r\n{"a"\r\n', b"\x00", b"\xff\xfe", b"\x16\x03\x01"]),
    st.sampled_from([b"{}", b"[" * 5000, b'{"names": ["a"]}', b"X: " + b"y" * 9000 + b"\r\n"]),
)
_REQUESTS = st.tuples(
    st.sampled_from(["GET /v1/ps", "POST /v1/stop", "POST /v1/apply", "POST /v1/wait", "GET /v1/events?follow=1"]),
    st.sampled_from(["", "Content-Length: 17\r\n", "Content-Length: 60000000\r\n", "Transfer-Encoding: chunked\r\n"]),
    st.sampled_from(["", '{"names": ["no"]}', '5\r\n{"a": \r\n', "{"]),
).map(lambda drawn: f"{drawn[0]} HTTP/1.1\r\nHost: x\r\n{drawn[1]}\r\n{drawn[2]}".encode())
#: What is sent, in the pieces in which it is sent: lines in any order, or a request up to somewhere in the middle.
TALK = st.one_of(
    st.lists(st.one_of(_LINES, _LINES, st.binary(max_size=64)), max_size=8),
    st.tuples(_REQUESTS, st.integers(0, 120)).map(lambda drawn: [drawn[0][: drawn[1]]]),
    st.lists(_REQUESTS, min_size=1, max_size=5),
)


@pytest.fixture(scope="module")
def supervised() -> Iterator[Project]:
    """One that has been asked before, so that it has loaded what it needs for that."""
    for project in make_project():
        project.write("components: {a: {command: sleep 1000}}\n")
        project.up()
        for _ in range(100):
            talk(address(project), [b"GET /v1/ps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"], is_read=True)
        yield project


def address(project: Project) -> str:
    """Of the socket."""
    found: str = json.loads(Path(project.dir, ".stigmer", "supervisor.json").read_text(encoding="utf-8"))["socket"]
    return found


def talk(path: str, pieces: list[bytes], *, is_read: bool) -> bytes:
    """Say it, hear what comes at once if it ``is_read``, and hang up."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(0.02)
        connection.connect(path)
        heard = b""
        with suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
            while is_read and (part := connection.recv(65536)):
                heard += part
    return heard


def held_bytes(pid: int) -> int:
    """What a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_whatever_is_said_on_the_socket_the_supervisor_goes_on(supervised: Project) -> None:
    """It answers, says nothing of it in its log, keeps no descriptor, and doesn't grow."""
    path, pid, before = address(supervised), supervised.supervisor_pid(), supervised.pids()
    log = Path(supervised.dir, ".stigmer", "supervisor.log")
    said = log.read_text(encoding="utf-8")
    descriptors = f"/proc/{pid}/fd"
    held, opened = held_bytes(pid), len(os.listdir(descriptors))

    @examples(250)
    @given(pieces=TALK, is_read=st.booleans())
    def say(pieces: list[bytes], is_read: bool) -> None:
        heard = talk(path, pieces, is_read=is_read)
        assert b"Traceback" not in heard
        assert b" 500 " not in heard.partition(b"\r\n")[0]

    say()
    for _ in range(20 * EFFORT):
        talk(path, [os.urandom(3000)], is_read=False)
    assert supervised.supervisor_pid() == pid
    assert "a" in supervised.ps()
    assert set(before) == set(supervised.pids())
    assert log.read_text(encoding="utf-8") == said
    assert held_bytes(pid) - held < _MAY_GROW
    eventually(lambda: len(os.listdir(descriptors)) <= opened + 2, "no more descriptors than before")


@pytest.mark.parametrize("path", ["GET /v1/events?follow=1", "GET /v1/ps", "POST /v1/stop"])
def test_rubbish_in_the_middle_of_an_answer_puts_no_traceback_into_the_log(supervised: Project, path: str) -> None:
    """A body that no handler waits for, with a chunk in it that is none, while a stream is answered."""
    log = Path(supervised.dir, ".stigmer", "supervisor.log")
    said = log.read_text(encoding="utf-8")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20.0)
        connection.connect(address(supervised))
        connection.sendall(f"{path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        if path.startswith("GET"):
            assert connection.recv(12) == b"HTTP/1.1 200"
        connection.sendall(b"no chunk\r\n")
        with suppress(ConnectionError):
            while connection.recv(65536):
                pass
    assert "a" in supervised.ps()
    assert log.read_text(encoding="utf-8") == said


def test_who_follows_asks_once_more_and_hangs_up_is_let_go(supervised: Project) -> None:
    """What is asked behind a stream rests until that ends, and with it rested the look whether anybody is there."""
    descriptors = f"/proc/{supervised.supervisor_pid()}/fd"
    opened = len(os.listdir(descriptors))
    follow = b"GET /v1/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(10):
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.settimeout(20.0)
            connection.connect(address(supervised))
            connection.sendall(follow)
            assert connection.recv(12) == b"HTTP/1.1 200"
            connection.sendall(follow)
        assert "a" in supervised.ps()  # so that it has come to read what was asked before
    eventually(lambda: len(os.listdir(descriptors)) <= opened, "no more descriptors than before")
