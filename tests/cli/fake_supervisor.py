"""A supervisor as the command line sees one: a state folder with its lock and address, and HTTP on a socket.

It is a fake at the seam: it answers what a test has written down, and keeps what it was asked.
"""

from __future__ import annotations

import fcntl
import json
import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

Messages = list[tuple[str, Any]]


@dataclass(frozen=True)
class Refusal:
    """An error answer."""

    status: int
    message: str
    cure: str | None = None
    exit: int = 2


@dataclass
class Asked:
    """A request that came in."""

    method: str
    path: str
    body: Any


@dataclass
class FakeSupervisor:
    """``answers`` maps ``"GET /v1/ps"`` to a document, to the messages of a stream, or to a refusal."""

    socket: Path
    answers: dict[str, Any | Messages | Refusal] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def bodies(self, path: str) -> list[Any]:
        """What was posted to ``path``."""
        return [asked.body for asked in self.asked if asked.path == path]


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    fake: FakeSupervisor


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._answer(json.loads(self.rfile.read(length) or b"null"))

    def _answer(self, body: Any) -> None:
        self.server.fake.asked.append(Asked(self.command, self.path, body))
        answer = self.server.fake.answers.get(f"{self.command} {self.path.partition('?')[0]}")
        if answer is None:
            answer = Refusal(500, f"the test has no answer for {self.command} {self.path}", exit=1)
        if isinstance(answer, Refusal):
            error = {"message": answer.message, "cure": answer.cure, "exit": answer.exit}
            self._send(answer.status, "application/json", json.dumps({"error": error}))
        elif isinstance(answer, list):
            text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in answer)
            self._send(200, "text/event-stream", text)
        else:
            self._send(200, "application/json", json.dumps(answer))

    def _send(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(socket: Path) -> Iterator[FakeSupervisor]:
    """A fake that answers on ``socket`` until the block ends."""
    with _Server(str(socket), _Handler) as server:
        server.fake = FakeSupervisor(socket)
        # Looks often whether it is to end, so that tests needn't wait for it.
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.fake
        finally:
            server.shutdown()
            thread.join()
            socket.unlink(missing_ok=True)


@contextmanager
def holding_lock(state: Path) -> Iterator[None]:
    """The lock of the state folder is held, as by a supervisor that lives."""
    state.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(state / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def write_address(state: Path, socket: Path, file: Path, pid: int = 4711) -> None:
    """The address that a supervisor leaves."""
    state.mkdir(mode=0o700, exist_ok=True)
    address = {"pid": pid, "socket": str(socket), "version": "0.1.0", "file": str(file), "project": "shop"}
    (state / "supervisor.json").write_text(json.dumps(address))
