"""``up`` against a supervisor that runs already; a fresh start is tried on real processes elsewhere."""

from __future__ import annotations

import json

import pytest

from stigmer_pm.core.plan import Action

from . import documents
from .conftest import Cli
from .fake_supervisor import Refusal


def test_the_resolved_file_is_sent_and_its_components_are_waited_for(cli: Cli) -> None:
    """The supervisor never reads the file."""
    fake = cli.supervise()
    fake.answers["POST /v1/apply"] = documents.applied(
        documents.change("web", "start", "new"), documents.change("db", "start", "new"), targets=("web", "db")
    )
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"), documents.standing("db"))
    result = cli.run("up")
    assert (result.code, result.out) == (0, "2 components ready\n"), result
    (body,) = fake.bodies("/v1/apply")
    assert [c["name"] for c in body["spec"]["components"]] == ["web", "db"]
    assert fake.bodies("/v1/wait")[0]["patience"] == 5.0


def test_nothing_changed_is_said(cli: Cli) -> None:
    """With how many are ready."""
    fake = cli.supervise()
    fake.answers["POST /v1/apply"] = documents.applied(targets=("web", "db"))
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"), documents.standing("db"))
    assert cli.run("up").out == "nothing changed, 2 ready\n"


def test_what_an_edit_does_is_said_and_what_goes_is_waited_for(cli: Cli) -> None:
    """A removed component has stopped when ``up`` ends, whichever run it is in by then."""
    fake = cli.supervise()
    fake.answers["POST /v1/apply"] = documents.applied(
        documents.change("web", "restart", "edited", "command"),
        documents.change("old", "stop", "removed from the file"),
        targets=("web",),
        stopping=("old",),
    )
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"))
    result = cli.run("up")
    assert "web: restarting (edited: command)" in result.err
    assert "old: stopping (removed from the file)" in result.err
    assert [(w["targets"], w["for"]) for w in fake.bodies("/v1/wait")] == [
        ({"web": 1}, "ready"),
        ({"old": 2**62}, "stopped"),
    ]


def test_a_dry_run_prints_the_plan_and_asks_for_nothing_else(cli: Cli) -> None:
    """Action, name, and which fields differ."""
    fake = cli.supervise()
    fake.answers["POST /v1/apply"] = documents.applied(documents.change("web", "restart", "edited", "environment"))
    result = cli.run("up", "--dry-run")
    assert result.out == "restart  web  edited: environment\n"
    assert fake.bodies("/v1/apply")[0]["dry_run"] is True
    assert fake.bodies("/v1/wait") == []


def test_a_dry_run_without_a_supervisor_starts_none(cli: Cli) -> None:
    """Everything that is to run would be started."""
    result = cli.run("up", "--dry-run", "--json")
    assert result.code == 0, result
    changes = json.loads(result.out)["changes"]
    assert [(c["name"], c["action"]) for c in changes] == [("web", Action.START), ("db", Action.START)]
    assert not cli.state.exists()


def test_patterns_are_resolved_by_the_file(cli: Cli) -> None:
    """An unknown one is exit 2 with the nearest name, and nothing is sent."""
    fake = cli.supervise()
    fake.answers["POST /v1/apply"] = documents.applied(targets=("web",))
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"))
    assert cli.run("up", "w*").code == 0
    assert fake.bodies("/v1/apply")[0]["names"] == ["web"]
    result = cli.run("up", "webb")
    assert result.code == 2
    assert "did you mean 'web'?" in result.err
    assert len(fake.bodies("/v1/apply")) == 1


def test_a_bad_file_is_exit_2_and_nothing_is_sent(cli: Cli) -> None:
    """Every error with its place."""
    fake = cli.supervise()
    cli.file.write_text("components:\n  web: {command: sleep 1, max_restart: 3}\n  db: {}\n")
    result = cli.run("up")
    assert result.code == 2
    assert ":2:" in result.err
    assert ":3:" in result.err
    assert fake.asked == []


def test_profiles_come_from_the_environment_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """``STIGMER_PROFILES``, separated by commas; the command line wins."""
    fake = cli.supervise()
    fake.answers["POST /v1/apply"] = documents.applied()
    fake.answers["POST /v1/wait"] = documents.waited()
    monkeypatch.setenv("STIGMER_PROFILES", "a, b")
    cli.file.write_text("components: {web: {command: sleep 1000, profiles: [debug, c]}}\n")
    cli.run("up")
    cli.run("up", "--profile", "c")
    assert [body["profiles"] for body in fake.bodies("/v1/apply")] == [["a", "b"], ["c"]]


def test_a_named_profile_that_no_component_has_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the hand would start less than was meant; one of the environment may be another project's."""
    fake = cli.supervise()
    fake.answers["POST /v1/apply"] = documents.applied()
    fake.answers["POST /v1/wait"] = documents.waited()
    monkeypatch.setenv("STIGMER_PROFILES", "other")
    cli.file.write_text("components: {web: {command: sleep 1000, profiles: [debug]}}\n")
    result = cli.run("up", "--profile", "debgu")
    assert result.code == 2
    assert "no component is in the profile 'debgu'; did you mean 'debug'?" in result.err
    assert cli.run("up").code == 0


def test_a_refusal_ends_up_with_its_status(cli: Cli) -> None:
    """As the supervisor said it."""
    fake = cli.supervise()
    fake.answers["POST /v1/apply"] = Refusal(409, "the supervisor is stopping everything ('down')", exit=1)
    result = cli.run("up")
    assert result.code == 1
    assert "is stopping everything" in result.err


def test_a_file_of_a_folder_above_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, by ``up`` and ``down``: it may be another project's. The file of this folder needs no word."""
    fake = cli.supervise(is_locked=False)
    fake.answers["POST /v1/apply"] = documents.applied(targets=("web",))
    fake.answers["POST /v1/wait"] = documents.waited(documents.standing("web"))
    fake.answers["POST /v1/down"] = documents.waited(documents.standing("web", "reached", "stopped"))
    below = cli.dir / "src"
    below.mkdir()
    for command in ("up", "down"):
        monkeypatch.chdir(cli.dir)
        assert "using" not in cli.run(command).err
        monkeypatch.chdir(below)
        result = cli.run(command)
        assert result.code == 0, result
        assert result.err.splitlines()[0] == f"using {cli.file}"
        assert "using" not in cli.run(command, "-f", "../stigmer.yaml").err
    monkeypatch.setenv("STIGMER_FILE", str(cli.file))
    assert cli.run("up").err.splitlines()[0] == f"using {cli.file} (named by STIGMER_FILE)"


def test_options_of_the_foreground_need_it(cli: Cli) -> None:
    """They would be ignored otherwise."""
    assert cli.run("up", "--exit-on-failure").code == 2
    assert cli.run("up", "--foreground", "--dry-run").code == 2
