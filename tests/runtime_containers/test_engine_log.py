"""Reading logs through the connection of Docker's SDK, from an engine that the test plays on a socket."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmer_pm.runtime.containers.engine_log import Chunks, EngineLogs
from stigmer_pm.runtime.containers.trouble import EngineRefusal
from tests.runtime_containers.fake_log import pieces

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Engine:
    """Accepts one connection, keeps the question, and gives the answer that the test sends."""

    def __init__(self, path: Path) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.question = b""
        self.connection = socket.socket(socket.AF_UNIX)
        self.has_asked = threading.Event()

    def answer(self, *parts: bytes, end: bool = False) -> None:
        """In a thread: take a connection, read the question, send these bytes; and close the connection, or not."""
        threading.Thread(target=self._answer, args=(parts, end), daemon=True).start()

    def close(self) -> None:
        self.connection.close()
        self.listener.close()

    def _answer(self, parts: tuple[bytes, ...], end: bool) -> None:
        self.connection.close()
        self.connection, _ = self.listener.accept()
        question = b""
        while b"\r\n\r\n" not in question:
            question += self.connection.recv(4096)
        self.question = question.partition(b"\r\n")[0]
        for part in parts:
            self.connection.sendall(part)
        if end:
            self.connection.close()
        self.has_asked.set()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine that does what the test tells it."""
    with closing(Engine(tmp_path / "sock")) as engine:
        yield engine


@pytest.fixture
def logs(tmp_path: Path, engine: Engine) -> Iterator[EngineLogs]:
    """Its logs."""
    with closing(docker.APIClient(base_url=f"unix://{tmp_path}/sock", version="1.41", timeout=1)) as client:
        yield EngineLogs(client)


def chunk(data: bytes) -> bytes:
    """It in HTTP's coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.integers(1, 60))
def test_chunks_give_the_same_however_they_are_cut(contents: list[bytes], size: int) -> None:
    """What was sent comes out, and the end is seen when it has come."""
    chunks = Chunks()
    data = b"".join(map(chunk, contents)) + b"0\r\n\r\n"
    assert b"".join(map(chunks.feed, pieces(data[:-1], size))) == b"".join(contents)
    assert not chunks.is_over
    assert chunks.feed(data[-1:]) == b""
    assert chunks.is_over


def test_what_is_not_chunked_is_an_error() -> None:
    """Rather than a wait for ever."""
    with pytest.raises(ConnectionError, match="chunks"):
        Chunks().feed(b"Oops\r\n")
    assert Chunks().feed(b"3;name=value\r\nabc\r\n") == b"abc"


def test_everything_that_has_come_is_read_at_once(engine: Engine, logs: EngineLogs) -> None:
    """A read takes what there is, then waits for more, and tells an end in good order."""
    engine.answer(CHUNKED + chunk(b"one") + chunk(b"two"))
    with closing(logs.open_log("c0ffee", None, follow=True)) as reader:
        assert engine.question == b"GET /v1.41/containers/c0ffee/logs?stdout=1&stderr=1&timestamps=1&follow=1 HTTP/1.1"
        assert reader.read(None) == b"onetwo"
        assert reader.read(0.0) is None
        assert reader.read(0.001) is None
        engine.connection.sendall(chunk(b"three") + b"0\r\n\r\n")
        assert reader.read(10) == b"three"
        assert reader.read(None) == b""


def test_old_entries_are_left_out_by_the_engine(engine: Engine, logs: EngineLogs) -> None:
    """It is asked in whole seconds."""
    engine.answer(CHUNKED)
    with closing(logs.open_log("c0ffee", 1_780_000_000, follow=False)):
        assert engine.question.split(b"&", 3)[3] == b"follow=0&since=1780000000 HTTP/1.1"


def test_a_broken_connection_is_an_error(engine: Engine, logs: EngineLogs) -> None:
    """Only a last chunk is an end."""
    engine.answer(CHUNKED + chunk(b"one") + b"5\r\nab", end=True)
    with closing(logs.open_log("c0ffee", None, follow=True)) as reader:
        assert reader.read(None) == b"one"
        with pytest.raises(ConnectionError):
            reader.read(None)


def test_an_answer_without_chunks_ends_with_the_connection(engine: Engine, logs: EngineLogs) -> None:
    """As HTTP has it."""
    engine.answer(b"HTTP/1.0 200 OK\r\n\r\n", b"all", end=True)
    with closing(logs.open_log("c0ffee", None, follow=False)) as reader:
        assert reader.read(None) == b"all"
        assert reader.read(None) == b""


@pytest.mark.slow
@pytest.mark.parametrize("first", [b"", chunk(b"one")])
def test_a_read_that_waits_can_be_interrupted(engine: Engine, logs: EngineLogs, first: bytes) -> None:
    """From another thread, at the first read and at any later one, and long after the client's timeout of a second."""
    engine.answer(CHUNKED + first)
    reader = logs.open_log("c0ffee", None, follow=True)
    assert engine.has_asked.wait(10)
    if first:
        assert reader.read(None) == b"one"
    outcome: list[object] = []
    thread = threading.Thread(target=_read, args=(reader.read, outcome))
    thread.start()
    thread.join(1.2)
    assert thread.is_alive()
    reader.interrupt()
    thread.join(10)
    assert isinstance(outcome[0], ConnectionError)
    reader.close()
    reader.interrupt()


def _read(read: Callable[[float | None], bytes | None], outcome: list[object]) -> None:
    try:
        outcome.append(read(None))
    except OSError as error:
        outcome.append(error)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message":"configured logging driver does not support reading"}', "configured logging driver"),
        (b"<html>proxy</html>", "<html>proxy</html>"),
        (b"", "Not Implemented"),
    ],
)
def test_a_refusal_has_status_and_words_of_the_engine(
    engine: Engine, logs: EngineLogs, body: bytes, message: str
) -> None:
    """They are for the user."""
    engine.answer(b"HTTP/1.1 501 Not Implemented\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    with pytest.raises(EngineRefusal, match=message) as caught:
        logs.open_log("c0ffee", None, follow=True)
    assert caught.value.status == 501


def test_the_client_can_be_used_after_a_log_was_read(engine: Engine, logs: EngineLogs) -> None:
    """Its pool must not hand out a connection that we have read dry."""
    for _ in range(3):
        engine.answer(CHUNKED + chunk(b"one") + b"0\r\n\r\n")
        with closing(logs.open_log("c0ffee", None, follow=True)) as reader:
            assert reader.read(None) == b"one"


def test_the_modules_do_not_load_the_library() -> None:
    """It costs 140 ms and 20 MB, and most projects have no container."""
    program = (
        "import sys, stigmer_pm.runtime.containers.engine_log, stigmer_pm.runtime.containers.log_stream\n"
        "sys.exit(' '.join({'docker', 'requests', 'urllib3'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert result.stderr.strip() == b""
