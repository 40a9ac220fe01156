"""stigmer-pm itself as the first process of a container: ``docker stop``, exit statuses, and a start over old state."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docker.models.containers import Container

from ..project import eventually
from .images import BUSYBOX
from .project import DockerProject

_HERE = Path(__file__).parents[2]
#: What a Python of this machine needs, at the same places.
_FOLDERS = ("/usr", "/lib", "/lib64", "/bin", sys.base_prefix, sys.prefix, str(_HERE))

SAY = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.1; done"


@contextmanager
def contained(project: DockerProject, *options: str) -> Iterator[Container]:
    """A container that runs ``up --foreground`` in the project's folder; removed after the block."""
    folders = [folder for folder in dict.fromkeys(_FOLDERS) if Path(folder).exists()]
    container = project.client.containers.create(
        BUSYBOX,
        [sys.executable, "-m", "stigmer_pm", "up", "--foreground", *options],
        environment={key: value for key, value in project.environ.items() if key != "DOCKER_HOST"},
        working_dir=str(project.dir),
        volumes=[f"{folder}:{folder}:ro" for folder in folders] + [f"{project.dir}:{project.dir}:rw"],
        network_mode="none",
    )
    try:
        container.start()
        yield container
    finally:
        container.remove(force=True)


def begun(project: DockerProject) -> None:
    """Its component runs and its socket answers."""
    project.wait_log("web", b"hello")
    eventually(project.answers)


def test_docker_stop_ends_in_order_and_within_its_timeout(project: DockerProject) -> None:
    """As process 1 it has a handler for SIGTERM, so nobody waits for SIGKILL. The status is 0, no zombie was left."""
    project.write(f"""
        components:
          web: {{command: ["sh", "-c", "{SAY}"]}}
    """)
    with contained(project) as container:
        begun(project)
        assert project.ok("ps", "--json").json["supervisor"]["pid"] == 1
        # The shell that Docker runs inside has no parent there; what it leaves behind comes to process 1.
        container.exec_run(["sh", "-c", "for i in 1 2 3; do (sleep 0.2 >/dev/null 2>&1 &) ; done"])
        eventually(lambda: are_collected(states(container)), "all that were left have ended and been collected")
        container.stop(timeout=20)
        container.reload()
        assert container.attrs["State"]["ExitCode"] == 0
        assert project.log("web").endswith(b"bye\n")
        said = container.logs()
    assert b"hello" in said
    assert b"bye" in said


def are_collected(said: bytes) -> bool:
    """The strangers have ended, and nothing is a zombie."""
    lines = said.decode().splitlines()[1:]
    return bool(lines) and "sleep 0.2" not in said.decode() and not any(line.startswith("Z") for line in lines)


def states(container: Container) -> bytes:
    """State and command of everything inside."""
    _, output = container.exec_run(["ps", "-e", "-o", "stat,args"])
    assert isinstance(output, bytes)
    return output


def test_the_status_of_the_container_is_that_of_the_component_it_stands_for(project: DockerProject) -> None:
    """``--exit-code-from``; a signal is passed on to it."""
    project.write("""
        components:
          web: {command: ["sh", "-c", "trap 'exit 7' USR1; echo hello; while :; do sleep 0.1; done"], restart: never}
          other: {command: sleep 1000}
    """)
    with contained(project, "--exit-code-from", "web") as container:
        begun(project)
        container.kill("SIGUSR1")
        assert container.wait(timeout=30)["StatusCode"] == 7


def test_a_container_that_is_started_again_begins_anew(project: DockerProject) -> None:
    """Also after ``docker kill``: its file system, with the state, is the same; its processes are not."""
    project.write(f"""
        components:
          web: {{command: ["sh", "-c", "{SAY}"]}}
    """)
    with contained(project) as container:
        begun(project)
        container.kill()
        container.wait(timeout=30)
        (project.dir / ".stigmer" / "logs" / "web.log").unlink()
        container.start()
        begun(project)
        entry = project.ps()["web"]
        assert (entry["phase"], entry["restarts"], entry["failed_runs"]) == ("running", 0, 0)
        container.stop(timeout=20)
        assert container.wait(timeout=30)["StatusCode"] == 0
