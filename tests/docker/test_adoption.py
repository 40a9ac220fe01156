"""A supervisor that is killed: the next one finds the containers again, and what has become of them."""

from __future__ import annotations

import pytest

from ..project import eventually
from .project import DockerProject

FILE = """
    components:
      web: {image: "stigmer-test/busybox:1", command: forever, min_uptime: 1ms}
      job: {image: "stigmer-test/busybox:1", command: forever}
"""


@pytest.fixture
def running(project: DockerProject) -> DockerProject:
    """Two containers, one of which has been restarted once."""
    project.write(FILE)
    project.up()
    before = project.ps()["web"]
    project.container("web").kill()
    project.wait_another("web", before)
    return project


def test_containers_are_adopted_as_they_are(running: DockerProject) -> None:
    """The same ids and pids, the same runs and counts of restarts."""
    before = running.ps()
    running.kill_supervisor()
    running.up()
    after = running.ps()
    for name in ("web", "job"):
        for key in ("container", "pid", "run", "restarts", "phase", "since"):
            assert after[name][key] == before[name][key], (name, key)
    assert after["web"]["restarts"] == 1
    running.container("web").kill()
    assert running.wait_another("web", after["web"])["restarts"] == 2


def test_one_that_was_stopped_meanwhile_is_recorded_and_restarted(running: DockerProject) -> None:
    """With its exit status."""
    before = running.ps()
    running.kill_supervisor()
    running.container("web").stop()
    running.up()
    after = running.wait_another("web", before["web"])
    assert after["restarts"] == 2
    assert after["last_exit"]["code"] == 0
    assert running.ids()["job"] == before["job"]["container"]


def test_one_that_was_removed_meanwhile_is_recorded_and_made_again(running: DockerProject) -> None:
    """And its end says that it was removed."""
    before = running.ps()
    running.kill_supervisor()
    running.container("web").remove(force=True)
    running.up()
    after = running.wait_another("web", before["web"])
    assert after["restarts"] == 2
    assert "removed" in after["last_exit"]["reason"]


def test_containers_are_found_without_any_record(running: DockerProject) -> None:
    """By their labels, when the state folder has lost its database."""
    before = running.ids()
    running.kill_supervisor()
    for part in (running.dir / ".stigmer").glob("state.db*"):
        part.unlink()
    running.up()
    assert running.ids() == before
    assert {entry["phase"] for entry in running.ps().values()} == {"running"}
    assert len(running.mine()) == 2


def test_one_that_left_the_file_meanwhile_is_removed(running: DockerProject) -> None:
    """By the up that finds it no longer declared; the other is adopted."""
    before = running.ids()
    running.kill_supervisor()
    running.write(FILE.replace("\n      job: ", "\n      # job: "))
    running.up()
    eventually(lambda: not running.has_container("job"), "the container is gone")
    assert running.ids() == {"web": before["web"]}


def test_a_restart_during_the_death_of_the_supervisor_gives_one_container(project: DockerProject) -> None:
    """Killed while it starts a container, it leaves one that the next supervisor takes, or removes."""
    project.write(FILE)
    starting = project.start("up", "--no-wait")
    eventually((project.dir / ".stigmer" / "supervisor.json").exists, "a supervisor is there")
    eventually(lambda: project.mine() or None, "the first container is made")
    project.kill_supervisor()
    starting.communicate(timeout=30)
    project.up()
    assert sorted(str(container.name) for container in project.mine()) == [
        project.container_name("job"),
        project.container_name("web"),
    ]
    assert {entry["phase"] for entry in project.ps().values()} == {"running"}


def test_what_the_file_has_is_not_ended_by_an_up_of_something_else(running: DockerProject) -> None:
    """Without any record, only what the file doesn't have is nobody's."""
    before = running.ids()
    running.kill_supervisor()
    for part in (running.dir / ".stigmer").glob("state.db*"):
        part.unlink()
    running.up("web")
    other = running.container("job")
    other.reload()
    assert other.status == "running"
    running.up()
    assert running.ids() == before


def test_an_upgrade_keeps_them_and_every_line(project: DockerProject) -> None:
    """The copy of their output goes on where it was; the next version watches them."""
    line = "i=0; while :; do i=$$((i+1)); echo $$i; usleep 10000; done"
    project.write(f"""
        components:
          web: {{image: "stigmer-test/busybox:1", command: [sh, -c, "{line}"], stop_timeout: 0s, min_uptime: 1ms}}
    """)
    project.up()
    before = project.ps()["web"]
    for until in (b"\n100\n", b"\n300\n"):
        project.wait_log("web", until)
        project.ok("upgrade")
    after = project.ps()["web"]
    for key in ("container", "pid", "run", "restarts", "phase", "since"):
        assert after[key] == before[key], key
    project.wait_log("web", b"\n400\n")
    numbers = project.log("web").decode().splitlines()
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    project.container("web").kill()
    assert project.wait_another("web", after)["restarts"] == 1


def test_a_stop_that_an_upgrade_overtakes_sends_no_second_signal(project: DockerProject) -> None:
    """One that its engine has delivered; and the time of SIGKILL stands."""
    script = "trap 'echo term' TERM; trap 'echo usr2' USR2; echo hello; while :; do sleep 0.05; done"
    project.write(f"""
        components:
          deaf: {{image: "stigmer-test/busybox:1", command: ["sh", "-c", "{script}"], stop_timeout: 10m}}
    """)
    project.up()
    project.wait_log("deaf", b"hello")
    project.ok("stop", "deaf", "--no-wait")
    project.wait_log("deaf", b"term")
    for _ in range(2):
        project.ok("upgrade")
        assert project.ps()["deaf"]["phase"] == "stopping"
        told = project.log("deaf").count(b"usr2")
        project.container("deaf").kill("SIGUSR2")
        project.wait_log("deaf", (told + 1) * b"usr2\n")
        assert project.log("deaf").split().count(b"term") == 1
    project.container("deaf").kill("SIGKILL")
