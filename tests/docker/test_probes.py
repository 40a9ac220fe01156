"""Probes of containers, and the HEALTHCHECK of their images."""

from __future__ import annotations

from ..project import eventually
from .project import DockerProject
from .test_networks import free_port

DEFAULTS = """
    defaults:
      image: stigmer-test/busybox:1
      command: [sh, -c, "usleep 300000; exec httpd -f -p 8000 -h /etc"]
      stop_timeout: 0s
"""


def test_a_port_that_is_not_published_is_reached_by_the_containers_address(project: DockerProject) -> None:
    """The number is that inside of the container."""
    project.write(f"""
    {DEFAULTS}
    components:
      by-http: {{probes: {{readiness: {{http: {{path: /passwd, port: 8000}}, period: 100ms}}}}}}
      by-tcp: {{probes: {{readiness: {{tcp: 8000, period: 100ms}}}}}}
    """)
    project.up()
    assert {("by-http", "ready"), ("by-tcp", "ready")} <= set(project.event_kinds())


def test_a_port_that_is_published_is_reached_as_well(project: DockerProject) -> None:
    """Still by the number inside, or by its name."""
    project.write(f"""
    {DEFAULTS}
    components:
      by-http:
        ports: ["127.0.0.1:{free_port()}:8000"]
        probes: {{readiness: {{http: {{path: /passwd, port: 8000}}, period: 100ms}}}}
      by-name:
        ports: [{{name: web, target: 8000, host_ip: 127.0.0.1}}]
        probes: {{readiness: {{tcp: {{port: web}}, period: 100ms}}}}
    """)
    project.up()
    assert {("by-http", "ready"), ("by-name", "ready")} <= set(project.event_kinds())


def test_a_probe_of_a_closed_port_says_so(project: DockerProject) -> None:
    """In ``describe``; and ``up`` does not call it ready."""
    project.write(f"""
    {DEFAULTS}
    components: {{web: {{probes: {{readiness: {{tcp: 8001, period: 100ms}}}}}}}}
    """)
    result = project.run("up", "--timeout", "1s")
    assert result.code == 1, result
    assert "refused" in project.ok("describe", "web").out


def test_exec_runs_inside_of_the_container(project: DockerProject) -> None:
    """Its exit status counts, and its output is shown."""
    project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: forever
            probes:
              readiness:
                exec: [sh, -c, "echo looking for $$((6 * 7)); echo $$PPID; test -e /tmp/ok"]
                period: 100ms
    """)
    project.up("--no-wait")
    # What is asked for is shown as well, before there is a container.
    eventually(lambda: "looking for 42" in project.ok("describe", "web").out, "the output of the probe")
    assert not project.ps()["web"]["ready"]
    project.inside("web", "touch", "/tmp/ok")  # noqa: S108  (in the container)
    eventually(lambda: project.ps()["web"]["ready"], "it is ready")


def test_an_exec_that_hangs_is_ended_and_leaves_nothing(project: DockerProject) -> None:
    """No process of it stays in the container."""
    project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: forever
            probes: {readiness: {exec: [sh, -c, "sleep 777; true"], period: 200ms, timeout: 1s}}
    """)
    project.up("--no-wait")
    eventually(lambda: "within 1s" in project.ok("describe", "web").out, "the probe has had its second")
    project.write("components: {web: {image: 'stigmer-test/busybox:1', command: forever}}\n")
    project.up()

    eventually(lambda: "sleep 777" not in str(project.container("web").top()["Processes"]), "nothing is left")


def test_a_failed_liveness_probe_restarts_the_container(project: DockerProject) -> None:
    """Through a normal stop; the journal says which probe and why."""
    project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: [sh, -c, "touch /tmp/ok; exec forever"]
            min_uptime: 1ms
            probes: {liveness: {exec: [ls, /tmp/ok], initial_delay: 300ms, period: 100ms, failure_threshold: 1}}
    """)
    project.up("--no-wait")
    before = project.wait_phase("web", "running")
    eventually(lambda: project.ps()["web"]["healthy"], "it is healthy")
    project.inside("web", "rm", "/tmp/ok")  # noqa: S108  (in the container)
    after = project.wait_another("web", before)
    assert after["restarts"] == 1
    assert "liveness" in project.events_of("web")
    assert "No such file" in project.events_of("web")


def test_a_healthcheck_of_the_image_is_its_readiness(project: DockerProject) -> None:
    """When the file declares none; ``describe`` shows what it said."""
    project.write("components: {web: {image: 'stigmer-test/health:1'}}\n")
    project.up("--no-wait")
    project.wait_phase("web", "running")
    assert not project.ps()["web"]["ready"]
    project.inside("web", "touch", "/healthy")
    eventually(lambda: project.ps()["web"]["ready"], "it is ready")
    out = project.ok("describe", "web").out
    assert "all is well" in out
    project.inside("web", "rm", "/healthy")
    eventually(lambda: not project.ps()["web"]["ready"], "it is not ready any more")
    assert project.ps()["web"]["restarts"] == 0


def test_a_readiness_probe_of_the_file_wins_over_a_healthcheck(project: DockerProject) -> None:
    """That one is only shown."""
    project.write("""
        components:
          web: {image: "stigmer-test/health:1", probes: {readiness: {exec: ["true"], period: 100ms}}}
    """)
    project.up()
    assert project.ps()["web"]["ready"]
    eventually(lambda: "health check" in project.ok("describe", "web").out, "the check is shown")
