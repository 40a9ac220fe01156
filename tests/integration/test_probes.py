"""Probes on real processes: what they restart and what they leave alone, and what a person sees of them."""

from __future__ import annotations

import http.client
import http.server
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.project import Project, eventually

_SERVER = f"{sys.executable} {Path(__file__).with_name('web_server.py')}"


@dataclass(frozen=True)
class Request:
    """A request that the server got."""

    pid: int
    at: float
    path: str
    answer: str


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody else takes: bound for as long as the test runs, without listening."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


def requests(project: Project) -> list[Request]:
    """What the server was asked so far."""
    path = project.dir / "requests"
    lines = path.read_text().splitlines() if path.exists() else []
    return [Request(int(pid), float(at), path, answer) for pid, at, path, answer in map(str.split, lines)]


def test_a_server_that_stops_answering_is_restarted_after_its_threshold_and_not_before(
    project: Project, port: int
) -> None:
    """Exactly ``failure_threshold`` attempts, a ``period`` apart, get no answer; then a new run."""
    project.write(f"""\
        components:
          web:
            command: {_SERVER} {port}
            probes:
              startup: {{tcp: {port}, period: 100ms, failure_threshold: 300}}
              liveness: {{http: {{port: {port}, path: /live}}, period: 400ms, timeout: 200ms, failure_threshold: 3}}
        """)
    project.up()
    first = project.pid("web")
    eventually(lambda: len(requests(project)) >= 3)
    (project.dir / "silent").touch()
    eventually(lambda: sum(r.answer == "silent" for r in requests(project)) >= 3)
    (project.dir / "silent").unlink()
    eventually(lambda: project.ps()["web"]["restarts"] == 1)
    project.ok("wait", "web")
    unanswered = [r for r in requests(project) if r.answer == "silent"]
    assert [r.pid for r in unanswered] == [first] * 3
    assert unanswered[-1].at - unanswered[0].at > 2 * 0.4 - 0.1
    assert all(r.pid != first for r in requests(project) if r.at > unanswered[-1].at)
    events = project.ok("events").out
    assert "liveness probe failed 3 times in a row" in events
    assert project.pid("web") != first


def test_one_that_is_slow_to_start_is_left_alone_for_its_startup_budget(project: Project, port: int) -> None:
    """Its liveness would end it after one failure, and isn't asked before the startup probe has succeeded."""
    project.write(f"""\
        components:
          web:
            command: {_SERVER} {port} 1.5
            probes:
              startup: {{http: {{port: {port}, path: /startup}}, period: 100ms, failure_threshold: 200}}
              liveness: {{http: {{port: {port}, path: /live}}, period: 100ms, failure_threshold: 1}}
        """)
    project.up()
    eventually(lambda: sum(r.path == "/live" for r in requests(project)) >= 3)
    found = project.ps()["web"]
    assert (found["restarts"], found["run"], found["ready"]) == (0, 1, True)
    assert requests(project)[0].path == "/startup"
    assert sum(r.path == "/startup" for r in requests(project)) == 1


def test_one_that_is_slower_than_its_startup_budget_is_restarted(project: Project, port: int) -> None:
    """And the reason names the probe and what it said."""
    project.write(f"""\
        components:
          web:
            command: {_SERVER} {port} 1000
            probes:
              startup: {{http: {{port: {port}}}, period: 100ms, failure_threshold: 5}}
        """)
    project.up("--no-wait")
    eventually(lambda: project.ps()["web"]["restarts"] >= 1)
    events = project.ok("events").out
    assert "startup probe failed 5 times in a row" in events
    assert "connection refused" in events


def test_readiness_flips_and_nothing_restarts(project: Project, port: int) -> None:
    """Not ready and ready again, in the same run; what depends on it goes on as well."""
    project.write(f"""\
        components:
          web:
            command: {_SERVER} {port}
            probes:
              readiness: {{http: {{port: {port}, path: /ready}}, period: 100ms, failure_threshold: 2}}
          user: {{command: sleep 1000, depends_on: {{web: {{condition: ready}}}}}}
        """)
    project.up()
    before = project.pids()
    for _ in range(2):
        (project.dir / "unready").touch()
        eventually(lambda: not project.ps()["web"]["ready"])
        (project.dir / "unready").unlink()
        eventually(lambda: project.ps()["web"]["ready"])
    assert project.pids() == before
    assert [c["restarts"] for c in project.ps().values()] == [0, 0]
    assert "answered 503" in project.ok("events").out


def test_up_says_which_probe_holds_it_up_with_its_own_output(project: Project, port: int) -> None:
    """An operator doesn't have to ask a second command; and ``describe`` has it as well."""
    (project.dir / "unready").touch()
    project.write(f"""\
        components:
          web:
            command: {_SERVER} {port}
            probes: {{readiness: {{http: {{port: {port}, path: /ready}}, period: 100ms}}}}
          user: {{command: sleep 1000, depends_on: {{web: {{condition: ready}}}}}}
        """)
    result = project.up("--timeout", "3s", code=1)
    assert "readiness probe" in result.err
    assert "answered 503" in result.err
    assert f"http://127.0.0.1:{port}/ready answered 503" in project.ok("describe", "web").out
    (project.dir / "unready").unlink()
    project.ok("wait", "user")


HUNG = """\
components:
  hung:
    command: sleep 1000
    probes:
      liveness:
        exec: [sh, -c, "setsid sleep 4321 & sleep 4322 & echo started >> attempts; trap '' TERM; wait"]
        period: 300ms
        timeout: {timeout}
        failure_threshold: 1000
  web:
    command: {server} {port}
    probes:
      startup: {{tcp: {port}, period: 100ms, failure_threshold: 300}}
      liveness: {{http: {{port: {port}, path: /live}}, period: 100ms}}
"""


def test_a_hung_probe_delays_nobody_and_leaves_nothing(project: Project, port: int) -> None:
    """Probes, restarts and commands of others go on as if it weren't there."""
    project.write(HUNG.format(timeout="300s", server=_SERVER, port=port))
    project.up()
    eventually((project.dir / "attempts").exists)
    eventually(lambda: len(requests(project)) >= 10, deadline=90.0)
    project.ok("restart", "web")
    project.ok("restart", "hung")
    eventually(lambda: (project.dir / "attempts").read_text().count("\n") == 2)
    assert list(project.living().values()).count("sleep 4321") <= 2
    project.ok("stop", "hung")
    eventually(lambda: not [c for c in project.living().values() if "sleep 432" in c])
    eventually(lambda: project.ps()["web"]["ready"])


def test_the_whole_tree_of_a_probe_that_takes_too_long_is_killed(project: Project, port: int) -> None:
    """At each timeout; attempts don't pile up."""
    project.write(HUNG.format(timeout="200ms", server=_SERVER, port=port))
    project.up()
    eventually(lambda: (project.dir / "attempts").exists() and (project.dir / "attempts").read_text().count("\n") >= 5)
    assert list(project.living().values()).count("sleep 4321") <= 2
    assert list(project.living().values()).count("sleep 4322") <= 2
    assert "no answer within 0.2s" in project.ok("describe", "hung").out
    project.ok("stop", "hung")
    eventually(lambda: not [c for c in project.living().values() if "sleep 432" in c])


EDITED = """
components:
  a:
    command: sleep 1000
    probes:
      liveness:
        exec: ["sh", "-c", "echo >> asked-{name}; until [ -e {name} ]; do sleep 0.02; done; exit {status}"]
        timeout: 300s
        failure_threshold: 1
"""


def test_what_a_probe_finds_that_has_been_edited_away_means_nothing(project: Project) -> None:
    """Its attempt was under way. It was counted as that of the probe in its place, so that the edit which mended a
    probe had its component restarted."""
    project.write(EDITED.format(name="old", status=1))
    project.up("--no-wait")
    eventually((project.dir / "asked-old").exists)
    pid = project.pid("a")
    project.write(EDITED.format(name="new", status=0))
    project.up("--no-wait")
    eventually((project.dir / "asked-new").exists)
    (project.dir / "old").touch()
    eventually(lambda: not [c for c in project.living().values() if "asked-old" in c], "the old attempt has ended")
    (project.dir / "new").touch()
    probe = eventually(lambda: project.ok("describe", "a", "--json").json["probes"][0]["last"] or None, pause=0.2)
    assert probe["outcome"] == "success"
    assert project.pid("a") == pid


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def _impossible(c: dict[str, Any]) -> list[str]:
    """What of one component's entry can't be."""
    phase, pid = c["phase"], c["pid"]
    rules = {
        "running without a pid": phase in ("running", "stopping") and pid is None,
        "a pid without a run": phase in ("stopped", "completed", "failed", "backoff", "waiting") and pid is not None,
        "ready and not running": c["ready"] and phase != "running",
        "ready and not started": c["ready"] and not c["started"],
        "waiting for a next start and not in backoff": (c["next_restart"] is not None) != (phase == "backoff"),
        "it rests without a reason": phase in ("stopped", "failed", "stopping", "backoff") and not c["reason"],
    }
    return [f"{c['name']}: {words}" for words, is_so in rules.items() if is_so]


def test_who_looks_every_ten_milliseconds_never_sees_what_cannot_be(project: Project, port: int) -> None:
    """Through restarts, crashes and backoff; and the phases on the way are there to be seen."""
    project.script("slow", "#!/bin/sh\ntrap 'sleep 0.3; exit 0' TERM\nwhile :; do sleep 0.05; done\n")
    project.write(f"""\
        components:
          web:
            command: {_SERVER} {port}
            probes: {{readiness: {{http: {{port: {port}, path: /ready}}, period: 100ms}}}}
          slow: {{command: ./slow, depends_on: {{web: {{condition: ready, restart: true}}}}}}
          crash: {{command: sh -c 'sleep 0.1; exit 1', backoff: {{initial: 200ms, max: 400ms}}, max_restarts: 1000}}
        """)
    project.up("--no-wait")
    project.ok("wait", "slow")
    address = json.loads((project.dir / ".stigmer" / "supervisor.json").read_text())["socket"]
    seen: dict[str, set[str]] = {}
    wrong: list[str] = []
    done = threading.Event()

    def look() -> None:
        connection = _UnixConnection(address)
        while not done.wait(0.01):
            connection.request("GET", "/v1/ps")
            for component in json.loads(connection.getresponse().read())["components"]:
                seen.setdefault(component["name"], set()).add(component["phase"])
                wrong.extend(_impossible(component))
        connection.close()

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for _ in range(3):
            project.ok("restart", "web")
            project.ok("wait", "slow")
    finally:
        done.set()
        watcher.join()
    assert wrong == []
    assert seen["slow"] >= {"running", "stopping"}
    assert seen["crash"] >= {"running", "backoff"}


def test_what_ps_prints_through_a_restart_is_possible_as_well(project: Project) -> None:
    """The command itself, from before it stops until after it has been started again."""
    wait = "while [ ! -e go ]; do sleep 0.02; done; exit 0"
    project.script("slow", f"#!/bin/sh\ntrap '{wait}' TERM\nwhile :; do sleep 0.05; done\n")
    project.write("components: {slow: {command: ./slow, stop_timeout: 60s}}\n")
    project.up()
    restart = project.start("restart", "slow")
    phases = []
    while restart.poll() is None:
        found = project.ps()["slow"]
        phases.append(found["phase"])
        assert _impossible(found) == []
        if phases[-2:] == ["stopping", "stopping"]:
            (project.dir / "go").touch()
    restart.communicate()
    assert restart.returncode == 0
    assert "stopping" in phases


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sh -c 'echo the disk is on fire; exit 3'", "exited 3"),
        ("./not-there", "not found"),
    ],
)
def test_a_dependency_that_failed_is_the_reason_with_its_last_lines(project: Project, command: str, words: str) -> None:
    """``up`` and ``wait`` return at once, whatever time they were given."""
    project.write(f"""\
        components:
          db: {{command: {command}, restart: "no"}}
          web: {{command: sleep 1000, depends_on: {{db: {{condition: completed}}}}}}
        """)
    before = time.monotonic()
    result = project.up("--timeout", "100s", code=1)
    waited = project.run("wait", "web", "--timeout", "100s")
    assert time.monotonic() - before < 50
    assert waited.code == 1
    for told in (result.err, waited.err):
        assert "web: " in told
        assert "db" in told
        assert words in told
    if "echo" in command:
        assert "the disk is on fire" in result.err
    assert "db" in project.ps()["web"]["reason"]


def test_a_dependency_that_fails_twice_and_then_gets_ready_is_waited_for(project: Project) -> None:
    """It was not given up on, so neither are those that wait for it."""
    project.script(
        "third-time", "#!/bin/sh\necho x >> tries\n[ $(wc -l < tries) -ge 3 ] || exit 1\ntouch open; exec sleep 1000\n"
    )
    project.write("""\
        components:
          db:
            command: ./third-time
            backoff: {initial: 100ms}
            probes: {readiness: {exec: [test, -e, open], period: 100ms}}
          web: {command: sleep 1000, depends_on: [db]}
        """)
    project.up()
    assert project.ps()["web"]["ready"]
    assert project.ps()["db"]["run"] == 3


class _Yes(http.server.BaseHTTPRequestHandler):
    """Says yes to whatever it is asked."""

    def do_GET(self) -> None:
        """204."""
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nowhere."""


@pytest.mark.parametrize("probe", ["readiness: {tcp: PORT}", "startup: {http: 'http://127.0.0.1:PORT/'}"])
def test_a_port_that_a_stranger_answers_makes_nothing_ready_that_dies_of_it(project: Project, probe: str) -> None:
    """Two projects with one port, say: the probe passes at its first attempt, and a moment later the component dies,
    for it can't have the port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Yes) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        port = str(stranger.server_address[1])
        server = project.write(
            f"import socket, time\ntime.sleep(0.2)\nsocket.create_server(('127.0.0.1', {port}))\n", "web.py"
        )
        project.write(f"""\
            components:
              web:
                command: {sys.executable} {server}
                backoff: 60s
                probes: {{{probe.replace("PORT", port)}}}
            """)
        result = project.up(code=1)
        stranger.shutdown()
    assert "ready (pid" not in result.err
    assert "web: backoff, exited 1" in result.err
    assert "Address already in use" in result.err


def test_a_server_whose_own_port_opens_late_is_ready_at_once(project: Project, port: int) -> None:
    """The probe has failed in this very run, so nobody else answers now, and there is nothing to wait for."""
    project.write(f"""\
        components:
          web:
            command: {_SERVER} {port}
            probes: {{readiness: {{tcp: {port}}}}}
        """)
    result = project.up("--settle", "60s", timeout=30)
    assert "web: ready (pid" in result.err
