"""Whose containers are whose, on an engine that several machines and projects use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..project import eventually
from .images import BUSYBOX
from .project import DockerProject

FILE = f"components: {{web: {{image: '{BUSYBOX}', command: forever, stop_timeout: 0s}}}}\n"


class OtherMachine:
    """Another machine, or a dev container, with a project at the very same path and the same engine."""

    def __init__(self, project: DockerProject, folder: Path) -> None:
        self.name = f"{project.name}-other"
        self._project = project
        self._folder = folder
        (folder / "stigmer.yaml").write_text(f"project: {self.name}\n{FILE}")

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """A command there."""
        there = f'hostname "$1" && mount --bind "$2" "$3" && cd "$3" && shift 3 && {sys.executable} -m stigmer_pm "$@"'
        names = [self.name, str(self._folder), str(self._project.dir)]
        return subprocess.run(
            ["unshare", "--uts", "--mount", "sh", "-c", there, "sh", *names, *args],
            env=self._project.environ,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def other(project: DockerProject, tmp_path: Path) -> Iterator[OtherMachine]:
    """Another machine; what it runs is ended."""
    machine = OtherMachine(project, tmp_path)
    yield machine
    result = machine.run("down")
    assert result.returncode == 0, result


def test_two_machines_with_one_path_leave_each_other_alone(project: DockerProject, other: OtherMachine) -> None:
    """Neither ends, adopts or removes what is the other's; not even ``down`` does."""
    project.write(FILE)
    project.up()
    before = project.ps()["web"]
    result = other.run("up", "--settle", "200ms")
    assert result.returncode == 0, result
    theirs = project.client.containers.get(f"{other.name}-web")
    project.container("web").kill()
    after = project.wait_another("web", before)
    assert after["container"] != before["container"]
    theirs.reload()
    assert theirs.status == "running"
    project.ok("down")
    theirs.reload()
    assert theirs.status == "running"
    eventually(lambda: project.mine() == [], "its own is gone")


def test_the_network_of_another_project_of_the_same_name_is_not_joined(project: DockerProject) -> None:
    """The names of its components would mean those of two projects there."""
    labels = {"stigmer-pm.key": "0123456789abcdef", "stigmer-pm.project": project.name}
    network = project.client.networks.create(f"{project.name}-default", labels=labels)
    try:
        project.write(FILE)
        result = project.run("up")
        assert result.code == 1
        assert f"belongs to another project '{project.name}'; give this one another name" in result.out + result.err
        assert f"docker network rm {project.name}-default" in result.out + result.err
    finally:
        project.ok("down")
        network.remove()


def test_a_name_that_another_project_has_says_so(project: DockerProject) -> None:
    """And stays its own."""
    labels = {"stigmer-pm.key": "0123456789abcdef", "stigmer-pm.project": "shop", "stigmer-pm.component": "web"}
    theirs = project.client.containers.create(BUSYBOX, name=project.container_name("web"), labels=labels)
    try:
        project.write(FILE)
        result = project.run("up")
        assert result.code == 1
        assert "'web' of another project 'shop'" in result.out + result.err
    finally:
        project.ok("down")
        theirs.remove()


def test_two_projects_of_one_name_say_where_the_other_one_is_and_how_to_go_on(project: DockerProject) -> None:
    """A clone beside the first, say: the message has the other one's file, and a command that works as pasted."""
    project.write(f"project: {project.name}\n{FILE}")
    project.up()
    clone = project.dir / "clone"
    project.write(f"project: {project.name}\n{FILE}", "clone/stigmer.yaml")
    try:
        result = project.run("up", cwd=clone)
        assert result.code == 1
        theirs = project.dir / "stigmer.yaml"
        assert (
            f"cannot make its container: the network '{project.name}-default' belongs to another project "
            f"'{project.name}', that of {theirs}; give this one another name ('project: NAME'), or end that one "
            f"(stigmer-pm -f {theirs} down)"
        ) in result.err, result
        project.ok("-f", str(theirs), "down")
        project.ok("restart", "web", cwd=clone)
    finally:
        project.ok("down", cwd=clone)
