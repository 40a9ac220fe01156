"""Where a cgroup is delegated, each run has one, and the kernel ends all of it; real cgroups, which need root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.project import Project, eventually


def _mount_point() -> Path | None:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    found = [line.split()[4] for line in lines if line.partition(" - ")[2].startswith("cgroup2 ")]
    return Path(found[0]) if found else None


@pytest.fixture
def delegated() -> Iterator[Path]:
    """A cgroup with the mark of one that systemd has delegated."""
    point = _mount_point()
    if point is None:
        pytest.skip("cgroup v2 is not mounted")
    path = point / f"stigmer-test-{uuid.uuid4().hex[:8]}"
    try:
        path.mkdir()
        os.setxattr(path, "user.delegate", b"1")
    except OSError as error:
        with suppress(OSError):
            path.rmdir()
        pytest.skip(f"no cgroup can be made: {error}")
    yield path
    left = (path / "cgroup.procs").read_text()
    (path / "cgroup.kill").write_text("1")
    eventually(lambda: not (path / "cgroup.procs").read_text())
    for folder, _, _ in os.walk(path, topdown=False):
        os.rmdir(folder)
    assert not left, "nothing is left in it"


def up(project: Project, cgroup: Path, *before: str) -> None:
    """``up``, called in a cgroup; ``before``: by this program."""
    enter = f'echo $$ > {cgroup}/cgroup.procs; exec "$@"'
    command = ["sh", "-c", enter, "sh", *before, sys.executable, "-m", "stigmer_pm", "up"]
    done = subprocess.run(
        command, cwd=project.dir, env=project.environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done


def runs(cgroup: Path) -> set[str]:
    """The names of the cgroups of runs."""
    return {entry.name for entry in cgroup.glob("stigmer-*/*.*") if entry.is_dir()}


def cgroup_of(pid: int) -> str:
    """The last part of where a process is."""
    return Path(f"/proc/{pid}/cgroup").read_text().splitlines()[-1].rpartition("/")[2]


#: What no mark, session or parent tells of: its environment is empty, and it has forked away from everything.
HIDER = """\
#!/bin/sh
env -i setsid sh -c 'sleep SECONDS & exit 0'
exec sleep 1000
"""


def hidden(seconds: str) -> list[int]:
    """It carries no mark of the project, so it is looked for among all processes, by a number of its own."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and (entry / "cmdline").read_bytes() == f"sleep\0{seconds}\0".encode():
                found.append(int(entry.name))
    return found


def test_each_run_is_in_a_cgroup_of_its_own_and_that_goes_with_it(project: Project, delegated: Path) -> None:
    """From its first instruction on; the supervisor itself stays where it was."""
    project.write("""
        components:
          a: {command: cat /proc/self/cgroup, restart: never}
          b: {command: sleep 1000, min_uptime: 1ms}
    """)
    up(project, delegated)
    project.wait_phase("a", "completed")
    assert project.log("a").rstrip().endswith(b"/a.1")
    eventually(lambda: runs(delegated) == {"b.1"}, "that of a has gone with it")
    assert cgroup_of(project.pid("b")) == "b.1"
    assert cgroup_of(project.supervisor_pid()) == delegated.name
    os.kill(project.pid("b"), signal.SIGKILL)
    eventually(lambda: runs(delegated) == {"b.2"})
    assert f"each run has a cgroup below '{delegated}" in (project.dir / ".stigmer" / "supervisor.log").read_text()
    project.ok("down")
    assert runs(delegated) == set()


@pytest.mark.parametrize("is_adopted", [False, True], ids=["own", "adopted"])
def test_what_hides_from_everything_else_is_ended_with_its_run(
    project: Project, delegated: Path, *, is_adopted: bool
) -> None:
    """Under the supervisor that started it, and under one that comes after it, from wherever it is called."""
    seconds = f"600.{uuid.uuid4().int}"
    project.script("hider", HIDER.replace("SECONDS", seconds))
    project.write("components: {a: {command: ./hider, stop_timeout: 300ms}}\n")
    up(project, delegated)
    (pid,) = eventually(lambda: hidden(seconds))
    assert cgroup_of(pid) == "a.1"
    if is_adopted:
        project.kill_supervisor()
        up(project, delegated)
    project.ok("stop", "a")
    assert hidden(seconds) == []
    assert runs(delegated) == set()
    project.ok("down")


def test_the_root_of_a_containers_cgroups_is_its_own(project: Project, delegated: Path) -> None:
    """A namespace of cgroups, with a mount of its own: nothing but what it can see is there to be used."""
    os.removexattr(delegated, "user.delegate")
    project.write("components: {a: {command: sleep 1000}}\n")
    mount = f'umount {_mount_point()} && mount -t cgroup2 none {_mount_point()} && exec "$@"'
    up(project, delegated, "unshare", "--cgroup", "--mount", "sh", "-c", mount, "sh")
    assert runs(delegated) == {"a.1"}
    project.ok("down")


def test_without_delegation_nothing_is_made(project: Project, delegated: Path) -> None:
    """Root could write there; but it is systemd's, or somebody else's."""
    os.removexattr(delegated, "user.delegate")
    project.write("components: {a: {command: sleep 1000}}\n")
    up(project, delegated)
    assert [entry for entry in delegated.iterdir() if entry.is_dir()] == []
    assert cgroup_of(project.pid("a")) == delegated.name
    project.ok("down")


def test_what_another_thread_forks_during_a_start_is_no_runs(delegated: Path, tmp_path: Path) -> None:
    """All threads of the supervisor are in the run's cgroup while it is forked, and so is what they fork then."""
    code = """
import os, subprocess, sys
from stigmer_pm.runtime.cgroups import Cgroups
own = sys.argv[1]
with open(f"{own}/cgroup.procs", "w") as file:
    file.write("0")
cgroups = Cgroups(own, "key", f"{sys.argv[2]}/note")
assert cgroups.begin()
with cgroups.inside("a", 1):
    run = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    other = subprocess.Popen(["sleep", "1001"])
with open(f"/proc/{other.pid}/cgroup") as file:
    assert file.read().strip().endswith(os.path.basename(own)), "taken back"
assert cgroups.pids("a", 1) == [run.pid]
for process in (run, other):
    process.kill()
    process.wait()
cgroups.remove("a", 1)
cgroups.sweep()
with open(f"{os.path.dirname(own)}/cgroup.procs", "w") as file:
    file.write("0")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(delegated), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
