"""The commands of exec probes: how they are ended."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from stigmer_pm.runtime import system
from stigmer_pm.runtime.probe_child import CommandChild

Begin = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One that doesn't run."""
    found = asyncio.new_event_loop()
    yield found
    found.close()


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts a shell in a session of its own; it has begun when it has said so."""
    processes: list[subprocess.Popen[str]] = []

    def start(command: str) -> subprocess.Popen[str]:
        found = subprocess.Popen(["sh", "-c", command], start_new_session=True, stdout=subprocess.PIPE, text=True)
        processes.append(found)
        assert found.stdout is not None
        assert found.stdout.readline()
        return found

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_one_that_has_been_collected_is_not_signalled(
    monkeypatch: pytest.MonkeyPatch, loop: asyncio.AbstractEventLoop
) -> None:
    """Its pid, and the number of its group, may be somebody else's by then."""
    signalled: list[int] = []
    monkeypatch.setattr(system, "send_signal", lambda pid, number: signalled.append(pid))
    monkeypatch.setattr(system, "send_group_signal", lambda group, number: signalled.append(group))
    exited: asyncio.Future[int] = loop.create_future()
    exited.set_result(0)
    CommandChild(os.getpid(), exited).kill_tree()
    assert signalled == []


def test_its_group_is_killed_when_nobody_can_look_for_its_descendants(
    begin: Begin, loop: asyncio.AbstractEventLoop
) -> None:
    """Without a descriptor the table of processes can't be read."""
    process = begin("echo begun; sleep 1000 & wait")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        CommandChild(process.pid, loop.create_future()).kill_tree()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert process.wait(30) == -signal.SIGKILL


def test_what_has_left_its_group_is_killed_too(begin: Begin, loop: asyncio.AbstractEventLoop) -> None:
    """It is found while it hangs together, so before anything is killed."""
    process = begin("setsid sh -c 'echo begun; exec sleep 1000' & wait")
    CommandChild(process.pid, loop.create_future()).kill_tree()
    assert process.wait(30) == -signal.SIGKILL
    assert process.stdout is not None
    assert process.stdout.read() == ""  # the end of file comes when the last one is gone
