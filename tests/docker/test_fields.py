"""What the fields of a container come to on the engine."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from ..project import eventually
from .project import DockerProject

IMAGE = "stigmer-test/busybox:1"


def write_web(project: DockerProject, fields: str, more: str = "") -> None:
    """A file with the container ``web`` and these lines of its fields, and more components."""
    lines = textwrap.indent(textwrap.dedent(fields).strip(), "    ")
    others = textwrap.indent(textwrap.dedent(more), "  ")
    project.write(f"components:\n  web:\n    image: {IMAGE}\n{lines}\n{others}")


def up_web(project: DockerProject, fields: str) -> dict[str, Any]:
    """Bring it up; what the engine says about it."""
    write_web(project, fields)
    project.up()
    return project.inspect("web")


def test_command_and_entrypoint(project: DockerProject) -> None:
    """The entrypoint comes first, and a string is split into words as a shell would."""
    project.write(f"""
        components:
          both: {{image: "{IMAGE}", entrypoint: [echo, "one word"], command: "two 'three four'", restart: never}}
          command: {{image: "{IMAGE}", command: [echo, "$$HOME"], restart: never}}
    """)
    project.up()
    assert project.wait_log("both", b"\n") == b"one word two three four\n"
    assert project.wait_log("command", b"\n") == b"$HOME\n"


def test_environment_arrives_byte_for_byte(project: DockerProject) -> None:
    """With new lines, dollars, quotes, blanks at the end, and letters beyond ASCII; null passes the caller's on."""
    values = {"LINES": "a\nb\n", "DOLLAR": "$HOME ${X}", "QUOTES": "'\"\\`", "BLANKS": " x  ", "OMEGA": "Ωß", "NO": ""}
    escaped = {name: value.replace("$", "$$") for name, value in values.items()}
    write_web(
        project,
        f"""
        command: forever
        environment: {json.dumps({**escaped, "PASSED_ON": None})}
    """,
    )
    project.up(env={"PASSED_ON": "by the caller", "UNNAMED": "x"})
    found = dict(line.split("=", 1) for line in project.inside("web", "cat", "/proc/1/environ").split("\0") if line)
    assert {name: found.get(name) for name in values} == values
    assert found["PASSED_ON"] == "by the caller"
    assert "UNNAMED" not in found
    assert "/bin" in found["PATH"]


def test_env_file_stands_beneath_environment(project: DockerProject) -> None:
    """And an edit of it makes another container."""
    project.write("A=file\nB='two words'\n", "web.env")
    up_web(project, "command: forever\nenv_file: web.env\nenvironment: {A: own}")
    assert {"A=own", "B=two words"} <= set(project.inspect("web")["Config"]["Env"])
    before = project.ids()
    project.write("A=file\nB=other\n", "web.env")
    project.up()
    assert project.ids() != before
    assert "B=other" in project.inspect("web")["Config"]["Env"]


def test_working_dir_and_user(project: DockerProject) -> None:
    """Both are those of the container."""
    up_web(project, "command: forever\nworking_dir: /etc\nuser: guest")
    assert project.inside("web", "pwd") == "/etc\n"
    assert project.inside("web", "id", "-u") == "1000\n"


def test_container_name(project: DockerProject) -> None:
    """Instead of PROJECT-COMPONENT."""
    name = f"{project.name}.special"
    write_web(project, f"command: forever\ncontainer_name: {name}")
    project.up()
    assert project.client.containers.get(name).id == project.ids()["web"]


def test_limits(project: DockerProject) -> None:
    """The engine holds the container to them."""
    found = up_web(project, "command: forever\nlimits: {memory: 64MiB, cpu: 0.5, nofile: 512}")["HostConfig"]
    assert found["Memory"] == 64 * 1024 * 1024
    assert found["NanoCpus"] == 500_000_000
    assert found["Ulimits"] == [{"Name": "nofile", "Soft": 512, "Hard": 512}]
    assert project.inside("web", "sh", "-c", "ulimit -n") == "512\n"


def test_labels_of_the_component_stand_on_the_container(project: DockerProject) -> None:
    """So that ``docker ps --filter`` finds it."""
    found = up_web(project, "command: forever\nlabels: {team: shop, tier: core}")
    assert found["Config"]["Labels"]["team"] == "shop"
    assert found["Config"]["Labels"]["tier"] == "core"


def test_stop_signal_is_that_of_the_file_or_of_the_image_or_sigterm(project: DockerProject) -> None:
    """In this order: what the file names wins over STOPSIGNAL."""
    traps = "; ".join(f"trap 'echo got {name}; exit 0' {name}" for name in ("TERM", "INT", "USR1"))
    command = f'[sh, -c, "{traps}; echo up; while :; do sleep 1000 & wait $$!; done"]'
    project.write(f"""
        defaults: {{command: {command}}}
        components:
          usr1: {{image: "stigmer-test/volume:1", stop_signal: SIGUSR1}}
          int: {{image: "stigmer-test/volume:1"}}
          term: {{image: "{IMAGE}"}}
    """)
    project.up()
    for name in ("usr1", "int", "term"):
        project.wait_log(name, b"up")
    project.ok("stop", "--all")
    for name in ("usr1", "int", "term"):
        project.wait_log(name, f"got {name.upper()}".encode())


def test_a_container_that_ignores_its_stop_signal_is_killed_after_its_stop_timeout(project: DockerProject) -> None:
    """And that is reported."""
    up_web(project, "command: sleep 1000\nstop_timeout: 300ms")
    project.ok("stop", "web", timeout=10)
    entry = project.ps()["web"]
    assert (entry["phase"], entry["last_exit"]["signal"]) == ("stopped", "SIGKILL")
    assert "had to be killed" in project.events_of("web")
    assert not project.inspect("web")["State"]["Running"]


def test_an_image_for_another_platform_is_refused_in_words(project: DockerProject) -> None:
    """The reason names the platform."""
    write_web(project, "command: forever\nplatform: linux/s390x\npull: never\nmax_restarts: 0")
    result = project.up(code=1)
    assert "s390x" in result.out + result.err
    assert "s390x" in project.ps()["web"]["reason"]


def test_an_anonymous_volume_of_the_image_follows_its_container(project: DockerProject) -> None:
    """What was written there is there again after a restart, as with Compose."""
    project.write("""
        components:
          web:
            image: stigmer-test/volume:1
            command: [sh, -c, "echo line >> /data/lines; exec forever"]
    """)
    project.up()
    eventually(lambda: project.inside("web", "cat", "/data/lines") == "line\n")
    project.ok("restart", "web")
    eventually(lambda: project.inside("web", "cat", "/data/lines") == "line\nline\n")
    for mount in project.inspect("web")["Mounts"]:
        volume = project.client.volumes.get(mount["Name"])
    project.ok("down")
    volume.remove()
