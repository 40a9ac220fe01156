"""A supervisor that ends before it has been told anything."""

from __future__ import annotations

import os
import socket

import pytest

from stigmer_pm.runtime import table
from stigmer_pm.supervisor import launch
from tests.project import eventually


def test_a_bug_that_ends_it_before_it_has_its_order_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has said is read, though nothing can be sent to it any more."""

    def fail(channel: object) -> int:
        raise ImportError("no wheel for this machine")

    monkeypatch.setattr(launch, "_grow", fail)
    before = set(table.own_children())
    seed = launch.prefork()
    (child,) = set(table.own_children()) - before
    eventually(lambda: table.started(child) is None, "it has ended")
    with pytest.raises(launch.SeedFailed, match="ImportError: no wheel for this machine"):
        seed.plant({"order": "x" * 100_000})
    assert not os.path.exists(f"/proc/{child}")


def test_one_that_doesnt_answer_is_left_when_the_time_of_the_command_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be suspended, or wait for a disk."""

    def hang(channel: socket.socket) -> int:
        while channel.recv(1000):
            pass
        return 0

    monkeypatch.setattr(launch, "_grow", hang)
    monkeypatch.setattr(launch, "_LEAST", 0.2)
    before = set(table.own_children())
    seed = launch.prefork()
    (child,) = set(table.own_children()) - before
    error = seed.plant({"order": "x"}, 0.1)["error"]
    assert error["message"] == f"the new supervisor (pid {child}) has not answered within 0.2 s; it goes on beginning"
    assert f"'kill -9 {child}'" in error["cure"]
    assert os.waitpid(child, 0) == (child, 0)
