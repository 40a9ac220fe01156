"""A server that components run: how it answers is told by files in its folder, and each request is written down.

``python web_server.py PORT [SECONDS_UNTIL_IT_LISTENS]``. While ``silent`` exists it accepts and never answers; while
``unready`` exists ``/ready`` is 503. Every request is a line of ``requests``: pid, time of the machine, path, answer.
"""

from __future__ import annotations

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """Answers as the files say."""

    def do_GET(self) -> None:
        """One line for each request, before it is answered."""
        is_silent = Path("silent").exists()
        status = 503 if self.path == "/ready" and Path("unready").exists() else 200
        with open("requests", "a", encoding="ascii") as file:
            file.write(f"{os.getpid()} {time.monotonic()} {self.path} {'silent' if is_silent else status}\n")
        if is_silent:
            time.sleep(1000)
        body = b"warming the caches" if status == 503 else b"ok"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Not in the log of the component."""


def main() -> None:
    """Listen, late if told so."""
    time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 0)
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
