"""``logs``: the bytes as they are, with a supervisor and without."""

from __future__ import annotations

import subprocess
import sys

import pytest

from . import documents
from .conftest import Cli, program_environ


@pytest.fixture
def logged(cli: Cli) -> Cli:
    """Two components have written something, and nothing runs any more."""
    folder = cli.state / "logs"
    folder.mkdir(parents=True)
    (folder / "web.log").write_bytes(b"one\ntwo\nthree\n")
    (folder / "db.log").write_bytes(b"ready\n")
    return cli


def test_every_line_stands_behind_its_name(logged: Cli) -> None:
    """The names are aligned."""
    out = logged.run("logs").out.splitlines()
    assert "web | one" in out
    assert "db  | ready" in out


@pytest.mark.slow
def test_bytes_that_are_no_text_come_out_as_they_went_in(logged: Cli) -> None:
    """A log is not ours to change."""
    data = b"one\nbytes \xff\xfe \x1b[31m\r\n" + b"long" * 50_000 + b"\n"
    (logged.state / "logs" / "web.log").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-m", "stigmer_pm", "-f", str(logged.file), "logs", "web", "--no-prefix"],
        capture_output=True,
        check=False,
        env=program_environ(),
    )
    assert (done.returncode, done.stdout) == (0, data), done.stderr


def test_the_supervisor_says_where_the_logs_are(logged: Cli) -> None:
    """When there is one: what is applied may log elsewhere than the file as edited."""
    fake = logged.supervise()
    other = logged.dir / "other.log"
    other.write_bytes(b"elsewhere\n")
    fake.answers["GET /v1/ps"] = documents.ps(documents.component("web", log=str(other)))
    assert logged.run("logs", "web").out == "web | elsewhere\n"


def test_a_file_that_is_broken_hides_no_log(logged: Cli) -> None:
    """What was written is still there."""
    logged.file.write_text("components: {web: {comand: x}}\n")
    out = logged.run("logs").out
    assert "one" in out
    assert "ready" in out


def test_only_the_last_lines_and_only_those_that_match(logged: Cli) -> None:
    """``-n`` and ``--grep``."""
    assert logged.run("logs", "web", "-n", "1", "--no-prefix").out == "three\n"
    assert logged.run("logs", "web", "--grep", "^thr|^o", "--no-prefix").out == "one\nthree\n"


def test_an_unknown_name_is_exit_2_with_the_nearest(logged: Cli) -> None:
    """Without a supervisor as with one."""
    result = logged.run("logs", "wbe")
    assert result.code == 2
    assert "did you mean 'web'?" in result.err


@pytest.mark.parametrize("option", [("--since", "10m"), ("--until", "10m"), ("--timestamps",)])
def test_what_needs_times_is_refused_with_what_to_do_instead(logged: Cli, option: tuple[str, ...]) -> None:
    """Never silently ignored."""
    result = logged.run("logs", *option)
    assert result.code == 2
    assert f"cannot use {option[0]}: it is not supported yet" in result.err
    assert "-n" in result.err


def test_a_bad_pattern_is_bad_usage(logged: Cli) -> None:
    """With what is wrong about it."""
    result = logged.run("logs", "--grep", "(")
    assert result.code == 2
    assert "regular expression" in result.err


def test_a_component_that_has_printed_nothing_is_said_to_have(logged: Cli) -> None:
    """In one line, where nothing is wrong; of those that are not asked for by name, there is enough to read."""
    (logged.state / "logs" / "web.log").write_bytes(b"")
    result = logged.run("logs", "web")
    assert (result.code, result.out, result.err) == (0, "", "web has printed nothing\n"), result
    assert logged.run("logs", "-n", "1").err == ""
    (logged.state / "logs" / "db.log").write_bytes(b"")
    assert logged.run("logs").err == "no component has printed anything\n"


def test_a_log_that_isnt_there_is_said_and_why(logged: Cli) -> None:
    """Nobody knows more than that without a supervisor; with one, a component that never ran has none."""
    log = logged.state / "logs" / "web.log"
    log.unlink()
    result = logged.run("logs", "web")
    assert (result.code, result.err) == (0, f"there is no log of web: '{log}' is not there\n"), result
    fake = logged.supervise()
    waiting = documents.component("web", phase="waiting", pid=None, run=0, log=str(log))
    null = documents.component("db", log="/dev/null")
    fake.answers["GET /v1/ps"] = documents.ps(waiting, null)
    result = logged.run("logs", "web", "db")
    assert result.code == 0
    assert result.err.splitlines() == [
        "web has not been started yet, so that it has no log",
        "db has no log to read: it writes to '/dev/null'",
    ]


def test_a_log_that_was_deleted_is_an_error_with_its_cure(logged: Cli) -> None:
    """Whether it was asked for by name or not: what is written now is lost. A container's comes back by itself."""
    log = logged.state / "logs" / "web.log"
    log.unlink()
    fake = logged.supervise()
    other = documents.component("db", log=str(logged.state / "logs" / "db.log"))
    fake.answers["GET /v1/ps"] = documents.ps(documents.component("web", log=str(log)), other)
    result = logged.run("logs")
    assert (result.code, result.out) == (1, "db  | ready\n"), result
    assert result.err == (
        f"error: the log of web ('{log}') was deleted or moved, and web goes on writing there; "
        "'stigmer-pm restart web' opens a new one\n"
    )
    ended = {"code": 0, "signal": None, "at": documents.stamp(), "uptime": 1.0, "reason": "exited 0"}
    stopped = documents.component("web", phase="stopped", pid=None, last_exit=ended, log=str(log))
    fake.answers["GET /v1/ps"] = documents.ps(stopped)
    result = logged.run("logs", "web")
    assert result.code == 1
    assert result.err.endswith("was deleted or moved; its next run begins a new one\n")
    fake.answers["GET /v1/ps"] = documents.ps(documents.component("web", kind="container", log=str(log)))
    assert (logged.run("logs", "web").code, logged.run("logs", "web").err) == (0, "web has printed nothing\n")
