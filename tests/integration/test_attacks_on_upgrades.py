"""What an attack has found where an upgrade, a lost record and other projects meet; each was a promise that broke."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from ..project import Project, eventually
from .first_process import can_unshare

#: Seconds that no other test sleeps.
_BARE = f"1001.{uuid.uuid4().int}"

FILE = """
    components:
      a: {command: sleep 1000}
      b: {command: sleep 1001}
"""


def damage(project: Project, table: str) -> None:
    """Overwrite the first page of a table; the file still looks like a database."""
    path = project.dir / ".stigmer" / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchall()
        ((size,),) = connection.execute("PRAGMA page_size").fetchall()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


@pytest.mark.parametrize("table", ["runs", "events", "instances"])
def test_an_upgrade_over_a_damaged_record_loses_nothing(project: Project, table: str) -> None:
    """It is refused, or the record is made anew before it; what runs is neither ended nor doubled."""
    project.write(FILE)
    project.up()
    before = project.pids()
    damage(project, table)
    project.run("upgrade")
    project.up()
    assert project.pids() == before
    assert len([c for c in project.living().values() if c.startswith("sleep")]) == 2


def test_an_upgrade_over_a_locked_record_is_refused_and_the_supervisor_goes_on(project: Project) -> None:
    """What the next one must know can't be written."""
    project.write(FILE)
    project.up()
    supervisor, before = project.supervisor_pid(), project.pids()
    with closing(sqlite3.connect(project.dir / ".stigmer" / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = project.run("upgrade")
        assert result.code == 1, result
        other.execute("ROLLBACK")
    assert (project.supervisor_pid(), project.pids()) == (supervisor, before)
    eventually(lambda: project.run("upgrade").code == 0, "it is replaced when the lock has gone")
    assert project.pids() == before


def test_many_upgrades_at_once_are_one_upgrade(project: Project) -> None:
    """The others are told so, and the supervisor lives."""
    project.write(FILE)
    project.up()
    supervisor, before = project.supervisor_pid(), project.pids()
    for _ in range(2):
        several = [project.start("upgrade") for _ in range(5)]
        for process in several:
            process.communicate(timeout=60)
        assert any(process.returncode == 0 for process in several)
    assert (project.supervisor_pid(), project.pids()) == (supervisor, before)
    log = (project.dir / ".stigmer" / "supervisor.log").read_text()
    assert "Errno" not in log
    assert "Traceback" not in log


@pytest.mark.parametrize("how", ["removed", "damaged"])
def test_without_a_record_nobody_guesses_what_runs(project: Project, how: str) -> None:
    """A command that finds no supervisor and no record says so and starts none; ``up`` finds everything again."""
    project.write(FILE)
    project.up()
    before = project.pids()
    project.kill_supervisor()
    if how == "damaged":
        damage(project, "instances")
    else:
        for part in (project.dir / ".stigmer").glob("state.db*"):
            part.unlink()
    result = project.run("restart", "a")
    assert result.code == 1, result
    assert "the record of what runs is lost" in result.err
    assert "'stigmer-pm up' finds it again" in result.err
    project.up()
    assert project.pids() == before


def test_what_a_run_left_behind_goes_though_another_supervisor_ends_the_stop(project: Project) -> None:
    """A child with an emptied environment is known by its session, whose leader is on record."""
    project.script(
        "leader",
        "#!/bin/sh\n"
        "trap 'exit 0' TERM\n"
        "(trap '' TERM; sleep 1000) &\n"
        f"(trap '' TERM; exec env -i sleep {_BARE}) &\n"
        "while :; do sleep 0.05; done\n",
    )
    project.write("components: {a: {command: ./leader, stop_timeout: 3s}}\n")
    project.up()
    stopping = project.start("stop", "a")
    eventually(lambda: not any(c.endswith("leader") for c in _alive(project)), "the leader has gone")
    project.kill_supervisor()
    stopping.communicate(timeout=60)
    project.up("--no-wait")
    project.ok("down")
    assert not _bare_sleepers()


def _alive(project: Project) -> list[str]:
    return [command for command in project.living().values() if "sleep" not in command]


def _bare_sleepers() -> list[int]:
    """Those of the test above: nothing marks them, but their environment is empty."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
            if command == f"sleep\0{_BARE}\0".encode() and (entry / "environ").read_bytes() == b"":
                found.append(int(entry.name))
        except (OSError, ValueError):
            continue
    return found


@pytest.mark.skipif(os.geteuid() != 0 or not can_unshare(), reason="needs namespaces")
def test_a_container_with_a_project_at_the_same_path_is_another_project(project: Project, tmp_path: Path) -> None:
    """From the machine its processes are to be seen, and are neither adopted nor ended."""
    project.write(FILE)
    shutil.copy(project.dir / "stigmer.yaml", tmp_path)
    command = (
        f'mount --bind "$1" "$2" && cd "$2" && mkdir -p "$3" && exec {sys.executable} -m stigmer_pm up --foreground'
    )
    places = [str(tmp_path), str(project.dir), project.environ["TMPDIR"]]
    namespaces = ["--pid", "--mount", "--uts", "--fork", "--kill-child", "--mount-proc"]
    inside = subprocess.Popen(
        ["unshare", *namespaces, "sh", "-c", command, "sh", *places],
        env=project.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        theirs = eventually(lambda: _two(project), "they run")
        project.up()
        assert not set(project.pids().values()) & set(theirs)
        project.ok("down")
        assert all(Path(f"/proc/{pid}").exists() for pid in theirs)
    finally:
        inside.kill()
        inside.wait()


def _two(project: Project) -> list[int] | None:
    found = [pid for pid, command in project.living().items() if command.startswith("sleep 100")]
    return found if len(found) == 2 else None
