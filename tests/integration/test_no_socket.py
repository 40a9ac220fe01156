"""A socket that can't be made: nothing new is started without one, and what runs already is looked after."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.private_mounts import MountedProject, make_mounted_project
from tests.project import Project, eventually

FILE = "components: {a: {command: sleep 1000, backoff: {initial: 100ms}}}\n"


@pytest.fixture
def mounted() -> Iterator[MountedProject]:
    """A project with a small file system for its socket."""
    yield from make_mounted_project()


def mount(project: MountedProject, inodes: int) -> Path:
    """A place for sockets with room for so many files and folders, its own one among them; as we see it."""
    place = project.dir / "tmp"
    project.inside("mount", "-t", "tmpfs", "-o", f"nr_inodes={inodes},mode=700", "tmpfs", str(place))
    return project.state.parent / "tmp"


def sleepers(project: Project) -> list[int]:
    """The pids of what is supervised."""
    return [pid for pid, command in project.living().items() if command == "sleep 1000"]


@pytest.mark.parametrize("command", [("up",), ("up", "--foreground")])
def test_without_room_for_its_socket_a_new_project_is_not_begun(
    mounted: MountedProject, command: tuple[str, ...]
) -> None:
    """``up`` ended with an error, and what it had started ran on without a supervisor."""
    project = mounted
    mount(project, 2)  # itself, and the folder of the socket
    project.write(FILE)
    result = project.run(*command)
    assert result.code == 1, result
    assert "cannot make the socket '" in result.err
    assert "no space left on device" in result.err
    eventually(lambda: not project.living(), "nothing was started")
    log = project.state / "supervisor.log"
    assert not log.exists() or "Traceback" not in log.read_text()


def test_what_runs_is_looked_after_by_a_supervisor_without_a_socket(mounted: MountedProject) -> None:
    """It says so, and can be asked again once there is room."""
    project = mounted
    place = mount(project, 20)
    project.write(FILE)
    project.up()
    supervisor = project.supervisor_pid()
    (pid,) = sleepers(project)
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not os.path.exists(f"/proc/{supervisor}"), "it is dead")
    (socket,) = place.glob("stigmer-pm-*/*.sock")
    socket.unlink()
    filler = [place / str(number) for number in range(30)]
    with suppress(OSError):
        for path in filler:
            path.touch()
    result = project.run("up")
    assert result.code == 1, result
    assert "what runs is looked after, and nobody can ask how it is" in result.err
    assert "it is tried again every 10 seconds" in result.err
    assert sleepers(project) == [pid]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: sleepers(project) not in ([], [pid]), "it is restarted")
    for path in filler:
        path.unlink(missing_ok=True)
    eventually(lambda: project.run("ps").code == 0, "it can be asked", pause=0.5)
    (entry,) = project.ok("ps", "--json").json["components"]  # its socket is to be seen from inside only
    assert entry["restarts"] == 1
    assert "Traceback" not in (project.state / "supervisor.log").read_text()
