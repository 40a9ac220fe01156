"""The short form of ``make bench-deaths``: everything dies in one moment, and everything is back."""

from __future__ import annotations

import os
import signal

import pytest

from tests.project import Project, eventually

_COUNT = 60


@pytest.mark.parametrize("whose", ["own", "adopted", "nobody's"])
def test_whatever_dies_in_one_moment_is_back_once(project: Project, whose: str) -> None:
    """Each with a child in a session of its own, which goes as well; also if nobody has seen it."""
    command = "sh -c 'setsid sleep 1001 & exec sleep 1000'"
    rules = "min_uptime: 1ms, stop_timeout: 5s"
    project.write("components:\n" + "".join(f"  c{n}: {{command: {command}, {rules}}}\n" for n in range(_COUNT)))
    project.up("--settle", "0s")
    if whose != "own":
        project.kill_supervisor()
    if whose == "adopted":
        project.up("--settle", "0s")
    children = eventually(lambda: _all(project, "sleep 1001"))
    leaders = _all(project, "sleep 1000")
    for pid in leaders:
        os.kill(pid, signal.SIGKILL)
    if whose == "nobody's":
        project.up("--no-wait")
    eventually(lambda: all(c["restarts"] == 1 and c["phase"] == "running" for c in project.ps().values()))
    assert {c["restarts"] for c in project.ps().values()} == {1}
    eventually(lambda: len(_all(project, "sleep 1001")) == _COUNT)
    assert not (leaders | children) & set(project.living())
    assert len(_all(project, "sleep 1000")) == _COUNT


def _all(project: Project, command: str) -> set[int]:
    """The pids of those that run ``command``; none before there is one for each component."""
    found = {pid for pid, what in project.living().items() if what == command}
    return found if len(found) >= _COUNT else set()
