"""Ending a component ends all that it started, however it hides; real processes."""

from __future__ import annotations

import sys
from pathlib import Path

from stigmer_pm.runtime import table
from tests.project import HEADLESS, Project, eventually

# A daemon as daemons are made: forks twice in sessions of their own, its parents gone, and goes on forking.
DAEMON = """\
#!/bin/sh
exec {python} - <<'END'
import os, sys, time
print("up", flush=True)
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    while True:
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.01)
time.sleep(1000)
END
"""


def commands(project: Project) -> list[str]:
    """What of the project's components is alive; the supervisor and its helper are no component."""
    return [command for command in project.living().values() if "stigmer_pm" not in command]


def test_a_daemon_that_forks_away_from_its_group_is_ended(project: Project) -> None:
    """By ``stop`` already: nobody has to find a stray by hand."""
    project.script("daemon", DAEMON.format(python=sys.executable))
    project.write("components: {d: {command: ./daemon, stop_timeout: 2s}, other: {command: sleep 1000}}\n")
    project.up()
    eventually(lambda: len(commands(project)) >= 3)
    project.ok("stop", "d")
    eventually(lambda: commands(project) == ["sleep 1000"], "only the other is left")


def test_a_child_with_an_empty_environment_in_a_session_of_its_own_is_ended(project: Project) -> None:
    """It carries no mark; that it descends from the run is known as long as its parents live."""
    child = "env -i setsid sleep 987654"
    project.script("run", f"#!/bin/sh\n{child} &\nsleep 1000\n")
    project.write("components: {a: {command: ./run}}\n")
    project.up()
    eventually(lambda: [p for p in Path("/proc").iterdir() if _is(p, "sleep 987654")])
    project.ok("down")
    assert not [p for p in Path("/proc").iterdir() if _is(p, "sleep 987654")]


def _is(entry: Path, command: str) -> bool:
    try:
        return (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip() == command
    except (OSError, UnicodeDecodeError):
        return False


def test_down_ends_what_a_dead_supervisor_left_running(project: Project) -> None:
    """The operator who finds it dead says ``down`` and not ``up``."""
    project.write("components: {a: {command: sleep 1000}, b: {command: sleep 1001, depends_on: [a]}}\n")
    project.up()
    project.kill_supervisor()
    result = project.ok("down")
    assert "has died" in result.err
    eventually(lambda: not commands(project))


def test_down_ends_what_runs_although_the_state_folder_is_gone(project: Project) -> None:
    """``rm -rf .stigmer`` is no way to end anything, and must not make it impossible."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    for path in sorted((project.dir / ".stigmer").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (project.dir / ".stigmer").rmdir()
    project.ok("down")
    eventually(lambda: not project.living())


def test_an_up_during_a_down_waits_for_it_and_then_starts(project: Project) -> None:
    """As two commands that are typed in two windows would be carried out one after the other."""
    wait = "touch ending; while [ ! -e go ]; do sleep 0.02; done; exit 0"
    project.script("slow", f"#!/bin/sh\ntrap '{wait}' TERM\nwhile :; do sleep 0.05; done\n")
    project.write("components: {a: {command: ./slow, stop_timeout: 60s}}\n")
    project.up()
    before = project.pid("a")
    down = project.start("down")
    eventually((project.dir / "ending").exists)
    up = project.start("up")
    assert up.stderr is not None
    assert up.stderr.readline() == "another command stops everything; waiting until it has\n"
    (project.dir / "go").touch()
    up.communicate(timeout=60)
    down.communicate(timeout=60)
    assert (up.returncode, down.returncode) == (0, 0)
    assert project.pid("a") != before


def test_a_program_whose_first_thread_has_ended_is_found_again_and_ended(project: Project) -> None:
    """It ends by ``pthread_exit`` in ``main``, and the others go on: the kernel shows a zombie, and it lives."""
    project.script("headless.py", HEADLESS)
    project.write(f"components: {{a: {{command: [{sys.executable}, headless.py], stop_timeout: 5s}}}}\n")
    project.up()
    pid = project.pid("a")
    stat = Path(f"/proc/{pid}/stat")
    eventually(lambda: stat.read_bytes().rpartition(b")")[2].split()[0] == b"Z", "its first thread has ended")
    project.kill_supervisor()
    project.up()
    assert project.pid("a") == pid
    assert project.ps()["a"]["restarts"] == 0
    project.ok("stop", "a")
    eventually(lambda: table.started(pid) is None, "all of it has ended")
