"""What a bug in the supervisor itself costs: nothing that runs, and nothing that is to happen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.project import Project, eventually

# The program with a mistake in its core: every so many events that it handles, it raises.
BROKEN = """\
import os, sys
from pathlib import Path
from stigmer_pm.core.project import Project

handle_news = Project.handle_news

def handle_news_with_a_bug(self, news, now):
    bug = Path(os.environ["BUG"])
    if bug.exists():
        if bug.read_text() == "once":
            bug.unlink()
        raise ZeroDivisionError("a bug")
    return handle_news(self, news, now)

Project.handle_news = handle_news_with_a_bug
from stigmer_pm.__main__ import main
sys.exit(main())
"""


def test_a_bug_in_the_core_stops_nothing_and_sticks_nothing(project: Project) -> None:
    """The supervisor begins again from what is on record: the component that has died at that moment is restarted."""
    project.write("components: {a: {command: sleep 1000}, b: {command: sleep 1000}}\n")
    bug = project.dir / "bug"
    command = [sys.executable, "-c", BROKEN, "up"]
    subprocess.run(command, cwd=project.dir, env={**project.environ, "BUG": str(bug)}, check=True, timeout=60)
    before, supervisor = project.ps(), project.supervisor_pid()
    bug.write_text("once")
    os.kill(before["a"]["pid"], signal.SIGKILL)
    eventually(lambda: not bug.exists())
    eventually(lambda: project.run("ps").code == 0 and project.ps()["a"]["restarts"] == 1)
    after = project.ps()
    assert after["a"]["pid"] not in (None, before["a"]["pid"])
    assert (after["b"]["pid"], after["b"]["restarts"]) == (before["b"]["pid"], 0)
    assert project.supervisor_pid() == supervisor
    log = (project.dir / ".stigmer" / "supervisor.log").read_text()
    assert "begins again from what is on record" in log
    assert "ZeroDivisionError" in log
    project.ok("restart", "b")
    assert project.pid("b") != before["b"]["pid"]


def test_a_bug_that_comes_back_at_once_ends_the_supervisor_and_nothing_else(project: Project) -> None:
    """What runs goes on, and an ``up`` without the bug takes it over."""
    project.write("components: {a: {command: sleep 1000}, b: {command: sleep 1000}}\n")
    bug = project.dir / "bug"
    command = [sys.executable, "-c", BROKEN, "up"]
    subprocess.run(command, cwd=project.dir, env={**project.environ, "BUG": str(bug)}, check=True, timeout=60)
    before, supervisor = project.pids(), project.supervisor_pid()
    bug.write_text("always")
    assert before["a"] is not None
    os.kill(before["a"], signal.SIGKILL)
    eventually(lambda: supervisor not in project.living())
    project.up()
    after = project.pids()
    assert after["b"] == before["b"]
    assert after["a"] not in (None, before["a"])


def test_down_of_a_project_whose_engine_was_never_there_frightens_nobody(project: Project) -> None:
    """Nothing was made there, so that nothing is left; it is done at once, and exit 0."""
    project.environ["DOCKER_HOST"] = f"unix://{project.dir}/none.sock"
    project.write("components: {web: {image: busybox}}\n")
    project.up("--timeout", "1s", code=1)
    result = project.ok("down")
    assert "the Docker engine was never reached, and nothing of this project is known to be there" in result.err
    assert result.out == "1 component stopped; supervisor ended\n"
    assert "still there" not in result.err
    assert "goes on stopping" not in result.err
