"""What a bug in the supervisor itself costs: nothing that runs, and nothing that is to happen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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


def up_with_a_mistake(project: Project) -> Path:
    """``up`` by the program with a mistake in it, which is met where there is a file of this name."""
    bug = project.dir / "bug"
    command = [sys.executable, "-c", BROKEN, "up"]
    subprocess.run(command, cwd=project.dir, env={**project.environ, "BUG": str(bug)}, check=True, timeout=60)
    return bug


def test_a_bug_in_the_core_stops_nothing_and_sticks_nothing(project: Project) -> None:
    """The supervisor begins again from what is on record: the component that has died at that moment is restarted."""
    project.write("components: {a: {command: sleep 1000}, b: {command: sleep 1000}}\n")
    bug = up_with_a_mistake(project)
    before, supervisor = project.ps(), project.supervisor_pid()
    bug.write_text("once")
    os.kill(before["a"]["pid"], signal.SIGKILL)
    eventually(lambda: not bug.exists())
    eventually(lambda: (told := project.told()) and told["a"]["restarts"] == 1)
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
    bug = up_with_a_mistake(project)
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


def test_one_that_cannot_begin_again_takes_nothing_away(project: Project) -> None:
    """Its record was removed as well. The state folder is as old as the supervisor, and stays, with the logs in it."""
    project.write("components: {a: {command: sleep 1000}, b: {command: [sh, -c, 'echo hello; exec sleep 1000']}}\n")
    bug = up_with_a_mistake(project)
    before, supervisor = project.pids(), project.supervisor_pid()
    bug.write_text("once")
    for part in project.state.glob("state.db*"):
        part.unlink()
    assert before["a"] is not None
    os.kill(before["a"], signal.SIGKILL)
    eventually(lambda: supervisor not in project.living(), "it has ended")
    assert project.log("b") == b"hello\n"
    assert "the record of what runs is lost" in (project.state / "supervisor.log").read_text()
    project.up()
    assert project.pid("b") == before["b"]


# The program whose record another one locks when it has been opened, and before the runs in it are looked up.
LOCKED_MEANWHILE = """\
import sys
from stigmer_pm.supervisor.store import Store, StoreError

def find_run(self, instance, run):
    raise StoreError("cannot read the record: another program has locked it", "try again")

Store.find_run = find_run
from stigmer_pm.__main__ import main
sys.exit(main())
"""


def test_a_record_that_is_locked_while_a_supervisor_begins_is_no_bug(project: Project) -> None:
    """What runs goes on, and the next one takes it over."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    pid = project.pid("a")
    project.kill_supervisor()
    command = [sys.executable, "-c", LOCKED_MEANWHILE, "up"]
    done = subprocess.run(
        command, cwd=project.dir, env=project.environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1, done
    words = "error: cannot read the record: another program has locked it\n  try again\n"
    assert done.stderr == words
    assert "Traceback" not in (project.state / "supervisor.log").read_text()
    project.up()
    assert project.pid("a") == pid


# The program with a mistake in what a supervisor does before it has a log.
BROKEN_AT_FIRST = """\
import sys
from stigmer_pm.supervisor import run
def read_order(order):
    raise ZeroDivisionError("a bug")
run.read_order = read_order
from stigmer_pm.__main__ import main
sys.exit(main())
"""


def test_a_bug_before_there_is_a_log_is_told_to_who_waits(project: Project) -> None:
    """With the place of its traceback."""
    project.write("components: {a: {command: sleep 1000}}\n")
    command = [sys.executable, "-c", BROKEN_AT_FIRST, "up"]
    done = subprocess.run(
        command, cwd=project.dir, env=project.environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1, done
    first, second = done.stderr.splitlines()
    assert first.endswith("in the new supervisor: ZeroDivisionError: a bug")
    written = Path(second.removeprefix("  its traceback is in ")).read_text()
    assert "in read_order" in written
    assert written.count("ZeroDivisionError: a bug") >= 1
    assert not project.living()


# The program with a mistake in one of the tasks that only one in front has.
BROKEN_IN_FRONT = """\
import os, sys
from pathlib import Path
from stigmer_pm.supervisor import beginning_again, foreground, front_logs, notify

beginning_again._PAUSE = float(os.environ["PAUSE"])

def with_a_bug(function):
    def broken(*arguments):
        bug = Path(os.environ["BUG"])
        if bug.exists():
            if bug.read_text() == "once":
                bug.unlink()
            raise ZeroDivisionError("a bug")
        return function(*arguments)
    return broken

match os.environ["WHERE"]:
    case "watch":
        foreground.due_end = with_a_bug(foreground.due_end)
    case "logs":
        front_logs.Follower.poll = with_a_bug(front_logs.Follower.poll)
    case "news":
        notify.summary = with_a_bug(notify.summary)
    case "end":
        foreground.Service._end_strays = with_a_bug(foreground.Service._end_strays)
from stigmer_pm.__main__ import main
sys.exit(main())
"""

COUNT = "i=0; while :; do i=$$((i+1)); echo line $$i; sleep 0.01; done"
JOB = "while ! test -e end; do sleep 0.02; done; exit 5"


def begin_in_front(project: Project, where: str, pause: float = 0.1) -> subprocess.Popen[str]:
    """It ends with the component ``job``."""
    project.write(f"""
        components:
          count: {{command: [sh, -c, "{COUNT}"]}}
          job: {{command: [sh, -c, "{JOB}"], restart: never}}
    """)
    variables = {"BUG": str(project.dir / "bug"), "WHERE": where, "PAUSE": str(pause)}
    variables["NOTIFY_SOCKET"] = str(project.dir / "nobody")
    process = subprocess.Popen(
        [sys.executable, "-c", BROKEN_IN_FRONT, "up", "--foreground", "--exit-code-from", "job"],
        cwd=project.dir, env={**project.environ, **variables}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    eventually(lambda: b"line 5\n" in project.log("count") and project.answers())
    return process


@pytest.mark.parametrize("where", ["watch", "logs", "news"])
def test_a_bug_beside_the_engine_of_one_in_front_is_answered_as_any_other(project: Project, where: str) -> None:
    """It begins again, and still shows every line once, and ends with the component that was named."""
    process = begin_in_front(project, where)
    before, bug = project.pids(), project.dir / "bug"
    bug.write_text("once")
    project.run("restart", "count")  # there may be nobody to take it just now
    eventually(lambda: not bug.exists())
    eventually(lambda: project.run("restart", "count").code == 0, pause=0.3)
    assert project.pid("count") != before["count"]
    assert project.pid("job") == before["job"]
    log = project.dir / ".stigmer" / "supervisor.log"
    eventually(lambda: "begins again from what is on record" in log.read_text())
    assert "ZeroDivisionError" in log.read_text()
    (project.dir / "end").touch()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 5, err
    assert "".join(line.removeprefix("count | ") + "\n" for line in out.splitlines()) == project.log("count").decode()


def test_a_sigterm_that_comes_while_it_begins_again_is_not_lost(project: Project) -> None:
    """There is no loop that could hear of it then."""
    process = begin_in_front(project, "watch", pause=3.0)
    log, bug = project.dir / ".stigmer" / "supervisor.log", project.dir / "bug"
    bug.write_text("once")
    project.run("restart", "count", "--no-wait")
    eventually(lambda: "begins again from what is on record" in log.read_text())
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143, err  # that of ``job``, which SIGTERM has ended
    assert not project.living()


def test_a_bug_at_the_end_of_everything_does_not_keep_it_from_ending(project: Project) -> None:
    """Nor is the status lost."""
    process = begin_in_front(project, "end")
    (project.dir / "bug").write_text("once")
    (project.dir / "end").touch()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 5, (out, err)
    assert not (project.dir / "bug").exists()
    assert "ZeroDivisionError" in (project.dir / ".stigmer" / "supervisor.log").read_text()


def test_a_bug_in_front_that_comes_back_at_once_ends_it_and_nothing_else(project: Project) -> None:
    """One line says so, and an ``up`` takes over what runs."""
    process = begin_in_front(project, "watch")
    before = project.pids()
    (project.dir / "bug").write_text("always")
    project.run("restart", "count", "--no-wait")
    _, err = process.communicate(timeout=30)
    assert (process.returncode, "internal error in the supervisor; what runs goes on" in err) == (1, True), err
    project.up()
    assert project.pid("job") == before["job"]
