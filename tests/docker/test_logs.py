"""What containers write is in their log files: all of it, once, in order, whatever dies."""

from __future__ import annotations

import textwrap

from ..project import eventually
from .project import DockerProject


def write_python(project: DockerProject, name: str, program: str, **fields: str) -> None:
    """A file with one container that runs a Python program, which is bound into it."""
    project.write(program, f"{name}.py")
    more = "\n".join(f"    {key}: {value}" for key, value in fields.items())
    project.write(
        textwrap.dedent(f"""\
        components:
          {name}:
            image: stigmer-test/python:1
            command: [python3, /{name}.py]
            volumes: ["./{name}.py:/{name}.py:ro"]
        """)
        + f"{more}\n"
    )


def test_both_streams_are_in_the_log_in_order(project: DockerProject) -> None:
    """As far as their engine keeps it: what is written apart is apart."""
    project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: [sh, -c, "for i in 1 2 3; do echo out $$i; usleep 50000; echo err $$i >&2; usleep 50000; done"]
            restart: never
    """)
    project.up()
    eventually(lambda: project.log("web") == b"out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n", "the whole log")
    assert "err 2" in project.ok("logs", "web").out


def test_no_line_is_lost_or_doubled_when_the_supervisor_is_killed_twice(project: DockerProject) -> None:
    """Thousand lines a second go on; the container is the same one, and so is its count of restarts."""
    write_python(
        project,
        "counter",
        """\
        import sys, time
        began = time.monotonic()
        for number in range(3000):
            sys.stdout.write(f"{number}\\n")
            sys.stdout.flush()
            time.sleep(max(0, began + number / 1000 - time.monotonic()))
        print("end")
        time.sleep(1000)
        """,
        stop_timeout="0s",
    )
    project.up("--no-wait")
    project.wait_phase("counter", "running")
    before = project.ps()["counter"]
    for until in (b"\n300\n", b"\n1500\n"):
        project.wait_log("counter", until)
        project.kill_supervisor()
        project.up("--no-wait")
    project.wait_log("counter", b"end\n")
    after = project.ps()["counter"]
    assert (after["container"], after["restarts"], after["run"]) == (before["container"], 0, before["run"])
    assert project.log("counter").decode().split() == [*(str(number) for number in range(3000)), "end"]


def test_long_lines_and_an_end_without_a_new_line_arrive_as_they_are(project: DockerProject) -> None:
    """An engine cuts lines at 16 KB; nobody sees that here."""
    write_python(
        project,
        "talker",
        """\
        import sys
        sys.stdout.write("x" * 100_000 + "\\n" + "y" * 16_384 + "\\n" + "short\\n" + "no end")
        """,
        restart="never",
    )
    project.up()
    expected = b"x" * 100_000 + b"\n" + b"y" * 16_384 + b"\nshort\nno end"
    eventually(lambda: len(project.log("talker")) >= len(expected), "all of it")
    assert project.log("talker") == expected


def test_text_arrives_as_it_is_and_other_bytes_as_their_engine_keeps_them(project: DockerProject) -> None:
    """Control characters and all; the usual logging driver keeps what is no UTF-8 as U+FFFD."""
    write_python(
        project,
        "talker",
        """\
        import sys
        sys.stdout.buffer.write(bytes(range(256)) * 40 + b"\\n")
        """,
        restart="never",
    )
    project.up()
    expected = (bytes(range(256)) * 40 + b"\n").decode(errors="replace").encode()
    eventually(lambda: len(project.log("talker")) >= len(expected), "all of it")
    assert project.log("talker") == expected


def test_runs_append_to_one_log(project: DockerProject) -> None:
    """Stop, start, restart, and what somebody else kills."""
    project.write("""
        components:
          web: {image: "stigmer-test/busybox:1", command: [sh, -c, "echo run; exec forever"], min_uptime: 1ms}
    """)
    project.up()
    project.wait_log("web", b"started")
    project.ok("stop", "web")
    project.ok("start", "web")
    eventually(lambda: project.log("web").count(b"started") == 2)
    project.container("web").kill()
    eventually(lambda: project.log("web").count(b"started") == 3)
    assert project.log("web") == b"run\nstarted\n" * 3


def test_the_last_words_before_an_end_are_in_the_log(project: DockerProject) -> None:
    """Of a container that writes and ends at once, all is there when ``up`` returns."""
    project.write("""
        components:
          web: {image: "stigmer-test/busybox:1", command: [sh, -c, "seq 1 2000; exit 4"], max_restarts: 0}
    """)
    result = project.up(code=1)
    assert project.log("web").decode().split() == [str(number) for number in range(1, 2001)]
    assert "2000" in result.out + result.err


def test_logs_follows_a_container(project: DockerProject) -> None:
    """As a process's log."""
    project.write("""
        components:
          web:
            image: stigmer-test/busybox:1
            command: [sh, -c, "while :; do echo tick; usleep 100000; done"]
            stop_timeout: 0s
    """)
    project.up()
    follower = project.start("logs", "--follow", "web")
    assert follower.stdout is not None
    try:
        assert "tick" in follower.stdout.readline()
    finally:
        follower.terminate()
        follower.communicate(timeout=20)
