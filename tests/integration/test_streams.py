"""Streams of the supervisor: what goes wrong before or in the middle of one is told, and so is their end."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.integration.test_attacks import ask
from tests.integration.test_rude_clients import connected
from tests.project import Project, eventually

FILE = "components: {a: {command: sleep 1000}}\n"


def log_of(project: Project) -> str:
    """What the supervisor says of itself."""
    return (project.state / "supervisor.log").read_text()


def test_a_journal_that_cannot_be_read_is_said_to_whoever_follows_it(project: Project) -> None:
    """It had the status 200 and no word in it, the client said that the supervisor had ended, and that with success."""
    project.write(FILE)
    project.up()
    pid = project.supervisor_pid()
    with closing(sqlite3.connect(project.state / "state.db", timeout=20.0)) as database:
        database.execute("DROP TABLE events")
    result = project.run("events", "--follow", timeout=20.0)
    assert result.code == 1, result
    assert f"error: cannot read '{project.dir}/.stigmer/state.db'" in result.err
    status, answer = ask(project, "GET", "/v1/events?follow=1")
    assert (status, answer["error"]["code"]) == (503, "store")
    assert project.supervisor_pid() == pid
    assert "Traceback" not in log_of(project)


@pytest.mark.parametrize("ending", ["down", "SIGQUIT"])
def test_who_follows_is_told_that_the_supervisor_ends(project: Project, ending: str) -> None:
    """It was hung up on after a second, with a traceback in the log."""
    project.write(FILE)
    project.up()
    supervisor, pid = project.supervisor_pid(), project.pid("a")
    followers = [project.start("events", "--follow") for _ in range(3)]
    for follower in followers:
        assert follower.stdout is not None
        assert follower.stdout.readline()
    with closing(connected(project, b"GET /v1/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n")) as raw:
        assert raw.recv(12) == b"HTTP/1.1 200"
        if ending == "down":
            project.ok("down")
        else:
            os.kill(supervisor, signal.SIGQUIT)
        heard = b""
        while part := raw.recv(65536):
            heard += part
        assert heard.endswith(b"0\r\n\r\n"), "it has its end, and was not cut off"
    for follower in followers:
        out, err = follower.communicate(timeout=30)
        assert (follower.returncode, err) == (0, "the supervisor has ended\n"), out + err
    eventually(lambda: not os.path.exists(f"/proc/{supervisor}"), "it has ended")
    assert "Traceback" not in log_of(project)
    assert "ERROR" not in log_of(project)
    assert (pid in project.living()) == (ending != "down")


def test_who_follows_is_told_that_the_supervisor_has_died(project: Project) -> None:
    """It was said to have ended, and that with success: so a script took a death for a ``down``."""
    project.write(FILE)
    project.up()
    follower = project.start("events", "--follow")
    assert follower.stdout is not None
    assert follower.stdout.readline()
    pid = project.kill_supervisor()
    _, err = follower.communicate(timeout=30)
    assert (follower.returncode, err) == (
        3,
        f"error: the supervisor of this project (pid {pid}) has died; what it ran goes on\n"
        "  start another with 'stigmer-pm up', which finds it again\n",
    )


def test_a_wait_of_a_number_without_end_is_refused(project: Project) -> None:
    """A whole number that no float holds put a traceback into the log, and the answer was empty."""
    project.write(FILE)
    project.up()
    for key, number in itertools.product(("timeout", "settle", "patience"), ("1" + "0" * 400, "1e300", "316224000001")):
        body = f'{{"targets": {{"a": 1}}, "{key}": {number}}}'
        head = f"POST /v1/wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        with closing(connected(project, (head + body).encode())) as connection:
            heard = b""
            while part := connection.recv(65536):
                heard += part
        assert heard.startswith(b"HTTP/1.1 400"), heard
        assert b'"message":"' in heard
    assert log_of(project) == ""
