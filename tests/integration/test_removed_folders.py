"""Folders that are removed under what runs, and many who want to be the supervisor at once; real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess

from tests.project import Project, eventually

FILE = """
    components:
      a: {command: sleep 1000, working_dir: work, backoff: {initial: 100ms, max: 200ms}, max_restarts: unlimited}
      b: {command: sleep 1000}
"""


def test_a_removed_working_dir_hurts_nobody_and_when_it_is_back_so_is_the_component(project: Project) -> None:
    """What runs in it runs on; what is to be started there is said to lack it, and is tried again."""
    project.write(FILE)
    (project.dir / "work").mkdir()
    project.up()
    before = project.pids()
    shutil.rmtree(project.dir / "work")
    assert project.pids() == before
    a = project.pid("a")
    os.kill(a, signal.SIGKILL)
    words = f"cannot change to its working_dir: '{project.dir}/work' does not exist"
    eventually(lambda: words in project.ps()["a"]["reason"], "it is said", pause=0.2)
    assert words in project.ok("events").out
    (project.dir / "work").mkdir()
    project.wait_phase("a", "running")
    assert project.pid("b") == before["b"]


def test_a_removed_project_hurts_nothing_and_is_found_again_when_it_is_back(project: Project) -> None:
    """The whole folder, file, state and logs; the supervisor needs none of it to go on."""
    home = project.dir / "home"
    (home / "work").mkdir(parents=True)
    file = project.write(FILE, "home/stigmer.yaml")
    assert project.run("up", cwd=home).code == 0
    before = sorted(pid for pid, command in project.living().items() if command.startswith("sleep"))
    shutil.rmtree(home)
    result = project.run("-f", str(file), "ps")
    assert result.code == 2, result
    assert "there is no such file" in result.err
    assert str(home) in project.ok("ls").out
    eventually((home / ".stigmer" / "supervisor.json").exists, "the state is written anew")
    (home / "work").mkdir()
    project.write(FILE, "home/stigmer.yaml")
    result = project.run("up", cwd=home)
    assert (result.code, result.out) == (0, "nothing changed, 2 ready\n"), result
    assert sorted(pid for pid, command in project.living().items() if command.startswith("sleep")) == before
    assert project.run("down", cwd=home).code == 0


def test_a_command_from_a_folder_that_was_removed_says_so(project: Project) -> None:
    """One line, and the cure."""
    gone = project.dir / "gone"
    gone.mkdir()
    command = f"cd {gone} && rmdir {gone} && exec {' '.join(project.argv('ps'))}"
    done = subprocess.run(["sh", "-c", command], env=project.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: this folder does not exist any more\n  go to one that does: cd\n"


def test_of_many_ups_at_once_one_becomes_the_supervisor_and_all_succeed(project: Project) -> None:
    """They race for one lock; the others ask the one that has it. Also when one has just been killed."""
    project.write("components: {a: {command: sleep 1000}, b: {command: sleep 1000}}\n")
    pids: dict[str, int | None] = {}
    for count in (6, 3):
        ups = [project.start("up") for _ in range(count)]
        ended = [(process, *process.communicate(timeout=90)) for process in ups]
        assert [process.returncode for process, *_ in ended] == [0] * count, [err for _, _, err in ended]
        assert not [err for *_, err in ended if "Traceback" in err]
        living = project.living()
        assert sorted(command for command in living.values() if command == "sleep 1000") == ["sleep 1000"] * 2
        assert len(living) == 3
        assert pids in ({}, project.pids())
        pids, supervisor = project.pids(), project.supervisor_pid()
        os.kill(supervisor, signal.SIGKILL)
        assert project.run("ps").code == 3
    assert project.up().out == "nothing changed, 2 ready\n"
