"""Requests that no client of ours makes: refused in words, and whoever is supervised doesn't notice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stigmer_pm.config import load
from stigmer_pm.spec.codec import encode
from tests.integration.test_attacks import ask
from tests.integration.test_rude_clients import cpu_seconds
from tests.project import Project, make_project

FILE = """\
components:
  a:
    command: sleep 1000
    probes: {liveness: {exec: 'true'}, readiness: {tcp: 1}, startup: {log: x, failure_threshold: 1000}}
    depends_on: [b]
  b: {command: sleep 1000}
"""

#: A place in a spec, and what no file puts there. Each of these ended the supervisor, or put a traceback into its log.
IMPOSSIBLE: dict[str, tuple[str, Any]] = {
    "a name of a file elsewhere": ("name", "../../a"),
    "a name with a NUL": ("name", "a\0b"),
    "a name with half a character": ("name", "\ud800"),
    "nothing to execute": ("process.argv", []),
    "neither process nor container": ("process", None),
    "a probe without a check": ("probes.liveness.exec", None),
    "a probe that executes nothing": ("probes.liveness.exec.argv", []),
    "a probe in another's place": ("probes.liveness.kind", "startup"),
    "a probe all the time": ("probes.liveness.period", 0),
    "a probe without time": ("probes.liveness.timeout", -1),
    "a port that is none": ("probes.readiness.tcp.port", 65536),
    "a pattern that is none": ("probes.startup.log.pattern", "("),
    "a dependency that is not there": ("depends_on", [{"name": "c", "condition": "started"}]),
    "a signal that is none": ("stop_signal", 2**31),
    "a duration that is none": ("stop_timeout", 1e300),
    "a number that JSON does not have": ("min_uptime", float("inf")),
    "a backoff that shrinks": ("backoff.factor", 0),
    "a backoff beyond all numbers": ("backoff.factor", 1e11),
    "a umask that is none": ("process.umask", -1),
    "a niceness that is none": ("process.nice", 2**40),
    "a limit that is none": ("process.limits.nofile", 2**70),
    "a log that lies nowhere": ("process.log", "a.log"),
    "a text with a NUL": ("description", "\0"),
    "a text with half a character": ("labels", {"a": "\ud800"}),
}


@pytest.fixture(scope="module")
def running() -> Iterator[Project]:
    """A project that runs, for all of them."""
    for project in make_project():
        project.write(FILE)
        project.up("--no-wait")
        yield project


def pids(project: Project) -> list[int]:
    """Of what runs."""
    return [component["pid"] for component in ask(project, "GET", "/v1/ps")[1]["components"]]


@pytest.mark.parametrize("name", sorted(IMPOSSIBLE))
def test_a_spec_that_no_file_gives_is_refused_and_ends_nothing(running: Project, name: str) -> None:
    """The supervisor answers in a line, and has no traceback in its log."""
    place, value = IMPOSSIBLE[name]
    spec = encode(load(str(running.dir / "stigmer.yaml"), {}))
    *path, last = place.split(".")
    part = spec["components"][0]
    for key in path:
        part = part[key]
    part[last] = value
    before, supervisor = pids(running), running.supervisor_pid()
    status, answer = ask(running, "POST", "/v1/apply", {"spec": spec})
    assert status == 400, answer
    assert answer["error"]["message"].startswith(("cannot read the spec: component '", "the request is no JSON: "))
    assert pids(running) == before
    assert running.supervisor_pid() == supervisor
    assert "Traceback" not in Path(running.dir, ".stigmer", "supervisor.log").read_text(encoding="utf-8")


def test_a_file_s_own_spec_is_taken(running: Project) -> None:
    """So what is refused above is refused for what was changed in it."""
    spec = encode(load(str(running.dir / "stigmer.yaml"), {}))
    status, answer = ask(running, "POST", "/v1/apply", {"spec": spec, "dry_run": True})
    assert (status, answer["changes"]) == (200, [])


def test_a_down_that_is_refused_stops_nothing(running: Project) -> None:
    """It answered that the timeout is none, and had begun to stop everything."""
    before = pids(running)
    status, answer = ask(running, "POST", "/v1/down", {"timeout": "soon"})
    assert (status, answer["error"]["message"]) == (400, "timeout must be a number of seconds, or null")
    assert pids(running) == before
    assert running.ok("restart", "b").code == 0


def test_a_pattern_of_names_without_end_keeps_nobody_waiting(running: Project) -> None:
    """One of 32 KB with a bracket in each second place took minutes."""
    began = cpu_seconds(running.supervisor_pid())
    for name in ("[a" * 16_000, "*a" * 100_000):
        status, answer = ask(running, "POST", "/v1/stop", {"names": [name]})
        assert status == 404
        assert answer["error"]["message"] == f"no component is called '{name[:60]}…': a name has at most 256 characters"
    assert cpu_seconds(running.supervisor_pid()) - began < 5


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/v1/stop", {"all": "no"}, "all must be true or false"),
        ("/v1/restart", {"names": ["b"], "all": [0]}, "all must be true or false"),
        ("/v1/stop", {"labels": {"tier": None}}, "labels must be an object of strings"),
        ("/v1/apply", {"spec": "SPEC", "dry_run": "false"}, "dry_run must be true or false"),
        ("/v1/wait", {"select": []}, "a selection must be an object"),
        ("/v1/signal", {"names": ["a"], "signal": "\u0661"}, "cannot send the signal: no signal is called '\u0661'"),
        ("/v1/signal", {"names": ["a"], "signal": "X" * 100_000}, f"no signal is called '{'X' * 60}'"),
        ("/v1/upgrade", {"python": "/" + "x" * 100_000}, "python must be the path of an interpreter"),
    ],
)
def test_what_is_not_quite_as_the_document_has_it_means_nothing(
    running: Project, path: str, body: dict[str, Any], words: str
) -> None:
    """``"all": "no"`` stopped everything; and a number in the digits of another script was a signal."""
    if "spec" in body:
        body = {**body, "spec": encode(load(str(running.dir / "stigmer.yaml"), {}))}
    before = pids(running)
    status, answer = ask(running, "POST", path, body)
    assert (status, words in answer["error"]["message"]) == (400, True), answer
    assert len(answer["error"]["message"]) < 300
    assert pids(running) == before
