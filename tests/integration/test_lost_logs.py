"""A log that is deleted or moved while its component writes to it: it is said, with the cure."""

from __future__ import annotations

import shutil

from tests.project import Project, eventually

FILE = """
    components:
      a: {command: "sh -c 'while :; do echo line; sleep 0.1; done'"}
      b: {command: "sh -c 'while :; do echo line; sleep 0.1; done'"}
      c: {command: sleep 1000, log: /dev/null}
"""


def test_a_log_that_was_deleted_is_said_and_a_restart_opens_a_new_one(project: Project) -> None:
    """Within a resync; once; and nothing is done to what runs."""
    project.write(FILE)
    project.up()
    before = project.pids()
    (project.state / "logs" / "a.log").unlink()
    words = "its log was deleted, and it goes on writing there; 'stigmer-pm restart a' opens a new one"
    eventually(lambda: project.ps()["a"]["reason"] == words, "it is said", pause=0.5)
    (project.state / "logs" / "b.log").rename(project.dir / "b.old")
    words = f"its log was moved to '{project.dir}/b.old', and it goes on writing there; 'stigmer-pm restart b' opens"
    eventually(lambda: words in project.ps()["b"]["reason"], "this as well", pause=0.5)
    assert project.ok("events").out.count("its log was") == 2
    shown = project.run("logs", "a")
    assert (shown.code, shown.out) == (1, ""), shown
    assert "'stigmer-pm restart a' opens a new one" in shown.err
    assert project.pids() == before
    project.ok("restart", "a")
    assert project.ps()["a"]["reason"] == ""
    eventually(lambda: project.log("a"), "it is written again")


def test_a_whole_folder_of_logs_that_was_deleted_is_said(project: Project) -> None:
    """Of each that wrote there; the folder comes back with the next run."""
    project.write(FILE)
    project.up()
    shutil.rmtree(project.state / "logs")
    eventually(lambda: all("was deleted" in project.ps()[n]["reason"] for n in "ab"), "it is said of both", pause=0.5)
    assert project.ps()["c"]["reason"] == ""
    project.ok("restart", "--all")
    eventually(lambda: project.log("a") and project.log("b"), "they are written again")


def test_a_log_that_logrotate_has_renamed_is_said(project: Project) -> None:
    """Its default: the old file is renamed, and an empty one of its name is made."""
    project.write(FILE)
    project.up()
    a = project.pid("a")
    log = project.state / "logs" / "a.log"
    log.rename(project.state / "logs" / "a.log.1")
    log.touch()
    words = f"its log was moved to '{project.state}/logs/a.log.1', and it goes on writing there"
    eventually(lambda: words in project.ps()["a"]["reason"], "it is said", 20.0, pause=1.0)
    assert (project.pid("a"), project.ps()["b"]["reason"]) == (a, "")


def test_an_edited_log_is_no_lost_log_while_the_old_run_takes_its_time_to_stop(project: Project) -> None:
    """The run writes where it has always written; the new file is that of the next run."""
    slow = """\
      slow: {command: "sh -c 'trap : TERM; while [ ! -e go ]; do sleep 0.1; done'", stop_timeout: 10m, log: LOG}
"""
    project.write(FILE + slow.replace("LOG", "one.log"))
    project.up()
    project.write(FILE + slow.replace("LOG", "two.log"))
    project.ok("up", "--no-wait")
    project.wait_phase("slow", "stopping")
    (project.state / "logs" / "a.log").unlink()
    eventually(lambda: "was deleted" in project.ps()["a"]["reason"], "a resync has come by", 20.0, pause=1.0)
    assert "log" not in project.ps()["slow"]["reason"]
    assert "its log" not in project.ok("events", "slow").out
    (project.dir / "go").touch()
