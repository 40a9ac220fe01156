"""A project that is moved, or whose state and socket are removed, under its supervisor: nothing is doubled, left
behind, or taken for that of another project."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.project import Project, eventually

FILE = "components: {a: {command: sleep 1000}, b: {command: sleep 1001}}\n"
#: Seconds for the supervisor's next look, which it has every ten seconds.
_LOOK = 40.0


def sleepers(project: Project) -> dict[int, str]:
    """What the components run, by pid."""
    return {pid: command for pid, command in project.living().items() if command.startswith("sleep")}


def supervisors(project: Project) -> list[int]:
    """The pids of supervisors; there are commands only while a test runs one."""
    return [pid for pid, command in project.living().items() if "stigmer_pm" in command]


def end_supervisor(project: Project, number: signal.Signals = signal.SIGKILL) -> None:
    """End the only one that there is."""
    (supervisor,) = supervisors(project)
    os.kill(supervisor, number)
    eventually(lambda: not supervisors(project))


@pytest.fixture
def first(project: Project) -> Path:
    """A folder with a project that runs."""
    project.write(FILE, "first/stigmer.yaml")
    project.ok("up", cwd=project.dir / "first")
    return project.dir / "first"


def test_a_project_that_is_moved_under_its_supervisor_is_found_in_its_new_place(project: Project, first: Path) -> None:
    """Also after the supervisor has noticed; in the old place nothing is made anew for others to find."""
    second, before = project.dir / "second", sleepers(project)
    (supervisor,) = supervisors(project)
    first.rename(second)
    log = second / ".stigmer" / "supervisor.log"
    eventually(lambda: f"the state folder was moved to {second}/.stigmer" in log.read_text(), deadline=_LOOK)
    assert not first.exists()
    assert "running" in project.ok("ps", cwd=second).out
    assert sleepers(project) == before
    project.ok("up", cwd=second)
    assert supervisors(project) == [supervisor]
    assert sorted(sleepers(project).values()) == ["sleep 1000", "sleep 1001"]
    project.ok("down", cwd=second)
    assert not project.living()
    assert "no supervisor runs" in project.run("ps", cwd=second).err


def test_a_moved_project_goes_on_after_the_death_of_its_supervisor(project: Project, first: Path) -> None:
    """What was begun before the move and after it is found by the next one."""
    second = project.dir / "second"
    first.rename(second)
    (second / "stigmer.yaml").write_text(FILE.replace("sleep 1001", "sleep 1002"))
    project.ok("up", cwd=second)
    before = sleepers(project)
    end_supervisor(project)
    project.ok("up", cwd=second)
    assert sleepers(project) == before
    assert sorted(before.values()) == ["sleep 1000", "sleep 1002"]
    project.ok("down", cwd=second)
    assert not project.living()


@pytest.mark.parametrize("is_made_anew", [False, True])
def test_a_project_that_is_moved_to_another_disk_under_its_supervisor_is_not_doubled(
    project: Project, first: Path, *, is_made_anew: bool
) -> None:
    """That is a copy, and then a removal: the supervisor makes its state anew where it was."""
    second, before = project.dir / "second", sleepers(project)
    (supervisor,) = supervisors(project)
    shutil.copytree(first, second)
    shutil.rmtree(first)
    if is_made_anew:
        eventually((first / ".stigmer" / "supervisor.json").exists, deadline=_LOOK)
    result = project.run("up", cwd=second)
    assert result.code == 3, result
    assert f"'kill -QUIT {supervisor}' ends it and leaves what it runs" in result.err
    assert (sleepers(project), supervisors(project)) == (before, [supervisor])
    end_supervisor(project, signal.SIGQUIT)
    project.ok("up", cwd=second)
    # Where it runs is part of what is executed, so both were restarted.
    assert sorted(sleepers(project).values()) == ["sleep 1000", "sleep 1001"]
    project.ok("down", cwd=second)
    assert not project.living()


@pytest.mark.parametrize("removed", [".stigmer", ".stigmer/supervisor.lock"])
def test_a_supervisor_whose_state_and_socket_were_removed_gets_no_second_one_beside_it(
    project: Project, removed: str
) -> None:
    """A cleaner, or a hand; and a file that lacks what runs must end nothing."""
    project.write(FILE)
    project.up()
    before, (supervisor,) = sleepers(project), supervisors(project)
    (found,) = (project.dir / "tmp").glob("*/*.sock")
    found.unlink()
    path = project.dir / removed
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    project.write("components: {a: {command: sleep 1000}}\n")
    result = project.run("up")
    assert result.code == 3, result
    assert f"a supervisor (pid {supervisor}) of this project runs already" in result.err
    assert (sleepers(project), supervisors(project)) == (before, [supervisor])
    eventually(lambda: project.run("ps").code == 0, "it is found again", _LOOK, pause=0.5)
    project.up()
    assert sleepers(project) == {pid: command for pid, command in before.items() if command == "sleep 1000"}


@pytest.mark.parametrize("runs_on", [False, True])
def test_a_new_project_where_another_was_moved_from_leaves_that_alone(
    project: Project, first: Path, *, runs_on: bool
) -> None:
    """The name of the folder is the same, and what runs is another project's."""
    second = project.dir / "second"
    if runs_on:
        end_supervisor(project)
    else:
        project.ok("down", cwd=first)
    first.rename(second)
    project.ok("up", cwd=second)
    before = sleepers(project)
    assert sorted(before.values()) == ["sleep 1000", "sleep 1001"]
    project.write("components: {a: {command: sleep 1002}}\n", "first/stigmer.yaml")
    project.ok("up", cwd=first)
    project.ok("down", cwd=first)
    assert sleepers(project) == before
    project.ok("up", cwd=first)
    project.ok("down", cwd=second)
    assert list(sleepers(project).values()) == ["sleep 1002"]
    project.ok("down", cwd=first)
