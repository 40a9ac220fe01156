"""Each signal to a supervisor does what docs/reference/signals.md says, in the background and in front."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from ..project import Project, eventually

#: It tells in its log that it was asked to end.
POLITE = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done"
STUBBORN = "trap '' TERM; echo hello; while :; do sleep 0.05; done"


def write(project: Project, script: str = POLITE) -> None:
    """A project of one component."""
    project.write(f"""
        components:
          web: {{command: ["sh", "-c", "{script}"], stop_timeout: 10m}}
    """)


def begin_in_front(project: Project, *options: str) -> subprocess.Popen[str]:
    """``up --foreground`` whose component runs and whose socket answers."""
    process = project.start("up", "--foreground", *options)
    eventually(lambda: b"hello" in project.log("web"))
    eventually(project.answers)
    return process


@contextmanager
def in_a_terminal(project: Project, *prefix: str) -> Iterator[int]:
    """``up --foreground`` in a session with a terminal of its own, which ends with the block; its pid."""
    pid, terminal = pty.fork()
    if not pid:
        with suppress(OSError):
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored where the tests themselves run under nohup
            os.chdir(project.dir)
            command = [*prefix, sys.executable, "-m", "stigmer_pm", "up", "--foreground"]
            os.execvpe(command[0], command, project.environ)  # noqa: S606 (a terminal needs a fork of our own)
        os._exit(127)
    try:
        eventually(lambda: b"hello" in project.log("web"))
        eventually(project.answers)
        yield pid
    finally:
        os.close(terminal)


def wait_status(pid: int) -> int:
    """The exit code of a child, which must end."""
    _, status = eventually(lambda: found if (found := os.waitpid(pid, os.WNOHANG))[0] else None)
    return os.waitstatus_to_exitcode(status)


def has_ended(pid: int) -> bool:
    """Nothing runs under this pid; a zombie doesn't."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_term_to_one_in_the_background_stops_everything(project: Project) -> None:
    """SIGTERM: as ``down``."""
    write(project)
    project.up()
    os.kill(project.supervisor_pid(), signal.SIGTERM)
    eventually(lambda: not project.living())
    assert project.log("web").endswith(b"bye\n")
    assert "no supervisor runs" in project.run("ps").err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_one_kills_what_is_left(project: Project, number: signal.Signals) -> None:
    """Of one that would have had ten minutes."""
    write(project, STUBBORN)
    project.up()
    pid = project.supervisor_pid()
    os.kill(pid, number)
    project.wait_phase("web", "stopping")
    os.kill(pid, number)
    eventually(lambda: not project.living())


def test_quit_leaves_what_runs_to_the_next_supervisor(project: Project) -> None:
    """SIGQUIT, and all else that is known stays: pid, restarts, history."""
    write(project)
    project.up()
    os.kill(project.pid("web"), signal.SIGKILL)
    before = eventually(lambda: found if (found := project.ps()["web"])["restarts"] == 1 and found["pid"] else None)
    supervisor = project.supervisor_pid()
    os.kill(supervisor, signal.SIGQUIT)
    eventually(lambda: has_ended(supervisor))
    assert before["pid"] in project.living()
    assert "nothing changed" in project.up().out
    after = project.ps()["web"]
    assert (after["pid"], after["restarts"], after["run"]) == (before["pid"], 1, before["run"])
    assert b"bye" not in project.log("web")


def test_hup_means_nothing_in_the_background(project: Project) -> None:
    """SIGHUP: nothing is stopped, nothing is restarted."""
    write(project)
    project.up()
    supervisor, pid = project.supervisor_pid(), project.pid("web")
    os.kill(supervisor, signal.SIGHUP)
    log = project.dir / ".stigmer" / "supervisor.log"
    eventually(lambda: "SIGHUP means nothing" in log.read_text())
    assert (project.supervisor_pid(), project.pid("web")) == (supervisor, pid)


def test_usr1_opens_the_log_anew(project: Project) -> None:
    """SIGUSR1: as logrotate wants it, after it has moved ``supervisor.log`` away."""
    write(project)
    project.up()
    log = project.dir / ".stigmer" / "supervisor.log"
    log.rename(log.with_suffix(".old"))
    os.kill(project.supervisor_pid(), signal.SIGUSR1)
    eventually(log.exists)
    os.kill(project.supervisor_pid(), signal.SIGHUP)
    eventually(lambda: "SIGHUP means nothing" in log.read_text())


def test_term_in_front_ends_with_0_and_a_second_one_with_143(project: Project) -> None:
    """In order, and not in order."""
    write(project)
    process = begin_in_front(project)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert project.log("web").endswith(b"bye\n")
    write(project, STUBBORN)
    process = begin_in_front(project)
    process.send_signal(signal.SIGTERM)
    project.wait_phase("web", "stopping")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert not project.living()


@pytest.mark.parametrize(
    ("options", "number", "code"),
    [
        (["--leave-running"], signal.SIGTERM, 0),
        (["--leave-running"], signal.SIGINT, 130),
        ([], signal.SIGQUIT, 0),
    ],
)
def test_in_front_it_can_be_told_to_leave_what_runs(
    project: Project, options: list[str], number: signal.Signals, code: int
) -> None:
    """``--leave-running``, or SIGQUIT; what is left is found again by the next ``up``."""
    write(project)
    process = begin_in_front(project, *options)
    pid = project.pid("web")
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert "what runs goes on" in err
    assert pid in project.living()
    assert "nothing changed" in project.up().out
    assert project.pid("web") == pid


def test_leave_running_needs_foreground(project: Project) -> None:
    """It isn't ignored without it."""
    write(project)
    assert "--leave-running needs --foreground" in project.up("--leave-running", code=2).err


def test_hup_means_nothing_to_a_service(project: Project) -> None:
    """runit and s6 send it for a reload, which a supervisor can't do."""
    write(project)
    process = project.start("up", "--service")
    eventually(lambda: b"hello" in project.log("web"))
    eventually(project.answers)
    process.send_signal(signal.SIGHUP)
    log = project.dir / ".stigmer" / "supervisor.log"
    eventually(lambda: "SIGHUP means nothing" in log.read_text())
    assert project.ps()["web"]["phase"] == "running"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_terminal_that_is_closed_stops_everything_in_front(project: Project) -> None:
    """SIGHUP from the kernel: a window that was closed, a connection that was lost."""
    write(project)
    with in_a_terminal(project) as pid:
        pass
    assert wait_status(pid) == 0
    assert not project.living()
    assert project.log("web").endswith(b"bye\n")


def test_under_nohup_a_terminal_may_close(project: Project) -> None:
    """That is what nohup is for."""
    write(project)
    with in_a_terminal(project, "nohup") as pid:
        component = project.pid("web")
    assert project.pid("web") == component
    os.kill(pid, signal.SIGTERM)
    assert wait_status(pid) == 0
    assert not project.living()


def test_a_reader_that_has_gone_ends_the_words_and_not_the_supervision(project: Project) -> None:
    """``up --foreground | head``: what is to happen at the end still happens, and with the right status."""
    project.write("""
        components:
          web: {command: ["sh", "-c", "echo hello; while ! test -e go; do sleep 0.05; echo more; done; exit 5"],
            restart: never}
          other: {command: sleep 1000}
    """)
    process = project.start("up", "--foreground", "--exit-code-from", "web")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    eventually(lambda: b"more" in project.log("web"))
    (project.dir / "go").touch()
    assert process.wait(timeout=30) == 5
    assert not project.living()
