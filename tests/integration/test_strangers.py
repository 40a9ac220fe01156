"""A pid that somebody else has by now is never signalled; real processes, and records made to name their pids."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.project import Project, eventually

#: Seconds after which a supervisor that goes on has certainly been suspended. The kernel can give a pid to somebody
#: else only when all others have been used, which takes longer.
_SUSPENDED = 4.0


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is nobody's component, in a session of its own, as a component is."""
    with subprocess.Popen(["sleep", "1002"], start_new_session=True) as process:
        yield process
        process.kill()


def rewrite_pid(project: Project, pid: int, *, in_run: bool = True) -> None:
    """As if the run had had ``pid``, which the kernel has given to somebody else since it ended."""
    with closing(sqlite3.connect(project.dir / ".stigmer" / "state.db")) as db, db:
        state = json.loads(db.execute("SELECT state FROM instances WHERE name='a'").fetchone()[0])
        state["run"]["pid"] = pid
        db.execute("UPDATE instances SET state=? WHERE name='a'", (json.dumps(state),))
        if in_run:
            db.execute("UPDATE runs SET pid=? WHERE instance='a' AND run=?", (pid, state["run"]["number"]))


def test_a_pid_used_again_by_a_stranger_is_not_taken_for_the_run(
    project: Project, stranger: subprocess.Popen[bytes]
) -> None:
    """The run has ended while nobody watched. The stranger lives through everything that is then done to the run."""
    project.write("components: {a: {command: sleep 1000, stop_timeout: 200ms}}\n")
    project.up()
    old = project.pid("a")
    project.kill_supervisor()
    os.kill(old, signal.SIGKILL)
    eventually(lambda: old not in project.living())
    rewrite_pid(project, stranger.pid)
    project.up()
    assert project.pid("a") not in (old, stranger.pid)
    assert project.ps()["a"]["last_exit"]["reason"] in ("ended, exit status unknown", "killed by SIGKILL")
    project.ok("restart", "a")
    project.ok("down")
    assert stranger.poll() is None


def test_what_a_stranger_left_in_its_session_is_not_taken_for_the_run(project: Project, tmp_path: Path) -> None:
    """The pid was a session of somebody else's meanwhile, whose leader has gone: nothing says that it was ours."""
    project.write("components: {a: {command: sleep 1000, stop_timeout: 200ms}}\n")
    project.up()
    old = project.pid("a")
    project.kill_supervisor()
    os.kill(old, signal.SIGKILL)
    eventually(lambda: old not in project.living())
    note = tmp_path / "pid"
    leader = subprocess.Popen(["sh", "-c", f"sleep 1003 & echo $! > {note}"], start_new_session=True)
    leader.wait()
    left = int(note.read_text())
    try:
        rewrite_pid(project, leader.pid)
        project.up()
        assert project.ps()["a"]["ready"]
        project.ok("down")
        os.kill(left, 0)
    finally:
        os.kill(left, signal.SIGKILL)


TakePid = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def take_pid() -> Iterator[TakePid]:
    """Start a process with a certain pid that is free; needs what root may."""
    taken: list[subprocess.Popen[bytes]] = []

    def take(pid: int, command: Sequence[str] = ("sleep", "1002")) -> subprocess.Popen[bytes]:
        for _ in range(100):
            with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
                file.write(str(pid - 1))
            process = subprocess.Popen(command, start_new_session=True)
            taken.append(process)
            if process.pid == pid:
                return process
        raise AssertionError(f"pid {pid} is not to be had")

    yield take
    for process in taken:
        process.kill()
        process.wait()


@pytest.mark.skipif(not os.access("/proc/sys/kernel/ns_last_pid", os.W_OK), reason="only root chooses a pid")
def test_a_pid_that_was_adopted_and_is_a_strangers_by_now_is_not_signalled(project: Project, take_pid: TakePid) -> None:
    """The supervisor is suspended while the run ends; when it goes on, it is asked to stop it."""
    project.write("components: {a: {command: sleep 1000, stop_timeout: 200ms}}\n")
    project.up()
    project.kill_supervisor()
    project.up()
    pid, supervisor = project.pid("a"), project.supervisor_pid()
    os.kill(supervisor, signal.SIGSTOP)
    asking = project.start("restart", "a")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not os.path.exists(f"/proc/{pid}"))
    stranger = take_pid(pid)
    eventually(lambda: _has_asked(asking))
    os.kill(supervisor, signal.SIGCONT)
    asking.communicate(timeout=30)
    eventually(lambda: project.ps()["a"]["pid"] not in (None, pid))
    assert stranger.poll() is None


@pytest.mark.skipif(not os.access("/proc/sys/kernel/ns_last_pid", os.W_OK), reason="only root chooses a pid")
def test_what_a_stranger_left_in_a_session_while_the_supervisor_was_suspended_is_left_alone(
    project: Project, take_pid: TakePid, tmp_path: Path
) -> None:
    """The session has the number of a run that was adopted and has ended meanwhile."""
    project.write("components: {a: {command: sleep 1000, stop_timeout: 200ms}}\n")
    project.up()
    project.kill_supervisor()
    project.up()
    pid, supervisor, note = project.pid("a"), project.supervisor_pid(), tmp_path / "pid"
    os.kill(supervisor, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not os.path.exists(f"/proc/{pid}"))
    take_pid(pid, ("sh", "-c", f"sleep 1003 & echo $! > {note}")).wait()
    left = int(note.read_text())
    try:
        time.sleep(_SUSPENDED)
        os.kill(supervisor, signal.SIGCONT)
        eventually(lambda: project.ps()["a"]["pid"] not in (None, pid))
        os.kill(left, 0)
        assert Path(f"/proc/{left}/cmdline").read_bytes().startswith(b"sleep")
    finally:
        os.kill(left, signal.SIGKILL)


def _has_asked(command: subprocess.Popen[str]) -> bool:
    """It has connected, and sleeps until it is answered."""
    process = Path(f"/proc/{command.pid}")
    if command.poll() is not None:
        return True
    links = [os.readlink(link) for link in (process / "fd").iterdir()]
    state = (process / "stat").read_text().rpartition(")")[2].split()[0]
    return state == "S" and any(link.startswith("socket:") for link in links)


def test_what_a_run_left_behind_is_ended_though_nobody_watched_its_end(project: Project) -> None:
    """In its session and elsewhere: both carry its mark."""
    project.write("""
        components:
          a: {command: "sh -c 'sleep 1004 & setsid sleep 1005 & exec sleep 1000'", stop_timeout: 2s}
    """)
    project.up()
    eventually(lambda: sum("sleep 100" in c for c in project.living().values()) == 3)
    project.kill_supervisor()
    left = {pid for pid, command in project.living().items() if command in ("sleep 1004", "sleep 1005")}
    leader = next(pid for pid, command in project.living().items() if command == "sleep 1000")
    os.kill(leader, signal.SIGKILL)
    eventually(lambda: leader not in project.living())
    project.up()
    eventually(lambda: not left & set(project.living()), "what was left behind is ended")
    eventually(lambda: sum("sleep 100" in c for c in project.living().values()) == 3)
