"""A stop that is under way when the supervisor is replaced, or dies, goes on: same deadline, and no signal in vain."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from functools import partial

from ..project import Project, eventually

#: It says what it is sent, and goes on. Signals that are held back for it are told in the order of their numbers.
DEAF = "trap 'echo term' TERM; trap 'echo usr2' USR2; echo hello; while :; do sleep 0.02; done"


def kill_at(project: Project, name: str) -> float:
    """When SIGKILL is due, by what is on record."""
    with closing(sqlite3.connect(project.dir / ".stigmer" / "state.db")) as db:
        ((state,),) = db.execute("SELECT state FROM instances WHERE name=?", (name,)).fetchall()
    at = json.loads(state)["run"]["kill_at"]
    assert isinstance(at, float)
    return at


def begin_stop(project: Project, stop_timeout: str = "10m") -> int:
    """One that is being stopped and has had its signal, whose pid this is."""
    project.write(f"""
        components:
          deaf: {{command: ["sh", "-c", "{DEAF}"], stop_timeout: {stop_timeout}}}
    """)
    project.up()
    eventually(lambda: b"hello" in project.log("deaf"))
    pid = project.pid("deaf")
    project.ok("stop", "deaf", "--no-wait")
    eventually(lambda: b"term" in project.log("deaf"))
    return pid


def told(project: Project, pid: int) -> list[bytes]:
    """What it has been sent by now."""
    before = project.log("deaf").count(b"usr2")
    os.kill(pid, signal.SIGUSR2)
    eventually(lambda: project.log("deaf").count(b"usr2") > before)
    return [line for line in project.log("deaf").split() if line == b"term"]


def has_been_told(project: Project, times: int) -> bool:
    """So often by now."""
    return project.log("deaf").count(b"term") == times


def kill_supervisor(project: Project) -> None:
    """And wait until it is dead."""
    os.kill(project.supervisor_pid(), signal.SIGKILL)
    eventually(lambda: project.run("ps").code == 3)


def test_an_upgrade_neither_repeats_the_stop_signal_nor_lengthens_the_stop(project: Project) -> None:
    """Many a program takes a second SIGTERM for impatience. It is the same for an upgrade that follows an upgrade."""
    pid = begin_stop(project)
    due = kill_at(project, "deaf")
    for _ in range(2):
        project.ok("upgrade")
        assert project.ps()["deaf"]["phase"] == "stopping"
        assert kill_at(project, "deaf") == due
    assert told(project, pid) == [b"term"]
    os.kill(pid, signal.SIGKILL)


def test_a_stop_that_an_upgrade_has_overtaken_ends_when_it_should_have(project: Project) -> None:
    """SIGKILL comes ``stop_timeout`` after the signal, and what is said of it is true."""
    pid = begin_stop(project, "3s")
    project.ok("upgrade")
    eventually(lambda: pid not in project.living())
    assert project.log("deaf").split().count(b"term") == 1
    assert "still there 3s after the stop signal" in project.ok("events").out


def test_what_is_stopped_in_the_very_moment_of_an_upgrade_has_its_signal(project: Project) -> None:
    """The command may be taken in before the exec, and what follows from it after."""
    names = [f"c{n}" for n in range(30)]
    trap = "trap 'echo term; exit 0' TERM; echo hello; while :; do sleep 0.05; done"
    project.write(
        "components:\n" + "".join(f'  {name}: {{command: [sh, -c, "{trap}"], stop_timeout: 10m}}\n' for name in names)
    )
    project.up()
    eventually(lambda: all(b"hello" in project.log(name) for name in names))
    upgrade = project.start("upgrade")
    stops = [project.start("stop", *names[n::3]) for n in range(3)]
    for process in (*stops, upgrade):
        process.communicate(timeout=60)
    assert [process.returncode for process in stops] == [0, 0, 0]
    assert all(project.log(name).count(b"term") == 1 for name in names)


def test_a_supervisor_that_comes_back_asks_again_and_keeps_the_deadline(project: Project) -> None:
    """Nobody knows whether the signal was sent; SIGKILL comes when it should have, however often this happens."""
    pid = begin_stop(project)
    due = kill_at(project, "deaf")
    for times in (2, 3):
        kill_supervisor(project)
        project.ok("stop", "deaf", "--no-wait")
        eventually(partial(has_been_told, project, times))
        assert kill_at(project, "deaf") == due
    assert len(told(project, pid)) == 3
    os.kill(pid, signal.SIGKILL)
