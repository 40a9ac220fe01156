"""``events`` with no supervisor: what happened is on record, and most wanted when the supervisor has died."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from stigmer_pm.client import record
from stigmer_pm.supervisor import store

from ..project import Project, eventually

FILE = """
    components:
      web: {command: sleep 1000, labels: {tier: front}}
      job: {command: "sh -c 'exit 3'", restart: never}
"""


def kill_supervisor(project: Project) -> None:
    """And wait until it is dead."""
    os.kill(project.supervisor_pid(), signal.SIGKILL)
    eventually(lambda: project.run("ps").code == 3)


def test_events_of_a_supervisor_that_has_died_are_read_from_its_record(project: Project) -> None:
    """The same as it would have told, whatever is asked for; one line says where they are from."""
    project.write(FILE)
    project.up("--no-wait")
    project.wait_phase("job", "failed")
    project.wait_phase("web", "running")
    questions: list[tuple[str, ...]] = [
        ("--json",),
        (),
        ("web",),
        ("j*", "-n", "1"),
        ("--label", "tier=front", "--json"),
        ("--since", "1h"),
        ("--since", "2999-01-01T00:00:00"),
        ("-n", "0"),
    ]
    told = [project.ok("events", *question).out for question in questions]
    assert told[0]
    pid = project.pid("web")
    kill_supervisor(project)
    for question, before in zip(questions, told, strict=True):
        result = project.ok("events", *question)
        assert result.out == before
        assert "has died; what it ran goes on; this is from the record" in result.err
        assert result.err.count("\n") == 1
    project.up("--no-wait")
    assert project.pid("web") == pid


def test_events_are_there_after_down(project: Project) -> None:
    """``down`` forgets what was applied, and not what happened."""
    project.write(FILE)
    project.up("--no-wait")
    project.ok("down")
    result = project.ok("events", "web")
    assert "stopped" in result.out
    assert "no supervisor runs for this project; this is from the record" in result.err


def test_without_a_record_there_are_no_events(project: Project) -> None:
    """Exit 3, as everywhere; and nothing is made."""
    project.write(FILE)
    result = project.run("events")
    assert (result.code, "no supervisor runs" in result.err) == (3, True)
    assert not (project.dir / ".stigmer").exists()


def test_what_is_no_question_for_a_record_is_refused(project: Project) -> None:
    """A name that was never there; and what happens from now on, which nobody would tell."""
    project.write(FILE)
    project.up("--no-wait")
    kill_supervisor(project)
    result = project.run("events", "wep")
    assert (result.code, "did you mean 'web'" in result.err) == (2, True)
    assert project.run("events", "-f").code == 3
    project.up("--no-wait")


@pytest.mark.parametrize("how", ["damaged", "of another version"])
def test_a_record_that_cannot_be_read_is_said(project: Project, how: str) -> None:
    """In words, and it is left as it is."""
    project.write(FILE)
    project.up("--no-wait")
    project.ok("down")
    database = project.dir / ".stigmer" / "state.db"
    if how == "damaged":
        database.write_bytes(b"x" * 8192)
    else:
        with sqlite3.connect(database) as db:
            db.execute("UPDATE meta SET value='77' WHERE key='format'")
        db.close()
    before = database.read_bytes()
    result = project.run("events")
    assert (result.code, f"cannot read '{database}': " in result.err) == (1, True), result
    assert database.read_bytes() == before


def test_the_client_knows_the_format_that_the_supervisor_writes() -> None:
    """It may not import the supervisor."""
    assert str(store.FORMAT) == record.FORMAT


def test_what_is_no_utf_8_is_shown_from_the_record_as_it_was_told(project: Project) -> None:
    """The name of a program, and that of the project's folder; each ended in an internal error."""
    folder = Path(os.fsdecode(os.fsencode(project.dir) + b"/\xe4"))
    folder.mkdir()
    (folder / "stigmer.yaml").write_text("components: {web: {command: '/${PROGRAM}', max_restarts: 0}}\n")
    environment = {"PROGRAM": os.fsdecode(b"\xff")}
    project.run("up", env=environment, cwd=folder)
    questions = [("events",), ("events", "--json")]
    told = [project.run(*question, cwd=folder).out for question in questions]
    assert "not found" in told[0]
    pid = int(project.run("pid", "--supervisor", cwd=folder).out)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: project.run("ps", cwd=folder).code == 3)
    for question, before in zip(questions, told, strict=True):
        result = project.run(*question, cwd=folder)
        assert (result.code, result.out) == (0, before), result


def entries(project: Project, kind: str) -> list[str]:
    """The messages of one kind."""
    journal = [json.loads(line) for line in project.ok("events", "--json").out.splitlines()]
    return [entry["message"] for entry in journal if entry["kind"] == kind]


def test_that_a_supervisor_is_gone_stands_in_the_journal(project: Project) -> None:
    """Before what it has missed: without it, an end of which nothing is known can't be understood. One that has ended
    everything in order is missed by nobody."""
    project.write(FILE)
    project.up("--no-wait")
    project.wait_phase("job", "failed")
    assert not entries(project, "taken-over")
    project.kill_supervisor()
    os.kill(int((project.state / "pids" / "web.pid").read_text()), signal.SIGKILL)
    project.up("--no-wait")
    said = f"the supervisor before is gone; another one (pid {project.supervisor_pid()}) goes on from what is on record"
    assert entries(project, "taken-over") == [said]
    assert said in (project.state / "supervisor.log").read_text()
    kinds = [json.loads(line)["kind"] for line in project.ok("events", "--json").out.splitlines()]
    assert kinds.index("taken-over") < len(kinds) - 1 - kinds[::-1].index("exited"), "and then what it has missed"
    project.ok("down")
    project.up("--no-wait")
    assert len(entries(project, "taken-over")) == 1


def test_that_nothing_was_on_record_of_what_runs_stands_in_the_journal(project: Project) -> None:
    """It is empty otherwise, and would look as if nothing had happened."""
    project.write(FILE)
    project.up("--no-wait")
    project.wait_phase("web", "running")
    project.kill_supervisor()
    shutil.rmtree(project.state)
    project.up("--no-wait")
    (said,) = entries(project, "taken-over")
    assert said.startswith("nothing was on record; another one (pid ")
