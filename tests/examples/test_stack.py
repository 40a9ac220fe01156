"""The stack of stigmer.yaml.example, as ``make demo`` runs it."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..project import Project, eventually
from .conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
FILE = ("-f", "stigmer.yaml.example")

pytestmark = pytest.mark.slow


@pytest.fixture
def stack(project: Project) -> Iterator[Project]:
    """A copy of the example on a port of its own, brought up by the very command of ``make demo``."""
    shutil.copytree(ROOT / "examples", project.dir / "examples")
    shutil.copy(ROOT / "stigmer.yaml.example", project.dir)
    project.environ["STIGMER_PORT"] = str(free_port())
    result = project.run(*FILE, "up")
    assert result.code == 0, result
    assert "2 components ready" in result.out
    yield project
    project.run(*FILE, "down")


def test_the_two_processes_are_ready_and_work_for_each_other(stack: Project) -> None:
    """Jobs are handed out and done; JSON lines of stderr and plain lines of stdout are in the logs."""
    listed = {c["name"]: c for c in stack.ok(*FILE, "ps", "--json").json["components"]}
    assert {name: (e["phase"], e["ready"]) for name, e in listed.items()} == {
        "stigmer-server": ("running", True),
        "workflow-runner": ("running", True),
    }
    eventually(lambda: b"job 1: done" in stack.log("workflow-runner"))
    assert b'"message":"job handed out"' in stack.log("stigmer-server")


@pytest.mark.parametrize(
    ("name", "other"), [("stigmer-server", "workflow-runner"), ("workflow-runner", "stigmer-server")]
)
def test_kill_9_is_followed_by_a_restart_and_the_other_is_untouched(stack: Project, name: str, other: str) -> None:
    """``restarts`` one higher, ``last_exit`` "killed by SIGKILL"."""
    before = stack.ps()
    pid = before[name]["pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    after = eventually(lambda: e if (e := stack.ps())[name]["ready"] and e[name]["pid"] != pid else None)
    assert after[name]["restarts"] == 1
    assert after[name]["last_exit"]["reason"] == "killed by SIGKILL"
    assert (after[other]["pid"], after[other]["restarts"]) == (before[other]["pid"], 0)


def test_a_server_that_breaks_is_restarted_by_its_liveness_probe(stack: Project) -> None:
    """As the comment in the file invites to try."""
    connection = http.client.HTTPConnection("127.0.0.1", int(stack.environ["STIGMER_PORT"]), timeout=5)
    connection.request("POST", "/admin/break")
    assert connection.getresponse().status == 200
    connection.close()
    eventually(lambda: stack.ps()["stigmer-server"]["restarts"] == 1 and stack.ps()["stigmer-server"]["ready"])
    assert "liveness probe failed" in stack.ok(*FILE, "events").out
