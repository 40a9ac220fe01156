"""What is secret in a file stays out of everything that is printed, logged or answered; real processes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.test_attacks import ask
from tests.project import Project, eventually

FILE = r"""
    components:
      a:
        command: ./server --db postgres://u:in-command@h/db
        description: "first \e]0;title\a \e[31mred\e[0m \x9b2J last"
        labels: {team: "\e[2Jops"}
        environment: {TOKEN: in-file, PLAIN: innocent-name, URL: "http://u:in-url@h/"}
        env_file: vars.env
        probes:
          liveness: {exec: {command: [./check, "http://u:in-argument@h/"]}, period: 200ms}
          readiness:
            http: {port: 1, path: "/x?api_key=in-query", headers: {Authorization: Bearer in-header}}
            period: 200ms
      b: {command: ./none, environment: {TOKEN: in-b}, max_restarts: 0}
"""
SECRETS = ("in-command", "in-file", "innocent-name", "in-url", "in-env-file", "in-argument", "in-query", "in-header",
           "in-b", "from-caller")  # fmt: skip


def leaks(text: str) -> list[str]:
    """The secrets that stand in a text."""
    return [secret for secret in SECRETS if secret in text]


def secretive(project: Project) -> Project:
    """A project full of secrets that runs."""
    project.script("server", "#!/bin/sh\nexec sleep 1000\n")
    project.script("check", "#!/bin/sh\nexit 0\n")
    project.write("PASSPORT=in-env-file\n", "vars.env")
    project.write(FILE)
    project.up("--timeout", "1s", code=1, env={"CALLERS_TOKEN": "from-caller"})
    return project


def test_no_command_shows_a_secret_unless_asked(project: Project) -> None:
    """Values of variables, whatever their names, credentials in headers, and passwords in URLs."""
    secretive(project)
    eventually(lambda: project.ps()["a"]["reason"], "its readiness probe has failed")
    for args in (["ps"], ["ps", "--json"], ["events"], ["events", "--json"], ["describe", "a"], ["describe", "b"],
                 ["describe", "a", "--json"], ["ls"], ["ls", "--json"], ["logs"], ["up", "--dry-run"], ["validate"],
                 ["validate", "--json"]):  # fmt: skip
        result = project.ok(*args)
        assert not leaks(result.out + result.err), result
    project.write((project.dir / "stigmer.yaml").read_text().replace("in-file", "in-file-2").replace("in-header", "x"))
    result = project.up("--timeout", "1s", code=1)
    assert "environment" in result.err
    assert not leaks(result.out + result.err), result
    # It is the file that is printed here, so names decide (cli.md).
    assert leaks(project.ok("config").out) == ["innocent-name"]


def test_the_socket_answers_no_secret_and_the_supervisor_writes_none_down_for_others(project: Project) -> None:
    """Neither its answers, its log, its command line nor its notes; ``state.db`` is for its owner alone."""
    secretive(project)
    for path in ("/v1/ps", "/v1/components/a", "/v1/components/b", "/v1/events"):
        assert not leaks(json.dumps(ask(project, "GET", path)[1])), path
    state = project.dir / ".stigmer"
    for name in ("supervisor.log", "supervisor.json", "supervisor.lock"):
        assert not leaks((state / name).read_text())
    assert not leaks(Path(f"/proc/{project.supervisor_pid()}/cmdline").read_text())
    assert {oct(path.stat().st_mode & 0o777) for path in state.glob("state.db*")} == {"0o600"}


def test_what_is_asked_for_is_shown(project: Project) -> None:
    """``--show-secrets``, of ``describe`` and of ``config``."""
    secretive(project)
    shown = project.ok("describe", "a", "--show-secrets").out
    assert "TOKEN=in-file" in shown
    shown = project.ok("describe", "a", "--show-secrets", "--json").out
    assert set(leaks(shown)) == set(SECRETS) - {"in-b", "from-caller"}
    assert "in-header" in project.ok("config", "--show-secrets").out


def test_what_a_file_says_of_itself_cannot_touch_the_terminal(project: Project) -> None:
    """Descriptions and labels are shown with their control characters written out; JSON stays JSON."""
    secretive(project)
    text = project.ok("describe", "a").out
    assert "first \\u001b]0;title\\u0007" in text
    assert "\\u009b2J last" in text
    assert not [c for c in text if not c.isprintable() and c not in "\n\t"]
    assert project.ok("describe", "a", "--json").json["description"].startswith("first \x1b]0;title\x07")
    assert project.ok("ps", "--json").json["components"][0]["description"].endswith("\x9b2J last")
