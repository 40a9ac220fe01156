"""``up --service``: what a service manager is told, what it finds again, and from whom it takes over."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from ..project import Project, eventually
from .service_manager import service_manager

TWO = """
    components:
      web: {command: ["sh", "-c", "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done"]}
      job: {command: "sh -c 'exit 0'", restart: never}
"""


def begin(project: Project, *options: str, **environ: str) -> subprocess.Popen[str]:
    """A service whose socket answers."""
    process = project.start("up", "--service", *options, env=environ)
    eventually(lambda: project.answers() and project.supervisor_pid() == process.pid)
    return process


def stop(process: subprocess.Popen[str]) -> tuple[int, str]:
    """SIGTERM; the exit status and what was said."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    return process.returncode, out + err


@pytest.mark.parametrize("abstract", [False, True])
def test_a_service_manager_is_told_how_it_goes(project: Project, abstract: bool) -> None:
    """READY once the socket answers, STATUS as it changes, STOPPING with the time that it may take."""
    project.write("""
        components:
          db: {command: sleep 1000, stop_timeout: 20}
          web: {command: sleep 1000, stop_timeout: 30, depends_on: [db]}
          bad: {command: "sh -c 'exit 3'", backoff: 10m}
    """)
    with service_manager(project.dir, abstract=abstract) as manager:
        process = begin(project, NOTIFY_SOCKET=manager.variable)
        pid, lines = manager.wait("READY", "1")
        assert (pid, lines["MAINPID"]) == (process.pid, str(process.pid))
        status = manager.wait("STATUS", "2 of 3 ready")[1]["STATUS"]
        assert status.startswith("2 of 3 ready; bad: backoff: exited 3")
        assert manager.has("WATCHDOG") is None
        assert stop(process)[0] == 0
        _, lines = manager.wait("STOPPING", "1")
        assert int(lines["EXTEND_TIMEOUT_USEC"]) == (20 + 30 + 30) * 1_000_000
        # One after the other: nobody is told anything after the end.
        assert {sender for sender, _ in manager.messages} == {process.pid}


def test_the_watchdog_is_kept_calm_and_one_of_another_process_is_not_ours(project: Project) -> None:
    """Twice in each interval, for as long as the loop turns; a supervisor that hangs is silent."""
    project.write(TWO)
    with service_manager(project.dir) as manager:
        process = begin(project, NOTIFY_SOCKET=manager.variable, WATCHDOG_USEC="400000")
        eventually(lambda: sum("WATCHDOG" in lines for _, lines in manager.listen()) >= 3)
        process.send_signal(signal.SIGSTOP)
        eventually(lambda: Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        count = len(manager.listen())
        with pytest.raises(AssertionError):
            eventually(lambda: len(manager.listen()) > count, deadline=1.0)
        process.send_signal(signal.SIGCONT)
        eventually(lambda: len(manager.listen()) > count)
        stop(process)
        manager.messages.clear()
        process = begin(project, NOTIFY_SOCKET=manager.variable, WATCHDOG_USEC="50000", WATCHDOG_PID="1")
        manager.wait("STATUS", "ready")
        assert manager.has("WATCHDOG") is None
        stop(process)


def test_components_cannot_speak_to_the_service_manager(project: Project) -> None:
    """Neither those of a service, nor those of an ``up`` that a service runs, nor the commands of probes."""
    project.write("""
        components:
          a:
            command: ["sh", "-c", "env; exec sleep 1000"]
            probes: {readiness: {exec: ["sh", "-c", "env > probe.txt"]}}
    """)
    variables = {"NOTIFY_SOCKET": "/nowhere/notify", "WATCHDOG_USEC": "60000000", "LISTEN_FDS": "1", "MAINPID": "7"}
    project.up(env=variables)
    seen = project.log("a").decode() + (project.dir / "probe.txt").read_text()
    assert "STIGMER_PM_RUN" in seen
    assert not [line for line in seen.splitlines() if line.partition("=")[0] in variables]


def test_a_service_manager_that_does_not_listen_changes_nothing(project: Project) -> None:
    """It is in the log."""
    project.write(TWO)
    process = begin(project, NOTIFY_SOCKET="/nowhere/notify")
    log = project.dir / ".stigmer" / "supervisor.log"
    eventually(lambda: "cannot tell the service manager" in log.read_text())
    assert project.ps()["web"]["phase"] == "running"
    assert stop(process)[0] == 0


def test_it_stays_when_every_component_has_ended_and_shows_no_logs(project: Project) -> None:
    """In front it would end; here ``ps`` and ``start`` still work."""
    project.write("components: {job: {command: sh -c 'echo loud; exit 3', restart: never}}\n")
    process = begin(project)
    project.wait_phase("job", "failed")
    project.run("start", "job")
    assert process.poll() is None
    code, said = stop(process)
    assert code == 0
    assert "job: failed: exited 3" in said
    assert "loud" not in said


@pytest.mark.parametrize(
    "signals", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT,), (signal.SIGINT, signal.SIGTERM)]
)
def test_a_stop_that_was_asked_for_is_no_failure(project: Project, signals: tuple[signal.Signals, ...]) -> None:
    """However hurried: after another status than 0 ``Restart=on-failure`` would start everything again."""
    project.write("""
        components:
          web: {command: ["sh", "-c", "trap '' TERM; echo hello; while :; do sleep 0.05; done"], stop_timeout: 2s}
    """)
    process = begin(project)
    eventually(lambda: b"hello" in project.log("web"))
    for number in signals:
        process.send_signal(number)
        with suppress(AssertionError):
            eventually(lambda: project.ps()["web"]["phase"] == "stopping", deadline=1.0)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert not project.living()


def test_one_that_was_killed_comes_back_to_what_runs_and_applies_no_edit(project: Project) -> None:
    """As ``Restart=on-failure`` has it come back: same pids, and neither an edit nor a broken file gets in its way."""
    project.write(TWO)
    process = begin(project)
    project.wait_phase("job", "completed")
    before = project.ps()
    for text in ("components: {other: {command: sleep 1000}}\n", "components: {web: {comand: sleep}}\n"):
        process.kill()
        process.communicate(timeout=30)
        assert before["web"]["pid"] in project.living()
        project.write(text)
        process = begin(project)
        after = project.ps()
        assert {n: (c["pid"], c["run"], c["phase"]) for n, c in after.items()} == {
            n: (c["pid"], c["run"], c["phase"]) for n, c in before.items()
        }
    code, said = stop(process)
    assert code == 0
    assert "going on with what is on record" in said
    assert "unknown key 'comand'" in said or "comand" in said
    # Nothing is on record any more, so now the file counts, and it is broken.
    assert project.run("up", "--service").code == 2


def test_it_takes_over_from_a_supervisor_in_the_background(project: Project) -> None:
    """``up`` by hand, then ``systemctl start``: nothing is restarted, and there is one supervisor."""
    project.write(TWO)
    project.up()
    old, pid = project.supervisor_pid(), project.pid("web")
    process = begin(project)
    assert process.pid != old
    assert project.pid("web") == pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: project.ps()["web"]["restarts"] == 1)
    code, said = stop(process)
    assert (code, f"taking over from the supervisor that ran (pid {old})" in said) == (0, True)


def test_one_that_leaves_what_runs_has_no_success(project: Project) -> None:
    """By SIGQUIT: after a success systemd would run ExecStop, which stops everything."""
    project.write(TWO)
    first = begin(project)
    pid = project.pid("web")
    first.send_signal(signal.SIGQUIT)
    first.communicate(timeout=30)
    assert first.returncode == 75
    third = begin(project, "--leave-running")
    assert project.pid("web") == pid
    third.send_signal(signal.SIGTERM)
    third.communicate(timeout=30)
    assert third.returncode == 0
    assert pid in project.living()


def test_a_second_service_of_one_project_is_refused(project: Project) -> None:
    """Each manager would bring its own back, and they would take it from each other for ever."""
    project.write(TWO)
    first = begin(project)
    second = project.run("up", "--service")
    assert second.code == 2
    assert f"a service manager already keeps a supervisor of this project (pid {first.pid})" in second.err
    assert project.supervisor_pid() == first.pid
    assert stop(first)[0] == 0


def test_down_ends_the_service_with_success(project: Project) -> None:
    """So that ``Restart=on-failure`` lets it rest; ``ExecStop`` is the same command."""
    project.write(TWO)
    process = begin(project)
    project.ok("down")
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert not project.living()


def test_a_service_manager_notices_no_upgrade(project: Project) -> None:
    """The next version speaks to it from the same pid."""
    project.write(TWO)
    with service_manager(project.dir) as manager:
        process = begin(project, NOTIFY_SOCKET=manager.variable, WATCHDOG_USEC="10000000")
        manager.wait("READY", "1")
        manager.messages.clear()
        project.ok("upgrade")
        assert manager.wait("READY", "1")[0] == process.pid
        assert manager.wait("WATCHDOG", "1")[0] == process.pid
        assert manager.has("STOPPING") is None
        code, said = stop(process)
        assert code == 0
        assert "hello" not in said


def test_it_goes_with_nothing_that_ends_by_itself(project: Project) -> None:
    """No option is silently ignored."""
    project.write(TWO)
    for option in ("--foreground", "--no-wait", "--dry-run", "--json", "--exit-on-failure", "--watch"):
        assert project.run("up", "--service", option).code == 2, option
