"""A log that can't be written stops nothing, is said, and is whole in the end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from ..project import eventually
from .project import DockerProject


@pytest.fixture
def small_disk(project: DockerProject) -> Iterator[Path]:
    """A folder of the project on a disk of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    folder = project.dir / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "small", folder], check=True)
    yield folder
    project.run("down")
    subprocess.run(["umount", folder], check=True)


def print_too_much(project: DockerProject) -> None:
    """A component prints more than its log has room for, and that is said."""
    project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: [sh, -c, "seq 1 20000; sleep 1000"]
            log: small/web.log
            stop_timeout: 0s
    """)
    project.up()
    eventually(lambda: "no space left on device" in project.ps()["web"]["reason"], "it is said", 30.0)


def test_a_full_disk_is_said_and_no_line_is_lost(project: DockerProject, small_disk: Path) -> None:
    """The engine keeps what is printed, until there is room."""
    print_too_much(project)
    assert project.ps()["web"]["phase"] == "running"
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    expected = "".join(f"{number}\n" for number in range(1, 20001)).encode()
    eventually(lambda: (small_disk / "web.log").stat().st_size >= len(expected), "there is room")
    assert (small_disk / "web.log").read_bytes() == expected
    eventually(lambda: not project.ps()["web"]["reason"], "nothing is said any more", 30.0)
    assert "written again" in project.events_of("web")


def test_what_is_left_is_written_before_down_removes_the_container(project: DockerProject, small_disk: Path) -> None:
    """Nobody but the engine has it."""
    print_too_much(project)
    ending = project.start("down")
    eventually(lambda: project.container("web").status == "exited", "it is stopped")
    # Longer than the end of a run waits for the last of its output; the next line is what makes room.
    until = time.monotonic() + 2
    while time.monotonic() < until:
        assert project.mine(), "it stays for as long as nobody else has its output"
        time.sleep(0.05)
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    ending.communicate(timeout=60)
    eventually(lambda: not project.mine(), "the container is removed", 60.0)
    expected = "".join(f"{number}\n" for number in range(1, 20001)).encode()
    assert (small_disk / "web.log").read_bytes() == expected


@pytest.fixture
def no_room(project: DockerProject) -> Iterator[Path]:
    """A file that fills the disk on which it is kept how far output has been copied."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    folder = project.dir / ".stigmer" / "positions"
    folder.mkdir(parents=True, mode=0o700)
    (project.dir / ".stigmer").chmod(0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "small", folder], check=True)
    fill(folder / "full")
    yield folder / "full"
    project.run("down")
    subprocess.run(["umount", folder], check=True)


def fill(path: Path) -> None:
    """Write until nothing more can be written."""
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def has_grown(project: DockerProject, size: int) -> bool:
    """The log is longer than that."""
    return len(project.log("web")) > size


def test_with_no_room_for_what_is_kept_of_a_log_no_line_is_lost_or_doubled(
    project: DockerProject, no_room: Path
) -> None:
    """Before there ever was room, and when there is none any more; also when the supervisor is killed meanwhile."""
    project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: [sh, -c, "for i in $$(seq 1 1000000); do echo $$i; usleep 2000; done"]
            stop_timeout: 0s
    """)
    project.up()
    eventually(lambda: "no space left on device" in project.ps()["web"]["reason"], "it is said", 30.0)
    project.kill_supervisor()
    project.up()
    no_room.unlink()
    eventually(lambda: len(project.log("web")) > 1000, "it is copied", 30.0)
    fill(no_room)
    for _ in range(3):
        enough = len(project.log("web")) + 1000
        eventually(partial(has_grown, project, enough), "it is copied on", 30.0)
        project.kill_supervisor()
        project.up()
    project.ok("stop", "web")
    printed = project.container("web").logs()
    eventually(lambda: project.log("web") == printed, "each line is there once", 30.0)
