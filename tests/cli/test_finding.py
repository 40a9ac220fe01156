"""Finding the supervisor: every way in which there is none is said apart, with its cure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stigmer_pm.client import Address, NoSupervisor, Supervisor
from stigmer_pm.client.finding import is_locked
from stigmer_pm.statedir import StateDir

from . import documents
from .conftest import Cli
from .fake_supervisor import Refusal, holding_lock, serving


def test_a_project_that_was_never_up_has_no_supervisor_and_up_is_the_cure(cli: Cli) -> None:
    """Exit 3."""
    result = cli.run("ps")
    assert result.code == 3, result
    assert "no supervisor runs for this project" in result.err
    assert "stigmer-pm up" in result.err
    assert result.out == ""


def test_a_supervisor_that_was_killed_is_told_from_one_that_never_was(cli: Cli) -> None:
    """Its address is stale: nobody holds the lock."""
    cli.leave_address()
    result = cli.run("ps")
    assert result.code == 3, result
    assert "the supervisor of this project (pid 4711) has died; what it ran goes on" in result.err
    assert "stigmer-pm up" in result.err


def test_a_supervisor_whose_socket_is_gone_is_said_to_run(cli: Cli) -> None:
    """The lock is held, so it lives; the socket is made anew by itself."""
    cli.leave_address()
    cli.hold_lock()
    result = cli.run("ps")
    assert result.code == 3, result
    assert "the supervisor (pid 4711) runs but its socket is gone" in result.err
    assert "10 seconds" in result.err


def test_a_damaged_address_is_no_crash(cli: Cli) -> None:
    """It is as good as none: whoever runs writes it anew, and can be found without it."""
    cli.state.mkdir()
    (cli.state / "supervisor.json").write_text('{"pid": ')
    result = cli.run("ps")
    assert result.code == 3, result
    assert "no supervisor runs for this project" in result.err
    assert "stigmer-pm up" in result.err


def test_what_the_supervisor_refuses_is_passed_on_with_its_exit_status(cli: Cli) -> None:
    """Its message and its cure, as they are."""
    fake = cli.supervise()
    fake.answers["GET /v1/ps"] = Refusal(404, "no component is called 'wbe'; did you mean 'web'?", "a cure", exit=2)
    result = cli.run("ps", "wbe")
    assert result.code == 2, result
    assert result.err == "error: no component is called 'wbe'; did you mean 'web'?\n  a cure\n"


def test_a_socket_that_somebody_else_owns_gets_not_a_byte(tmp_path: Path) -> None:
    """Secrets travel on it, so its owner must be the owner of the state folder."""
    with serving(tmp_path / "s.sock") as fake:
        fake.answers["GET /v1/ps"] = documents.ps()
        stranger = Address(1, str(fake.socket), "shop", "", owner_uid=os.geteuid() + 1)
        with pytest.raises(NoSupervisor, match="belongs to"):
            Supervisor(StateDir(str(tmp_path)), stranger).ps()
        assert fake.asked == []


def test_a_state_folder_of_somebody_else_is_named_with_its_owner(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless root asks, who may look into everybody's."""
    cli.leave_address()
    monkeypatch.setattr(os, "geteuid", lambda: cli.state.stat().st_uid + 12345)
    result = cli.run("ps")
    assert result.code == 3, result
    assert "belongs to" in result.err


def test_asking_about_the_lock_leaves_it_as_it_is(tmp_path: Path) -> None:
    """Free before and after, held before and after."""
    state = StateDir(str(tmp_path))
    assert not is_locked(state)
    with holding_lock(tmp_path):
        assert is_locked(state)
        assert is_locked(state)
    assert not is_locked(state)


def test_a_stream_that_ends_without_its_end_is_an_error(cli: Cli) -> None:
    """As when it is killed while somebody waits."""
    fake = cli.supervise()
    fake.answers["POST /v1/stop"] = documents.acted(web="stopping")
    fake.answers["POST /v1/wait"] = [("progress", {"instances": [documents.standing("web", "pending", "stopping")]})]
    result = cli.run("stop", "web")
    assert result.code == 3, result
    assert "its answer was cut off" in result.err
