"""A container that ends by itself: the ladder of restarts, giving up, and what is completed."""

from __future__ import annotations

from .project import DockerProject


def test_one_that_exits_at_once_is_given_up_on_as_a_process_is(project: DockerProject) -> None:
    """After ``max_restarts`` and one more run; ``up`` says so with its last words."""
    project.write("""
        components:
          crash:
            image: stigmer-test/busybox:1
            command: [sh, -c, "echo no luck; exit 3"]
            max_restarts: 2
            backoff: 20ms
    """)
    result = project.up(code=1)
    said = result.out + result.err
    assert "gave up after 3 failed runs in a row" in said
    assert "exited 3" in said
    assert "no luck" in said
    entry = project.ps()["crash"]
    assert (entry["phase"], entry["restarts"], entry["failed_runs"]) == ("failed", 2, 3)
    assert project.log("crash").count(b"no luck") == 3
    assert project.event_kinds().count(("crash", "running")) == 3


def test_one_that_gave_up_comes_back_by_reset(project: DockerProject) -> None:
    """When what it needs is there."""
    project.write("""
        components:
          flaky:
            image: stigmer-test/busybox:1
            command: [sh, -c, "test -e /data/ok || exit 3; exec forever"]
            volumes: ["./data:/data"]
            max_restarts: 0
    """)
    project.up(code=1)
    (project.dir / "data" / "ok").touch()
    project.ok("reset", "flaky")
    assert project.ps()["flaky"]["phase"] == "running"


def test_a_job_that_succeeds_is_completed(project: DockerProject) -> None:
    """``restart: never`` and status 0; with another status it is failed."""
    project.write("""
        components:
          good: {image: "stigmer-test/busybox:1", command: ["true"], restart: never}
          bad: {image: "stigmer-test/busybox:1", command: ["false"], restart: never}
    """)
    project.up(code=1)
    entries = project.ps()
    assert (entries["good"]["phase"], entries["good"]["last_exit"]["code"]) == ("completed", 0)
    assert (entries["bad"]["phase"], entries["bad"]["last_exit"]["code"]) == ("failed", 1)
    assert entries["good"]["pid"] is None


def test_ps_during_a_backoff_says_when_the_next_start_is(project: DockerProject) -> None:
    """As of a process; and a stop ends the wait at once."""
    project.write("""
        components:
          crash: {image: "stigmer-test/busybox:1", command: [sh, -c, "exit 3"], backoff: 60s}
    """)
    project.up("--no-wait")
    entry = project.wait_phase("crash", "backoff")
    assert entry["next_restart"] is not None
    assert "exited 3" in entry["reason"]
    assert "next start in" in project.ok("ps").out
    project.ok("stop", "crash", timeout=10)
    assert project.ps()["crash"]["phase"] == "stopped"


def test_a_command_that_is_not_in_the_image_is_a_clear_reason(project: DockerProject) -> None:
    """It names the command."""
    project.write("""
        components:
          web: {image: "stigmer-test/busybox:1", command: [no-such-program], max_restarts: 0}
    """)
    result = project.up(code=1)
    reason = project.ps()["web"]["reason"]
    assert "no-such-program" in reason
    assert "not found" in reason
    assert "no-such-program" in result.out + result.err
