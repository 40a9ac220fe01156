"""The server of the example does what its probes and its log readers rely on."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable

from .conftest import Program, Start

StartServer = Callable[..., Program]


def test_a_warm_server_is_healthy(start_server: StartServer) -> None:
    """``/healthz`` answers 200 and ``ok``."""
    assert start_server().ask("/healthz") == (200, "ok")


def test_a_server_that_warms_up_is_not_healthy_yet(start_server: StartServer) -> None:
    """Until it is warm, ``/healthz`` answers 503 and no job is handed out, so that its startup probe has a meaning."""
    server = start_server(warm_up="3600")
    assert server.ask("/healthz") == (503, "warming up")
    assert server.ask("/jobs", "POST") == (503, "warming up")


def test_a_server_can_be_broken_and_mended(start_server: StartServer) -> None:
    """``/admin/break`` makes ``/healthz`` fail until ``/admin/mend``."""
    server = start_server()
    assert server.ask("/admin/break", "POST")[0] == 200
    assert server.ask("/healthz") == (503, "broken")
    assert server.ask("/admin/mend", "POST")[0] == 200
    assert server.ask("/healthz") == (200, "ok")


def test_jobs_are_numbered_in_order(start_server: StartServer) -> None:
    """Every job is handed out once."""
    server = start_server()
    assert [json.loads(server.ask("/jobs", "POST")[1]) for _ in range(3)] == [{"job": 1}, {"job": 2}, {"job": 3}]


def test_unknown_pages_are_not_found(start_server: StartServer) -> None:
    """What the server does not have is 404, whatever the method."""
    server = start_server()
    assert server.ask("/nothing")[0] == 404
    assert server.ask("/nothing", "POST")[0] == 404


def test_every_line_is_json_as_zerolog_writes_it(start_server: StartServer) -> None:
    """A line is an object whose first key is ``level`` and whose last ones are ``time`` and ``message``."""
    server = start_server()
    server.ask("/jobs", "POST")
    server.process.terminate()
    server.wait_exit()
    documents = [json.loads(line) for line in server.lines()]
    assert [d["message"] for d in documents] == ["listening", "job handed out", "shutting down"]
    for document in documents:
        keys = list(document)
        assert (keys[0], keys[-2:]) == ("level", ["time", "message"])


def test_sigterm_ends_the_server_with_success(start_server: StartServer) -> None:
    """It says which signal it got, and exits with 0."""
    server = start_server()
    server.process.send_signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    assert "SIGTERM" in server.wait_line("shutting down")


def test_a_taken_port_is_said_in_one_line(start: Start) -> None:
    """The server exits with 1, and its one line names the port, the reason and the cure."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start("server.py", STIGMER_PORT=str(port))
        assert server.wait_exit() == 1
    [line] = server.lines()
    document = json.loads(line)
    assert document["level"] == "fatal"
    assert f"127.0.0.1:{port}: address already in use" in document["message"]
    assert "STIGMER_PORT" in document["message"]


def test_a_port_that_is_no_number_is_said_in_one_line(start: Start) -> None:
    """The server exits with 1, and no traceback."""
    server = start("server.py", STIGMER_PORT="eighty")
    assert server.wait_exit() == 1
    [line] = server.lines()
    assert "STIGMER_PORT" in json.loads(line)["message"]
