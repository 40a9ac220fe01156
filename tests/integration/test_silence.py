"""Every way in which no supervisor answers is told from the others in one line, with its cure, and exits with 3."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.project import Project, Result

FILE = "components: {a: {command: sleep 1000}}\n"


def said(result: Result) -> tuple[str, str]:
    """The error and its cure."""
    assert result.code == 3, result
    assert result.out == ""
    (error, cure) = result.err.splitlines()
    return error, cure.strip()


def test_no_supervisor_a_dead_one_and_a_stale_socket_are_told_apart(project: Project) -> None:
    """Before the first ``up``, after a ``down``, and after a SIGKILL, which leaves the socket behind."""
    project.write(FILE)
    none = ("error: no supervisor runs for this project", "start one with 'stigmer-pm up'")
    assert said(project.run("ps")) == none
    project.up()
    supervisor = project.supervisor_pid()
    path = json.loads((project.state / "supervisor.json").read_text())["socket"]
    project.kill_supervisor()
    assert os.path.exists(path)
    died = f"error: the supervisor of this project (pid {supervisor}) has died; what it ran goes on"
    assert said(project.run("ps")) == (died, "start another with 'stigmer-pm up', which finds it again")
    project.up()
    project.ok("down")
    assert said(project.run("ps")) == none


def test_a_suspended_supervisor_is_said_with_what_wakes_it_up(project: Project) -> None:
    """``ls`` says it as well, instead of leaving the project out."""
    project.write(FILE)
    project.up()
    supervisor = project.supervisor_pid()
    os.kill(supervisor, signal.SIGSTOP)
    try:
        error, cure = said(project.run("ps"))
        assert error == f"error: the supervisor (pid {supervisor}) doesn't answer: it is suspended (SIGSTOP)"
        assert cure == f"'kill -CONT {supervisor}' wakes it up; what runs goes on meanwhile"
        listed = project.ok("ls")
        assert listed.err.startswith(f"warning: {project.dir}: the supervisor (pid {supervisor}) doesn't answer")
        # So many wait to be let in that the kernel lets nobody else wait.
        path = json.loads((project.state / "supervisor.json").read_text())["socket"]
        waiting = []
        while True:
            connection = socket.socket(socket.AF_UNIX)
            connection.setblocking(False)
            waiting.append(connection)
            try:
                connection.connect(path)
            except BlockingIOError:
                break
        assert said(project.run("ps")) == (error, cure)
        for connection in waiting:
            connection.close()
    finally:
        os.kill(supervisor, signal.SIGCONT)
    assert project.ok("ps").err == ""


def test_a_socket_that_a_cleaner_has_deleted_is_made_anew_and_nothing_is_lost(project: Project) -> None:
    """Within a resync; until then ``ps`` says what is the matter, and a command that acts waits."""
    project.write(FILE)
    project.up()
    before = project.pids()
    supervisor = project.supervisor_pid()
    path = Path(json.loads((project.state / "supervisor.json").read_text())["socket"])
    path.unlink()
    result = project.run("ps")
    if result.code != 0:  # else the resync has been faster
        error, cure = said(result)
        assert error == f"error: the supervisor (pid {supervisor}) runs but its socket is gone: {path}"
        assert cure == "it is made anew within 10 seconds; try again then"
    acting = project.ok("start", "a")
    if result.code != 0:
        assert acting.err.startswith(f"the supervisor (pid {supervisor}) runs but its socket is gone: {path}; waiting")
    assert path.exists()
    assert project.pids() == before


@pytest.mark.parametrize("arguments", ["--help", "up --help", "version", "nonsense"])
@pytest.mark.parametrize("streams", [">/dev/full", ">/dev/full 2>&1"])
def test_output_that_cannot_be_written_is_no_bug(project: Project, arguments: str, streams: str) -> None:
    """Status 1, one line where there is room for it, and no word of an internal error."""
    project.write(FILE)
    command = f"{' '.join(project.argv())} {arguments} {streams}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=project.dir, env=project.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2, 3), done
    assert "internal" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(done.stderr.splitlines()) <= 3


def test_what_a_suspended_supervisor_is_to_do_is_refused_and_not_done_later(project: Project) -> None:
    """Whoever asked has gone by then."""
    project.write(FILE)
    project.up()
    supervisor, pid = project.supervisor_pid(), project.pid("a")
    os.kill(supervisor, signal.SIGSTOP)
    try:
        for result in project.run_together(["stop", "a"], ["restart", "a"], ["down"], ["up"], ["signal", "HUP", "a"]):
            error, _ = said(result)
            assert error == f"error: the supervisor (pid {supervisor}) doesn't answer: it is suspended (SIGSTOP)"
    finally:
        os.kill(supervisor, signal.SIGCONT)
    assert project.supervisor_pid() == supervisor
    assert project.pid("a") == pid
