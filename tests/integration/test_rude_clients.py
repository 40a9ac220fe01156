"""Clients of bad manners, many at once: whoever asks properly is answered, restarts happen, and nothing grows."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import selectors
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from stigmer_pm.supervisor.bodies import Bodies
from stigmer_pm.supervisor.errors import Refused
from tests.integration.test_attacks import ask
from tests.project import Project, eventually

PS = b"GET /v1/ps HTTP/1.1\r\nHost: x\r\n\r\n"
#: What the rude ones begin with, and then they neither go on nor read.
RUDE = (
    b"",
    b"GET /v1/ps HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"POST /v1/apply HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n{",
    b"GET /v1/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    os.urandom(4000),
)


def connected(project: Project, first: bytes = b"") -> socket.socket:
    """A connection to the supervisor's socket that has sent something."""
    address = json.loads((project.dir / ".stigmer" / "supervisor.json").read_text())["socket"]
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30.0)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    with suppress(OSError):  # rubbish may be answered and hung up on before all of it is sent
        connection.sendall(first)
    return connection


def is_over(connection: socket.socket) -> bool:
    """The supervisor has hung up. What it has sent before that is read."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


@contextmanager
def asking(connections: list[socket.socket]) -> Iterator[Callable[[], int]]:
    """Polite clients: each asks, reads the whole answer and asks again, for as long as the block lasts.

    Yields what tells how many answers have come.
    """
    answers, ended = 0, threading.Event()
    chosen = selectors.DefaultSelector()
    for connection in connections:
        connection.sendall(PS)
        chosen.register(connection, selectors.EVENT_READ)

    def talk() -> None:
        nonlocal answers
        while not ended.is_set():
            for key, _ in chosen.select(0.1):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                try:
                    got = connection.recv(65536)
                except ConnectionError:
                    got = b""
                if not got:
                    chosen.unregister(connection)
                    continue
                answers += got.count(b"HTTP/1.1 200")
                connection.sendall(PS)
            ended.wait(0.2)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield lambda: answers
    finally:
        ended.set()
        thread.join()


def memory(pid: int) -> int:
    """The resident memory of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """What a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_500_clients_half_of_them_rude_keep_nobody_waiting(
    project: Project, record_property: Callable[[str, object], None]
) -> None:
    """``ps`` answers in under half a second, restarts happen, and it costs some megabytes."""
    project.write("components: {a: {command: sleep 1000}, b: {command: sleep 1000}}\n")
    project.up()
    supervisor = project.supervisor_pid()
    before = memory(supervisor)
    with ExitStack() as stack:
        for number in range(250):
            stack.enter_context(connected(project, RUDE[number % len(RUDE)]))
        polite = [stack.enter_context(connected(project)) for _ in range(250)]
        with asking(polite) as answers:
            eventually(lambda: answers() > 500, "each of the polite ones has been answered")
            times = []
            for _ in range(5):
                began = time.monotonic()
                assert ask(project, "GET", "/v1/ps")[0] == 200
                times.append(time.monotonic() - began)
            pid = project.pid("a")
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: project.ps()["a"]["restarts"] == 1 and project.ps()["a"]["pid"] not in (None, pid))
        grown = memory(supervisor) - before
    # The one in the middle, since whatever else this machine does is none of the supervisor's business.
    record_property("seconds of ps", sorted(times))
    record_property("MiB grown", grown / 2**20)
    assert sorted(times)[2] < 0.5, times
    assert grown < 64 * 2**20
    eventually(lambda: len(os.listdir(f"/proc/{supervisor}/fd")) < 50, "the descriptors are free again")
    assert (project.dir / ".stigmer" / "supervisor.log").read_text() == ""


def test_who_connects_and_asks_nothing_is_shown_out(project: Project) -> None:
    """Also who asks without end, and who doesn't fetch a short answer. A stream that nobody reads for now stays."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    supervisor = project.supervisor_pid()
    with ExitStack() as stack:
        silent, loris, sender, stream, _ = (stack.enter_context(connected(project, first)) for first in RUDE)
        deaf = stack.enter_context(
            connected(project, b"GET /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        )
        used = cpu_seconds(supervisor)

        def have_gone() -> bool:
            with suppress(OSError):
                loris.send(b"x")
                sender.send(b" ")
            return is_over(silent) and is_over(loris) and is_over(sender)

        eventually(have_gone, "they are shown out", 60.0)
        assert cpu_seconds(supervisor) - used < 2.0
        assert not is_over(stream)
        assert is_over(deaf)
    assert ask(project, "GET", "/v1/ps")[0] == 200


def test_where_all_places_are_taken_who_asks_nothing_makes_room(project: Project) -> None:
    """There are half as many places as the supervisor has descriptors; ``ps`` always finds one."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    supervisor = project.supervisor_pid()
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (80, 1024))
    with ExitStack() as stack:
        held = [stack.enter_context(connected(project, RUDE[n % 4])) for n in range(200)]
        held += [stack.enter_context(connected(project, RUDE[3])) for n in range(60)]  # nothing but streams in the end
        for _ in range(3):
            assert project.ok("ps").seconds < 5
        assert sum(not is_over(connection) for connection in held) <= 40
        assert len(os.listdir(f"/proc/{supervisor}/fd")) < 80
        pid = project.pid("a")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: project.ps()["a"]["pid"] not in (None, pid))


def test_what_is_asked_has_bounds(project: Project) -> None:
    """In bytes and in number; what is too much is said, and changes nothing."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    pid = project.pid("a")
    cases: tuple[tuple[str, object, str], ...] = (
        ("/v1/stop", {"names": ["a"] * 20_000}, "too many names"),
        ("/v1/stop", {"labels": {str(n): "x" for n in range(20_000)}}, "too many labels"),
        ("/v1/wait", {"targets": {str(n): 1 for n in range(20_000)}}, "too many targets"),
        ("/v1/stop", {"names": ["*" * n for n in range(1, 102)]}, "too many patterns"),
        ("/v1/stop", {"names": ["x" * 2**21]}, "longer than"),
        ("/v1/apply", {"spec": "x" * (2**26 + 1)}, "longer than"),
    )
    for path, body, words in cases:
        status, answer = ask(project, "POST", path, body)
        assert (status, words in answer["error"]["message"]) == (413, True), (path, words, answer)
        assert project.pid("a") == pid, (path, words)


def test_many_long_bodies_at_once_are_refused_and_the_room_is_free_again_afterwards() -> None:
    """Each is short enough by itself, so that only their sum can be too much for the memory."""

    class Sender:
        """Sends half of its body, and the rest when it is told to."""

        def __init__(self) -> None:
            self.goes_on = asyncio.Event()

        async def stream(self) -> AsyncIterator[bytes]:
            yield b'{"a":'
            await self.goes_on.wait()
            yield b"1}"

    async def send() -> None:
        bodies, slow, other = Bodies(most_at_once=11), Sender(), Sender()
        first = asyncio.create_task(bodies.read(slow))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        other.goes_on.set()
        with pytest.raises(Refused, match="too much is being sent"):
            await bodies.read(other)  # type: ignore[arg-type]
        slow.goes_on.set()
        assert await first == {"a": 1}
        assert await bodies.read(other) == {"a": 1}  # type: ignore[arg-type]

    asyncio.run(send())
