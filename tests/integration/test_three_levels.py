"""A component of three levels that does all it can to stay: nothing outlives its stop, or the end of its leader."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.project import Project, eventually

# The leader, its child, and a grandchild in a session of its own; a daemon as daemons are made, which ignores SIGTERM;
# and, from the moment of the stop signal on, a program that forks without end and ends each parent at once.
THREE_LEVELS = """\
#!/bin/sh
exec {python} -u - <<'END'
import os, signal, sys, time

def daemon():
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open("daemon", "w").close()
    time.sleep(1000)

def fork_without_end(number, frame):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        if os.fork():
            os._exit(0)
        os.setsid()

if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open("grandchild", "w").close()
        time.sleep(1000)
    signal.signal(signal.SIGTERM, fork_without_end)
    open("forker", "w").close()
    while True:
        time.sleep(1000)
daemon()
signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
while True:
    time.sleep(1000)
END
"""


def of_component(project: Project) -> list[str]:
    """What lives of the components."""
    return [command for command in project.living().values() if "stigmer_pm" not in command]


def begin(project: Project) -> None:
    """Everything of it is there, and another component that must not be touched."""
    project.script("three", THREE_LEVELS.format(python=sys.executable))
    project.write("""
        components:
          three: {command: ./three, stop_timeout: 500ms}
          other: {command: sleep 1000}
    """)
    project.up()
    eventually(lambda: all((project.dir / name).exists() for name in ("daemon", "grandchild", "forker")))
    eventually(lambda: len(of_component(project)) == 5)


@pytest.mark.parametrize("is_adopted", [False, True], ids=["own", "adopted"])
def test_nothing_of_it_lives_after_its_stop(project: Project, *, is_adopted: bool) -> None:
    """Under the supervisor that started it, and under one that found it again."""
    begin(project)
    other = project.pid("other")
    if is_adopted:
        project.kill_supervisor()
        project.up()
    project.ok("stop", "three")
    assert of_component(project) == ["sleep 1000"]
    assert project.pid("other") == other


def test_nothing_of_it_lives_when_the_next_run_begins(project: Project) -> None:
    """Its leader is killed by somebody; the forker gets its stop signal as a leftover."""
    begin(project)
    before = set(project.living()) - {project.supervisor_pid(), project.pid("other")}
    os.kill(project.pid("three"), signal.SIGKILL)
    entry = eventually(lambda: e if (e := project.ps()["three"])["restarts"] == 1 and e["pid"] else None)
    assert entry["last_exit"]["signal"] == "SIGKILL"
    assert not before & set(project.living())
    run = f"/three/{project.ok('describe', 'three', '--json').json['runs'][0]['run']}".encode()
    eventually(lambda: len(of_component(project)) == 5)
    marks = [Path(f"/proc/{pid}/environ").read_bytes() for pid, c in project.living().items() if "-u -" in c]
    assert marks
    assert all(run in mark for mark in marks), "everything that lives is of the new run"


def test_an_exit_is_seen_at_once_whoever_holds_its_streams(project: Project) -> None:
    """What the leader left behind has them, ignores SIGTERM and lives on; the exit is told meanwhile."""
    project.script("leaky", "#!/bin/sh\n(trap '' TERM; touch deaf; exec sleep 600) &\nsleep 0.2\nexit 3\n")
    project.write("components: {leaky: {command: ./leaky, stop_timeout: 60s, restart: never}}\n")
    project.up("--no-wait")
    eventually((project.dir / "deaf").exists)
    eventually(lambda: "exited 3" in project.ok("events").out, "the exit is told", pause=0.2)
    entry = project.ps()["leaky"]
    assert entry["phase"] == "stopping"
    assert "ending what it left behind" in entry["reason"]
    left = next(pid for pid, command in project.living().items() if command == "sleep 600")
    os.kill(left, signal.SIGKILL)
    assert project.wait_phase("leaky", "failed")["last_exit"]["code"] == 3
