"""The programs of examples/stigmer/ as real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ..project import DEADLINE, eventually

EXAMPLES = Path(__file__).parents[2] / "examples" / "stigmer"
# Whatever proxy the environment names, the servers of these tests are on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@dataclass
class Program:
    """A program of the example. Its output is in a file, as it is under stigmer-pm."""

    process: subprocess.Popen[bytes]
    output: Path
    port: int = field(default=0)

    def lines(self) -> list[str]:
        """The whole lines that it has written."""
        return self.output.read_text().splitlines()

    def wait_line(self, part: str) -> str:
        """Wait for a line that holds ``part``, and return it."""
        found = eventually(lambda: [line for line in self.lines() if part in line], f"a line with {part!r}")
        return found[0]

    def wait_exit(self) -> int:
        """Wait for its end; its exit status."""
        return self.process.wait(DEADLINE)

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        """The status and the body that a server answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        try:
            with _OPENER.open(request, timeout=DEADLINE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program by its file's name, with arguments and variables. What still runs at the end is killed."""
    with ExitStack() as stack:

        def start_one(name: str, *arguments: str, port: int = 0, **variables: str) -> Program:
            output = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}.log"
            with output.open("wb") as file:
                process = subprocess.Popen(
                    [sys.executable, str(EXAMPLES / name), *arguments],
                    env={"PATH": os.environ["PATH"], **variables},
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return Program(process, output, port)

        yield start_one


@pytest.fixture
def start_server(start: Start) -> Callable[..., Program]:
    """Start the server on a free port, and wait until it listens."""

    def start_one(warm_up: str = "0") -> Program:
        port = free_port()
        server = start("server.py", port=port, STIGMER_PORT=str(port), STIGMER_WARM_UP=warm_up)
        server.wait_line("listening")
        return server

    return start_one
