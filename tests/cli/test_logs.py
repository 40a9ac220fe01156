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
