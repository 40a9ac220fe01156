"""What becomes of processes when what is known of them is damaged, removed or copied: nothing is doubled or lost."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ..project import Project, eventually

FILE = """
    components:
      a: {command: sleep 1000}
      b: {command: sleep 1001}
"""


def sleepers(project: Project) -> list[int]:
    """The pids of everything that sleeps."""
    return sorted(pid for pid, command in project.living().items() if command.startswith("sleep 100"))


def test_a_damaged_database_doubles_nothing(project: Project) -> None:
    """The runs are found by their marks, and taken over: same pids."""
    project.write(FILE)
    project.up()
    before = project.pids()
    project.kill_supervisor()
    for name in ("state.db", "state.db-wal"):
        (project.dir / ".stigmer" / name).write_bytes(os.urandom(5000))
    project.up()
    assert project.pids() == before
    assert sleepers(project) == sorted(pid for pid in before.values() if pid)
    assert (project.dir / ".stigmer" / "state.db.damaged").exists()
    assert "the record was damaged" in project.ok("events").out
    os.kill(project.pid("a"), signal.SIGKILL)
    eventually(lambda: project.ps()["a"]["restarts"] == 1 and project.ps()["a"]["pid"])


def test_a_component_that_is_no_longer_in_the_file_is_ended_when_its_record_is_lost(project: Project) -> None:
    """It belongs to the project, and nobody wants it."""
    project.write(FILE)
    project.up()
    os.kill(project.supervisor_pid(), signal.SIGKILL)
    shutil.rmtree(project.dir / ".stigmer")
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    eventually(lambda: len(sleepers(project)) == 1)


def test_a_removed_state_folder_is_made_anew_by_the_supervisor_that_runs(project: Project) -> None:
    """``up`` finds it all the same and starts nothing; afterwards everything is as it was."""
    project.write(FILE)
    project.up()
    before, supervisor = project.pids(), project.supervisor_pid()
    shutil.rmtree(project.dir / ".stigmer")
    assert "nothing changed" in project.ok("up").out
    assert len(sleepers(project)) == 2
    eventually((project.dir / ".stigmer" / "supervisor.json").exists, "the address is there again")
    assert (project.pids(), project.supervisor_pid()) == (before, supervisor)
    assert "running" in project.ok("events").out
    project.ok("down")
    eventually(lambda: not sleepers(project))


def test_a_copy_of_a_project_has_processes_of_its_own(project: Project, tmp_path: Path) -> None:
    """``cp -r`` takes the state along; what is on record there runs in the other one."""
    project.write(FILE)
    project.up()
    before = project.pids()
    copy = tmp_path / "copy"
    shutil.copytree(project.dir, copy, ignore=shutil.ignore_patterns("tmp"))
    try:
        for command in (("ps",), ("stop", "--all")):
            said = project.run(*command, cwd=copy)
            assert said.code == 3
            assert said.err.startswith("error: no supervisor runs for this project\n"), "none of its own has died"
        assert project.run("up", cwd=copy).code == 0
        assert len(sleepers(project)) == 4
        assert project.pids() == before
    finally:
        assert project.run("down", cwd=copy).code == 0
    assert project.pids() == before


def test_a_project_that_is_moved_keeps_its_processes(project: Project) -> None:
    """The supervisor was killed, and the folder renamed."""
    home = project.dir / "first"
    project.write(FILE, "first/stigmer.yaml")
    assert project.run("up", cwd=home).code == 0
    pids = sleepers(project)
    os.kill(int((home / ".stigmer" / "supervisor.lock").read_text()), signal.SIGKILL)
    eventually(lambda: project.run("ps", cwd=home).code == 3)
    home.rename(project.dir / "second")
    # Where it runs is part of what is executed, so an absolute path that has changed restarts it; nothing is doubled.
    assert project.run("up", cwd=project.dir / "second").code == 0
    assert len(sleepers(project)) == len(pids) == 2
    assert project.run("down", cwd=project.dir / "second").code == 0


def test_a_down_whose_supervisor_dies_does_not_say_that_everything_has_stopped(project: Project) -> None:
    """Another supervisor goes on with it, and ``down`` ends when nothing lives."""
    stubborn = project.script("stubborn", "#!/bin/sh\ntrap 'sleep 2; exit 0' TERM\nwhile :; do sleep 0.1; done\n")
    project.write(f"components: {{a: {{command: {stubborn}}}, b: {{command: sleep 1000, depends_on: [a]}}}}\n")
    project.up()
    supervisor = project.supervisor_pid()
    process = project.start("down")
    project.wait_phase("a", "stopping")
    os.kill(supervisor, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)
    assert f"the supervisor of this project (pid {supervisor}) has died" in err
    assert out == "2 components stopped; supervisor ended\n"
    assert not project.living()


def test_a_database_with_damage_in_its_middle_doubles_nothing(project: Project) -> None:
    """Its beginning is as it should be, and what comes after that isn't."""
    project.write(FILE)
    project.up()
    before = project.pids()
    project.ok("events")
    project.kill_supervisor()
    with closing(sqlite3.connect(project.state / "state.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (project.state / "state.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom((project.state / "state.db").stat().st_size - 4096))
    project.up()
    assert project.pids() == before
    assert (project.state / "state.db.damaged").exists()


def test_what_runs_without_supervisor_and_state_folder_is_told_and_up_takes_it_over(project: Project) -> None:
    """Nobody may believe that nothing runs, because nothing is known of it."""
    project.write(FILE)
    project.up()
    before = sorted(pid for pid in project.pids().values() if pid)
    project.kill_supervisor()
    shutil.rmtree(project.dir / ".stigmer")
    for command in (["down"], ["ps"], ["restart", "a"], ["stop", "--all"]):
        told = project.run(*command)
        assert told.code == 3, (command, told)
        assert "its record is gone, but what it ran goes on" in told.err, command
        assert all(str(pid) in told.err for pid in before)
        assert "stigmer-pm up" in told.err
    assert sleepers(project) == before
    project.up()
    assert sorted(pid for pid in project.pids().values() if pid) == before
    project.ok("down")
    assert not project.living()
    shutil.rmtree(project.dir / ".stigmer")
    assert project.ok("down").out == "nothing runs for this project\n"


def change(project: Project, statement: str) -> None:
    """Change something in the record."""
    with closing(sqlite3.connect(project.state / "state.db")) as db, db:
        assert db.execute(statement).rowcount > 0


def kill_supervisor(project: Project) -> None:
    """And wait until it is dead."""
    project.kill_supervisor()


@pytest.mark.parametrize(
    "statement",
    [
        """UPDATE instances SET state = replace(state, '"phase"', '"phbse"') WHERE name = 'a'""",
        """UPDATE instances SET spec = '[]' WHERE name = 'b'""",
        """UPDATE meta SET value = replace(value, '"', '!') WHERE key = 'environment'""",
        """UPDATE meta SET value = 'one' WHERE key = 'format'""",
    ],
    ids=["state", "spec", "environment", "format"],
)
def test_a_record_that_means_nothing_is_as_good_as_damaged(project: Project, statement: str) -> None:
    """SQLite reads it, and what is written there is none of ours: one changed byte is enough."""
    project.write(FILE)
    project.up()
    before = project.pids()
    kill_supervisor(project)
    change(project, statement)
    project.up()
    assert project.pids() == before
    assert (project.state / "state.db.damaged").exists()
    assert "the record was damaged" in project.ok("events").out
    change_nothing = project.up().out
    assert "nothing changed" in change_nothing


def test_a_down_on_a_record_that_means_nothing_says_what_helps(project: Project) -> None:
    """It ends nothing that it can't name, and ``up`` finds it again."""
    project.write(FILE)
    project.up()
    kill_supervisor(project)
    change(project, "UPDATE instances SET state = '{}'")
    told = project.run("down")
    assert told.code == 1, told
    assert "the record of what runs is lost, and what runs goes on" in told.err
    assert "'stigmer-pm up' finds it again" in told.err
    assert len(sleepers(project)) == 2
    project.up()
    project.ok("down")
    assert not sleepers(project)


def test_a_record_of_another_version_is_left_alone_and_what_helps_is_said(project: Project) -> None:
    """It is not damaged, and whoever has tried another version wants it back."""
    project.write(FILE)
    project.up()
    before = project.pids()
    kill_supervisor(project)
    change(project, "UPDATE meta SET value = '7' WHERE key = 'format'")
    for command in ("up", "down", "restart a", "up --foreground"):
        told = project.run(*command.split())
        assert told.code == 1, told
        assert told.err.splitlines()[-2:] == [
            f"error: '{project.dir}/.stigmer/state.db' is of format 7, and this version knows 1",
            "  use the version that wrote it; or move the file away, and 'stigmer-pm up' finds what runs without it",
        ], told
    assert not (project.state / "state.db.damaged").exists()
    assert len(sleepers(project)) == 2
    change(project, "UPDATE meta SET value = '1' WHERE key = 'format'")
    assert "nothing changed" in project.up().out
    assert project.pids() == before
    kill_supervisor(project)
    change(project, "UPDATE meta SET value = '7' WHERE key = 'format'")
    for part in project.state.glob("state.db*"):
        part.rename(project.dir / part.name)
    project.up()
    assert project.pids() == before


def test_a_run_that_begins_before_a_removed_state_folder_is_missed_leaves_it_usable(project: Project) -> None:
    """Its log makes the folder, which has to be ours alone: else no supervisor would take it any more."""
    project.write("components: {a: {command: sleep 1000, min_uptime: 1ms}}\n")
    project.up()
    pid, supervisor = project.pid("a"), project.supervisor_pid()
    shutil.rmtree(project.state)
    os.kill(pid, signal.SIGKILL)

    def others() -> list[int]:
        return [found for found in sleepers(project) if found != pid]

    before = eventually(others, "it is restarted")
    assert (project.state / "logs").exists()
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: supervisor not in project.living())
    assert project.state.stat().st_mode & 0o777 == 0o700
    project.up()
    assert sleepers(project) == before
