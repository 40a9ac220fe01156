"""``upgrade``: another version takes the supervisor's place in the same process, and no component notices."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path

import stigmer_pm
from stigmer_pm.client.conversation import ANSWER_WITHIN

from ..project import Project, Result, eventually
from .held_upgrade import AFTER_THE_EXEC, held_upgrade

_PACKAGE = Path(stigmer_pm.__file__).parent

#: Numbered lines, some of them unfinished for a moment.
COUNTER = "i=0; while :; do i=$$((i+1)); printf 'line '; echo $$i; sleep 0.01; done"


def other_version(project: Project, folder: str, file: str, old: str, new: str) -> dict[str, str]:
    """A copy of the package that differs in one line; the variables with which a command is of it."""
    copy = project.dir / folder / "stigmer_pm"
    shutil.copytree(_PACKAGE, copy)  # with what is compiled, which is as old as what it was made from
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new))
    return {"PYTHONPATH": str(copy.parent)}


def since(project: Project) -> str:
    """When the supervisor that answers has begun."""
    found = project.ok("ps", "--json").json["supervisor"]["since"]
    assert isinstance(found, str)
    return found


def while_nobody_answers(project: Project) -> AbstractContextManager[subprocess.Popen[str]]:
    """An ``upgrade`` that is between the exec and the first line of the next supervisor for as long as the block."""
    return held_upgrade(project, AFTER_THE_EXEC)


def finish(process: subprocess.Popen[str]) -> Result:
    """The outcome of a command that was started."""
    out, err = process.communicate(timeout=60)
    return Result(("…",), process.returncode, out, err, 0.0)


def test_another_version_takes_over_and_no_component_notices(project: Project) -> None:
    """Same pids, same counts, same supervisor's pid; no line is lost; it says from which version to which."""
    project.write(f"""
        components:
          count: {{command: ["sh", "-c", "{COUNTER}"]}}
          crash: {{command: "sh -c 'exit 3'", backoff: 10m}}
          killed: {{command: sleep 1000}}
    """)
    project.up("--no-wait")
    os.kill(project.wait_phase("killed", "running")["pid"], signal.SIGKILL)
    eventually(lambda: (c := project.ps()["killed"])["restarts"] == 1 and c["phase"] == "running")
    project.wait_phase("crash", "backoff")
    supervisor, before = project.supervisor_pid(), project.ps()
    environ = other_version(project, "next", "version.py", stigmer_pm.__version__, "7.8.9")
    result = project.ok("upgrade", env=environ)
    assert f"replaced: {stigmer_pm.__version__} -> 7.8.9; 2 components kept" in result.out
    document = project.ok("ps", "--json").json
    assert (document["supervisor"]["pid"], document["supervisor"]["version"]) == (supervisor, "7.8.9")
    assert json.loads((project.dir / ".stigmer" / "supervisor.json").read_text())["version"] == "7.8.9"
    keys = ("phase", "pid", "run", "restarts", "since", "next_restart", "last_exit", "started", "ready")
    after = project.ps()
    assert {n: [c[k] for k in keys] for n, c in after.items()} == {n: [c[k] for k in keys] for n, c in before.items()}
    assert after["crash"]["failed_runs"] == before["crash"]["failed_runs"] == 1
    assert f"replaced in place: {stigmer_pm.__version__} by 7.8.9" in project.ok("events").out
    # And it supervises: what is killed from now on is restarted.
    os.kill(before["killed"]["pid"], signal.SIGKILL)
    eventually(lambda: project.ps()["killed"]["restarts"] == 2)
    project.ok("down")
    numbers = [int(number) for number in re.findall(rb"^line (\d+)$", project.log("count"), re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_dies_while_nobody_looks_is_told_with_its_status(project: Project) -> None:
    """They are our children still, and nobody else has collected them: an exit code, a signal, a success."""
    wait = "while ! test -e $$0.end; do sleep 0.02; done; exit"
    project.write(f"""
        components:
          seven: {{command: ["sh", "-c", "{wait} 7", "seven"], restart: never}}
          fine: {{command: ["sh", "-c", "{wait} 0", "fine"], restart: never}}
          killed: {{command: sleep 1000}}
    """)
    project.up()
    killed = project.pid("killed")
    with while_nobody_answers(project) as upgrade:
        pids = [pid for pid, command in project.living().items() if "exit" in command]
        (project.dir / "seven.end").touch()
        (project.dir / "fine.end").touch()
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: not set(pids) & set(project.living()))
    assert finish(upgrade).code == 0
    assert project.wait_phase("seven", "failed")["last_exit"]["code"] == 7
    assert project.wait_phase("fine", "completed")["last_exit"]["code"] == 0
    found = project.wait_phase("killed", "running")
    assert (found["last_exit"]["signal"], found["restarts"]) == ("SIGKILL", 1)
    assert found["pid"] != killed


def test_nobody_can_take_the_place_meanwhile_and_who_asks_is_answered_after_it(project: Project) -> None:
    """The lock is never free, and the socket's queue is the kernel's."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    pid = project.pid("a")
    with while_nobody_answers(project) as upgrade:
        with (project.dir / ".stigmer" / "supervisor.lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                raise AssertionError("the lock is free")
            except BlockingIOError:
                pass
        asking = [project.start("ps", "--json"), project.start("up"), project.start("restart", "a", "--no-wait")]
    results = [finish(process) for process in (*asking, upgrade)]
    assert [result.code for result in results] == [0, 0, 0, 0], results
    eventually(lambda: project.ps()["a"]["pid"] not in (None, pid))
    assert [c for c in project.living().values() if c.startswith("sleep")] == ["sleep 1000"]


def test_one_that_takes_its_time_to_begin_is_waited_for(project: Project) -> None:
    """Longer than any other question waits for its answer: a busy machine is no reason to call an upgrade a failure."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    with while_nobody_answers(project) as upgrade:
        time.sleep(ANSWER_WITHIN + 0.5)  # what it has to sit out
        assert upgrade.poll() is None, finish(upgrade)
    assert finish(upgrade).code == 0


def test_a_stop_that_comes_meanwhile_is_not_lost(project: Project) -> None:
    """SIGTERM is held back until the next one has a handler, as a service manager sends it once."""
    project.write("""
        components:
          web: {command: ["sh", "-c", "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done"]}
    """)
    project.up()
    eventually(lambda: b"hello" in project.log("web"))
    supervisor = project.supervisor_pid()
    with while_nobody_answers(project) as upgrade:
        os.kill(supervisor, signal.SIGTERM)
    finish(upgrade)
    eventually(lambda: not project.living())
    assert project.log("web").endswith(b"bye\n")


def test_a_version_that_cannot_take_over_is_refused_and_the_old_one_goes_on(project: Project) -> None:
    """A broken installation, one of another record, one that isn't there: said in words, and nothing has changed."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    began, pid = since(project), project.pid("a")
    project.write("raise ImportError('no wheel for this machine')\n", "broken/uvicorn/__init__.py")
    broken = {"PYTHONPATH": os.pathsep.join([str(project.dir / "broken"), project.environ["PYTHONPATH"]])}
    newer = other_version(project, "newer", "supervisor/contents.py", "FORMAT = 1\n", "FORMAT = 2\n")
    odd = other_version(project, "odd", "selfcheck.py", "print(json.dumps(found))", "print('null')")
    cases = (
        (broken, "ImportError: no wheel for this machine"),
        (newer, "is of format 1, and this version knows 2"),
        (odd, "its answer is no version: null"),
    )
    for environ, words in cases:
        result = project.run("upgrade", env=environ)
        assert result.code == 1
        assert "the installed version can't take over" in result.err
        assert words in result.err
        assert "goes on as before" in result.err
        assert (since(project), project.pid("a")) == (began, pid)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: project.ps()["a"]["restarts"] == 1)


def test_it_waits_until_the_state_folder_is_there_again(project: Project) -> None:
    """What the next supervisor must know is in it."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    pid = project.pid("a")

    def refused() -> Result | None:
        shutil.rmtree(project.dir / ".stigmer")
        result = project.run("upgrade")
        return result if result.code else None  # else it has been made anew before the command came

    result = eventually(refused, "one has come before it is made anew")
    assert (result.code, "the state folder was removed" in result.err) == (1, True), result
    eventually((project.dir / ".stigmer" / "supervisor.json").exists)
    project.ok("upgrade")
    assert project.pid("a") == pid


def test_commands_that_wait_go_on_waiting(project: Project) -> None:
    """``wait`` and ``events -f`` ask the next supervisor, and nothing is told twice."""
    project.write("""
        components:
          late: {command: sleep 1000, probes: {readiness: {exec: [test, -e, ready], period: 100ms}}}
          other: {command: sleep 1000}
    """)
    project.up("--no-wait")
    project.wait_phase("late", "running")
    waiting, following = project.start("wait", "late"), project.start("events", "-f", "--json")
    eventually(lambda: streams(project) == 2)
    project.ok("upgrade")
    eventually(lambda: streams(project) == 2)
    assert waiting.poll() is None
    (project.dir / "ready").touch()
    assert finish(waiting).code == 0
    project.ok("stop", "other")
    project.ok("down")
    result = finish(following)
    told = [json.loads(line) for line in result.out.splitlines()]
    assert len({event["id"] for event in told}) == len(told)
    kinds = [event["kind"] for event in told]
    assert kinds.index("replaced") < kinds.index("ready") < kinds.index("stopped")


def streams(project: Project) -> int:
    """How many connections the supervisor has: each is a client that waits or follows."""
    held = 0
    for descriptor in Path(f"/proc/{project.supervisor_pid()}/fd").iterdir():
        target = os.readlink(descriptor) if descriptor.is_symlink() else ""
        held += target in _connected(project)
    return held


def _connected(project: Project) -> set[str]:
    """The sockets at the supervisor's path that are connected, as /proc/PID/fd names them."""
    path = json.loads((project.dir / ".stigmer" / "supervisor.json").read_text())["socket"]
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return {f"socket:[{row[6]}]" for row in rows if len(row) > 7 and row[7] == path and row[5] == "03"}


def test_in_front_the_logs_go_on_where_they_were(project: Project) -> None:
    """Every line is shown once, and the exit status is still that of the component that was named."""
    project.write(f"""
        components:
          count: {{command: ["sh", "-c", "{COUNTER}"]}}
          job: {{command: ["sh", "-c", "while ! test -e end; do sleep 0.02; done; exit 5"], restart: never}}
    """)
    process = project.start("up", "--foreground", "--exit-code-from", "job")
    eventually(lambda: b"line 5\n" in project.log("count"))
    eventually(project.answers)
    pid = project.pid("count")
    for _ in range(2):
        project.ok("upgrade")
    assert (project.supervisor_pid(), project.pid("count")) == (process.pid, pid)
    (project.dir / "end").touch()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 5, err
    numbers = [int(number) for number in re.findall(r"^count \| line (\d+)$", out, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) == project.log("count").count(b"\n")


def test_a_probe_command_that_is_under_way_is_ended(project: Project) -> None:
    """Nobody would wait for it any more, and the next supervisor asks anew."""
    project.write("""
        components:
          a:
            command: sleep 1000
            probes: {liveness: {exec: [sleep, "777"], timeout: 300, period: 300}}
    """)
    project.up("--no-wait")
    asked = eventually(lambda: [pid for pid, command in project.living().items() if command == "sleep 777"])
    project.ok("upgrade")
    again = eventually(lambda: [p for p, c in project.living().items() if c == "sleep 777" and p not in asked])
    assert [pid for pid, command in project.living().items() if command == "sleep 777"] == again
    assert project.ps()["a"]["restarts"] == 0


def test_usr2_replaces_it_by_what_is_installed_now(project: Project) -> None:
    """As nginx has it; from where it was loaded."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    began, pid, supervisor = since(project), project.pid("a"), project.supervisor_pid()
    os.kill(supervisor, signal.SIGUSR2)
    eventually(lambda: since(project) != began)
    assert (project.pid("a"), project.supervisor_pid()) == (pid, supervisor)


def test_without_a_supervisor_there_is_nothing_to_replace(project: Project) -> None:
    """Exit 3, and nothing is started."""
    project.write("components: {a: {command: sleep 1000}}\n")
    result = project.run("upgrade")
    assert (result.code, "no supervisor runs" in result.err) == (3, True)
    assert not project.living()


def test_the_descriptors_of_the_place_do_not_reach_components(project: Project) -> None:
    """Neither the lock, nor the socket, nor the variable that carries them."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    project.ok("upgrade")
    project.ok("restart", "a")
    pid = project.pid("a")
    assert b"STIGMER_PM_HANDOVER" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()} == {0, 1, 2}
    assert b"PYTHONPATH=" + project.environ["PYTHONPATH"].encode() + b"\0" in Path(f"/proc/{pid}/environ").read_bytes()
