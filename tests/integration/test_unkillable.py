"""What the kernel holds can't be killed: it is said, and nothing else waits for it; a real frozen process."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.project import Project, eventually


@pytest.fixture
def freezer() -> Iterator[Path]:
    """A freezer (cgroup v1): what is in it takes no signal before it is thawed, not even SIGKILL."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    mounts = [Path(line.split()[4]) for line in lines if line.endswith(",freezer")]
    if not mounts or not os.access(mounts[0], os.W_OK):
        pytest.skip("there is no freezer that this may use")
    path = mounts[0] / f"stigmer-test-{uuid.uuid4().hex[:8]}"
    path.mkdir()
    yield path
    (path / "freezer.state").write_text("THAWED")
    eventually(lambda: not (path / "cgroup.procs").read_text())
    with suppress(OSError):
        path.rmdir()


def test_what_cannot_be_killed_is_said_and_ends_when_it_can(project: Project, freezer: Path) -> None:
    """``ps`` says why it is still stopping; the next run waits for it, and other components don't."""
    project.write("""
        components:
          a: {command: sleep 1000, stop_timeout: 100ms}
          b: {command: sleep 1001, stop_timeout: 100ms}
    """)
    project.up()
    pid = project.pid("a")
    (freezer / "cgroup.procs").write_text(str(pid))
    (freezer / "freezer.state").write_text("FROZEN")
    eventually(lambda: (freezer / "freezer.state").read_text().strip() == "FROZEN")
    result = project.run("restart", "a", "--timeout", "1s")
    assert result.code == 1, result
    project.ok("restart", "b")
    eventually(lambda: "SIGKILL had no effect yet" in project.ps()["a"]["reason"])
    assert project.ps()["a"]["phase"] == "stopping"
    assert [command for command in project.living().values() if command == "sleep 1000"] == ["sleep 1000"]
    (freezer / "freezer.state").write_text("THAWED")
    assert project.wait_phase("a", "running")["pid"] != pid
    assert [command for command in project.living().values() if command == "sleep 1000"] == ["sleep 1000"]
