"""Applying an edited file, on real processes."""

from __future__ import annotations

import json

import pytest

from stigmer_pm.config import load
from stigmer_pm.spec.codec import encode

from ..project import Project, eventually
from .test_attacks import ask

BASE = """
    components:
      a: {command: sleep 1000, environment: {LEVEL: "${LEVEL:-1}"}}
      b: {command: sleep 1000, env_file: b.env}
      c: {command: sleep 1000}
"""


@pytest.fixture
def running(project: Project) -> Project:
    """Three components that run."""
    project.write(BASE)
    project.write("B=1\n", "b.env")
    project.write("LEVEL=1\n", ".env")
    project.up()
    return project


def changed(project: Project, before: dict[str, int | None]) -> set[str]:
    """The components whose pid is another one."""
    after = project.pids()
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_a_second_up_changes_nothing_also_from_another_terminal(running: Project) -> None:
    """Only what the file names is compared, so other variables there mean nothing."""
    before = running.pids()
    running.up()
    running.up(env={"SOMETHING": "else", "TERM": "dumb", "PWD": "/"})
    assert changed(running, before) == set()


def test_an_edited_command_changes_only_its_own_pid(running: Project) -> None:
    """One component restarts."""
    before = running.pids()
    running.write(BASE.replace("c: {command: sleep 1000", "c: {command: sleep 1001"))
    result = running.up()
    assert changed(running, before) == {"c"}
    assert "c" in result.out + result.err
    assert running.ps()["c"]["restarts"] == 0


@pytest.mark.parametrize(
    "edit",
    [
        "description: other words",
        "labels: {team: x}",
        "backoff: 5s",
        "depends_on: [a]",
        "stop_timeout: 3s",
        "probes: {readiness: {exec: 'true', period: 1s}}",
        "max_restarts: 3",
    ],
)
def test_an_edit_of_how_it_is_watched_changes_no_pid_and_holds(running: Project, edit: str) -> None:
    """Applied live."""
    before = running.pids()
    running.write(BASE.replace("c: {command: sleep 1000}", f"c: {{command: sleep 1000, {edit}}}"))
    running.up()
    assert changed(running, before) == set()
    field, _, _ = edit.partition(":")
    spec = running.ok("describe", "c", "--json").json["spec"]
    fresh = {"description": "", "labels": {}, "depends_on": [], "stop_timeout": 10.0, "max_restarts": 10}
    assert spec[field] != fresh.get(field, json.loads(json.dumps({"initial": 1.0})))


def test_a_value_edited_in_dotenv_restarts_exactly_who_uses_it(running: Project) -> None:
    """``.env`` reaches a component through interpolation, ``env_file`` directly."""
    before = running.pids()
    running.write("LEVEL=2\n", ".env")
    running.up()
    assert changed(running, before) == {"a"}
    before = running.pids()
    running.write("B=2\n", "b.env")
    running.up()
    assert changed(running, before) == {"b"}


def test_a_removed_component_is_stopped_and_a_new_one_started(running: Project) -> None:
    """Nothing else moves."""
    before = running.pids()
    running.write(BASE.replace("c: {command", "d: {command"))
    running.up()
    after = running.pids()
    assert set(after) == {"a", "b", "d"}
    assert (after["a"], after["b"]) == (before["a"], before["b"])
    assert sum("sleep 1000" in command for command in running.living().values()) == 3


def test_a_file_with_three_errors_says_all_three_and_changes_nothing(running: Project) -> None:
    """Line and column each, exit 2, same pids."""
    before = running.pids()
    running.write("""\
        components:
          a: {command: sleep 1000, max_restart: 3}
          b: {command: sleep 1000, stop_timeout: soon}
          c: {command: sleep 1000, restart: sometimes}
    """)
    result = running.up(code=2)
    for line in (2, 3, 4):
        assert f"stigmer.yaml:{line}:" in result.err, result
    assert "max_restarts" in result.err
    assert running.pids() == before


def test_dry_run_prints_the_plan_and_does_nothing(running: Project) -> None:
    """Restart, update, stop and start are all named."""
    before = running.pids()
    running.write("""
        components:
          a: {command: sleep 1001, environment: {LEVEL: "1"}}
          b: {command: sleep 1000, env_file: b.env, description: words}
          d: {command: sleep 1000}
    """)
    out = running.ok("up", "--dry-run").out
    for name, action in (("a", "restart"), ("b", "update"), ("c", "stop"), ("d", "start")):
        assert any(name in line and action in line for line in out.splitlines()), out
    assert running.pids() == before


def test_a_restart_after_an_edit_that_was_not_applied_says_so_in_one_line(running: Project) -> None:
    """It uses what is applied; ``ps`` has the same line at its foot."""
    running.write(BASE.replace("c: {command: sleep 1000", "c: {command: sleep 1001"))
    result = running.ok("restart", "c")
    lines = [line for line in result.err.splitlines() if "changed" in line]
    assert len(lines) == 1, result
    assert "stigmer-pm up" in lines[0]
    assert any("sleep 1000" in c for c in running.living().values())
    assert not any("sleep 1001" in c for c in running.living().values())
    assert "changed" in running.ok("ps").out + running.ok("ps").err
    assert running.ok("ps", "--json").json["file_changed"] is True


def test_a_new_probe_value_is_what_is_asked_from_then_on(running: Project) -> None:
    """A probe edited in the file takes effect with no restart."""
    probe = "probes: {readiness: {exec: ['test', '-e', 'flag'], period: 100ms}}"
    running.write(BASE.replace("c: {command: sleep 1000}", f"c: {{command: sleep 1000, {probe}}}"))
    pid = running.pid("c")
    running.up("--timeout", "300ms", code=1)
    assert running.ps()["c"]["ready"] is False
    (running.dir / "flag").touch()
    running.ok("wait", "c")
    assert running.pid("c") == pid


def test_a_dry_run_changes_nothing_of_the_supervisor_either(project: Project) -> None:
    """The new name of the project stood in ``ps`` at once; also when the plan was refused."""
    text = "project: {}\ncomponents: {{a: {{command: sleep 1000}}}}\n"
    project.write(text.format("one"))
    project.up()

    def name() -> str:
        return str(ask(project, "GET", "/v1/ps")[1]["project"])

    project.write(text.format("two"))
    project.up("--dry-run")
    assert name() == "one"
    spec = encode(load(str(project.dir / "stigmer.yaml"), {}))
    assert ask(project, "POST", "/v1/apply", {"spec": spec, "names": ["nobody"]})[0] == 404
    assert name() == "one"
    project.up()
    assert name() == "two"


def test_a_process_that_becomes_a_container_is_asked_to_stop(project: Project) -> None:
    """By SIGTERM; the file leaves the signal to an image that this run has never had. It got none, and was killed when
    its stop_timeout was over. (There is no engine here, and the container waits for one.)"""
    project.script("polite", "#!/bin/sh\ntrap 'echo bye; exit 0' TERM\necho ready\nwhile :; do sleep 0.05; done\n")
    project.write("components: {web: {command: ./polite, stop_timeout: 1h}}\n")
    nowhere = {"DOCKER_HOST": f"unix://{project.dir}/nowhere.sock"}
    project.up(env=nowhere)
    eventually(lambda: project.log("web") == b"ready\n")
    project.write("components: {web: {image: busybox, stop_timeout: 1h}}\n")
    project.up("--no-wait")
    eventually(lambda: b"bye" in project.log("web"))  # beside what its shell says of the signal
    eventually(lambda: "no Docker engine" in project.ps()["web"]["reason"])
