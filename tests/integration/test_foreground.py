"""``up --foreground``: logs in front, Ctrl-C, exit statuses."""

from __future__ import annotations

import signal

from ..project import Project, eventually


def test_the_first_interrupt_stops_in_order(project: Project) -> None:
    """The logs were shown, dependents stopped first, and the status is 130."""
    say = "trap 'echo bye NAME; exit 0' TERM; echo hello NAME; while :; do sleep 0.05; done"
    project.write(f"""
        components:
          db: {{command: ["sh", "-c", "{say.replace("NAME", "db")}"]}}
          web: {{command: ["sh", "-c", "{say.replace("NAME", "web")}"], depends_on: [db]}}
    """)
    process = project.start("up", "--foreground")
    eventually(lambda: b"hello web" in project.log("web") and b"hello db" in project.log("db"))
    eventually(project.answers)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    for word in ("hello db", "hello web", "bye web", "bye db"):
        assert word in out, (out, err)
    assert "in order" in err
    assert not project.living()


def test_the_second_interrupt_kills(project: Project) -> None:
    """A stubborn one doesn't hold it up for its stop_timeout."""
    project.write("""
        components:
          stubborn:
            command: ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"]
            stop_timeout: 10m
    """)
    process = project.start("up", "--foreground")
    eventually(lambda: b"up" in project.log("stubborn"))
    eventually(project.answers)
    process.send_signal(signal.SIGINT)
    eventually(lambda: project.ps()["stubborn"]["phase"] == "stopping")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert not project.living()


def test_its_status_is_that_of_the_component_named(project: Project) -> None:
    """``--exit-code-from``: the code, or 128+n for a signal; the others are stopped."""
    project.write("""
        components:
          job: {command: "sh -c 'sleep 0.3; exit 7'", restart: never}
          side: {command: sleep 1000}
    """)
    result = project.run("up", "--foreground", "--exit-code-from", "job")
    assert result.code == 7, result
    project.write("""
        components:
          job: {command: ["sh", "-c", "kill -9 $$$$"], restart: never}
          side: {command: sleep 1000}
    """)
    result = project.run("up", "--foreground", "--exit-code-from", "job")
    assert result.code == 128 + 9, result
    assert not project.living()


def test_a_component_that_is_given_up_on_ends_it_when_asked(project: Project) -> None:
    """``--exit-on-failure``."""
    project.write("""
        components:
          crash: {command: "sh -c 'exit 5'", max_restarts: 1, backoff: 10ms}
          side: {command: sleep 1000}
    """)
    result = project.run("up", "--foreground", "--exit-on-failure")
    assert result.code == 5, result
    assert not project.living()


def test_it_ends_by_itself_when_every_component_has_ended(project: Project) -> None:
    """As ``docker compose up``: 0 when all succeeded."""
    project.write("components: {job: {command: echo done, restart: never}}\n")
    result = project.run("up", "--foreground")
    assert result.code == 0, result
    assert "done" in result.out
