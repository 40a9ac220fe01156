"""``ps``: a table for people, one line a component for pipes, one document for programs."""

from __future__ import annotations

import hashlib
import json
from typing import Any

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
    inputs = [{"path": str(cli.dir / ".env"), "sha256": None}]
    fake.answers["GET /v1/ps"] = documents.ps(file=str(cli.file), inputs=inputs)
    assert cli.run("ps").err == ""
    (cli.dir / ".env").write_text("A=1\n")
    result = cli.run("ps")
    assert len(result.err.splitlines()) == 1
    assert "has changed since it was applied; apply it with 'stigmer-pm up'" in result.err


def lines_at(columns: int, monkeypatch: pytest.MonkeyPatch, *rows: Any) -> list[str]:
    """The table as a terminal of that width gets it."""
    monkeypatch.setenv("COLUMNS", str(columns))
    return ps_lines(terminal(is_terminal=True), rows)


@pytest.mark.parametrize("columns", [80, 100, 60])
def test_a_reason_that_has_no_room_beside_stands_whole_below(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is cut, it is told once, and no line is wider than the screen."""
    running = documents.component("workflow-runner", pid=123456, restarts=12)
    failed = documents.component("db", phase="failed", pid=None, reason=LONG, cpu_percent=None, memory_bytes=None)
    lines = lines_at(columns, monkeypatch, running, failed)
    assert all(len(line) <= columns for line in lines), lines
    assert "REASON" not in lines[0]
    assert [line.split()[0] for line in lines[1:3]] == ["workflow-runner", "db"]
    assert lines[3] == ""
    assert " ".join(line.strip() for line in lines[4:]) == f"db: {LONG}"


def test_reasons_that_have_room_stand_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, so that nobody looks in two places."""
    stopped = documents.component("db", phase="stopped", pid=None, reason="stopped by hand")
    failed = documents.component("web", phase="failed", pid=None, reason=LONG)
    assert "db       stopped  -        -         0       -  0.3%  22.4M  stopped by hand" in lines_at(
        80, monkeypatch, documents.component("web-abc"), stopped
    )
    wide = lines_at(200, monkeypatch, stopped, failed)
    assert wide[0].endswith("REASON")
    assert [line.endswith(words) for line, words in zip(wide[1:], ["stopped by hand", LONG], strict=True)] == [True] * 2
    below = lines_at(80, monkeypatch, stopped, failed)
    assert [line.split(":")[0] for line in below[4:] if not line.startswith(" ")] == ["db", "web"]


def test_a_reason_that_many_have_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the names of the first of them, and how many more there are."""
    names = [f"w{number}" for number in range(9)]
    lines = lines_at(80, monkeypatch, *(documents.component(n, phase="failed", reason=LONG) for n in names))
    assert lines[len(names) + 2].startswith("w0, w1, w2, w3, w4 and 4 more: gave up")
    assert sum("gave up" in line for line in lines) == 1


def test_what_a_dependency_says_of_itself_isnt_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a screen, where both are seen; a pipe may lead to a ``grep`` for one of them."""
    why = "cannot run its command: 'postgress' not found in PATH"
    db = documents.component("db", phase="backoff", reason=f"{why} (3 failed runs in a row)")
    web = documents.component("web", phase="waiting", reason=f"waits for db, which can't be started: {why}")
    for columns in (80, 200):
        text = "\n".join(lines_at(columns, monkeypatch, db, web))
        assert text.count("postgress") == 1, text
        assert text.endswith("waits for db, which can't be started")
    assert lines_at(200, monkeypatch, web)[-1].endswith(why)
    assert ps_lines(terminal(), [db, web])[-1].endswith(why)


def test_numbers_that_have_no_room_give_way_from_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory before CPU before the uptime; ``describe`` has them."""
    name = "a-component-with-a-rather-long-name"
    lines = lines_at(80, monkeypatch, documents.component(name), documents.component("b", memory_bytes=512))
    assert lines[0].split() == ["NAME", "PHASE", "READY", "PID", "RESTARTS", "UPTIME", "CPU"]
    assert lines_at(60, monkeypatch, documents.component(name))[0].endswith("  PID  RESTARTS")
    whole = lines_at(100, monkeypatch, documents.component("a"), documents.component("b", memory_bytes=512))
    assert whole[0].endswith("    MEM")
    assert whole[2].endswith("   512B")


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
