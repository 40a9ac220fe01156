"""The scripts that the page about service managers has for runit and s6, word for word, under the real ones."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..project import Project, eventually

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "staying-alive.md"
FILE = """
    components:
      web: {command: sleep 1000, probes: {readiness: {exec: "true", period: 100ms}}}
      worker: {command: sleep 1001, depends_on: [web]}
"""


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where one of them isn't installed (Debian's packages ``runit`` and ``s6``)."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing) or os.geteuid() != 0, reason=f"needs root and {', '.join(programs)}")


def scripts(heading: str, project: Project) -> list[str]:
    """The scripts under a heading, for this project and this program."""
    found = re.search(rf"^## {heading}$(.*?)^## ", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    texts = re.findall(r"^```sh$\n(.*?)^```$", found[1], re.MULTILINE | re.DOTALL)
    program = shlex.join(project.argv())
    for theirs, ours in (("/srv/shop", str(project.dir)), ("-u deploy", "-u root"), ("stigmer-pm ", f"{program} ")):
        assert any(theirs in text for text in texts) or theirs == "-u deploy"
        texts = [text.replace(theirs, ours) for text in texts]
    return texts


@contextmanager
def kept_by(project: Project, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A service manager for one service. It must end by itself; when a test has failed, it is ended."""
    log = project.dir / "manager.log"
    with log.open("wb") as output:
        manager = subprocess.Popen(
            command, env=project.environ, cwd=project.dir, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield manager
        assert manager.wait(30.0) == 0, log.read_text()
    finally:
        if manager.poll() is None:
            manager.send_signal(signal.SIGTERM)
            manager.wait(30.0)


def call(project: Project, *command: str) -> None:
    """A command of the service manager, which must succeed."""
    done = subprocess.run(command, env=project.environ, capture_output=True, text=True, check=False, timeout=60.0)
    assert done.returncode == 0, done


def replaced(project: Project, supervisor: int, before: dict[str, int | None]) -> None:
    """It has been killed: another one comes by itself, and no component has noticed."""
    eventually(lambda: project.supervisor_pid() != supervisor, "there is another supervisor", pause=0.1)
    eventually(lambda: project.pids() == before, "what ran is found again", pause=0.1)


@needs("runsv", "sv", "chpst")
def test_runit_keeps_a_supervisor(project: Project) -> None:
    """``sv stop`` is an orderly end, and a death is none of anything else."""
    project.write(FILE)
    service = project.dir / "sv"
    (run,) = scripts("runit", project)
    project.script("sv/run", run)
    with kept_by(project, "runsv", str(service)):
        eventually((project.state / "supervisor.json").exists, "there is a supervisor")
        project.wait_phase("worker", "running")
        before, supervisor = project.pids(), project.supervisor_pid()
        os.kill(supervisor, signal.SIGKILL)
        replaced(project, supervisor, before)
        call(project, "sv", "-w", "60", "stop", str(service))
        assert not [command for command in project.living().values() if command.startswith("sleep")]
        call(project, "sv", "-w", "60", "exit", str(service))


@needs("s6-supervise", "s6-svc", "s6-svwait", "s6-notifyoncheck")
def test_s6_keeps_a_supervisor_and_is_told_when_all_is_ready(project: Project) -> None:
    """``s6-svc -d`` is an orderly end, and a death is none of anything else."""
    project.write(FILE)
    service = project.dir / "s6"
    run, check = scripts("s6", project)
    project.script("s6/run", run)
    project.script("s6/data/check", check)
    project.write("3\n", "s6/notification-fd")
    with kept_by(project, "s6-supervise", str(service)):
        eventually((service / "supervise" / "control").exists, "the service is supervised")
        call(project, "s6-svwait", "-U", "-t", "60000", str(service))
        assert {c["phase"] for c in project.ps().values()} == {"running"}
        before, supervisor = project.pids(), project.supervisor_pid()
        call(project, "s6-svc", "-k", str(service))
        replaced(project, supervisor, before)
        call(project, "s6-svc", "-wD", "-T", "60000", "-d", str(service))
        assert not [command for command in project.living().values() if command.startswith("sleep")]
        call(project, "s6-svc", "-x", str(service))
