"""start, stop, restart and reset: act, wait for the result, say it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stigmer_pm.cli import session

from . import documents
from .conftest import Cli
from .fake_supervisor import FakeSupervisor


@pytest.fixture
def fake(cli: Cli) -> FakeSupervisor:
    """A supervisor whose file has not changed."""
    found = cli.supervise()
    found.answers["GET /v1/ps"] = documents.ps(documents.component("web"))
    return found


@pytest.mark.parametrize(
    ("verb", "goal", "phase"),
    [("start", "ready", "running"), ("restart", "ready", "running"), ("stop", "stopped", "stopped")],
)
def test_it_acts_then_waits_for_what_was_begun(
    cli: Cli, fake: FakeSupervisor, verb: str, goal: str, phase: str
) -> None:
    """What is waited for are the runs that the answer named; the summary is the result."""
    fake.answers[f"POST /v1/{verb}"] = documents.acted(web="starting")
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web", "reached", phase))
    result = cli.run(verb, "web", "--timeout", "30s")
    assert result.code == 0, result
    assert fake.bodies(f"/v1/{verb}") == [{"names": ["web"], "labels": {}, "all": False}]
    (wish,) = fake.bodies("/v1/wait")
    assert (wish["targets"], wish["for"], wish["timeout"]) == ({"web": 2}, goal, 30.0)
    assert result.out == f"1 component {goal}\n"


def test_what_was_so_already_is_said_once(cli: Cli, fake: FakeSupervisor) -> None:
    """And is no error. What runs already may still have to get ready, which is another thing."""
    fake.answers["POST /v1/start"] = documents.acted(web="already running (pid 12)")
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"))
    result = cli.run("start", "web")
    assert result.code == 0
    assert "web: already running (pid 12)\n" in result.out
    assert result.err == ""
    slow = documents.standing("web", "pending", reason="waits for its readiness probe")
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"), before=[slow])
    assert cli.run("start", "web").err.splitlines() == [
        "web: running, waits for its readiness probe",
        "web: ready (pid 12)",
    ]


def test_one_that_does_not_get_there_is_exit_1_with_why_and_its_last_lines(cli: Cli, fake: FakeSupervisor) -> None:
    """Only lines of the run that failed, ten at most."""
    log = cli.dir / "web.log"
    log.write_bytes(b"of an older run\n" + b"".join(b"line %d\n" % n for n in range(12)))
    lost = documents.standing(
        "web", "lost", "failed", reason="exited 3", log=str(log), log_from=len(b"of an older run\n")
    )
    fake.answers["POST /v1/restart"] = documents.acted(web="restarting")
    fake.answers["POST /v1/wait"] = documents.waited(lost)
    result = cli.run("restart", "web")
    assert result.code == 1, result
    assert result.out == "1 component failed\n"
    first, *lines = result.err.splitlines()
    assert first == "web: failed, exited 3"
    assert lines == [f"    line {n}" for n in range(2, 12)]


def test_a_backoff_that_is_too_long_to_sit_out_says_that_it_goes_on(cli: Cli, fake: FakeSupervisor) -> None:
    """Five seconds are sat out, unless a timeout says how long."""
    lost = documents.standing("web", "lost", "backoff", reason="exited 3", next_restart=documents.stamp(20.5))
    fake.answers["POST /v1/start"] = documents.acted(web="starting")
    fake.answers["POST /v1/wait"] = documents.waited(lost)
    result = cli.run("start", "web")
    assert result.code == 1
    assert "web: backoff, exited 3, next start in 21s; the supervisor keeps trying" in result.err
    cli.run("start", "web", "--timeout", "1m")
    assert [wish["patience"] for wish in fake.bodies("/v1/wait")] == [5.0, None]


def test_a_timeout_says_what_was_not_reached(cli: Cli, fake: FakeSupervisor) -> None:
    """With the reason as it stands, and exit 1."""
    pending = documents.standing("web", "pending", "running", reason="waits for its readiness probe")
    fake.answers["POST /v1/start"] = documents.acted(web="starting")
    fake.answers["POST /v1/wait"] = documents.waited(pending)
    result = cli.run("start", "web", "--timeout", "2s")
    assert result.code == 1
    assert "web: running, waits for its readiness probe; not ready within 2s" in result.err
    assert result.out == "1 component not ready\n"


def test_progress_is_one_line_for_each_change_of_state(cli: Cli, fake: FakeSupervisor) -> None:
    """On stderr, where a pipe doesn't see it."""
    fake.answers["POST /v1/start"] = documents.acted(web="starting")
    fake.answers["POST /v1/wait"] = documents.waited(
        documents.standing("web"), before=[documents.standing("web", "pending", "starting", pid=12)]
    )
    result = cli.run("start", "web")
    assert result.err.splitlines() == ["web: starting", "web: ready (pid 12)"]


def test_no_wait_returns_at_once_with_what_was_begun(cli: Cli, fake: FakeSupervisor) -> None:
    """The supervisor is not asked to wait."""
    fake.answers["POST /v1/restart"] = documents.acted(web="restarting")
    result = cli.run("restart", "web", "--no-wait")
    assert (result.code, result.out) == (0, "web: restarting\n")
    assert fake.bodies("/v1/wait") == []


def test_an_edit_that_was_not_applied_is_said_in_one_line(cli: Cli, fake: FakeSupervisor) -> None:
    """``restart`` uses what is applied."""
    inputs = [{"path": str(cli.file), "sha256": "0" * 64}]
    fake.answers["GET /v1/ps"] = documents.ps(file=str(cli.file), inputs=inputs)
    fake.answers["POST /v1/restart"] = documents.acted(web="restarting")
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"))
    result = cli.run("restart", "web")
    assert result.code == 0
    (line,) = [line for line in result.err.splitlines() if "changed" in line]
    assert "stigmer.yaml" in line
    assert "'stigmer-pm up'" in line


@pytest.mark.parametrize("arguments", [(), ("--all", "web")])
def test_nothing_is_chosen_by_leaving_everything_out(
    cli: Cli, fake: FakeSupervisor, arguments: tuple[str, ...]
) -> None:
    """A bare ``stop`` stops nothing; names and ``--all`` contradict each other."""
    result = cli.run("stop", *arguments)
    assert result.code == 2
    assert "--all" in result.err
    assert fake.asked == []


def test_all_and_labels_are_passed_on(cli: Cli, fake: FakeSupervisor) -> None:
    """The supervisor knows what they select."""
    fake.answers["POST /v1/stop"] = documents.acted(web="stopping")
    cli.run("stop", "--all", "--no-wait")
    cli.run("stop", "--label", "tier=front", "--no-wait")
    assert fake.bodies("/v1/stop") == [
        {"names": [], "labels": {}, "all": True},
        {"names": [], "labels": {"tier": "front"}, "all": False},
    ]


class _Turns:
    """The time as a command that waits sees it: something happens at its third look."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens = happens
        self._looks = 0

    def monotonic(self) -> float:
        return float(self._looks)

    def sleep(self, seconds: float) -> None:
        self._looks += 1
        if self._looks == 3:
            self._happens()


class _TooLate:
    """A seed that finds another supervisor in its place."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens = happens

    def plant(self, order: object, timeout: float | None) -> dict[str, object]:
        self._happens()
        return {"busy": True}

    def discard(self) -> None:
        pass


@pytest.mark.parametrize("when", ["before it looks", "while it starts another"])
def test_a_supervisor_that_another_command_has_just_started_is_waited_for(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """It was killed, and of two commands one is faster; the other one acts as well. (It ended with 3.)"""
    cli.leave_address()
    if when == "before it looks":
        cli.hold_lock()

    def answer() -> None:
        fake = cli.supervise(is_locked=False)
        fake.answers["POST /v1/stop"] = documents.acted(web="stopping")

    monkeypatch.setattr(session, "time", _Turns(answer))
    result = cli.run("stop", "web", "--no-wait", seed=_TooLate(cli.hold_lock))
    assert (result.code, result.out) == (0, "web: stopping\n"), result
    assert len(result.err.splitlines()) == 1


def test_a_supervisor_is_waited_for_no_longer_than_the_command_has(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here one whose socket is gone, for more than two looks a second apart."""
    cli.leave_address()
    cli.hold_lock()
    turns = _Turns(lambda: None)
    monkeypatch.setattr(session, "time", turns)
    result = cli.run("stop", "web", "--timeout", "2s")
    assert result.code == 3, result
    assert "its socket is gone" in result.err.splitlines()[-2]
    assert turns.monotonic() == 3.0
