"""The main job on containers: up, an edit, stop, start, restart, down."""

from __future__ import annotations

import docker
import pytest

from ..project import eventually
from .images import BUSYBOX
from .project import DockerProject

FILE = """
    components:
      web: {image: "stigmer-test/busybox:1", command: forever, environment: {LEVEL: "1"}}
"""


@pytest.fixture
def running(project: DockerProject) -> DockerProject:
    """A project with a container that runs."""
    project.write(FILE)
    project.up()
    return project


def test_up_runs_a_container_and_ps_shows_it(running: DockerProject) -> None:
    """Its kind, the engine's whole id, and the pid of its first process."""
    entry, found = running.ps()["web"], running.inspect("web")
    assert found["State"]["Running"]
    assert (entry["kind"], entry["phase"], entry["ready"]) == ("container", "running", True)
    assert entry["container"] == found["Id"]
    assert entry["pid"] == found["State"]["Pid"]
    assert running.ok("pid", "web").out.strip() == str(found["State"]["Pid"])
    assert "running" in running.ok("ps").out


def test_a_container_is_named_and_labelled_so_that_it_is_found_again(running: DockerProject) -> None:
    """PROJECT-COMPONENT, and labels that say whose it is and of which run."""
    found = running.inspect("web")
    labels = found["Config"]["Labels"]
    assert found["Name"] == f"/{running.name}-web"
    assert labels["stigmer-pm.project"] == running.name
    assert labels["stigmer-pm.component"] == "web"
    assert labels["stigmer-pm.instance"] == "web"
    assert labels["stigmer-pm.run"] == str(running.ps()["web"]["run"])
    assert labels["stigmer-pm.spec"]
    assert labels["stigmer-pm.key"]


def test_the_engine_restarts_nothing_by_itself(running: DockerProject) -> None:
    """Two who restart would act against each other."""
    assert running.inspect("web")["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")


def test_an_up_with_nothing_changed_leaves_the_container(running: DockerProject) -> None:
    """The same id, and it says so."""
    before = running.inspect("web")
    assert "nothing changed" in running.up().out
    after = running.inspect("web")
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])


def test_an_edit_of_what_is_executed_makes_another_container(running: DockerProject) -> None:
    """Of its environment, command or image; and the one before is gone."""
    text = FILE
    for old, new in (('LEVEL: "1"', 'LEVEL: "2"'), ("forever", "sh /bin/forever"), ("busybox:1", "health:1")):
        before, text = running.ids()["web"], text.replace(old, new)
        running.write(text)
        running.up("--no-wait")
        entry = running.wait_phase("web", "running")
        assert entry["container"] != before, new
        assert [container.id for container in running.mine()] == [entry["container"]], new
        assert entry["restarts"] == 0
    assert "LEVEL=2" in running.inspect("web")["Config"]["Env"]


def test_an_edit_of_how_it_is_watched_leaves_the_container(running: DockerProject) -> None:
    """A probe, the rules of restarts."""
    before = running.ids()
    running.write(FILE.replace("forever,", "forever, max_restarts: 3, probes: {readiness: {exec: [test, -e, /etc]}},"))
    running.up()
    assert running.ids() == before
    assert "exec test -e /etc" in running.ok("describe", "web").out


def test_stop_and_start(running: DockerProject) -> None:
    """After a stop nothing runs, and it is no failed run; a start runs it again."""
    before = running.ps()["web"]
    running.ok("stop", "web")
    entry = running.ps()["web"]
    assert (entry["phase"], entry["desired"], entry["pid"]) == ("stopped", "stopped", None)
    assert [container.status for container in running.mine() if container.status == "running"] == []
    running.ok("start", "web")
    entry = running.ps()["web"]
    assert (entry["phase"], entry["restarts"], entry["failed_runs"]) == ("running", 0, 0)
    assert entry["run"] > before["run"]
    assert running.inspect("web")["State"]["Running"]


def test_restart_runs_it_anew(running: DockerProject) -> None:
    """Another first process, and no automatic restart is counted."""
    before = running.pid("web")
    running.ok("restart", "web")
    entry = running.ps()["web"]
    assert entry["pid"] not in (None, before)
    assert entry["pid"] == running.inspect("web")["State"]["Pid"]
    assert entry["restarts"] == 0


def test_signal_reaches_the_first_process(project: DockerProject) -> None:
    """As ``docker kill -s`` does; it is not taken for an interference."""
    script = "trap 'echo hung up' HUP; trap 'exit 0' TERM; echo up; while :; do sleep 1 & wait $$!; done"
    project.write(f"""
        components:
          web: {{image: "stigmer-test/busybox:1", command: [sh, -c, "{script}"]}}
    """)
    project.up()
    project.wait_log("web", b"up")
    project.ok("signal", "HUP", "web")
    project.wait_log("web", b"hung up")
    assert project.ps()["web"]["phase"] == "running"


def test_describe_tells_of_the_container(running: DockerProject) -> None:
    """Its image, its name and id, and its engine."""
    out = running.ok("describe", "web").out
    assert BUSYBOX in out
    assert running.container_name("web") in out
    assert str(running.ids()["web"])[:12] in out
    assert running.environ["DOCKER_HOST"] in out


def test_down_removes_what_up_has_made(running: DockerProject) -> None:
    """Containers and networks; a container of somebody else stays."""
    foreign = running.client.containers.run(BUSYBOX, "forever", name=f"{running.name}-foreign", detach=True)
    try:
        assert running.networks()
        running.ok("down")
        assert running.mine() == []
        assert running.networks() == []
        assert running.client.networks.list([f"{running.name}-default"]) == []
        foreign.reload()
        assert foreign.status == "running"
    finally:
        foreign.remove(force=True)


def test_down_leaves_a_named_volume_with_its_data(project: DockerProject) -> None:
    """The next up finds it again."""
    project.write("""
        components:
          db:
            image: stigmer-test/busybox:1
            command: [sh, -c, "echo line >> /data/lines; exec forever"]
            volumes: ["data:/data"]
    """)
    for lines in (1, 2):
        project.up()
        eventually(lambda lines=lines: project.inside("db", "cat", "/data/lines") == "line\n" * lines, "the data")  # type: ignore[misc]
        assert project.inspect("db")["Mounts"][0]["Name"] == f"{project.name}-data"
        project.ok("down")
        assert project.client.volumes.get(f"{project.name}-data").attrs["Driver"] == "local"


def test_a_component_that_leaves_the_file_takes_its_container_along(project: DockerProject) -> None:
    """The others stay."""
    both = """
        components:
          web: {image: "stigmer-test/busybox:1", command: forever}
          job: {image: "stigmer-test/busybox:1", command: forever}
    """
    project.write(both)
    project.up()
    before = project.ids()
    project.write("\n".join(line for line in both.splitlines() if "job" not in line))
    project.up()
    eventually(lambda: not project.has_container("job"), "the container of the removed component is gone")
    assert project.ids() == {"web": before["web"]}


def test_a_process_and_a_container_stand_side_by_side(project: DockerProject) -> None:
    """In one table, and in one ``logs``."""
    project.write("""
        components:
          tool: {command: "sh -c 'echo from the process; exec sleep 1000'"}
          web: {image: "stigmer-test/busybox:1", command: [sh, -c, "echo from the container; exec forever"]}
    """)
    project.up()
    assert {name: entry["kind"] for name, entry in project.ps().items()} == {"tool": "process", "web": "container"}
    project.wait_log("web", b"from the container")
    out = project.ok("logs").out
    assert "from the process" in out
    assert "from the container" in out


def test_a_container_that_was_made_and_removed_leaves_no_trace(project: DockerProject) -> None:
    """Down after a stop removes the stopped one as well."""
    project.write(FILE)
    project.up()
    project.ok("stop", "web")
    project.ok("down")
    assert project.mine() == []
    with pytest.raises(docker.errors.NotFound):
        project.container("web")
