"""``ps``: a table for people, one line a component for pipes, one document for programs."""

from __future__ import annotations

import hashlib
import json

import pytest

from stigmer_pm.cli.screen.ps_table import ps_lines
from stigmer_pm.cli.screen.terminal import Terminal

from . import documents
from .conftest import Cli
from .terminals import terminal

LONG = "gave up after 11 failed runs in a row within 10m: exited 3, and then a lot more was to be said about it"


def test_a_pipe_gets_a_header_and_one_plain_line_a_component(cli: Cli) -> None:
    """Easy to grep and awk: no colour, nothing cut, no foot."""
    fake = cli.supervise()
    failed = documents.component("db", phase="failed", pid=None, ready=False, restarts=10, reason=LONG)
    fake.answers["GET /v1/ps"] = documents.ps(documents.component("web"), failed)
    result = cli.run("ps")
    header, web, db = result.out.splitlines()
    assert header.split() == ["NAME", "PHASE", "READY", "PID", "RESTARTS", "UPTIME", "CPU", "MEM", "REASON"]
    assert web.split() == ["web", "running", "yes", "12", "0", "2m5s", "0.3%", "22.4M"]
    assert db.endswith(LONG)
    assert "\x1b" not in result.out


def test_a_backoff_says_when_the_next_start_is(cli: Cli) -> None:
    """``next start in 7s``, counted from now."""
    fake = cli.supervise()
    waiting = documents.component(
        "web", phase="backoff", pid=None, next_restart=documents.stamp(6.9), reason="exited 3"
    )
    fake.answers["GET /v1/ps"] = documents.ps(waiting)
    assert "exited 3, next start in 7s" in cli.run("ps").out


def test_names_and_labels_are_passed_on(cli: Cli) -> None:
    """The supervisor knows what matches them."""
    fake = cli.supervise()
    fake.answers["GET /v1/ps"] = documents.ps()
    cli.run("status", "w*", "--label", "tier=front")
    assert fake.asked[-1].path == "/v1/ps?name=w%2A&label=tier%3Dfront"


@pytest.mark.parametrize("stale", [False, True])
def test_json_says_whether_the_file_has_changed(cli: Cli, stale: bool) -> None:
    """In place of the hashes that it was found out by."""
    fake = cli.supervise()
    digest = hashlib.sha256(cli.file.read_bytes()).hexdigest()
    inputs = [{"path": str(cli.file), "sha256": "0" * 64 if stale else digest}]
    fake.answers["GET /v1/ps"] = documents.ps(documents.component("web"), inputs=inputs)
    result = cli.run("ps", "--json")
    document = json.loads(result.out)
    assert document["file_changed"] is stale
    assert "inputs" not in document
    assert document["components"][0]["name"] == "web"


def test_an_env_file_that_has_appeared_is_a_change_and_said_at_the_foot(cli: Cli) -> None:
    """One line, with the cure, where it is in no pipe's way."""
    fake = cli.supervise()
    fake.answers["GET /v1/ps"] = documents.ps(inputs=[{"path": str(cli.dir / ".env"), "sha256": None}])
    assert cli.run("ps").err == ""
    (cli.dir / ".env").write_text("A=1\n")
    result = cli.run("ps")
    assert len(result.err.splitlines()) == 1
    assert "has changed since it was applied; apply it with 'stigmer-pm up'" in result.err


@pytest.mark.parametrize("columns", [80, 100, 60])
def test_on_a_terminal_no_line_is_wider_than_it(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is cut, and CPU and memory give way to it before that."""
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = [
        documents.component("workflow-runner", pid=123456, restarts=12),
        documents.component("db", phase="failed", pid=None, reason=LONG, cpu_percent=None, memory_bytes=None),
    ]
    lines = ps_lines(terminal(is_terminal=True), rows)
    assert all(len(line) <= columns for line in lines), lines
    assert lines[-1].endswith("…")
    assert "gave up" in lines[-1]


def test_colour_is_for_a_terminal_only_and_no_color_takes_it_away() -> None:
    """The phase is coloured, and the words stay the same."""
    rows = [documents.component("web")]

    def text(where: Terminal) -> str:
        return "\n".join(ps_lines(where, rows))

    assert "\x1b[32mrunning" in text(terminal(is_terminal=True, has_color=True))
    assert "\x1b" not in text(terminal(is_terminal=True, has_color=False))
    assert "\x1b" not in text(terminal(is_terminal=False, has_color=True))


def test_watch_needs_a_terminal(cli: Cli) -> None:
    """In a pipe it would never end."""
    result = cli.run("ps", "--watch")
    assert result.code == 2
    assert "--watch needs a terminal" in result.err
