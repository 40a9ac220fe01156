"""A component that an edit makes a container of, or a process."""

from __future__ import annotations

from ..project import eventually
from .project import DockerProject

PROCESS = "components: {web: {command: sleep 1000}, next: {command: sleep 1001, depends_on: [web]}}\n"
CONTAINER = """
    components:
      web: {image: "stigmer-test/busybox:1", command: forever}
      next: {command: sleep 1001, depends_on: [web]}
"""


def sleeps(project: DockerProject) -> bool:
    """The process runs."""
    return any(command.startswith("sleep 1000") for command in project.living().values())


def test_a_process_becomes_a_container_and_a_process_again(project: DockerProject) -> None:
    """The old one is ended, and nothing of it is left; what depends on it stays."""
    project.write(PROCESS)
    project.up()
    dependent = project.pid("next")
    project.write(CONTAINER)
    project.up()
    assert project.ps()["web"]["kind"] == "container"
    assert project.has_container("web")
    assert not sleeps(project)
    project.write(PROCESS)
    project.up()
    assert project.ps()["web"]["kind"] == "process"
    assert project.ps()["web"]["container"] is None
    assert sleeps(project)
    eventually(lambda: not project.has_container("web"), "the container is gone")
    assert project.pid("next") == dependent


def test_a_supervisor_that_dies_between_the_two_leaves_no_old_one(project: DockerProject) -> None:
    """What is on record is the new spec, and the run of the old one."""
    stubborn = project.script("stubborn", "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n")
    project.write(f"components: {{web: {{command: {stubborn}, stop_timeout: 3s}}}}\n")
    project.up()
    project.write('components: {web: {image: "stigmer-test/busybox:1", command: forever, stop_timeout: 3s}}\n')
    project.up("--no-wait")
    project.wait_phase("web", "stopping")
    project.kill_supervisor()
    project.up()
    assert project.ps()["web"]["kind"] == "container"
    assert not any("stubborn" in command for command in project.living().values())


def test_a_container_that_becomes_a_process_gets_the_signal_that_it_was_made_with(project: DockerProject) -> None:
    """The file doesn't say it any more; the container's own configuration does."""
    script = "trap 'echo asked; exit 0' USR1; echo ready; while :; do sleep 0.1; done"
    project.write(
        f"""
        components:
          web:
            image: "stigmer-test/busybox:1"
            command: [sh, -c, "{script}"]
            stop_signal: SIGUSR1
            stop_timeout: 1h
        """
    )
    project.up()
    eventually(lambda: b"ready\n" in project.log("web"))
    project.write("components: {web: {command: sleep 1000, stop_timeout: 1h}}\n")
    project.up()
    assert b"asked\n" in project.log("web")
