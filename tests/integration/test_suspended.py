"""A supervisor that is suspended for a while: what it has missed is made up for, and nobody suffers for its absence."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.project import Project, eventually


@contextmanager
def suspended(project: Project) -> Iterator[None]:
    """The supervisor doesn't get to do anything within the block."""
    pid = project.supervisor_pid()
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: "T" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3], "it is suspended")
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def pass_time(seconds: float) -> None:
    """Let time pass: it is what these tests are about, so there is nothing to wait for."""
    time.sleep(seconds)


def asked(project: Project) -> int:
    """How often the probe's command has run."""
    return (project.dir / "asked").read_text().count("x")


def test_what_ended_in_time_was_not_killed_and_what_did_not_is(project: Project) -> None:
    """``stop_timeout`` passes while the supervisor is suspended."""
    project.script("good", "#!/bin/sh\ntrap 'sleep 1.5; exit 0' TERM\ntouch ready.$$\nwhile :; do sleep 0.1; done\n")
    project.script("bad", "#!/bin/sh\ntrap '' TERM\ntouch ready.$$\nwhile :; do sleep 0.1; done\n")
    project.write("components: {good: {command: ./good, stop_timeout: 3s}, bad: {command: ./bad, stop_timeout: 3s}}\n")
    project.up()
    pids = project.pids()
    eventually(lambda: len(list(project.dir.glob("ready.*"))) == 2, "both are prepared")
    stop = project.start("stop", "--all")
    project.wait_phase("bad", "stopping")
    with suspended(project):
        good = pids["good"]
        eventually(lambda: "Z" in Path(f"/proc/{good}/stat").read_text().rpartition(")")[2][:3], "it has ended")
        pass_time(2.5)
    began = time.monotonic()
    stop.communicate(timeout=30)
    assert time.monotonic() - began < 15
    ended = {name: c["last_exit"]["reason"] for name, c in project.ps().items()}
    assert ended == {"good": "exited 0", "bad": "killed by SIGKILL"}
    events = project.ok("events", "good").out
    assert "killed" not in events
    assert "had to be killed" in project.ok("events", "bad").out


def test_an_attempt_of_a_probe_that_it_has_slept_through_has_not_failed(project: Project) -> None:
    """The answer came in time, and there was nobody to read it."""
    project.script("check", "#!/bin/sh\necho x >>asked\nsleep 0.2\n")
    probe = "{exec: ./check, period: 100ms, timeout: 500ms, failure_threshold: 1}"
    project.write(f"components: {{a: {{command: sleep 1000, probes: {{liveness: {probe}, readiness: {probe}}}}}}}\n")
    project.up()
    before, wanted = project.ps()["a"], [0]
    for _ in range(3):
        with suspended(project):
            pass_time(1.3)
        wanted.append(asked(project) + 2)
        eventually(lambda: asked(project) >= wanted[-1], "it is asked again")
    after = project.ps()["a"]
    assert (after["pid"], after["restarts"], after["ready"]) == (before["pid"], 0, True)
    assert "probe-fails" not in project.ok("events").out


def test_a_backoff_that_has_passed_meanwhile_is_over_at_once(project: Project) -> None:
    """It isn't begun anew, nor is what has died unseen lost."""
    project.script("server", "#!/bin/sh\ntest -e good || exit 3\nexec sleep 1000\n")
    project.write("components: {a: {command: ./server, backoff: 2s}, b: {command: sleep 1000}}\n")
    project.up("--no-wait")
    project.wait_phase("a", "backoff")
    project.write("", "good")
    b = project.pid("b")
    with suspended(project):
        os.kill(b, signal.SIGKILL)
        pass_time(2.5)
    project.wait_phase("a", "running", deadline=5.0)
    eventually(lambda: project.ps()["b"]["pid"] not in (None, b), "b is back")
    assert project.ps()["b"]["restarts"] == 1


def test_the_pid_of_a_suspended_supervisor_is_to_be_had(project: Project) -> None:
    """Who is to wake it up needs it. Once it is gone there is none, and the exit status says so."""
    project.write("components: {a: {command: sleep 1000}}\n")
    project.up()
    pid = project.supervisor_pid()
    with suspended(project):
        assert project.ok("pid", "--supervisor").out == f"{pid}\n"
    project.ok("down")
    result = project.run("pid", "--supervisor")
    assert (result.code, result.out) == (3, ""), result


@pytest.mark.skipif(os.environ.get("STIGMER_PM_TEST_LONG") != "1", reason="takes more than a minute: 'make test-long'")
def test_a_minute_is_as_a_moment(project: Project) -> None:
    """All of the above together, and long enough for every period, timeout and backoff to have passed several times."""
    project.script("check", "#!/bin/sh\necho x >>asked\n")
    project.script("slow", "#!/bin/sh\ntrap 'sleep 1; exit 0' TERM\ntouch slow.ready\nwhile :; do sleep 0.1; done\n")
    project.script("late", "#!/bin/sh\ntest -e good || exit 3\nexec sleep 1000\n")
    probe = "{exec: ./check, period: 1s, timeout: 1s, failure_threshold: 1}"
    project.write(f"""
        components:
          asked: {{command: sleep 1000, probes: {{liveness: {probe}, readiness: {probe}}}}}
          killed: {{command: sleep 1000}}
          late: {{command: ./late, backoff: 10s}}
          slow: {{command: ./slow, stop_timeout: 5s}}
          kept: {{command: sleep 1000}}
          count: {{command: [sh, -c, "i=0; while :; do i=$$((i+1)); echo $$i; sleep 0.05; done"]}}
    """)
    project.up("--no-wait")
    project.wait_phase("late", "backoff")
    eventually(lambda: project.ps()["asked"]["ready"] and (project.dir / "slow.ready").exists(), "all is prepared")
    before, supervisor = project.ps(), project.supervisor_pid()
    stop = project.start("stop", "slow")
    project.wait_phase("slow", "stopping")
    with suspended(project):
        ends_at = time.monotonic() + 60
        os.kill(before["killed"]["pid"], signal.SIGKILL)
        project.write("", "good")
        silent = project.run("stop", "kept")
        assert (silent.code, f"kill -CONT {supervisor}" in silent.err) == (3, True), silent
        pass_time(ends_at - time.monotonic())
    stop.communicate(timeout=30)
    for name in ("killed", "late"):
        project.wait_phase(name, "running", deadline=5.0)
    count = asked(project)
    eventually(lambda: asked(project) > count + 3, "it is asked again")
    after = project.ps()
    assert project.supervisor_pid() == supervisor
    for name in ("asked", "kept", "count"):
        assert [after[name][key] for key in ("pid", "restarts")] == [before[name]["pid"], 0]
    assert (after["asked"]["ready"], after["killed"]["restarts"], after["late"]["restarts"]) == (True, 1, 1)
    assert (after["slow"]["phase"], after["slow"]["last_exit"]["reason"]) == ("stopped", "exited 0")
    events = project.ok("events").out
    assert "probe-fails" not in events
    assert "had to be killed" not in events
    project.ok("down")
    numbers = [int(line) for line in project.log("count").splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))
