"""The main job: up, kill, restart, down, on real processes through the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import Any

from ..project import Project, eventually

TWO = """
    components:
      server:
        command: sleep 1000
      runner:
        command: sleep 1000
        depends_on: [server]
"""


def wait_for_another_pid(project: Project, name: str, pid: int) -> dict[str, dict[str, Any]]:
    """Wait until a new run of an instance has a pid; all entries then."""
    return eventually(lambda: found if (found := project.ps())[name]["pid"] not in (None, pid) else None)


def test_a_killed_component_comes_back_and_the_other_is_untouched(project: Project) -> None:
    """``restarts`` one higher, ``last_exit`` "killed by SIGKILL", and nothing else moves."""
    project.write(TWO)
    project.up()
    for name, other in (("server", "runner"), ("runner", "server")):
        before = project.ps()
        os.kill(before[name]["pid"], signal.SIGKILL)
        after = wait_for_another_pid(project, name, before[name]["pid"])
        assert after[name]["restarts"] == before[name]["restarts"] + 1
        assert after[name]["last_exit"]["reason"] == "killed by SIGKILL"
        assert after[name]["last_exit"]["signal"] == "SIGKILL"
        assert after[other]["pid"] == before[other]["pid"]
        assert after[other]["restarts"] == before[other]["restarts"]


def test_one_that_exits_at_once_is_started_eleven_times_and_then_failed(project: Project) -> None:
    """The whole ladder with small numbers; ``ps``, ``describe`` and ``events`` say so and ``up`` exits 1."""
    project.write("""
        components:
          crash:
            command: sh -c 'echo run >> runs.txt; echo no luck; exit 3'
            min_uptime: 1s
            backoff: {initial: 20ms, factor: 2, max: 200ms}
    """)
    result = project.up(code=1)
    assert (project.dir / "runs.txt").read_text().count("run") == 11
    assert "gave up after 11 failed runs in a row" in result.err + result.out
    assert "exited 3" in result.err + result.out
    assert "no luck" in result.err + result.out
    entry = project.ps()["crash"]
    assert (entry["phase"], entry["restarts"], entry["failed_runs"]) == ("failed", 10, 11)
    assert "gave up after 11 failed runs" in entry["reason"]
    assert "gave up after 11 failed runs" in project.ok("describe", "crash").out
    assert "gave up after 11 failed runs" in project.ok("events").out
    starts = [e for e in project.ok("events", "--json").out.splitlines() if '"kind": "running"' in e]
    assert len(starts) == 11


def test_reset_and_restart_bring_one_that_gave_up_back(project: Project) -> None:
    """And their result says that it runs."""
    project.write("""
        components:
          flaky:
            command: sh -c 'test -e ok && exec sleep 1000; exit 3'
            max_restarts: 1
            backoff: 10ms
    """)
    project.up(code=1)
    (project.dir / "ok").touch()
    project.ok("reset", "flaky")
    assert project.ps()["flaky"]["phase"] == "running"
    (project.dir / "ok").unlink()
    os.kill(project.pid("flaky"), signal.SIGKILL)
    project.wait_phase("flaky", "failed")
    (project.dir / "ok").touch()
    project.ok("restart", "flaky")
    assert project.ps()["flaky"]["failed_runs"] == 0


def test_ps_during_a_backoff_says_when_the_next_start_is(project: Project) -> None:
    """Phase ``backoff``, the reason, and the time."""
    project.write("""
        components:
          crash: {command: "sh -c 'exit 3'", backoff: 60s}
    """)
    project.up("--no-wait")
    entry = project.wait_phase("crash", "backoff")
    assert entry["next_restart"] is not None
    assert entry["pid"] is None
    assert "exited 3" in entry["reason"]
    table = project.ok("ps").out
    assert "backoff" in table
    assert "next start in" in table


def test_a_stop_during_a_backoff_returns_at_once_and_nothing_starts_afterwards(project: Project) -> None:
    """No start is pending any more."""
    project.write("""
        components:
          crash: {command: "sh -c 'echo x >> runs.txt; exit 3'", backoff: 1s, max_restarts: unlimited}
    """)
    project.up("--no-wait")
    project.wait_phase("crash", "backoff")
    project.ok("stop", "crash")
    runs = (project.dir / "runs.txt").read_text()
    before = project.ok("events", "--json").out
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        assert project.ps()["crash"]["phase"] == "stopped"
        time.sleep(0.05)
    assert (project.dir / "runs.txt").read_text() == runs
    assert project.ok("events", "--json").out == before


def test_one_that_always_dies_just_after_min_uptime_is_slowed_reported_and_never_given_up(project: Project) -> None:
    """Flapping, with small numbers."""
    project.write("""
        components:
          flap:
            command: sh -c 'sleep 0.15; exit 3'
            min_uptime: 50ms
            max_restarts: 3
            backoff: {initial: 300ms, max: 600ms}
    """)
    project.up("--no-wait")
    entry = eventually(lambda: e if "flapping" in (e := project.ps()["flap"])["reason"] else None)
    assert entry["phase"] == "backoff"
    assert "3 restarts in 10m" in entry["reason"]
    eventually(lambda: project.ps()["flap"]["restarts"] >= 6)
    assert project.ps()["flap"]["phase"] != "failed"
    assert project.ok("events").out.count("flapping: ") == 1


def test_two_ups_at_the_same_moment_give_one_supervisor_and_one_set_of_processes(project: Project) -> None:
    """Both succeed, and there is one of everything."""
    project.write(TWO)
    both = [project.start("up") for _ in range(2)]
    results = [(p.communicate(timeout=60), p.returncode) for p in both]
    assert [code for _, code in results] == [0, 0], results
    living = project.living().values()
    assert sum("sleep 1000" in command for command in living) == 2, living
    assert sum("stigmer_pm" in command for command in living) == 1, living


def test_down_leaves_nothing_in_whatever_session_or_group_it_put_itself(project: Project) -> None:
    """A setsid grandchild, a double fork that ignores SIGTERM, and one without our environment."""
    project.script(
        "nest.sh",
        """\
        #!/bin/sh
        setsid sleep 1001 &
        (setsid sh -c 'trap "" TERM HUP INT; sleep 1002 & while :; do wait; done' &)
        exec sleep 1003
        """,
    )
    project.write("""
        components:
          nest: {command: ./nest.sh, stop_timeout: 500ms}
    """)
    project.up()
    eventually(lambda: sum("sleep 100" in c for c in project.living().values()) >= 4 or None)
    project.ok("down")
    eventually(lambda: not project.living(), f"nothing lives: {project.living()}")


def test_what_a_leader_leaves_behind_when_it_dies_is_ended_before_the_next_run(project: Project) -> None:
    """``sh -c 'sleep 600 & exit 3'`` never has two sleeps."""
    project.write("""
        components:
          leaky: {command: "sh -c 'sleep 1004 & exit 3'", backoff: 20ms, max_restarts: 5}
    """)
    project.up(code=1)
    assert not [c for c in project.living().values() if "sleep 1004" in c]


def test_a_program_that_ignores_sigterm_is_killed_after_its_stop_timeout(project: Project) -> None:
    """And that is reported."""
    project.write("""
        components:
          stubborn:
            command: ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"]
            stop_timeout: 300ms
    """)
    project.up()
    project.ok("stop", "stubborn")
    assert project.ps()["stubborn"]["last_exit"]["signal"] == "SIGKILL"
    assert "had to be killed" in project.ok("events").out


def test_a_stop_asks_what_hides_in_another_session_as_well(project: Project) -> None:
    """It ends in good order, long before the ``stop_timeout``."""
    project.script(
        "hide.sh",
        """\
        #!/bin/sh
        setsid sh -c 'trap "echo asked; exit 0" TERM; echo hidden; while :; do sleep 0.05; done' &
        exec sleep 1005
        """,
    )
    project.write("components: {hide: {command: ./hide.sh, stop_timeout: 10m}}\n")
    project.up()
    eventually(lambda: b"hidden" in project.log("hide"))
    project.ok("stop", "hide")
    assert b"asked" in project.log("hide")


def slow_stoppers(count: int, seconds: float) -> str:
    """A file with components that take that long to stop."""
    lines = ["components:"]
    for number in range(count):
        script = f"trap 'sleep {seconds}; exit 0' TERM; echo up; while :; do sleep 0.05; done"
        lines.append(f'  c{number}: {{command: ["sh", "-c", "{script}"]}}')
    return "\n".join(lines) + "\n"


def overlap(project: Project, *names: str) -> bool:
    """Whether ``names`` were all stopping at one moment."""
    return all(project.ps()[name]["phase"] == "stopping" for name in names)


def test_restarts_of_different_components_run_side_by_side(project: Project) -> None:
    """Two that take their time to stop are stopping at the same moment, and neither is refused."""
    project.write(slow_stoppers(2, 2))
    project.up()
    before = project.pids()
    both = [project.start("restart", name) for name in ("c0", "c1")]
    eventually(lambda: overlap(project, "c0", "c1"))
    assert [(p.communicate(timeout=60), p.returncode)[1] for p in both] == [0, 0]
    assert all(project.pids()[name] != before[name] for name in before)


def test_two_restarts_of_the_same_component_join(project: Project) -> None:
    """One new run, and both succeed."""
    script = "trap 'while ! test -e go; do sleep 0.05; done; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    project.write(f'components: {{c0: {{command: ["sh", "-c", "{script}"], stop_timeout: 60s}}}}\n')
    project.up()
    eventually(lambda: project.log("c0"), "it has its trap")
    first = project.start("restart", "c0")
    project.wait_phase("c0", "stopping")
    second = project.start("restart", "c0")
    assert second.stderr is not None
    assert second.stderr.readline(), "it has been told what it waits for"
    (project.dir / "go").touch()
    assert [(p.communicate(timeout=60), p.returncode)[1] for p in (first, second)] == [0, 0]
    runs = project.ok("describe", "c0", "--json").json["runs"]
    assert len(runs) == 2


def test_down_of_fifty_that_each_take_a_second_stops_them_side_by_side(project: Project) -> None:
    """All of them are stopping at one moment, so it takes the time of one."""
    project.write(slow_stoppers(50, 1))
    project.up(timeout=120.0)
    down = project.start("down")
    eventually(lambda: sum(c["phase"] == "stopping" for c in project.ps().values()) == 50)
    out, err = down.communicate(timeout=60)
    assert down.returncode == 0, (out, err)


def test_stopped_by_hand_stays_stopped_through_up_under_unless_stopped(project: Project) -> None:
    """And ``start`` runs it again; under ``always``, ``up`` starts it."""
    project.write("""
        components:
          a: {command: sleep 1000, restart: unless-stopped}
          b: {command: sleep 1000}
    """)
    project.up()
    project.ok("stop", "a", "b")
    project.up()
    phases = {name: c["phase"] for name, c in project.ps().items()}
    assert phases == {"a": "stopped", "b": "running"}
    project.ok("start", "a")
    assert project.ps()["a"]["phase"] == "running"


def test_restart_no_means_never(project: Project) -> None:
    """YAML 1.2: ``no`` is a word, and here it says what it says."""
    project.write("""
        components:
          job: {command: "sh -c 'exit 0'", restart: no}
          bad: {command: "sh -c 'exit 4'", restart: no}
    """)
    project.up(code=1)
    entries = project.ps()
    assert (entries["job"]["phase"], entries["job"]["restarts"]) == ("completed", 0)
    assert (entries["bad"]["phase"], entries["bad"]["last_exit"]["code"]) == ("failed", 4)


def test_what_cannot_be_started_is_said_in_words(project: Project) -> None:
    """Not found, not executable, no folder, no user: the reason and no traceback; ``up`` ends at once."""
    (project.dir / "plain.txt").write_text("no program")
    project.write("""
        components:
          missing: {command: no-such-program}
          plain: {command: ./plain.txt}
          homeless: {command: sleep 1, working_dir: ./nowhere}
          stranger: {command: sleep 1, user: no-such-user}
    """)
    result = project.up(code=1)
    said = result.out + result.err
    assert "'no-such-program' not found in PATH" in said
    assert "'./plain.txt' is not executable" in said
    assert "nowhere' does not exist" in said
    assert "there is no user 'no-such-user'" in said
    assert "Traceback" not in said


def test_an_instant_crash_shows_in_the_result_of_up(project: Project) -> None:
    """``--settle``: one that dies right after its start is not called ready."""
    project.write("""
        components:
          brief: {command: "sh -c 'sleep 0.2; echo oh no; exit 7'", restart: never}
    """)
    result = project.up(code=1)
    assert "exited 7" in result.out + result.err
    assert "oh no" in result.out + result.err


def test_killing_the_supervisor_loses_nothing(project: Project) -> None:
    """The next ``up`` finds every run again: same pids, counts kept, and nothing twice."""
    project.write(TWO)
    project.up()
    os.kill(project.pid("server"), signal.SIGKILL)
    eventually(lambda: project.ps()["server"]["restarts"] == 1 and project.ps()["server"]["pid"])
    before = project.ps()
    project.kill_supervisor()
    project.up()
    after = project.ps()
    assert {n: (c["pid"], c["restarts"]) for n, c in after.items()} == {
        n: (c["pid"], c["restarts"]) for n, c in before.items()
    }
    os.kill(after["runner"]["pid"], signal.SIGKILL)
    entry = eventually(lambda: e if (e := project.ps()["runner"])["restarts"] == 1 and e["pid"] else None)
    assert entry["phase"] == "running"


def test_a_run_that_ended_while_nobody_watched_is_replaced(project: Project) -> None:
    """And its end is on record as such."""
    project.write(TWO)
    project.up()
    runner = project.pid("runner")
    os.kill(project.supervisor_pid(), signal.SIGKILL)
    os.kill(runner, signal.SIGKILL)
    eventually(lambda: runner not in project.living())
    project.up()
    entry = project.ps()["runner"]
    assert entry["phase"] == "running"
    assert entry["last_exit"]["reason"] in ("ended, exit status unknown", "killed by SIGKILL")


def test_another_user_can_open_neither_the_socket_nor_the_state(project: Project) -> None:
    """0700 and 0600; tried for real when this runs as root."""
    project.write(TWO)
    project.up()
    project.dir.chmod(0o755)
    (project.dir / "tmp").chmod(0o755)
    socket_path = project.ok("ps", "--json").json and next((project.dir / "tmp").glob("stigmer-pm-*/*.sock"))
    state = project.dir / ".stigmer"
    assert (state.stat().st_mode & 0o777, socket_path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert socket_path.parent.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        for command in (["ls", str(state)], ["cat", str(state / "state.db")], ["ls", str(socket_path)]):
            tried = subprocess.run(command, user="nobody", capture_output=True, text=True, check=False)
            assert tried.returncode != 0
            assert "ermission denied" in tried.stderr
