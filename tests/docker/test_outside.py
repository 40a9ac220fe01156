"""What somebody else does to a container is seen, recorded, and answered by the component's policy."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

from ..project import eventually
from .images import BUSYBOX
from .project import DockerProject

FILE = """
    components:
      web: {image: "stigmer-test/busybox:1", command: forever, min_uptime: 1ms}
"""

#: Seconds in which it must be seen.
_SOON = 1.0


@pytest.fixture
def running(project: DockerProject) -> DockerProject:
    """A project with a container that runs."""
    project.write(FILE)
    project.up()
    return project


def seen_soon(entry: dict[str, Any], done_at: float) -> bool:
    """The end of the run before is on record not long after it was done."""
    return datetime.fromisoformat(entry["last_exit"]["at"]).timestamp() - done_at < _SOON


def test_docker_stop_is_answered_by_a_restart(running: DockerProject) -> None:
    """With its exit status and who did it on record."""
    before = running.ps()["web"]
    running.container("web").stop()
    done_at = time.time()
    after = running.wait_another("web", before)
    assert seen_soon(after, done_at)
    assert after["restarts"] == before["restarts"] + 1
    assert after["last_exit"]["code"] == 0
    assert "exited 0" in after["last_exit"]["reason"]
    assert "somebody else" in after["last_exit"]["reason"]
    running.wait_event("web", "somebody else")


def test_docker_kill_is_answered_by_a_restart(running: DockerProject) -> None:
    """A death by SIGKILL."""
    before = running.ps()["web"]
    running.container("web").kill()
    done_at = time.time()
    after = running.wait_another("web", before)
    assert seen_soon(after, done_at)
    assert after["restarts"] == before["restarts"] + 1
    assert after["last_exit"]["signal"] == "SIGKILL"
    assert "killed by SIGKILL" in after["last_exit"]["reason"]
    running.wait_event("web", "SIGKILL")


def test_docker_rm_is_answered_by_another_container(running: DockerProject) -> None:
    """One with another id, under the same name."""
    before = running.ps()["web"]
    running.container("web").remove(force=True)
    done_at = time.time()
    after = running.wait_another("web", before)
    assert seen_soon(after, done_at)
    assert after["container"] not in (None, before["container"])
    assert running.container("web").id == after["container"]
    assert "somebody else" in after["last_exit"]["reason"]


def test_a_status_over_128_is_shown_as_the_signal_that_it_stands_for(project: DockerProject) -> None:
    """What a shell makes of its child's death by SIGSEGV."""
    project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: [sh, -c, "sh -c 'kill -SEGV $$$$'; exit $$?"]
            max_restarts: 0
    """)
    project.up(code=1)
    last = project.ps()["web"]["last_exit"]
    assert last["signal"] == "SIGSEGV"
    assert last["code"] in (None, 139)


def test_out_of_memory_is_told_from_any_other_kill(project: DockerProject) -> None:
    """By the engine's word, which is missing for one in some twenty; for four in a row it is not."""
    if not project.client.info()["MemoryLimit"]:
        pytest.skip("this engine has no memory controller")
    project.write("""
        components:
          eater:
            image: stigmer-test/python:1
            command: [python3, -c, "print('hungry'); x = bytearray(64 << 20); x[::4096] = b'1' * len(x[::4096])"]
            limits: {memory: 16MiB}
            max_restarts: 3
            backoff: 20ms
    """)
    project.up("--no-wait")
    assert project.wait_phase("eater", "failed")["last_exit"]["signal"] == "SIGKILL"
    assert "killed by SIGKILL (out of memory)" in project.events_of("eater")
    assert "killed by SIGKILL (out of memory)" in project.ok("describe", "eater").out


def test_a_policy_that_restarts_nothing_is_obeyed(project: DockerProject) -> None:
    """``never``, and ``on-failure`` after a good end."""
    project.write(f"""
        components:
          never: {{image: "{BUSYBOX}", command: forever, restart: never}}
          on-failure: {{image: "{BUSYBOX}", command: forever, restart: on-failure}}
    """)
    project.up()
    for name in ("never", "on-failure"):
        project.container(name).stop()
    for name in ("never", "on-failure"):
        assert project.wait_phase(name, "completed")["last_exit"]["code"] == 0
        assert project.ps()[name]["restarts"] == 0


def test_a_pause_is_shown_until_it_is_over(running: DockerProject) -> None:
    """It is still the same run."""
    before = running.ps()["web"]
    running.container("web").pause()
    running.wait_event("web", "paused")
    entry = running.ps()["web"]
    assert (entry["phase"], entry["run"]) == ("running", before["run"])
    assert "paused" in entry["reason"]
    assert "paused" in running.ok("ps").out
    running.container("web").unpause()
    running.wait_event("web", "no longer paused")
    entry = running.ps()["web"]
    assert (entry["reason"], entry["run"]) == ("", before["run"])


def test_a_paused_container_can_be_stopped(running: DockerProject) -> None:
    """In good order, and at once: a signal would wait for ever."""
    running.container("web").pause()
    running.wait_event("web", "paused")
    running.ok("stop", "web", timeout=20)
    entry = running.ps()["web"]
    assert (entry["phase"], entry["last_exit"]["code"]) == ("stopped", 0)


def test_a_stopped_container_that_somebody_starts_is_in_nobodys_way(running: DockerProject) -> None:
    """A start of ours gives one container that runs, and the journal says nothing of a failure."""
    running.ok("stop", "web")
    running.container("web").start()
    running.ok("start", "web")
    entry = running.ps()["web"]
    assert (entry["phase"], entry["failed_runs"]) == ("running", 0)
    assert [container.id for container in running.mine() if container.status == "running"] == [entry["container"]]


def test_one_that_is_started_by_hand_while_its_component_is_stopped_is_stopped(running: DockerProject) -> None:
    """What is wanted holds; and the journal says what happened."""
    running.ok("stop", "web")
    running.container("web").start()
    running.wait_event("web", "although no run of it was")
    eventually(lambda: running.container("web").status == "exited", "it has been stopped")
    running.ok("start", "web")
    assert running.container("web").status == "running"


def test_a_second_one_beside_a_run_is_stopped(running: DockerProject) -> None:
    """As a start may leave behind whose call reached an engine that hung, and was taken back: never two at a time."""
    ours = running.container("web")
    second = running.client.containers.create(BUSYBOX, "forever", labels=ours.labels, name=f"{ours.name}-second")
    second.start()

    def is_stopped() -> bool:
        second.reload()
        return bool(second.status == "exited")

    eventually(is_stopped, "the second one has been stopped")
    assert running.ps()["web"]["container"] == ours.id
    ours.reload()
    assert ours.status == "running"


def test_a_paused_one_is_not_ready(running: DockerProject) -> None:
    """Nothing of it runs."""
    running.container("web").pause()
    eventually(lambda: not running.ps()["web"]["ready"], "it is not ready")
    running.container("web").unpause()
    eventually(lambda: running.ps()["web"]["ready"], "it is ready again")


def test_nothing_is_kept_of_containers_that_were_removed(running: DockerProject) -> None:
    """How far their output has been read, for one."""
    before = running.ps()["web"]
    running.container("web").remove(force=True)
    running.wait_another("web", before)
    folder = running.dir / ".stigmer" / "positions"
    eventually(lambda: len(list(folder.iterdir())) == 1, "one position is kept")
