"""The moments around the exec of an upgrade: what comes in them isn't lost, and an exec that fails has cost nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ..project import Project, eventually

#: What ends a program, or a supervisor.
ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)

WEB = """
    components:
      web: {command: ["sh", "-c", "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done"]}
"""

# The program whose supervisor says when it is about to execute its successor, waits there, and may fail.
HELD_UP = """\
import os, sys, time
from pathlib import Path

execve = os.execve

def held_up(path, arguments, environment):
    Path(os.environ["HERE"]).touch()
    while not Path(os.environ["GO"]).exists():
        time.sleep(0.01)
    if Path(os.environ["GO"]).read_text() == "fail":
        raise OSError(12, "Cannot allocate memory")
    execve(path, arguments, environment)

os.execve = held_up
from stigmer_pm.__main__ import main
sys.exit(main())
"""


def up(project: Project) -> None:
    """With the program above; its supervisor has threads beside the main one."""
    variables = {"HERE": str(project.dir / "here"), "GO": str(project.dir / "go")}
    command = [sys.executable, "-c", HELD_UP, "up"]
    subprocess.run(command, cwd=project.dir, env={**project.environ, **variables}, check=True, timeout=60)
    assert len(threads(project)) > 1, "another thread that a signal could come to"


def threads(project: Project) -> list[Path]:
    """Those of the supervisor, as /proc has them."""
    return list(Path(f"/proc/{project.supervisor_pid()}/task").iterdir())


@contextmanager
def before_the_exec(project: Project, then: str) -> Iterator[subprocess.Popen[str]]:
    """An ``upgrade`` whose supervisor holds signals back and executes nothing yet for as long as the block."""
    process = project.start("upgrade", "--timeout", "5s")
    eventually((project.dir / "here").exists, "it is about to execute the next one")
    try:
        yield process
    finally:
        (project.dir / "go").write_text(then)


@pytest.mark.parametrize("then", ["execute", "fail"])
def test_a_sigterm_right_before_the_exec_is_not_lost(project: Project, then: str) -> None:
    """It stays with the process, and the next supervisor stops everything; or this one, when it isn't replaced."""
    project.write(WEB)
    up(project)
    eventually(lambda: b"hello" in project.log("web"))
    supervisor = project.supervisor_pid()
    with before_the_exec(project, then) as upgrade:
        os.kill(supervisor, signal.SIGTERM)
    upgrade.communicate(timeout=60)
    eventually(lambda: not project.living(), "everything is stopped")
    assert project.log("web").endswith(b"bye\n")


def test_an_exec_that_fails_has_cost_nothing(project: Project) -> None:
    """The interpreter is gone between the trial and the exec. The attempt of a probe that was under way has neither
    failed nor passed, though its command was ended."""
    folder = project.dir / "venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    project.write(
        """
        import os, sys
        if "stigmer_pm.selfcheck" in sys.orig_argv:
            os.unlink(sys.executable)
        """,
        "late/sitecustomize.py",
    )
    probe = "{exec: [sleep, '777'], timeout: 300, period: 1, failure_threshold: 1}"
    project.write(f"components: {{a: {{command: sleep 1000, probes: {{liveness: {probe}}}}}}}\n")
    project.up("--no-wait")
    before, began = project.wait_phase("a", "running"), project.supervisor_pid()
    asked = eventually(lambda: [pid for pid, command in project.living().items() if command == "sleep 777"])
    path = os.pathsep.join([str(project.dir / "late"), *(entry for entry in sys.path if os.path.isabs(entry))])
    result = subprocess.run(
        [str(folder / "python"), "-m", "stigmer_pm", "upgrade", "--timeout", "2s"],
        cwd=project.dir, env={**project.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 1, result
    assert "has not been replaced; it goes on as before" in result.stderr
    again = eventually(lambda: [p for p, c in project.living().items() if c == "sleep 777" and p not in asked])
    assert len(again) == 1, "it is asked anew"
    after = project.ps()["a"]
    assert (after["pid"], after["restarts"], after["failed_runs"]) == (before["pid"], 0, 0)
    assert project.supervisor_pid() == began
    assert "probe-fails" not in project.ok("events").out
    assert "not replaced: [Errno 2]" in (project.state / "supervisor.log").read_text()


def test_what_starts_in_these_moments_hears_every_signal(project: Project) -> None:
    """A program inherits the signals that are blocked where it is started, and one with SIGTERM would have to be
    killed."""
    # No shell: some clear what they inherit of this kind.
    look = "import time; print(*(row for row in open('/proc/self/status') if 'SigBlk' in row)); time.sleep(0.03)"
    command = json.dumps([sys.executable, "-I", "-S", "-u", "-c", look])
    restless = f"{{command: {command}, min_uptime: 1ms, max_restarts: unlimited}}"
    project.write("components:\n" + "".join(f"  a{i}: {restless}\n" for i in range(6)))
    project.up("--no-wait")
    for _ in range(3):
        project.ok("upgrade")
    lines = {line for i in range(6) for line in project.log(f"a{i}").splitlines() if line}
    assert lines == {b"SigBlk:\t0000000000000000"}


def test_no_thread_of_a_supervisor_hears_a_signal_but_the_main_one(project: Project) -> None:
    """Whatever begins it: opening the door, host names, the library that asks gRPC services, the Docker SDK."""
    probes = ", ".join((
        "startup: {exec: [test, -e, stigmer.yaml]}",
        "readiness: {http: 'http://localhost:1/', period: 100ms, timeout: 100ms}",
        "liveness: {grpc: {port: 1}, period: 100ms, timeout: 100ms, failure_threshold: 1000}",
    ))  # fmt: skip
    project.write(f"""
        components:
          a: {{command: sleep 1000, probes: {{{probes}}}}}
          c: {{image: none}}
    """)
    project.up("--no-wait", env={"DOCKER_HOST": "tcp://localhost:1"})
    seen: set[str] = set()

    def look() -> bool:
        main = str(project.supervisor_pid())
        for thread in threads(project):
            with suppress(OSError):  # it has ended
                rows = dict(row.split(":", 1) for row in (thread / "status").read_text().splitlines())
                if thread.name != main:
                    blocked = int(rows["SigBlk"], 16)
                    assert all(blocked >> (number - 1) & 1 for number in ENDING), (rows["Name"], rows["SigBlk"])
                    seen.add(rows["Name"].strip())
        return {"lifeguard", "event_engine"} <= seen and len(seen) > 2

    eventually(look, f"all kinds of threads were seen: {seen}")
    assert project.ps()["a"]["restarts"] == 0


@pytest.mark.parametrize("in_front", [False, True])
def test_a_successor_that_cannot_have_the_state_folder_says_so_in_the_log(project: Project, in_front: bool) -> None:
    """Since the trial, every user may write the folder above it. What runs goes on, and ``up`` finds it again."""
    project.write("components: {a: {command: sleep 1000}}\n")
    process = project.start("up", "--foreground") if in_front else None
    if process is None:
        project.up()
    eventually(lambda: project.answers() and project.pid("a"))
    pid, supervisor = project.pid("a"), project.supervisor_pid()
    project.write(
        f"""
        import os, sys
        if "stigmer_pm.selfcheck" in sys.orig_argv:
            os.chmod({str(project.dir)!r}, 0o777)
        """,
        "late/sitecustomize.py",
    )
    path = os.pathsep.join([str(project.dir / "late"), project.environ["PYTHONPATH"]])
    result = project.run("upgrade", "--timeout", "5s", env={"PYTHONPATH": path})
    project.dir.chmod(0o700)
    assert result.code == 3, result
    if process is not None:
        assert "every user can write" in process.communicate(timeout=30)[1]
    eventually(lambda: supervisor not in project.living())
    words = f"cannot use the state folder '{project.state}': every user can write '{project.dir}'"
    assert words in (project.state / "supervisor.log").read_text()
    project.up()
    assert project.pid("a") == pid
