"""The workflow runner of the example does what restart policies and dependencies are shown with."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from .conftest import Program, Start, free_port

StartServer = Callable[..., Program]


def test_the_runner_does_the_servers_jobs(start: Start, start_server: StartServer) -> None:
    """It asks for one job after another, and logs each."""
    url = f"http://127.0.0.1:{start_server().port}"
    runner = start("workflow_runner.py", "--poll", "0.01", STIGMER_URL=url, RUNNER_NAME="runner-7")
    assert "runner-7 polls" in runner.wait_line("polls")
    runner.wait_line("job 2: done")


def test_the_runner_outlives_a_server_that_is_away(start: Start) -> None:
    """No server is no reason to end: it says so, and asks again."""
    runner = start("workflow_runner.py", "--poll", "0.01", STIGMER_URL=f"http://127.0.0.1:{free_port()}")
    runner.wait_line("Connection refused")
    assert runner.process.poll() is None


def test_the_runner_says_when_the_server_is_not_healthy(start: Start, start_server: StartServer) -> None:
    """The status of the answer is in its log."""
    server = start_server(warm_up="3600")
    runner = start("workflow_runner.py", "--poll", "0.01", STIGMER_URL=f"http://127.0.0.1:{server.port}")
    runner.wait_line("the server answers 503")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_runner_with_success(start: Start, number: signal.Signals) -> None:
    """It ends at once, also in the middle of a long pause, and exits with 0."""
    runner = start("workflow_runner.py", "--poll", "3600", STIGMER_URL=f"http://127.0.0.1:{free_port()}")
    runner.wait_line("no job from")
    runner.process.send_signal(number)
    assert runner.wait_exit() == 0
    assert number.name in runner.lines()[-1]


def test_the_runner_exits_with_the_status_it_is_told(start: Start) -> None:
    """``--exit-after`` and ``--exit-code`` let one see what a restart policy does."""
    url = f"http://127.0.0.1:{free_port()}"
    runner = start("workflow_runner.py", "--exit-after", "0.01", "--exit-code", "3", STIGMER_URL=url)
    assert runner.wait_exit() == 3
    assert "status 3" in runner.lines()[-1]
