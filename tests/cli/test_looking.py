"""wait, describe, events, pid, signal, ls and down against a scripted supervisor."""

from __future__ import annotations

import json
from typing import Any

import pytest

from . import documents
from .conftest import Cli
from .fake_supervisor import FakeSupervisor, Refusal, serving


@pytest.fixture
def fake(cli: Cli) -> FakeSupervisor:
    """A supervisor."""
    return cli.supervise()


def event(number: int, kind: str, message: str, instance: str | None = "web") -> dict[str, Any]:
    """One entry of the journal."""
    return {"id": number, "at": "2026-01-22T10:00:00.123Z", "instance": instance, "kind": kind, "message": message}


def test_wait_waits_for_what_is_meant_to_run_and_sits_out_every_backoff(cli: Cli, fake: FakeSupervisor) -> None:
    """One that was stopped by hand would never get there."""
    stopped = documents.component("db", phase="stopped", desired="stopped")
    fake.answers["GET /v1/ps"] = documents.ps(documents.component("web"), stopped)
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"))
    result = cli.run("wait", "--for", "started", "--timeout", "2m")
    assert (result.code, result.out) == (0, "1 component started\n"), result
    (wish,) = fake.bodies("/v1/wait")
    assert wish["select"]["names"] == ["web"]
    assert (wish["for"], wish["timeout"], wish["patience"]) == ("started", 120.0, None)


def test_wait_is_exit_1_with_the_reason_as_soon_as_one_is_lost(cli: Cli, fake: FakeSupervisor) -> None:
    """As the supervisor says it."""
    lost = documents.standing("web", "lost", "failed", reason="gave up after 11 failed runs in a row")
    fake.answers["POST /v1/wait"] = documents.waited(lost)
    result = cli.run("wait", "web")
    assert result.code == 1
    assert "web: failed, gave up after 11 failed runs in a row" in result.err


def test_events_are_one_line_each_with_time_name_kind_and_message(cli: Cli, fake: FakeSupervisor) -> None:
    """``-`` stands for the project; ``--json`` is one object a line."""
    entries = [event(1, "running", "pid 12"), event(2, "applied", "3 changes", None)]
    fake.answers["GET /v1/events"] = {"events": entries}
    first, second = cli.run("events").out.splitlines()
    assert first.split()[1:] == ["web", "running", "pid", "12"]
    assert second.split()[1:3] == ["-", "applied"]
    assert [json.loads(line) for line in cli.run("events", "--json").out.splitlines()] == entries


def test_following_events_begins_with_the_last_ten(cli: Cli, fake: FakeSupervisor) -> None:
    """And ends when the supervisor does."""
    fake.answers["GET /v1/events"] = [("event", event(1, "running", "pid 12"))]
    result = cli.run("events", "-f", "web")
    assert result.code == 0
    assert "running" in result.out
    assert "the supervisor has ended" in result.err
    assert fake.asked[-1].path == "/v1/events?name=web&limit=10&follow=1"


def test_what_breaks_a_stream_is_said_and_is_exit_1(cli: Cli, fake: FakeSupervisor) -> None:
    """The status was long sent, and it looked like a supervisor that has ended."""
    error = {"message": "internal error in the supervisor", "cure": "see its log", "code": "internal", "exit": 1}
    broken: list[tuple[str, Any]] = [("error", {"error": error})]
    fake.answers["GET /v1/events"] = [("event", event(1, "running", "pid 12")), *broken]
    fake.answers["POST /v1/wait"] = broken
    for command in (("events", "-f"), ("wait", "web")):
        result = cli.run(*command)
        assert result.code == 1
        assert result.err == "error: internal error in the supervisor\n  see its log\n"


def test_since_takes_a_duration_or_a_time(cli: Cli, fake: FakeSupervisor) -> None:
    """Both go to the supervisor as a time in UTC."""
    fake.answers["GET /v1/events"] = {"events": []}
    cli.run("events", "--since", "2026-01-22T10:00:00+01:00", "-n", "5")
    assert fake.asked[-1].path == "/v1/events?since=2026-01-22T09%3A00%3A00.000Z&limit=5"
    assert cli.run("events", "--since", "10m").code == 0
    result = cli.run("events", "--since", "yesterday-ish")
    assert result.code == 2
    assert "neither a duration" in result.err


def test_pid_prints_it_or_says_why_there_is_none(cli: Cli, fake: FakeSupervisor) -> None:
    """Exit 1 without one, so that a script notices."""
    fake.answers["GET /v1/ps"] = documents.ps(documents.component("web"))
    assert (cli.run("pid", "web").code, cli.run("pid", "web").out) == (0, "12\n")
    gone = documents.component("web", pid=None, phase="failed", reason="exited 3")
    fake.answers["GET /v1/ps"] = documents.ps(gone)
    result = cli.run("pid", "web")
    assert (result.code, result.out) == (1, "")
    assert "web has no process: failed, exited 3" in result.err


def test_pid_of_the_supervisor(cli: Cli, fake: FakeSupervisor) -> None:
    """Without a question to it, so that the pid of one that is suspended is to be had as well."""
    result = cli.run("pid", "--supervisor")
    assert (result.code, result.out) == (0, "4711\n"), result
    assert fake.asked == []


def test_pid_of_a_supervisor_that_isnt_there_is_exit_3(cli: Cli) -> None:
    """As everywhere; one that was killed has left its address, and it has no pid any more."""
    result = cli.run("pid", "--supervisor")
    assert (result.code, result.out) == (3, "")
    assert "no supervisor runs for this project" in result.err
    cli.leave_address()
    result = cli.run("pid", "--supervisor")
    assert (result.code, result.out) == (3, "")
    assert "has died" in result.err


def test_pid_is_of_a_component_or_of_the_supervisor(cli: Cli) -> None:
    """Of one of the two, and not of both."""
    assert cli.run("pid").err.startswith("error: name a component, or give --supervisor\n")
    result = cli.run("pid", "web", "--supervisor")
    assert (result.code, result.err.splitlines()[0]) == (2, "error: name a component, or give --supervisor, not both")


def test_a_signal_that_is_none_is_refused_before_anybody_is_asked(cli: Cli, fake: FakeSupervisor) -> None:
    """With the right order, where the names stand in the wrong one."""
    result = cli.run("signal", "web", "hup")
    assert result.code == 2
    assert "the signal comes first: signal hup web" in result.err
    assert fake.bodies("/v1/signal") == []


def test_signal_says_who_got_it_and_is_exit_1_when_one_could_not(cli: Cli, fake: FakeSupervisor) -> None:
    """One line each."""
    fake.answers["POST /v1/signal"] = {
        "results": [
            {"name": "web", "pid": 12, "said": "SIGHUP sent to pid 12"},
            {"name": "db", "pid": None, "said": "has no process to signal"},
        ]
    }
    result = cli.run("signal", "hup", "web", "db")
    assert result.code == 1
    assert result.out == "web: SIGHUP sent to pid 12\ndb: has no process to signal\n"
    assert fake.bodies("/v1/signal")[0]["signal"] == "hup"


def test_describe_has_a_section_for_each_part(cli: Cli, fake: FakeSupervisor) -> None:
    """And shows what the supervisor masked as it came."""
    spec: dict[str, Any] = {
        "process": {"argv": ["serve", "--name", "a b"], "working_dir": "/srv", "environment": {"API_KEY": "******"}},
        "container": None,
        "labels": {"tier": "front"},
        "restart": "always",
        "min_uptime": 10.0,
        "max_restarts": 10,
        "restart_window": 600.0,
        "backoff": {"initial": 1.0, "factor": 2.0, "max": 60.0, "jitter": 0.0},
        "stop_signal": 15,
        "stop_timeout": 10.0,
        "profiles": [],
    }
    last = {"outcome": "failure", "output": "connection refused", "at": "2026-01-22T10:00:00.000Z", "duration": 0.01}
    probe = {
        "kind": "readiness",
        "check": "tcp 127.0.0.1:80",
        "initial_delay": 0.0,
        "period": 10.0,
        "timeout": 1.0,
        "success_threshold": 1,
        "failure_threshold": 3,
        "result": "failure",
        "consecutive": 2,
        "last": last,
    }
    run = {
        "run": 1,
        "pid": 12,
        "started_at": "2026-01-22T10:00:00.000Z",
        "ended_at": "2026-01-22T10:00:05.000Z",
        "uptime": 5.0,
        "ended": "exited 3",
    }
    fake.answers["GET /v1/components/web"] = documents.component("web", description="the front") | {
        "spec": spec,
        "probes": [probe],
        "runs": [run],
        "events": [event(1, "running", "pid 12")],
        "depends_on": [{"name": "db", "condition": "ready", "met": False, "reason": "waits for db to be ready"}],
    }
    text = cli.run("describe", "web").out
    for words in (
        "web  the front",
        "serve --name 'a b'",
        "API_KEY=******",
        "10 in 10m",
        "SIGTERM, SIGKILL after 10s",
        "tier=front",
        "not met: waits for db to be ready",
        "readiness: tcp 127.0.0.1:80",
        "failure; last: failure, 2 in a row, at",
        "connection refused",
        "exited 3",
        "/nowhere/web.log",
    ):
        assert words in text, words
    assert json.loads(cli.run("describe", "web", "--json").out)["spec"] == spec
    cli.run("describe", "web", "--show-secrets")
    assert fake.asked[-1].path.endswith("?show_secrets=1")


def test_ls_lists_every_supervisor_of_this_user_once(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets that a killed supervisor left are passed over; no file is needed."""
    cli.file.unlink()
    runtime = cli.short_folder()
    folder = runtime / "stigmer-pm"
    folder.mkdir()
    (folder / "stale.sock").touch()
    (folder / "same.sock").symlink_to(folder / "a.sock")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    with serving(folder / "a.sock") as fake:
        down = documents.component("db", phase="failed", ready=False)
        fake.answers["GET /v1/ps"] = documents.ps(documents.component("web"), down, file="/srv/shop/stigmer.yaml")
        projects = [p for p in json.loads(cli.run("ls", "--json").out)["projects"] if p["folder"] == "/srv/shop"]
        table = cli.run("ls").out
    assert [(p["project"], p["components"], p["ready"], p["pid"]) for p in projects] == [("shop", 2, 1, 4711)]
    assert ["shop", "2", "1", "4711", "/srv/shop"] in [line.split() for line in table.splitlines()]


def test_down_with_nothing_to_do_says_so_and_is_done(cli: Cli) -> None:
    """Nothing runs, which is what was asked for."""
    result = cli.run("down")
    assert (result.code, result.out) == (0, "nothing runs for this project\n")


def test_down_that_takes_too_long_says_what_it_waits_for(cli: Cli, fake: FakeSupervisor) -> None:
    """Exit 1; the stopping goes on."""
    pending = documents.standing("web", "pending", "stopping", reason="ends")
    fake.answers["POST /v1/down"] = documents.waited(pending)
    result = cli.run("down", "--timeout", "100ms")
    assert result.code == 1
    assert "web: stopping, ends; not stopped within 100ms" in result.err
    assert fake.bodies("/v1/down") == [{"timeout": 0.1}]


def test_down_waits_for_the_end_of_the_supervisor(cli: Cli) -> None:
    """Only then may another be started."""
    fake = cli.supervise(is_locked=False)
    fake.answers["POST /v1/down"] = documents.waited(documents.standing("web", "reached", "stopped"))
    result = cli.run("down")
    assert (result.code, result.out) == (0, "1 component stopped; supervisor ended\n")


def test_an_unknown_name_is_exit_2_with_the_supervisors_words(cli: Cli, fake: FakeSupervisor) -> None:
    """For every command that takes names."""
    refusal = Refusal(404, "no component is called 'x'; there is: web", exit=2)
    for route in ("GET /v1/ps", "GET /v1/events", "GET /v1/components/x", "POST /v1/signal", "POST /v1/wait"):
        fake.answers[route] = refusal
    for arguments in (["pid", "x"], ["events", "x"], ["describe", "x"], ["signal", "HUP", "x"], ["wait", "x"]):
        result = cli.run(*arguments)
        assert result.code == 2, result
        assert "no component is called 'x'" in result.err
