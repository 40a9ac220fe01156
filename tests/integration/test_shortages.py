"""When the machine is short of something: what runs isn't hurt, the trouble is said, and all recovers by itself."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import time

import pytest

from tests.integration import short_of_memory
from tests.integration.short_of_memory import Memory
from tests.other_user import other_user_of
from tests.project import Project, eventually

#: Waits of at most 0.2 s, and two restarts at most: one that is given up on is given up on soon.
QUICK = "max_restarts: 2, backoff: {initial: 100ms, max: 200ms}"


def cannot_start(project: Project, name: str, words: str) -> None:
    """Wait until an instance has been tried more often than failed runs are, and says why."""
    eventually(lambda: words in project.ps()[name]["reason"], f"'{words}' is said", pause=0.2)
    eventually(lambda: project.ps()[name]["run"] > 6, "it is tried again and again", pause=0.3)
    assert project.ps()[name]["phase"] in ("backoff", "starting", "waiting")
    assert words in project.ok("events", name).out


def descriptors_after(pid: int, seconds: float) -> int:
    """How many descriptors a process has, some time from now."""
    time.sleep(seconds)
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_with_no_process_to_be_had_nothing_is_hurt_and_what_died_comes_back(project: Project) -> None:
    """EAGAIN on fork. A probe that is a command can't be asked, which is no failure of who is asked about."""
    other = other_user_of(project, uid=200_000 + os.getpid() % 50_000)  # its processes are counted, so they are its own
    other.write(f"""\
components:
  a: {{command: sleep 1000, {QUICK}}}
  b:
    command: sleep 1000
    probes: {{liveness: {{exec: "true", period: 200ms, failure_threshold: 1}}}}
""")
    assert other.run("up").code == 0
    looked_at = ProjectOf(other.dir, project)
    supervisor, b = looked_at.supervisor_pid(), looked_at.pid("b")
    assert other.execute("prlimit", f"--pid={supervisor}", "--nproc=1:").code == 0
    os.kill(looked_at.pid("a"), signal.SIGKILL)
    cannot_start(looked_at, "a", "cannot make a process: resource temporarily unavailable: its user, its container")
    assert (looked_at.pid("b"), looked_at.ps()["b"]["restarts"]) == (b, 0)
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    assert other.execute("prlimit", f"--pid={supervisor}", f"--nproc={hard}:").code == 0
    looked_at.wait_phase("a", "running")
    assert (looked_at.pid("b"), looked_at.supervisor_pid()) == (b, supervisor)
    assert other.run("down").code == 0
    assert "Traceback" not in (other.dir / ".stigmer" / "supervisor.log").read_text()


class ProjectOf(Project):
    """Somebody else's project, as root sees it."""

    def __init__(self, folder: object, beside: Project) -> None:
        self.dir = folder  # type: ignore[assignment]
        self.mark, self.environ, self._started = beside.mark, beside.environ, []


def test_up_with_no_process_to_be_had_says_so(project: Project) -> None:
    """One line and the cure, and nothing is left."""
    other = other_user_of(project, uid=200_000 + os.getpid() % 50_000)
    other.write("components: {a: {command: sleep 1000}}\n")
    for command in (["up"], ["up", "--no-wait"]):
        result = other.run(*command, prefix=("prlimit", "--nproc=0"))
        assert result.code == 1, result
        assert result.err.startswith("error: cannot make a process for the supervisor: resource temporarily unavail")
        assert "ulimit -u" in result.err
        assert len(result.err.splitlines()) == 2
    assert not (other.dir / ".stigmer").exists()


@pytest.mark.skipif(bool(short_of_memory.lacking()), reason=short_of_memory.lacking())
def test_with_no_memory_for_a_process_nothing_is_hurt_and_what_died_comes_back(project: Project) -> None:
    """ENOMEM on fork, be it the fast kind or that of a component with limits of its own."""
    project.write(f"""
        components:
          a: {{command: sleep 1000, {QUICK}}}
          b: {{command: sleep 1000, probes: {{liveness: {{exec: "true", period: 200ms, failure_threshold: 1}}}}}}
          c: {{command: sleep 1000, nice: 1, {QUICK}}}
        """)
    memory = Memory()
    with short_of_memory.up(project, memory) as process:
        process.communicate(timeout=60)
        assert process.returncode == 0
        supervisor, before = project.supervisor_pid(), project.pids()
        memory.is_short_for = supervisor
        for name in ("a", "c"):
            os.kill(project_pid(project, name), signal.SIGKILL)
        for name in ("a", "c"):
            cannot_start(project, name, "cannot make a process: cannot allocate memory: the machine, or the cgroup of")
        assert memory.refused > 12
        assert (project.pid("b"), project.ps()["b"]["restarts"]) == (before["b"], 0)
        memory.is_short_for = None
        for name in ("a", "c"):
            project.wait_phase(name, "running")
            assert project.pid(name) != before[name]
        assert (project.pid("b"), project.ps()["b"]["restarts"]) == (before["b"], 0)
        assert project.supervisor_pid() == supervisor
        assert "Traceback" not in (project.state / "supervisor.log").read_text()
        project.ok("down")


@pytest.mark.skipif(bool(short_of_memory.lacking()), reason=short_of_memory.lacking())
def test_up_with_no_memory_for_a_process_says_so(project: Project) -> None:
    """One line and the cure, and nothing is left."""
    project.write("components: {a: {command: sleep 1000}}\n")
    memory = Memory()
    memory.is_short_for = 0
    with short_of_memory.up(project, memory) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1, (out, err)
    assert err.startswith("error: cannot make a process for the supervisor: cannot allocate memory")
    assert len(err.splitlines()) == 2
    assert not project.state.exists()


def test_with_no_descriptor_to_be_had_nothing_is_hurt_and_what_died_comes_back(project: Project) -> None:
    """EMFILE. Enough are left for ``ps``, and not for a start. A job that is never restarted is tried again as well,
    for it has not been started yet."""
    project.write(f"""\
        components:
          a: {{command: sleep 1000, {QUICK}}}
          b: {{command: sleep 1000, probes: {{liveness: {{exec: "true", period: 200ms, failure_threshold: 1}}}}}}
          job: {{command: echo done, restart: "no", autostart: false, {QUICK}}}
        """)
    project.up()
    supervisor, b = project.supervisor_pid(), project.pid("b")
    hard = resource.prlimit(supervisor, resource.RLIMIT_NOFILE)[1]
    # When nobody asks and no probe is under way: what was counted with them would be enough for a start.
    used = min(descriptors_after(supervisor, 0.02) for _ in range(50))
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (used + 2, hard))
    os.kill(project.pid("a"), signal.SIGKILL)
    cannot_start(project, "a", "too many open files")
    assert project.run("start", "job").code == 1
    cannot_start(project, "job", "too many open files")
    assert (project.ps()["a"]["failed_runs"], project.ps()["a"]["restarts"]) == (1, 1)
    assert (project.pid("b"), project.ps()["b"]["restarts"]) == (b, 0)
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (hard, hard))
    project.wait_phase("a", "running")
    project.wait_phase("job", "completed")
    assert project.log("job") == b"done\n"
    assert (project.ps()["a"]["failed_runs"], project.ps()["a"]["restarts"]) == (1, 1)
    assert (project.pid("b"), project.ps()["b"]["restarts"]) == (b, 0)
    assert "Traceback" not in (project.dir / ".stigmer" / "supervisor.log").read_text()


def test_with_no_descriptor_at_all_the_supervisor_waits_and_goes_on(project: Project) -> None:
    """Nobody can be let in then; when there are some, everything has gone on as it was, the resync included.

    A probe can't be asked, which is no failure of who is asked about; nor is its host unknown.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        go_without_descriptors(project, server.getsockname()[1])


def go_without_descriptors(project: Project, port: int) -> None:
    """``b`` lives as long as somebody listens at ``port``, who is there."""
    project.write(f"""\
        components:
          a: {{command: sleep 1000}}
          b:
            command: sleep 1000
            probes: {{liveness: {{tcp: {{host: localhost, port: {port}}}, period: 200ms, failure_threshold: 1}}}}
        """)
    project.up()
    supervisor, b = project.supervisor_pid(), project.pid("b")
    hard = resource.prlimit(supervisor, resource.RLIMIT_NOFILE)[1]
    address = project.dir / ".stigmer" / "supervisor.json"
    path = json.loads(address.read_text())["socket"]
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (3, hard))
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(path)
        os.kill(project_pid(project, "a"), signal.SIGKILL)
        address.unlink()  # so that the resync has something to do, and can't
        log = project.dir / ".stigmer" / "supervisor.log"
        eventually(lambda: "cannot write the address down" in log.read_text(), "a resync has come by", 30.0)
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (hard, hard))
    eventually(address.exists, "the address is there again", 30.0)
    eventually(lambda: project.ps()["a"]["pid"], "a runs")
    assert project.pid("b") == b


def project_pid(project: Project, name: str) -> int:
    """The pid of an instance without asking anybody."""
    return int((project.dir / ".stigmer" / "pids" / f"{name}.pid").read_text())


@pytest.mark.parametrize("limit", [6, 7, 8, 10])
def test_a_command_that_is_short_of_descriptors_shows_no_traceback(project: Project, limit: int) -> None:
    """Whatever it is that it can't open; Python itself needs five."""
    project.write("components: {a: {command: sleep 1000}}\n")
    for command in ("up", "ps"):
        done = subprocess.run(
            ["prlimit", f"--nofile={limit}", *project.argv(command)],
            cwd=project.dir, env=project.environ, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in (0, 1, 2, 3), done
        assert "internal error" not in done.stderr, done.stderr
