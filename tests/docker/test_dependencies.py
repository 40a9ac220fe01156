"""Processes and containers that wait for each other."""

from __future__ import annotations

from .project import DockerProject


def test_a_process_waits_until_a_container_is_ready(project: DockerProject) -> None:
    """By an HTTP probe that asks the container."""
    project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: [sh, -c, "usleep 500000; exec httpd -f -p 8000 -h /etc"]
            stop_timeout: 0s
            probes: {readiness: {http: {path: /passwd, port: 8000}, period: 100ms}}
          tool:
            command: sleep 1000
            depends_on: [web]
    """)
    project.up()
    kinds = project.event_kinds()
    assert kinds.index(("web", "ready")) < kinds.index(("tool", "running"))


def test_a_container_waits_until_a_process_is_ready(project: DockerProject) -> None:
    """The reverse."""
    project.write("""
        components:
          tool:
            command: sh -c 'sleep 0.3; touch ready; exec sleep 1000'
            probes: {readiness: {exec: [test, -e, ready], period: 100ms}}
          web:
            image: stigmer-test/busybox:1
            command: forever
            depends_on: [tool]
    """)
    project.up()
    kinds = project.event_kinds()
    assert kinds.index(("tool", "ready")) < kinds.index(("web", "running"))


def test_a_process_waits_until_a_container_has_done_its_job(project: DockerProject) -> None:
    """Condition ``completed``."""
    project.write("""
        components:
          migrate:
            image: stigmer-test/busybox:1
            command: [sh, -c, "usleep 300000; echo migrated > /out/done"]
            volumes: ["./out:/out"]
            restart: never
          tool:
            command: cat out/done
            restart: never
            depends_on: {migrate: {condition: completed}}
    """)
    project.up()
    assert project.log("tool") == b"migrated\n"


def test_down_stops_a_dependent_before_what_it_depends_on(project: DockerProject) -> None:
    """A container after the process that needs it."""
    project.write("""
        components:
          web: {image: "stigmer-test/busybox:1", command: forever}
          tool:
            command: ["sh", "-c", "trap 'sleep 0.3; exit 0' TERM; echo up; while :; do sleep 0.05; done"]
            depends_on: [web]
    """)
    project.up()
    project.ok("stop", "--all")
    kinds = project.event_kinds()
    assert kinds.index(("tool", "stopped")) < kinds.index(("web", "stopped"))
