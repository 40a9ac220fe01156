"""What is told of the end of a run that is no child of the supervisor, by then or at all."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.project import Project, eventually

#: A stand-in for an init that collects nobody: orphans come to it and stay, as in a container whose first process is
#: no init at all.
LAZY_INIT = """\
import ctypes, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
subprocess.Popen(sys.argv[1:]).wait()
print("up", flush=True)
time.sleep(1000)
"""

WAITS = """\
    components:
      a: {command: "sh -c 'while [ ! -e end ]; do sleep 0.05; done; rm end; exit 7'", min_uptime: 1ms}
"""


@pytest.fixture
def lazily_up(project: Project) -> Iterator[Project]:
    """A project that was started below such an init."""
    project.write(WAITS)
    command = [sys.executable, "-c", LAZY_INIT, sys.executable, "-m", "stigmer_pm", "up", "--settle", "0s"]
    with subprocess.Popen(
        command, cwd=project.dir, env=project.environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as init:
        assert init.stdout is not None
        while init.stdout.readline() != "up\n":
            assert init.poll() is None
        yield project
        project.run("down")
        init.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="the kernel tells others' ends to root alone")
def test_an_end_that_nobody_watched_is_told_while_the_kernel_keeps_it(lazily_up: Project) -> None:
    """Nobody has collected the process, so its status is still there when the next supervisor comes."""
    pid = lazily_up.pid("a")
    lazily_up.kill_supervisor()
    (lazily_up.dir / "end").touch()
    eventually(lambda: pid not in lazily_up.living(), "it has ended")
    lazily_up.up()
    assert lazily_up.ps()["a"]["last_exit"]["reason"] == "exited 7"
    assert lazily_up.ps()["a"]["restarts"] == 1


def test_the_end_of_a_run_that_was_taken_over_is_told_by_new_kernels(project: Project) -> None:
    """Linux 6.15 tells it through the descriptor of the process; an older one doesn't, and then it is unknown."""
    project.write(WAITS)
    project.up("--settle", "0s")
    project.kill_supervisor()
    project.up("--settle", "0s")
    (project.dir / "end").touch()
    entry = eventually(lambda: e if (e := project.ps()["a"])["restarts"] == 1 else None)
    version = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
    assert entry["last_exit"]["reason"] in (
        ("exited 7",) if version >= (6, 15) else ("exited 7", "ended, exit status unknown")
    )
