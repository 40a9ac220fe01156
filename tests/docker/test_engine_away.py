"""An engine that is not there, goes away and comes back: nothing is lost, and nobody is blamed for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from ..project import eventually
from .engine import Dockerd
from .project import DockerProject

FILE = """
    components:
      tool: {command: sleep 1000}
      web: {image: "stigmer-test/busybox:1", command: forever}
      db: {image: "stigmer-test/busybox:1", command: forever, min_uptime: 1ms}
"""


def all_ready(project: DockerProject, *names: str) -> dict[str, dict[str, Any]] | None:
    """The entries, once every one of ``names``, or all, is ready, and its container runs by the engine's word.

    The moment after an engine has come back, it has ended what the one before had left running, and nobody knows yet.
    """
    entries = project.ps()
    running = {container.id for container in project.mine() if container.status == "running"}
    for name, entry in entries.items():
        is_there = entry["kind"] == "process" or entry["container"] in running
        if (not names or name in names) and not (entry["ready"] and is_there):
            return None
    return entries


def test_without_an_engine_up_ends_soon_with_the_reason_and_the_rest_runs(
    own_engine: Dockerd, own_project: DockerProject
) -> None:
    """A process of the same project runs; and once there is an engine, the containers come by themselves."""
    own_engine.stop()
    own_project.write(FILE)
    result = own_project.up(code=1, timeout=30)
    assert result.seconds < 15
    assert str(own_engine.folder) in result.out + result.err
    entries = own_project.ps()
    assert entries["tool"]["phase"] == "running"
    assert "Docker" in entries["web"]["reason"]
    own_engine.start()
    after = eventually(lambda: all_ready(own_project), "everything is ready")
    assert after["tool"]["pid"] == entries["tool"]["pid"]
    assert (after["web"]["restarts"], after["web"]["failed_runs"]) == (0, 0)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_an_engine_that_comes_back_finds_everything_as_it_was(
    own_engine: Dockerd, own_project: DockerProject, how: str
) -> None:
    """Without a command all is ready again, no run counts as failed, and processes never noticed."""
    own_project.write(FILE)
    own_project.up()
    before = own_project.ps()
    own_project.container("db").kill()
    before["db"] = own_project.wait_another("db", before["db"])
    getattr(own_engine, how)()
    eventually(lambda: "Docker" in own_project.ps()["web"]["reason"], "its absence is shown")
    assert own_project.ps()["tool"]["pid"] == before["tool"]["pid"]
    own_engine.start()
    after = eventually(lambda: all_ready(own_project), "everything is ready")
    for name in ("tool", "web", "db"):
        assert after[name]["restarts"] == before[name]["restarts"], name
        assert after[name]["failed_runs"] == 0, name
    assert after["tool"]["pid"] == before["tool"]["pid"]


def test_what_a_container_printed_last_before_its_engine_was_killed_is_copied(
    own_engine: Dockerd, own_project: DockerProject
) -> None:
    """It has ended with its engine, and goes for the next run; more was printed than fits into the connection."""
    own_project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: [sh, -c, "while ! [ -e /go ]; do usleep 50000; done; seq 1 100000; exec sleep 1000"]
            stop_timeout: 0s
    """)
    own_project.up()
    before = own_project.ps()["web"]
    supervisor = own_project.supervisor_pid()
    os.kill(supervisor, signal.SIGSTOP)
    try:
        own_project.inside("web", "touch", "/go")
        eventually(lambda: own_project.container("web").logs(tail=1) == b"100000\n", "all is in the engine's log", 60.0)
        own_engine.kill()
    finally:
        os.kill(supervisor, signal.SIGCONT)
    eventually(lambda: "Docker" in own_project.ps()["web"]["reason"], "its absence is shown")
    own_engine.start()
    eventually(lambda: own_project.ps()["web"]["run"] > before["run"] and all_ready(own_project), "it runs again", 60.0)
    assert own_project.log("web").decode().split() == [str(number) for number in range(1, 100_001)]


def test_a_stop_while_the_engine_is_away_is_carried_out_when_it_is_back(
    own_engine: Dockerd, own_project: DockerProject
) -> None:
    """Nothing runs that is meant to be stopped."""
    own_project.write(FILE)
    own_project.up()
    own_engine.kill()
    eventually(lambda: "Docker" in own_project.ps()["web"]["reason"], "its absence is shown")
    own_project.ok("stop", "web", "--no-wait")
    own_engine.start()
    entry = own_project.wait_phase("web", "stopped")
    assert entry["desired"] == "stopped"
    eventually(lambda: all_ready(own_project, "db"), "the other is ready")
    names = [container.name for container in own_project.mine() if container.status == "running"]
    assert names == [own_project.container_name("db")]


def test_one_that_may_not_talk_to_the_engine_is_told_so(own_engine: Dockerd, own_project: DockerProject) -> None:
    """As one who isn't in the group docker; here it is root without the right to what is somebody else's."""
    nobody = 65534
    os.chown(own_engine.folder / "docker.sock", nobody, nobody)
    own_project.write(FILE)
    lacking = "-dac_override,-dac_read_search"
    result = subprocess.run(
        ["setpriv", f"--bounding-set={lacking}", f"--inh-caps={lacking}", sys.executable, "-m", "stigmer_pm", "up"],
        cwd=own_project.dir,
        env=own_project.environ,
        text=True,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 1, result
    assert "permission" in result.stdout + result.stderr
    assert "permission" in own_project.ps()["web"]["reason"]
    assert own_project.ps()["tool"]["phase"] == "running"


def test_down_without_an_engine_says_what_it_leaves(own_engine: Dockerd, own_project: DockerProject) -> None:
    """It ends, and its processes; the containers are the next up's."""
    own_project.write(FILE)
    own_project.up()
    own_engine.kill()
    own_project.run("down", "--timeout", "1s", timeout=40)
    own_engine.start()
    own_project.up()
    assert eventually(lambda: all_ready(own_project), "everything is ready")


def test_a_stop_during_a_long_outage_is_a_stop_and_no_kill(own_engine: Dockerd, own_project: DockerProject) -> None:
    """The engine is away for longer than ``stop_timeout``, and who waits is told so; then the signal has its time."""
    own_project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: [sh, -c, "trap 'sleep 0.3; exit 7' TERM; while :; do sleep 0.1; done"]
            stop_timeout: 1s
    """)
    own_project.up()
    with own_engine.frozen():
        result = own_project.run("stop", "web", timeout=40)
        assert result.code == 1
        assert "Docker" in result.out + result.err
        entry = own_project.ps()["web"]
        assert (entry["phase"], entry["desired"]) == ("stopping", "stopped")
    entry = own_project.wait_phase("web", "stopped")
    assert entry["last_exit"]["code"] == 7, entry
    assert "SIGKILL" not in own_project.ok("events").out


def test_an_engine_that_hangs_is_noticed_and_nothing_is_lost(own_engine: Dockerd, own_project: DockerProject) -> None:
    """It takes connections and says nothing: that is shown, nothing counts as failed, and all goes on afterwards."""
    own_project.write(FILE)
    own_project.up()
    before = own_project.ps()
    with own_engine.frozen():
        eventually(lambda: "doesn't answer" in own_project.ps()["web"]["reason"], "it is said", 40)
        assert own_project.ps()["tool"]["phase"] == "running"
        assert own_project.run("restart", "web", timeout=20).code == 1
    after = eventually(lambda: all_ready(own_project), "everything is ready")
    assert after["db"]["run"] == before["db"]["run"]
    assert after["web"]["run"] == before["web"]["run"] + 1
    assert [entry["failed_runs"] for entry in after.values()] == [0, 0, 0]


def test_up_on_an_engine_that_hangs_says_so_soon(own_engine: Dockerd, own_project: DockerProject) -> None:
    """And once it answers, the containers come by themselves."""
    own_project.write(FILE)
    with own_engine.frozen():
        result = own_project.up(code=1, timeout=40)
        assert "doesn't answer" in result.out + result.err
        assert own_project.ps()["tool"]["phase"] == "running"
    eventually(lambda: all_ready(own_project), "everything is ready")


def test_down_while_the_engine_is_away_says_what_it_leaves(own_engine: Dockerd, own_project: DockerProject) -> None:
    """Its containers have ended with it, and are still there."""
    own_project.write(FILE)
    own_project.up()
    own_engine.stop()
    eventually(lambda: "Docker" in own_project.ps()["web"]["reason"], "its absence is shown")
    result = own_project.run("down", timeout=40)
    assert result.code == 1
    assert "are still there" in result.err
    assert own_project.run("ps").code == 3
    own_engine.start()
    own_project.up()
