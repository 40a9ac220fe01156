"""Volumes: folders of this machine, volumes of the engine, memory."""

from __future__ import annotations

from functools import partial

from ..project import eventually
from .project import DockerProject
from .test_fields import up_web, write_web


def test_a_folder_of_the_project_is_bound(project: DockerProject) -> None:
    """Its path starts from the file; what the container writes is there, and the other way round."""
    project.write("from outside\n", "data/in")
    up_web(
        project,
        """
        command: [sh, -c, "cp /data/in /data/out; exec forever"]
        volumes: ["./data:/data"]
    """,
    )
    project.wait_log("web", b"started")
    assert (project.dir / "data" / "out").read_text() == "from outside\n"


def test_a_volume_can_be_read_only(project: DockerProject) -> None:
    """Writing fails, in the short and in the long form."""
    (project.dir / "data").mkdir()
    up_web(
        project,
        """
        command: forever
        volumes:
          - ./data:/short:ro
          - {type: bind, source: ./data, target: /long, read_only: true}
    """,
    )

    def is_refused(folder: str) -> bool:
        code, output = project.container("web").exec_run(["touch", f"/{folder}/file"])
        assert code != 0
        return b"Read-only" in output  # now and then an engine under load has lost it

    for folder in ("short", "long"):
        eventually(partial(is_refused, folder), "it is said why")


def test_a_named_volume_is_shared_by_its_name(project: DockerProject) -> None:
    """It is called PROJECT-NAME on the engine, and two components that name it have the same."""
    project.write("""
        components:
          writer:
            image: stigmer-test/busybox:1
            command: [touch, /data/file]
            restart: never
            volumes: ["data:/data"]
          reader:
            image: stigmer-test/busybox:1
            command: [ls, /data]
            restart: never
            volumes: ["data:/data"]
            depends_on: {writer: {condition: completed}}
    """)
    project.up()
    assert project.wait_log("reader", b"\n") == b"file\n"
    assert project.client.volumes.get(f"{project.name}-data").attrs["Driver"] == "local"


def test_memory_as_a_volume(project: DockerProject) -> None:
    """A tmpfs."""
    up_web(project, "command: forever\nvolumes: [{type: tmpfs, target: /scratch}]")
    assert "tmpfs on /scratch" in project.inside("web", "mount")


def test_a_source_that_is_not_there_is_a_reason_when_it_must_not_be_made(project: DockerProject) -> None:
    """``create_host_path: false``, as with Compose; the reason names the path, and nothing is made."""
    write_web(
        project,
        """
        command: forever
        max_restarts: 0
        volumes:
          - {type: bind, source: ./missing, target: /data, bind: {create_host_path: false}}
    """,
    )
    project.up(code=1)
    assert str(project.dir / "missing") in project.ps()["web"]["reason"]
    assert not (project.dir / "missing").exists()


def test_an_anonymous_volume_outlives_starts_that_are_refused(project: DockerProject) -> None:
    """An edit that can't be started, and its correction: what was written before is there."""
    good = 'sh -c "test -e /data/x || date +%N > /data/x; cat /data/x; exec forever"'
    form = "components: {{db: {{image: 'stigmer-test/volume:1', command: {command}{more}, backoff: 100ms}}}}\n"
    project.write(form.format(command=good, more=""))
    project.up()
    first = project.inside("db", "cat", "/data/x")
    missing = ", volumes: [{type: bind, source: /nonexistent/x, target: /y, bind: {create_host_path: false}}]"
    for command, more in (("nosuchprogram", ""), (good, missing)):
        project.write(form.format(command=command, more=more))
        project.up(code=1)
    project.write(form.format(command=good, more=""))
    project.up()
    assert project.inside("db", "cat", "/data/x") == first
