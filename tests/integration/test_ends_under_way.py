"""A supervisor that ends or is replaced while others wait for it tells them so or hangs up, and logs no bug."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from ..project import Project, eventually
from .held_upgrade import IN_THE_TRIAL, held_upgrade
from .test_rude_clients import connected, is_over
from .test_signals import has_ended
from .test_upgrade import since

FILE = """
    components:
      a: {command: sleep 1000}
      late: {command: sleep 1000, probes: {readiness: {exec: ["false"], period: 1s}}}
"""


def asked(path: str, body: object) -> bytes:
    """A request with a body."""
    text = json.dumps(body).encode()
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text


FOLLOW = b"GET /v1/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n"
#: As ``up`` waits.
WAIT = asked("/v1/wait", {"for": "ready", "targets": {"late": 1}})
HALF = b"POST /v1/apply HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"


def log_of(project: Project) -> str:
    """What the supervisor has said about itself."""
    return (project.dir / ".stigmer" / "supervisor.log").read_text()


@contextmanager
def trial(project: Project) -> Iterator[subprocess.Popen[str]]:
    """An ``upgrade`` whose trial lasts as long as the block."""
    with held_upgrade(project, IN_THE_TRIAL) as process:
        yield process
    process.communicate(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_who_waits_at_the_end_is_hung_up_on_at_once(project: Project, number: signal.Signals) -> None:
    """Streams, and a request that never becomes whole: their ends are no bugs, and keep the end waiting no second."""
    project.write(FILE)
    project.up("--no-wait")
    project.wait_phase("late", "running")
    project.wait_phase("a", "running")
    supervisor = project.supervisor_pid()
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(project, first)) for first in (FOLLOW, WAIT, HALF)]
        for connection in connections[:2]:
            assert connection.recv(65536)
        os.kill(supervisor, number)
        eventually(lambda: has_ended(supervisor))
        assert all(is_over(connection) for connection in connections)
    assert "Traceback" not in log_of(project)
    assert "ERROR" not in log_of(project)


def test_who_follows_is_told_everything_before_the_end(project: Project) -> None:
    """The last that happens is that the last component has stopped."""
    project.write(FILE)
    project.up("--no-wait")
    project.wait_phase("late", "running")
    with connected(project, FOLLOW) as follower:
        told = follower.recv(65536)
        project.ok("down")
        while more := follower.recv(65536):
            told += more
    assert told.count(b'"kind": "stopped"') == 2
    assert told.endswith(b"\r\n0\r\n\r\n"), "the stream has an end, and is not cut off"
    assert "Traceback" not in log_of(project)


def test_who_leaves_in_the_middle_of_an_upgrade_leaves_no_trace(project: Project) -> None:
    """Those who wait, those who follow, and the one who has asked for it."""
    project.write(FILE)
    project.up("--no-wait")
    project.wait_phase("late", "running")
    ended = threading.Event()

    def come_and_go(first: bytes) -> None:
        while not ended.is_set():
            with suppress(OSError), connected(project, first) as connection:
                connection.settimeout(0.002)
                connection.recv(10)

    at_once = asked("/v1/wait", {"for": "started", "targets": {"a": 1}, "settle": 0})
    visitors = [threading.Thread(target=come_and_go, args=(first,)) for first in (FOLLOW, WAIT, at_once, HALF)]
    for visitor in visitors:
        visitor.start()
    try:
        project.ok("upgrade")
        began = since(project)
        with trial(project) as upgrade:
            upgrade.kill()
        eventually(lambda: since(project) != began, "the trial ends, and the upgrade goes on", pause=0.2)
    finally:
        ended.set()
        for visitor in visitors:
            visitor.join()
    project.ok("down")
    assert "Traceback" not in log_of(project)
    assert "ERROR" not in log_of(project)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_a_signal_that_ends_it_during_a_trial_ends_the_trial(project: Project, number: signal.Signals) -> None:
    """As docs/reference/signals.md has it: everything is stopped, or left; and nothing takes its place."""
    project.write(FILE)
    project.up("--no-wait")
    pid = project.wait_phase("a", "running")["pid"]
    supervisor = project.supervisor_pid()
    with trial(project) as upgrade:
        os.kill(supervisor, number)
        eventually(lambda: has_ended(supervisor), "it doesn't wait for the trial")
        eventually(lambda: not [c for c in project.living().values() if "selfcheck" in c], "the trial is ended")
        _, err = upgrade.communicate(timeout=30)
    assert upgrade.returncode == 1
    assert ("is stopping everything" if number == signal.SIGTERM else "leaves what runs") in err
    assert "Traceback" not in log_of(project)
    assert "AssertionError" not in log_of(project)
    assert "handing over" not in log_of(project)
    assert (pid in project.living()) == (number == signal.SIGQUIT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_that_leaves_what_runs_ends_during_a_trial(project: Project, number: signal.Signals) -> None:
    """In front, with ``--leave-running``."""
    project.write(FILE)
    front = project.start("up", "--foreground", "--leave-running")
    eventually(project.answers)
    pid = project.wait_phase("a", "running")["pid"]
    with trial(project):
        front.send_signal(number)
        front.communicate(timeout=30)
    assert pid in project.living()
    assert "Traceback" not in log_of(project)
