"""What servers, clients and surroundings of bad manners can't do to a supervisor; real processes."""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from tests.project import Project, eventually


@pytest.fixture
def endless() -> Iterator[int]:
    """A server that answers "100 Continue" and never anything else; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            while True:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield int(listener.getsockname()[1])
    listener.close()


def test_a_server_that_never_comes_to_its_answer_fails_its_probe_and_nothing_else(
    project: Project, endless: int
) -> None:
    """The supervisor goes on with everything else."""
    project.write(f"""\
        components:
          a: {{command: sleep 1000, probes: {{readiness: {{http: {{port: {endless}}}, period: 200ms}}}}}}
          b: {{command: sleep 1000}}
        """)
    project.up("--timeout", "2s", code=1)
    assert "informational" in project.ps()["a"]["reason"]
    os.kill(project.pid("b"), signal.SIGKILL)
    eventually(lambda: project.ps()["b"]["restarts"] == 1)


@pytest.mark.parametrize("closed", ["<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_up_with_closed_streams_starts_one_supervisor(project: Project, closed: str) -> None:
    """What cron and some daemons give their children."""
    project.write("components: {a: {command: sleep 1000}}\n")
    command = f"{sys.executable} -m stigmer_pm up {closed}"
    subprocess.run(["sh", "-c", command], cwd=project.dir, env=project.environ, check=False, timeout=60)
    pid = project.pid("a")
    assert "nothing changed" in project.up().out
    assert project.pid("a") == pid
    assert sum(command.endswith("up") for command in project.living().values()) == 1


def test_a_supervisor_that_dies_at_its_very_beginning_is_not_taken_for_none(project: Project) -> None:
    """It has started something and left no address: ``down`` ends that, and ``ps`` doesn't say that nothing runs."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    os.kill(project.supervisor_pid(), signal.SIGKILL)
    (project.dir / ".stigmer" / "supervisor.json").unlink()
    result = project.run("ps")
    assert result.code == 3
    assert "has died; what it ran goes on" in result.err
    assert "nothing changed" in project.up().out
    os.kill(project.supervisor_pid(), signal.SIGKILL)
    (project.dir / ".stigmer" / "supervisor.json").unlink()
    project.ok("down")
    eventually(lambda: not project.living())


def test_something_else_in_the_place_of_the_socket_is_said_before_anything_is_started(project: Project) -> None:
    """A folder can't be replaced by a socket."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    path = json.loads((project.dir / ".stigmer" / "supervisor.json").read_text())["socket"]
    project.ok("down")
    os.mkdir(path)
    result = project.run("up")
    assert result.code == 2, result
    assert "no socket" in result.err
    assert not project.living()


def test_what_a_probe_prints_cannot_touch_the_terminal_and_stays_in_one_line(project: Project) -> None:
    """Nor does it fill the screen; ``describe`` has all of it."""
    output = r"one\ntwo \033[31m \033]0;title\007" + "x" * 1000
    project.script("shout", f"#!/bin/sh\nprintf '{output}'\nexit 1\n")
    project.write("""\
        components:
          a: {command: sleep 1000, probes: {readiness: {exec: ./shout, period: 200ms}}}
        """)
    result = project.up("--timeout", "1s", code=1)
    for text in (result.err, project.ok("ps").out, project.ok("events").out, project.ok("describe", "a").out):
        assert "\x1b" not in text
        assert "\x07" not in text
    (line,) = [line for line in project.ok("ps").out.splitlines() if "one" in line]
    assert "one two" in line
    assert len(line) < 400


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def ask(project: Project, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """What the supervisor answers to a request as no client of ours would send it."""
    address = json.loads((project.dir / ".stigmer" / "supervisor.json").read_text())["socket"]
    with closing(_UnixConnection(address)) as connection:
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


def test_a_slip_in_a_request_does_not_widen_it_to_everything(project: Project) -> None:
    """Neither a key that nobody knows nor nothing at all means all."""
    project.write("components: {a: {command: sleep 1000}, b: {command: sleep 1000}}\n")
    project.up()
    before = project.pids()
    for verb in ("stop", "restart", "reset"):
        assert ask(project, "POST", f"/v1/{verb}", {"name": ["a"]})[0] == 400
        assert ask(project, "POST", f"/v1/{verb}")[0] == 400
    assert ask(project, "POST", "/v1/signal", {"name": "a", "signal": "TERM"})[0] == 400
    assert ask(project, "POST", "/v1/wait", {"select": 1})[0] == 400
    assert ask(project, "GET", "/v1/events?limit=" + "9" * 5000)[0] == 200
    assert project.pids() == before
    result = project.run("restart", b"\xff".decode(errors="surrogateescape"))
    assert result.code == 2
    assert "no component is called" in result.err


def test_a_death_that_nothing_could_tell_is_noticed(project: Project) -> None:
    """Without a free descriptor nobody can look what a dead leader left; the look that comes by itself finds it."""
    project.write("components: {a: {command: sleep 1000}, b: {command: sleep 1000}}\n")
    project.up()
    supervisor, pid = project.supervisor_pid(), project.pid("a")
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{supervisor}/fd")), 1024))
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not os.path.exists(f"/proc/{pid}"), "it is collected")
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (1024, 1024))
    eventually(lambda: (told := project.told()) and told["a"]["pid"] not in (None, pid), deadline=60.0)


def test_a_chain_of_dependencies_may_be_long(project: Project) -> None:
    """Whoever waits for the last one waits for all of it, and slows nobody."""
    length = 700
    chain = "".join(f"  c{i:03}: {{command: sleep 1000, depends_on: [c{i - 1:03}]}}\n" for i in range(1, length))
    project.write("components:\n  c000: {command: sleep 1000}\n" + chain)
    result = project.up("--settle", "0s")
    assert f"{length} components ready" in result.out


def test_a_supervisor_that_hangs_does_not_take_more_than_the_timeout(project: Project) -> None:
    """A few seconds of grace, and not a minute."""
    commands = [["restart", "a"], ["up"], ["stop", "a"], ["wait", "a"], ["down"]]
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    supervisor = project.supervisor_pid()
    os.kill(supervisor, signal.SIGSTOP)
    try:
        results = project.run_together(*([*command, "--timeout", "1s"] for command in commands), timeout=45.0)
    finally:
        os.kill(supervisor, signal.SIGCONT)
    for result in results:
        assert result.code == 3, result
        assert f"the supervisor (pid {supervisor}) doesn't answer" in result.err


def test_a_pattern_that_takes_for_ever_keeps_nobody_waiting(project: Project) -> None:
    """A line of 30 characters kept the supervisor busy for minutes: no ps, no restart, no stop."""
    project.write("""\
        components:
          a: {command: 'echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!; exec sleep 1000', shell: true,
              probes: {startup: {log: '(a+)+b$', period: 100ms, failure_threshold: 1000}}}
          b: {command: sleep 1000}
        """)
    project.up("--timeout", "3s", code=1)
    assert "takes too long" in project.run("describe", "a").out
    os.kill(project.pid("b"), signal.SIGKILL)
    eventually(lambda: project.ps()["b"]["restarts"] == 1)


def test_pipes_in_the_place_of_files_of_ours_keep_nobody_waiting(project: Project) -> None:
    """Whoever opens a pipe waits until somebody opens its other end: a component could hang its supervisor with it."""
    project.write("components: {a: {command: sleep 1000, min_uptime: 1ms}}\n")
    project.up()
    before, supervisor = project.pid("a"), project.supervisor_pid()
    for name in ("pids/a.pid", "supervisor.json", "supervisor.lock", "supervisor.log", "state.db"):
        (project.state / name).unlink()
        os.mkfifo(project.state / name)
    assert project.run("ps", timeout=20.0).code == 0
    os.kill(before, signal.SIGKILL)
    eventually(lambda: project.told().get("a", {}).get("pid") not in (None, before), "it is restarted")
    running = project.pid("a")
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: supervisor not in project.living())
    result = project.run("up", timeout=30.0)
    assert result.code == 0, result
    assert project.pid("a") == running
    project.ok("down", timeout=30.0)
    eventually(lambda: not project.living(), "it has ended, which the lock can't tell")
