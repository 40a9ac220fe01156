"""Disks that are full or read-only, and a record that is damaged, locked or gone: what runs goes on, and it is said."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.private_mounts import MountedProject, make_mounted_project, read_only
from tests.project import Project, eventually

FILE = """
    components:
      a: {command: sleep 1000, max_restarts: 2, backoff: {initial: 100ms, max: 200ms}}
      b: {command: "sh -c 'while :; do echo line; sleep 0.1; done'"}
"""


@pytest.fixture
def mounted() -> Iterator[MountedProject]:
    """A project with a state folder of 1 MiB."""
    yield from make_mounted_project()


def trouble(project: Project) -> str:
    """What ``ps`` says of the supervisor's own trouble."""
    return project.document()["trouble"] or ""


def kill(project: Project, name: str) -> int:
    """SIGKILL an instance, and wait for its replacement; the new pid."""
    pid = project.pid(name)
    os.kill(pid, signal.SIGKILL)

    def replacement() -> int | None:
        found: int | None = project.ps()[name]["pid"]
        return found if found != pid else None

    return eventually(replacement, f"{name} is back", pause=0.2)


def no_traceback(project: Project) -> None:
    """Nothing went wrong that nobody had thought of."""
    assert "Traceback" not in (project.state / "supervisor.log").read_text()


def kill_supervisor(project: Project) -> None:
    """And wait until it is dead."""
    eventually(lambda: os.path.exists(f"/proc/{project.supervisor_pid()}"), "its address could be written")
    supervisor = project.supervisor_pid()
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not os.path.exists(f"/proc/{supervisor}"), "it is dead")


def restart_supervisor(project: Project) -> None:
    """SIGKILL it, and have ``up`` bring another one, which changes nothing."""
    kill_supervisor(project)
    assert "nothing changed" in project.up().out


def test_a_full_disk_keeps_nobody_from_being_restarted(mounted: MountedProject) -> None:
    """``ps`` says what is the matter. When there is room again, what happened meanwhile is on record."""
    project = mounted
    project.write(FILE)
    project.up()
    b = project.pid("b")
    project.fill()
    for _ in range(2):
        kill(project, "a")
    said = eventually(lambda: trouble(project), "the trouble is said")
    assert f"cannot write '{project.dir}/.stigmer/state.db': the disk is full; free some space" in said
    assert "what runs goes on" in said
    assert project.ok("ps").err == f"warning: {said}\n"
    unshown = f"warning: what has happened since is not shown yet: {said}\n"
    assert project.ok("events", "a").err == unshown, "two ends of it are not on record"
    assert project.ok("describe", "a").err == unshown
    assert json.loads(project.ok("describe", "a", "--json").out)["trouble"] == said
    assert project.pid("b") == b
    project.empty()
    eventually(lambda: not trouble(project), "the trouble is over", pause=1.0)
    assert "the disk is full" in project.ok("events").out
    journal = [json.loads(line) for line in project.ok("events", "a", "--json").out.splitlines()]
    exits = [entry["at"] for entry in journal if entry["kind"] == "exited"]
    assert len(set(exits)) == 2, "each has the time of its happening, and not that of its record"
    before = project.pids()
    restart_supervisor(project)
    assert (project.pids(), project.ps()["a"]["restarts"]) == (before, 2)
    no_traceback(project)


@pytest.mark.parametrize("is_new", [True, False])
def test_an_up_on_a_full_disk_has_one_answer(mounted: MountedProject, is_new: bool) -> None:
    """However little room there is, and whichever file can't be written for it: what, where, and the cure. SQLite says
    "disk I/O error" where it can't make the index of its log longer, and "full" where it can't write a page."""
    project = mounted
    project.write(FILE)
    if not is_new:
        project.up()
        project.ok("down")
    for free in (0, 8192, 20480):
        project.fill()
        filler = project.state / "filler"
        os.truncate(filler, filler.stat().st_size - free)
        for options in ((), ("--foreground",)):
            result = project.run("up", *options)
            assert (result.code, result.err.splitlines()) == (
                1,
                [
                    f"error: cannot write into the state folder '{project.dir}/.stigmer': the disk is full",
                    "  free some space there, and try again; what runs goes on",
                ],
            ), result
        assert not project.living()
        project.empty()
    assert not list(project.state.glob(".room*")), "nothing is left of the trials"
    project.up()


def test_a_down_that_can_t_be_written_down_says_what_follows(mounted: MountedProject) -> None:
    """Nobody else can: the record is what the next supervisor goes by, and it says that all of it runs."""
    project = mounted
    project.write(FILE)
    project.up()
    project.fill()
    kill(project, "a")
    eventually(lambda: trouble(project), "the trouble is said")
    result = project.ok("down")
    assert (
        "warning: this 'down' is not on record, and the next supervisor takes what has stopped for ended by itself: "
        f"cannot write '{project.dir}/.stigmer/state.db': the disk is full; free some space\n"
    ) in result.err
    assert not project.living()
    project.empty()
    project.up()
    assert "free some space" not in project.ok("down").err


def test_a_supervisor_takes_over_what_runs_on_a_full_disk(mounted: MountedProject) -> None:
    """It can't write down that it has, and goes on all the same."""
    project = mounted
    project.write(FILE)
    project.up()
    before = project.pids()
    project.fill()
    kill_supervisor(project)
    result = project.run("up")
    assert "Traceback" not in result.err, result
    assert "internal error" not in result.err, result
    assert project.pids() == before
    kill(project, "a")
    project.empty()
    eventually(lambda: not trouble(project), "the trouble is over", pause=1.0)
    restart_supervisor(project)
    no_traceback(project)


def on_record(project: MountedProject, statement: str) -> str:
    """What a statement finds in the record or makes of it, from inside: SQLite looks past the mount from outside.

    The journal stays where it is, as after a death.
    """
    code = """if True:
        import os, sqlite3, sys
        db = sqlite3.connect(sys.argv[1])
        print(*db.execute(sys.argv[2]), flush=True)
        db.commit()
        os._exit(0)
    """
    return project.inside(sys.executable, "-c", code, f"{project.dir}/.stigmer/state.db", statement)


def test_a_supervisor_begins_after_a_start_of_the_machine_with_a_full_disk(mounted: MountedProject) -> None:
    """What was counted is known, and all of it is written when there is room."""
    project = mounted
    project.write(FILE)
    project.up()
    kill(project, "a")
    kill_supervisor(project)
    for pid in project.living():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: not project.living(), "the machine has stopped")
    on_record(project, "UPDATE meta SET value = 'another' WHERE key = 'boot_id'")
    project.fill()
    project.up()
    before = project.pids()
    assert all(before.values())
    assert project.ps()["a"]["restarts"] == 1
    assert "the disk is full" in trouble(project)
    project.empty()
    eventually(lambda: not trouble(project), "the trouble is over", 30.0, pause=1.0)
    restart_supervisor(project)
    assert project.pids() == before
    assert len([c for c in project.living().values() if c.startswith("sleep 1000")]) == 1
    no_traceback(project)


def test_runs_that_seem_to_be_of_another_namespace_are_taken_over_on_a_full_disk(mounted: MountedProject) -> None:
    """That they are of this one is known, and is written when there is room."""
    project = mounted
    project.write(FILE)
    project.up()
    before = project.pids()
    kill_supervisor(project)
    on_record(project, "UPDATE meta SET value = 'another' WHERE key = 'pid_namespace'")
    project.fill()
    assert "nothing changed" in project.up().out
    assert project.pids() == before
    project.empty()
    kill(project, "a")
    eventually(lambda: not trouble(project), "the trouble is over", 30.0, pause=1.0)
    assert "another" not in on_record(project, "SELECT value FROM meta WHERE key = 'pid_namespace'")
    before = project.pids()
    restart_supervisor(project)
    assert project.pids() == before
    no_traceback(project)


def test_what_was_applied_while_the_record_was_locked_is_on_record_afterwards(project: Project) -> None:
    """``ps`` doesn't say that the file has changed since, neither meanwhile nor under the next supervisor."""
    project.write(FILE)
    project.up()
    with closing(sqlite3.connect(project.state / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        project.write(FILE.replace("max_restarts: 2", "max_restarts: 3"))
        project.up()
        assert "another program has locked it" in trouble(project)
        assert project.ok("ps", "--json").json["file_changed"] is False
        other.execute("ROLLBACK")
    eventually(lambda: not trouble(project), "the trouble is over", 30.0, pause=1.0)
    kill_supervisor(project)
    project.ok("restart", "b")  # by a supervisor that knows only what is on record
    assert project.ok("ps", "--json").json["file_changed"] is False
    assert "nothing changed" in project.up().out


def test_a_state_folder_that_is_emptied_on_a_full_disk_is_filled_again_when_there_is_room(
    mounted: MountedProject,
) -> None:
    """The supervisor must not be kept out by the lock that it has taken itself."""
    project = mounted
    project.write(FILE)
    project.up()
    before, supervisor = project.pids(), project.supervisor_pid()
    for entry in project.state.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    project.fill()
    eventually((project.state / "supervisor.lock").exists, "it is locked again", 30.0)
    eventually(lambda: trouble(project), "its record can't be written", 30.0, pause=0.5)
    project.empty()
    eventually((project.state / "supervisor.json").exists, "its address is there again", 40.0)
    eventually(lambda: not trouble(project), "the trouble is over", 40.0, pause=1.0)
    second = project.run("up", "--foreground")
    assert (second.code, "already runs this project" in second.err) == (2, True), second
    assert (project.pids(), project.supervisor_pid()) == (before, supervisor)
    restart_supervisor(project)
    assert project.pids() == before
    no_traceback(project)


def test_a_run_that_was_begun_on_a_full_disk_is_found_by_the_next_supervisor(mounted: MountedProject) -> None:
    """Nothing is on record of it, not even that it was to be begun; it is neither doubled nor lost."""
    project = mounted
    project.write(FILE)
    project.up()
    project.fill()
    kill(project, "a")
    eventually(lambda: trouble(project), "nothing can be written", 30.0, pause=0.5)
    a = kill(project, "a")
    project.write(FILE + "      c: {command: sleep 1001}\n")
    project.up()
    c = project.pid("c")
    kill_supervisor(project)
    assert "nothing changed" in project.up().out
    assert (project.pid("a"), project.pid("c")) == (a, c)
    assert [pid for pid, command in project.living().items() if command == "sleep 1000"] == [a]
    assert [pid for pid, command in project.living().items() if command == "sleep 1001"] == [c]
    project.empty()
    eventually(lambda: not trouble(project), "the trouble is over", 30.0, pause=1.0)
    restart_supervisor(project)
    assert (project.pid("a"), project.pid("c")) == (a, c)
    os.kill(a, signal.SIGKILL)
    eventually(lambda: project.ps()["a"]["pid"] not in (None, a), "it is watched", pause=0.2)
    no_traceback(project)


def test_what_was_applied_on_a_full_disk_is_found_by_up_alone(mounted: MountedProject) -> None:
    """Only the file tells what a component is that is not on record: who doesn't read that would double it later, or
    leave it behind. Of an edited one the run itself tells what it was begun by."""
    project = mounted

    def file(**seconds: int) -> str:
        return FILE + "".join(f"      {name}: {{command: sleep {n}}}\n" for name, n in seconds.items())

    project.write(file(edited=1001, edited_back=1002))
    project.up()
    project.fill()
    project.write(file(edited=2001, edited_back=2002, added=2003, added_and_removed=2004))
    project.up()
    before = project.pids()
    kill_supervisor(project)
    for command in (("restart", "b"), ("down",)):
        result = project.run(*command)
        assert result.code == 1, result
        assert "the runs of added, added_and_removed are not on record, and what runs goes on" in result.err
        assert "'stigmer-pm up' finds them again" in result.err
    refused = project.run("up", "-f", str(project.write("components: {x: {command: 'true'}}", "other.yaml")))
    assert refused.code == 2, refused
    assert "sleep 2004" in project.living().values(), "a file that is refused ends nothing"
    project.write(file(edited=2001, edited_back=1002, added=2003))
    project.up()
    after = project.pids()
    assert {name for name, pid in after.items() if pid == before[name]} == {"a", "b", "edited", "added"}
    sleeping = {"sleep 1000", "sleep 2001", "sleep 1002", "sleep 2003"}
    eventually(lambda: {c for c in project.living().values() if c.startswith("sleep ")} >= sleeping)
    eventually(lambda: "sleep 2004" not in project.living().values(), "it is ended")
    assert sorted(c for c in project.living().values() if c in sleeping) == sorted(sleeping)
    no_traceback(project)


def test_a_read_only_file_system_hurts_nothing_that_runs(mounted: MountedProject) -> None:
    """What can't be started for it is tried again until it can, and never given up on."""
    project = mounted
    project.write(FILE)
    project.up()
    b = project.pid("b")
    with read_only(project):
        os.kill(project.pid("a"), signal.SIGKILL)
        eventually(lambda: "read-only file system" in project.ps()["a"]["reason"], "it is said", pause=0.2)
        eventually(lambda: project.ps()["a"]["run"] > 5, "it is tried again", pause=0.3)
        assert "cannot open its log" in project.ok("events").out
        assert project.pid("b") == b
    project.wait_phase("a", "running")
    assert project.pid("b") == b
    restart_supervisor(project)
    no_traceback(project)


def test_up_on_a_read_only_file_system_says_so(mounted: MountedProject) -> None:
    """Nothing is started."""
    project = mounted
    project.write(FILE)
    with read_only(project):
        result = project.run("up")
    assert result.code == 2, result
    assert f"cannot use the state folder '{project.dir}/.stigmer': read-only file system" in result.err
    assert len(result.err.splitlines()) == 2
    project.up()


def test_a_record_that_another_program_has_locked_is_written_when_it_lets_go(project: Project) -> None:
    """Nobody is kept waiting meanwhile."""
    project.write(FILE)
    project.up()
    with closing(sqlite3.connect(project.state / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        kill(project, "a")
        assert "another program has locked it" in eventually(lambda: trouble(project), "it is said")
        assert project.ok("events").seconds < 5
        other.execute("ROLLBACK")
    eventually(lambda: not trouble(project), "the trouble is over", pause=1.0)
    before = project.pids()
    restart_supervisor(project)
    assert (project.pids(), project.ps()["a"]["restarts"]) == (before, 1)
    no_traceback(project)


def test_up_on_a_record_that_another_program_has_locked_says_so(project: Project) -> None:
    """It waits for some seconds, and changes nothing."""
    project.write(FILE)
    project.up()
    before = project.pids()
    project.kill_supervisor()
    with closing(sqlite3.connect(project.state / "state.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        result = project.run("up")
        assert result.code == 1, result
        assert "another program has locked it" in result.err
        other.execute("ROLLBACK")
    assert "nothing changed" in project.up().out
    assert project.pids() == before


@pytest.mark.parametrize("how", ["removed", "replaced", "overwritten"])
def test_a_record_that_is_lost_under_the_supervisor_is_written_anew(project: Project, how: str) -> None:
    """Within a resync, with all that is needed to take over what runs; and then it is said."""
    project.write(FILE)
    project.up()
    kill(project, "a")
    before = project.pids()
    path = project.state / "state.db"
    if how == "removed":
        path.unlink()
    elif how == "replaced":
        path.rename(project.state / "old.db")
        path.write_bytes(b"rubbish")
    else:
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
    log = project.state / "supervisor.log"
    eventually(lambda: "been made anew" in log.read_text(), "it is noticed", 30.0)
    told = [json.loads(line)["message"] for line in project.ok("events", "--json").out.splitlines()]
    about = [message for message in told if "the record" in message]
    kept = f"what lay there is kept as {path}.damaged"
    if how == "removed":
        assert about == ["the record was gone and has been made anew: nothing is lost"]
    elif how == "replaced":
        assert about == [
            f"another file lay in the place of the record, which has been made anew: nothing is lost; {kept}"
        ]
    else:
        assert about == [f"the record was damaged and has been made anew: history before this is lost; {kept}"]
    assert (project.state / "state.db.damaged").exists() == (how != "removed")
    assert any("killed by SIGKILL" in message for message in told) == (how != "overwritten"), told
    assert not trouble(project)
    restart_supervisor(project)
    assert (project.pids(), project.ps()["a"]["restarts"]) == (before, 1)
    assert json.loads((project.state / "supervisor.json").read_text())["pid"] == project.supervisor_pid()
    kill(project, "a")
    no_traceback(project)
