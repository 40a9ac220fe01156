"""``up --foreground`` as process 1 of a container: strangers, signals, exit statuses, and pids that come again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..project import Project, eventually
from .first_process import FirstProcess, can_unshare, unshare

pytestmark = pytest.mark.skipif(not can_unshare(), reason="this user may not make namespaces")

POLITE = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done"


def begin(project: Project, *options: str, before: str = "") -> FirstProcess:
    """A container whose component ``web`` runs and whose socket answers."""
    earlier = project.log("web").count(b"hello")
    first = FirstProcess(project, *options, before=before)
    eventually(lambda: project.log("web").count(b"hello") > earlier)
    eventually(project.answers)
    return first


def wait_for_line(project: Project, line: bytes) -> None:
    """Until the component has written it."""
    eventually(lambda: line in project.log("web"))


def write(project: Project, script: str = POLITE, more: str = "") -> None:
    """A project with a component ``web``."""
    project.write(f"""
        components:
          web:
            command: ["sh", "-c", "{script}"]
            {more}
    """)


def children_of_1(first: FirstProcess) -> set[int]:
    """Zombies included."""
    return {pid for pid, fields in first.inside().items() if fields[1] == "1"}


def test_strangers_that_die_are_collected(project: Project) -> None:
    """Orphans of what runs beside it: of the entrypoint, of ``docker exec``. None stays a zombie."""
    write(project)
    # An orphan of the entrypoint, from before.
    first = begin(project, before="(sleep 0.5 & exec true) & wait")
    assert project.pid("web") > 1
    # "docker exec" has no parent inside; what it leaves behind comes to process 1.
    first.run("sh", "-c", "for i in 1 2 3 4 5; do (sleep 1000 >/dev/null 2>&1 &) ; done")
    orphans = eventually(lambda: found if len(found := children_of_1(first) - {project.pid("web")}) >= 5 else None)
    # That of the entrypoint may end by itself meanwhile.
    first.run("sh", "-c", f"kill -9 {' '.join(map(str, orphans))}; true")
    eventually(lambda: children_of_1(first) == {project.pid("web")}, "only the component is left")
    code, said = first.stop()
    assert (code, b"bye" in project.log("web")) == (0, True), said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGPWR, signal.SIGRTMIN + 3])
def test_what_asks_a_container_to_end_stops_everything_in_order(project: Project, number: int) -> None:
    """The kernel drops what process 1 doesn't handle, and the engine would wait for its SIGKILL."""
    write(project)
    first = begin(project)
    first.signal(number)
    code, said = first.wait()
    assert code == 0, said
    assert project.log("web").endswith(b"bye\n")
    assert not project.living()


def test_a_stop_that_comes_during_the_start_is_obeyed(project: Project) -> None:
    """SIGTERM waits for its handler while the file is read."""
    write(project)
    first = FirstProcess(project)
    eventually(lambda: "pydantic_core" in Path(f"/proc/{first.pid}/maps").read_text(), "the command line is imported")
    code, said = first.stop()
    assert code == 0, said
    assert not project.living()


def test_the_status_is_that_of_the_component_it_stands_for(project: Project) -> None:
    """``--exit-code-from``: its code, and 128+n for a signal; also when the container is stopped."""
    write(project, "echo hello; sleep 0.3; exit 7", "restart: never")
    assert FirstProcess(project, "--exit-code-from", "web").wait()[0] == 7
    write(project, "echo hello; kill -9 $$$$", "restart: never")
    assert FirstProcess(project, "--exit-code-from", "web").wait()[0] == 128 + 9
    write(project, "trap 'exit 9' TERM; echo hello; while :; do sleep 0.05; done")
    assert begin(project, "--exit-code-from", "web").stop()[0] == 9
    assert not project.living()


def test_signals_are_passed_on_to_the_component_it_stands_for(project: Project) -> None:
    """SIGHUP, SIGUSR1 and SIGUSR2, as they would reach it if it were process 1 itself."""
    write(project, 'for s in HUP USR1 USR2; do trap \\"echo $$s\\" $$s; done; echo hello; while :; do sleep 0.05; done')
    first = begin(project, "--exit-code-from", "web")
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        first.signal(number)
        wait_for_line(project, f"{number.name[3:]}\n".encode())
    assert project.ps()["web"]["restarts"] == 0
    first.stop()


def test_without_such_a_component_hup_means_nothing(project: Project) -> None:
    """It must not end the container."""
    write(project)
    first = begin(project)
    first.signal(signal.SIGHUP)
    log = project.dir / ".stigmer" / "supervisor.log"
    eventually(lambda: "SIGHUP means nothing" in log.read_text())
    assert first.stop()[0] == 0


def test_nothing_can_be_left_running(project: Project) -> None:
    """The container ends with its first process, so ``--leave-running`` is refused rather than broken."""
    write(project)
    code, said = FirstProcess(project, "--leave-running").wait()
    assert code == 2
    assert "everything in a container ends with its first process" in said


def test_a_container_that_is_started_again_over_the_same_state_begins_anew(project: Project) -> None:
    """Same boot of the machine, same pids, other processes: nothing is taken over, counted as a failure, or signalled.

    ``once`` must run again, for it is a new container; and a stranger whose session has the number that a component's
    had must live.
    """
    project.write("""
        components:
          web: {command: ["sh", "-c", "echo hello; exec sleep 1000"]}
          once: {command: ["sh", "-c", "echo x >> once.txt; exec sleep 1000"], restart: never}
    """)
    first = begin(project)
    old = project.pids()
    first.destroy()
    (project.dir / ".stigmer" / "logs" / "web.log").unlink()
    # A stranger in a session that has the number of web's first process, whose leader has ended.
    number = old["web"]
    assert number is not None
    before = f"echo {number - 1} > /proc/sys/kernel/ns_last_pid; setsid sh -c 'sleep 3333 & exit'"
    first = begin(project, before=before)
    strangers = [f for f in first.inside().values() if int(f[3]) == number and f[0] != "Z"]
    after = project.ps()
    assert {name: (c["phase"], c["restarts"], c["failed_runs"]) for name, c in after.items()} == {
        "web": ("running", 0, 0),
        "once": ("running", 0, 0),
    }
    assert (project.dir / "once.txt").read_text() == "x\nx\n"
    assert len(strangers) == 1, (old, first.inside())
    first.stop()


def test_a_proc_of_another_namespace_is_refused(project: Project) -> None:
    """Under it every pid is that of a stranger, and the wrong ones would be signalled."""
    write(project)
    command = [word for word in unshare() if word != "--mount-proc"]
    up = [sys.executable, "-m", "stigmer_pm", "up", "--foreground"]
    done = subprocess.run(
        [*command, *up], cwd=project.dir, env=project.environ, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert "cannot tell processes apart" in done.stderr
    assert not (project.dir / ".stigmer").exists()


def test_it_can_be_upgraded_in_place(project: Project) -> None:
    """Process 1 stays process 1, strangers are still collected, and it is still asked to end by a signal."""
    write(project)
    first = begin(project)
    pid = project.pid("web")
    project.ok("upgrade")
    assert (project.ok("ps", "--json").json["supervisor"]["pid"], project.pid("web")) == (1, pid)
    first.run("sh", "-c", "(sleep 0.1 >/dev/null 2>&1 &)")
    eventually(lambda: children_of_1(first) == {pid})
    code, said = first.stop()
    assert code == 0, said
    assert project.log("web").endswith(b"bye\n")
