"""Ports and networks."""

from __future__ import annotations

import socket
import urllib.request

from ..project import eventually
from .images import BUSYBOX
from .project import DockerProject
from .test_fields import up_web, write_web

#: Whatever proxy the environment names, what these tests ask is on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

SERVER = 'command: [httpd, -f, -p, "8000", -h, /etc]\nstop_timeout: 0s'
READY = "probes: {readiness: {tcp: 8000, period: 100ms}}"


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def fetch(port: int) -> bytes:
    """What the server of a container answers at a port of this machine."""
    with _OPENER.open(f"http://127.0.0.1:{port}/passwd", timeout=10) as answer:
        content: bytes = answer.read()
    return content


def test_a_published_port_answers(project: DockerProject) -> None:
    """On the port and address that the file names."""
    port = free_port()
    up_web(project, f'{SERVER}\n{READY}\nports: ["127.0.0.1:{port}:8000"]')
    assert b"root" in fetch(port)


def test_a_port_without_a_number_outside_gets_a_free_one(project: DockerProject) -> None:
    """And ``describe`` says which."""
    found = up_web(project, f'{SERVER}\n{READY}\nports: ["8000"]')
    port = int(found["NetworkSettings"]["Ports"]["8000/tcp"][0]["HostPort"])
    assert b"root" in fetch(port)
    assert str(port) in project.ok("describe", "web").out


def test_a_port_that_is_taken_is_a_reason(project: DockerProject) -> None:
    """It names the port; and when it becomes free, the container comes up by itself."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        write_web(project, f'{SERVER}\nbackoff: 200ms\nports: ["127.0.0.1:{port}:8000"]')
        project.up("--no-wait")
        entry = project.wait_phase("web", "backoff")
        assert str(port) in entry["reason"]
        assert "in use" in entry["reason"] or "taken" in entry["reason"]
    project.wait_phase("web", "running")


def test_components_reach_each_other_by_name(project: DockerProject) -> None:
    """On the project's own network, and on one that they share by name."""
    write_web(
        project,
        SERVER,
        more="""
          named:
            image: stigmer-test/busybox:1
            command: [httpd, -f, -p, "8000", -h, /etc]
            stop_timeout: 0s
            networks: [backend]
          asks:
            image: stigmer-test/busybox:1
            command: [sh, -c, "until wget -qO- http://web:8000/group; do usleep 50000; done"]
            restart: never
          asks-named:
            image: stigmer-test/busybox:1
            command: [sh, -c, "until wget -qO- http://named:8000/group; do usleep 50000; done"]
            restart: never
            networks: [backend]
    """,
    )
    project.up()
    for name in ("asks", "asks-named"):
        assert b"root:x:0" in project.wait_log(name, b"root")
    assert len(project.networks()) == 2
    assert f"{project.name}-backend" in project.networks()


def test_a_container_can_have_no_network_or_the_machines(project: DockerProject) -> None:
    """``none`` and ``host``; nothing is made for either."""
    project.write(f"""
        components:
          alone: {{image: "{BUSYBOX}", command: forever, networks: [none]}}
          open: {{image: "{BUSYBOX}", command: forever, networks: [host]}}
    """)
    project.up()
    assert project.inside("alone", "ls", "/sys/class/net").split() == ["lo"]
    assert project.inspect("open")["HostConfig"]["NetworkMode"] == "host"
    assert project.networks() == []


def test_a_network_of_somebody_else_is_joined_and_left_alone(project: DockerProject) -> None:
    """One that is there under the very name in the file is not made a second time, and not removed by down."""
    name = f"{project.name}-foreign"
    network = project.client.networks.create(name)
    try:
        write_web(project, f"command: forever\nnetworks: [{name}]")
        project.up()
        assert list(project.inspect("web")["NetworkSettings"]["Networks"]) == [name]
        project.ok("down")
        eventually(lambda: project.mine() == [])
        assert [found.id for found in project.client.networks.list([name])] == [network.id]
    finally:
        network.remove()
