"""The Stigmer server in small: hands out jobs, answers ``/healthz``, and logs JSON lines to stderr as zerolog does.

It runs with any ``python3`` and needs nothing but the standard library. ``STIGMER_PORT`` is the port that it listens
on, ``STIGMER_WARM_UP`` the seconds until it is healthy. ``POST /admin/break`` makes it unhealthy, so that one can watch
its liveness probe restart it; ``POST /admin/mend`` makes it healthy again.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import signal
import socketserver
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
DEFAULT_PORT = "8233"
DEFAULT_WARM_UP = "0.3"


def log(level: str, message: str, **fields: object) -> None:
    """Write one JSON line, with its keys in zerolog's order. One write a line, so that threads never mix theirs."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = json.dumps({"level": level, **fields, "time": stamp, "message": message}, separators=(",", ":"))
    sys.stderr.write(line + "\n")


class StigmerServer(ThreadingHTTPServer):
    """What all requests share: the jobs, and whether the server is healthy."""

    daemon_threads = True
    # Two servers on one port would each answer some of the requests; the second one must fail instead.
    allow_reuse_port = False

    def __init__(self, port: int, warm_up_s: float) -> None:
        super().__init__((HOST, port), Handler)
        self.jobs = itertools.count(1)
        self.broken = False
        self._warm_at = time.monotonic() + warm_up_s

    def server_bind(self) -> None:
        """Bind without HTTPServer's look-up of the host's full name, which takes seconds where DNS is broken."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def health(self) -> tuple[HTTPStatus, str]:
        """The status and the body that ``/healthz`` answers."""
        if time.monotonic() < self._warm_at:
            return HTTPStatus.SERVICE_UNAVAILABLE, "warming up"
        if self.broken:
            return HTTPStatus.SERVICE_UNAVAILABLE, "broken"
        return HTTPStatus.OK, "ok"


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: StigmerServer
    # A client that connects and sends nothing must not keep its thread for ever.
    timeout = 10

    def do_GET(self) -> None:
        """``/healthz`` is the only page."""
        if self.path == "/healthz":
            status, body = self.server.health()
            self._answer(status, body)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "not found")

    def do_POST(self) -> None:
        """``/jobs`` hands out the next job; ``/admin/break`` and ``/admin/mend`` change the health."""
        if self.path in ("/admin/break", "/admin/mend"):
            self.server.broken = self.path == "/admin/break"
            log("warn", "told to be broken" if self.server.broken else "told to be healthy")
            self._answer(HTTPStatus.OK, "ok")
        elif self.path == "/jobs":
            self._hand_out_job()
        else:
            self._answer(HTTPStatus.NOT_FOUND, "not found")

    def _hand_out_job(self) -> None:
        status, body = self.server.health()
        if status is HTTPStatus.OK:
            job = next(self.server.jobs)
            log("info", "job handed out", job=job)
            body = json.dumps({"job": job})
        self._answer(status, body)

    def _answer(self, status: HTTPStatus, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a line for each probe would bury the others."""


def main() -> int:
    """Serve until SIGTERM or SIGINT; the exit status."""
    # put() of this queue is safe inside a signal handler, which threading.Event.set() is not.
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: signals.put(received))
    port = os.environ.get("STIGMER_PORT", DEFAULT_PORT)
    try:
        server = StigmerServer(int(port), float(os.environ.get("STIGMER_WARM_UP", DEFAULT_WARM_UP)))
    except (ValueError, OverflowError) as error:
        log("fatal", f"cannot start: STIGMER_PORT or STIGMER_WARM_UP is not such a number: {error}")
        return 1
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        log("fatal", f"cannot listen on {HOST}:{port}: {why}; set STIGMER_PORT to a free port")
        return 1
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    log("info", "listening", address=f"{HOST}:{server.server_port}", pid=os.getpid())
    received = signals.get()
    log("info", "shutting down", signal=signal.Signals(received).name)
    server.shutdown()
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
