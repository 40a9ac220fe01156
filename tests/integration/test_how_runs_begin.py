"""What a process gets from whoever starts it: signals, user, environment, descriptors; real processes."""

from __future__ import annotations

import os
import pwd
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import Project, eventually

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


def _status(pid: int, field: str) -> str:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return line.split(":", 1)[1].strip()
    raise AssertionError(field)


def test_a_signal_that_up_ignored_is_not_ignored_by_components(project: Project) -> None:
    """``nohup stigmer-pm up`` and shells that ignore SIGINT in the background must not make a component deaf."""
    project.write("components: {a: {command: sleep 1000}}\n")
    starter = "import os, signal, sys; signal.signal(1, signal.SIG_IGN); signal.signal(2, signal.SIG_IGN); \
signal.signal(3, signal.SIG_IGN); os.execv(sys.executable, [sys.executable, '-m', 'stigmer_pm', 'up'])"
    subprocess.run([sys.executable, "-c", starter], cwd=project.dir, env=project.environ, check=True, timeout=60)
    ignored = int(_status(project.pid("a"), "SigIgn"), 16)
    # 32 and 33 are the C library's own; no program may set them.
    assert ignored & ~(1 << 31 | 1 << 32) == 0
    assert int(_status(project.pid("a"), "SigBlk"), 16) == 0


def test_the_umask_of_up_is_the_umask_of_components(project: Project) -> None:
    """As of anything that is started from the same shell."""
    project.write("components: {a: {command: sleep 1000}}\n")
    subprocess.run(
        ["sh", "-c", f"umask 027; exec {sys.executable} -m stigmer_pm up"],
        cwd=project.dir,
        env=project.environ,
        check=True,
        timeout=60,
    )
    assert _status(project.pid("a"), "Umask") == "0027"


@as_root
def test_a_user_is_taken_after_what_only_root_may_do(project: Project) -> None:
    """A negative nice and a raised limit belong to the component and not to the rights of its user."""
    nobody = pwd.getpwnam("nobody")
    project.dir.chmod(0o755)
    project.write("""\
        components:
          a:
            command: sh -c 'echo $$HOME $$USER $$LOGNAME; exec sleep 1000'
            user: nobody
            nice: -5
            limits: {nofile: 4096}
          b:
            command: sh -c 'echo $$HOME; exec sleep 1000'
            user: nobody
            environment: {HOME: /elsewhere}
        """)
    project.up()
    pid = project.pid("a")
    assert _status(pid, "Uid").split() == [str(nobody.pw_uid)] * 4
    assert _status(pid, "Gid").split() == [str(nobody.pw_gid)] * 4
    assert os.getpriority(os.PRIO_PROCESS, pid) == -5
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"Max open files +4096 +4096 ", limits), limits
    eventually(lambda: project.log("a") == f"{nobody.pw_dir} nobody nobody\n".encode(), project.log("a").decode())
    eventually(lambda: project.log("b") == b"/elsewhere\n")


@as_root
def test_a_limit_of_its_own_that_keeps_it_from_starting_is_no_shortage_of_the_machine(project: Project) -> None:
    """Nothing passes by itself there, so it is a failed run like any other, and the message names the limit."""
    uid = 300_000 + os.getpid() % 50_000  # its processes are counted, so they are its own
    project.write(f"""\
        components:
          first: {{command: "sh -c 'sleep 1000 & sleep 1000'", user: "{uid}", group: "{uid}"}}
          second:
            command: sleep 1000
            user: "{uid}"
            group: "{uid}"
            limits: {{nproc: 1}}
            max_restarts: 1
            backoff: {{initial: 100ms}}
            depends_on: [first]
        """)
    project.dir.chmod(0o755)
    project.run("up")
    project.wait_phase("second", "failed")
    assert project.ps()["second"]["reason"] == (
        "gave up after 2 failed runs in a row within 10m: cannot set its limits: limits.nproc is 1, and user "
        f"'{uid}' has as many processes already; raise it"
    )


def test_reset_leaves_alone_what_has_not_failed(project: Project) -> None:
    """It is for those that are stuck; one that has done its work, or was stopped, isn't."""
    project.write("""\
        components:
          done: {command: "true", restart: "no"}
          off: {command: sleep 1000}
          stuck: {command: "false", restart: "no"}
        """)
    project.run("up")
    project.ok("stop", "off")
    project.wait_phase("stuck", "failed")
    runs = {name: c["run"] for name, c in project.ps().items()}
    project.run("reset", "--all")
    eventually(lambda: project.ps()["stuck"]["run"] == runs["stuck"] + 1)
    after = project.ps()
    assert (after["done"]["phase"], after["done"]["run"]) == ("completed", runs["done"])
    assert (after["off"]["phase"], after["off"]["run"]) == ("stopped", runs["off"])


def test_wait_for_stopped_ends_when_all_have_stopped(project: Project) -> None:
    """Whichever run it is that stops."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    waiting = project.start("wait", "a", "--for", "stopped", "--timeout", "30s")
    project.ok("restart", "a")
    project.ok("stop", "a")
    waiting.communicate(timeout=30)
    assert waiting.returncode == 0


def test_a_component_that_had_to_be_killed_says_so(project: Project) -> None:
    """Otherwise nobody learns that its stop_timeout is too short, and after ``down`` there is no ``ps`` to say so."""
    warning = "warning: did not end within stop_timeout and had to be killed (SIGKILL): a\n"
    project.script("deaf", "#!/bin/sh\ntrap '' TERM\necho up\nwhile :; do sleep 0.05; done\n")
    project.write("components: {a: {command: ./deaf, stop_timeout: 200ms}}\n")
    project.up()
    eventually(lambda: project.log("a"))
    assert warning in project.ok("stop", "a").err
    assert "had to be killed" in project.ps()["a"]["reason"]
    assert warning not in project.ok("stop", "a").err, "it had stopped before"
    lines = len(project.log("a"))
    project.ok("start", "a")
    eventually(lambda: len(project.log("a")) > lines)
    assert warning in project.ok("down").err


def test_a_log_that_is_no_file_is_refused(project: Project) -> None:
    """A pipe or a device would keep the supervisor waiting, a folder can't be written to."""
    os.mkfifo(project.dir / "pipe")
    (project.dir / "folder").mkdir()
    project.write("""\
        components:
          p: {command: sleep 1000, log: {path: ./pipe}}
          f: {command: sleep 1000, log: {path: ./folder}}
          n: {command: sleep 1000, log: {path: /dev/null}}
        """)
    result = project.run("up", "--timeout", "10s")
    assert result.code != 0
    found = project.ps()
    assert found["n"]["ready"]
    for name in ("p", "f"):
        assert not found[name]["ready"]
        assert "log" in found[name]["reason"], found[name]


def test_more_components_than_descriptors_are_found_again(project: Project) -> None:
    """One descriptor for each that is watched is a luxury: where they run out, the others are looked at in turn."""
    project.write("components:\n" + "".join(f"  c{i:02}: {{command: sleep 1000}}\n" for i in range(60)))
    project.up()
    before = project.pids()
    os.kill(project.supervisor_pid(), signal.SIGKILL)
    starter = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)); \
os.execv(sys.executable, [sys.executable, '-m', 'stigmer_pm', 'up'])"
    subprocess.run([sys.executable, "-c", starter], check=True, cwd=project.dir, env=project.environ, timeout=60)
    assert project.pids() == before
    pid = before["c59"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: project.ps()["c59"]["restarts"] == 1)
    project.ok("restart", "c58")


def test_reset_of_one_that_runs_starts_nothing_that_it_would_need_to_start(project: Project) -> None:
    """It takes the slowness from one that flaps, say. What it depends on was stopped by hand, and was started by it."""
    project.write("components: {db: {command: sleep 1000}, web: {command: sleep 1000, depends_on: [db]}}\n")
    project.up()
    project.ok("stop", "db")
    pid = project.pid("web")
    project.ok("reset", "web")
    assert project.pid("web") == pid
    assert project.ps()["db"]["phase"] == "stopped"
