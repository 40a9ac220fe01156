"""A supervisor that dies between the fork of a run and the record of it: the run is neither doubled nor lost.

A lease on the file of a program keeps the kernel in the middle of executing it for as long as the test likes.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.project import Project, eventually
from tests.slow_files import slow_files


@contextmanager
def held(program: Path) -> Iterator[None]:
    """Whoever executes ``program`` is kept waiting within the call."""
    before = signal.signal(signal.SIGIO, lambda number, frame: None)
    descriptor = os.open(program, os.O_RDONLY)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield
    finally:
        os.close(descriptor)
        signal.signal(signal.SIGIO, before)


def supervisors(project: Project) -> set[int]:
    """Supervisors, commands, and what a supervisor has forked that is not another program yet."""
    return {pid for pid, command in project.living().items() if "stigmer_pm" in command}


def sleepers(project: Project) -> list[int]:
    """The runs."""
    return [pid for pid, command in project.living().items() if command == "sleep 1000"]


def begin(project: Project) -> Path:
    """A component whose program can be held."""
    program = project.script("program", "#!/bin/sh\nexec sleep 1000\n")
    project.write("components: {a: {command: ./program, min_uptime: 1ms}}\n")
    project.up()
    return program


def kill_during_a_start(project: Project) -> int:
    """The component dies, and then the supervisor, which is just starting it again; the pid of that run."""
    supervisor = project.supervisor_pid()
    os.kill(project.pid("a"), signal.SIGKILL)
    (forked,) = eventually(lambda: supervisors(project) - {supervisor}, "it is being executed")
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: supervisor not in project.living())
    return forked


def test_a_run_that_is_just_being_executed_is_taken_over(project: Project) -> None:
    """It carries no mark yet; the lock that it shares with its dead supervisor tells that it is there."""
    with held(begin(project)):
        forked = kill_during_a_start(project)
        assert "has died; what it ran goes on" in project.run("ps").err
        command = project.start("up")
        eventually(lambda: any(_has_open(pid, project) for pid in supervisors(project) - {forked}))
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0, (out, err)
    assert sleepers(project) == [forked] == [project.pid("a")]
    assert project.ps()["a"]["restarts"] == 1


def _has_open(pid: int, project: Project) -> bool:
    with suppress(OSError):
        lock = str(project.dir / ".stigmer" / "supervisor.lock")
        return any(os.readlink(link) == lock for link in Path(f"/proc/{pid}/fd").iterdir())
    return False


def test_a_run_that_is_never_executed_is_started_anew(project: Project) -> None:
    """Nothing of it has run, so it is ended; afterwards there is one, and its restart was counted once."""
    with held(begin(project)):
        forked = kill_during_a_start(project)
        command = project.start("up")
        eventually(lambda: forked not in project.living(), "it is ended")
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0, (out, err)
    assert sleepers(project) == [project.pid("a")]
    assert project.ps()["a"]["restarts"] == 1


def test_a_descriptor_that_the_supervisor_has_inherited_is_for_no_component(project: Project) -> None:
    """As of a shell, of make or of whoever else has called ``up``."""
    project.write("components: {a: {command: ls -l /proc/self/fd, restart: never}}\n")
    read, write = os.pipe()
    os.set_inheritable(write, True)
    os.dup2(write, 77)
    try:
        command = project.start("up", "--settle", "0s", pass_fds=(77,))
        command.communicate(timeout=60)
    finally:
        for descriptor in (read, write, 77):
            os.close(descriptor)
    project.wait_phase("a", "completed")
    assert b" 2 -> " in project.log("a")
    assert b" 77 -> " not in project.log("a")


def take_back_record(project: Project) -> None:
    """As if the supervisor had been killed before it could commit the pids of what it had started in that turn."""
    with closing(sqlite3.connect(project.dir / ".stigmer" / "state.db")) as db, db:
        state = json.loads(db.execute("SELECT state FROM instances WHERE name='a'").fetchone()[0])
        state["phase"], state["run"]["pid"], state["run"]["started_at"] = "starting", None, None
        db.execute("UPDATE instances SET state=? WHERE name='a'", (json.dumps(state),))
        db.execute("DELETE FROM runs WHERE instance='a'")


@pytest.mark.parametrize("has_begun", [True, False])
def test_a_job_that_has_run_meanwhile_is_not_run_twice(project: Project, *, has_begun: bool) -> None:
    """That it had begun is all that is left of it; one that hadn't is run."""
    project.write("components: {a: {command: sleep 1000, restart: never}, b: {command: sleep 1001}}\n")
    project.up()
    supervisor, job = project.supervisor_pid(), project.pid("a")
    for pid in (supervisor, job):
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: pid not in project.living())  # noqa: B023 (asked at once)
    take_back_record(project)
    if not has_begun:
        (project.dir / ".stigmer" / "pids" / "a.pid").unlink()
    project.ok("stop", "b")
    entry = project.wait_phase("a", "failed", "running")
    assert (entry["phase"], entry["restarts"]) == ("failed" if has_begun else "running", 0)
    if has_begun:
        assert entry["last_exit"]["reason"] == "ended, exit status unknown"


def test_a_run_whose_program_is_still_being_read_is_not_doubled(project: Project) -> None:
    """It has let go of the lock, and its environment is not there yet: a file system takes its time."""
    with slow_files(project.dir / "slow", Path("/bin/sleep")) as files:
        project.write(f"components: {{a: {{command: {files.program} 1000, min_uptime: 1ms}}}}\n")
        project.up("--no-wait")
        pid = project.wait_phase("a", "running")["pid"]
        project.kill_supervisor()
        take_back_record(project)
        project.up("--no-wait")
        files.release.set()
        eventually(lambda: project.living().get(pid) == f"{files.program} 1000", "it is executed")
        assert (project.pid("a"), project.ps()["a"]["restarts"]) == (pid, 0)
        assert [number for number, command in project.living().items() if str(files.program) in command] == [pid]
        project.ok("down")
        assert not project.living()


def test_a_run_that_has_emptied_its_environment_is_not_doubled(project: Project) -> None:
    """It carries no mark any more; that it was forked is noted, and its output goes into the log."""
    project.write("components: {a: {command: env -i sleep 1000}}\n")
    project.up()
    pid = project.pid("a")
    eventually(lambda: Path(f"/proc/{pid}/environ").read_bytes() == b"")
    try:
        project.kill_supervisor()
        take_back_record(project)
        project.up()
        assert (project.pid("a"), project.ps()["a"]["restarts"]) == (pid, 0)
        project.ok("down")
        eventually(lambda: not Path(f"/proc/{pid}").exists(), "it is ended and collected")
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
