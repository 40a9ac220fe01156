"""What arrives, and what is kept: arguments, environment and output, byte for byte."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

from ..project import Project, eventually


def test_both_streams_stand_in_one_log_in_the_order_written(project: Project) -> None:
    """stdout and stderr are one descriptor, so the kernel keeps the order."""
    project.script(
        "talk.py",
        """\
        #!/usr/bin/env python3
        import os
        for i in range(500):
            os.write(1 + i % 2, f"line {i}\\n".encode())
        """,
    )
    project.write("components: {talk: {command: ./talk.py, restart: never}}")
    project.up()
    assert project.log("talk") == b"".join(f"line {i}\n".encode() for i in range(500))


def test_long_lines_bytes_that_are_no_utf8_and_a_last_line_without_newline_are_kept(project: Project) -> None:
    """The supervisor never touches a byte."""
    project.script(
        "raw.py",
        """\
        #!/usr/bin/env python3
        import sys
        sys.stdout.buffer.write(b"x" * 200 * 1024 + b"\\n" + bytes(range(256)) + b"\\nno newline")
        """,
    )
    project.write("components: {raw: {command: ./raw.py, restart: never}}")
    project.up()
    assert project.log("raw") == b"x" * 200 * 1024 + b"\n" + bytes(range(256)) + b"\nno newline"


def test_values_arrive_in_argv_and_environment_as_written(project: Project) -> None:
    """``%``, ``$$``, ``#``, quotes, newlines and UTF-8."""
    project.script(
        "dump.py",
        """\
        #!/usr/bin/env python3
        import json, os, sys
        with open("dump.json", "w") as file:
            json.dump({"argv": sys.argv[1:], "env": {k: v for k, v in os.environ.items() if k.startswith("V_")}}, file)
        """,
    )
    project.write(r"""
        components:
          dump:
            restart: never
            command: ["./dump.py", "100%", "$$HOME", "# no comment", "it's", "\"q\"", "two\nlines", "žluťoučký 🐎",
              "$(date) $1"]
            environment:
              V_PERCENT: "%s %(x)s 100%"
              V_DOLLAR: "a$$b$${c}"
              V_HASH: "a #b"
              V_QUOTES: "it's \"quoted\""
              V_LINES: "one\ntwo\n"
              V_UTF8: "日本 ñ"
              V_EMPTY: ""
              V_PASSED:
    """)
    project.up(env={"V_PASSED": "from outside", "V_BASE": "beneath"})
    eventually((project.dir / "dump.json").exists)
    dump = json.loads((project.dir / "dump.json").read_text())
    assert dump["argv"] == [
        "100%", "$HOME", "# no comment", "it's", '"q"', "two\nlines", "žluťoučký 🐎", "$(date) $1",
    ]  # fmt: skip
    assert dump["env"] == {
        "V_PERCENT": "%s %(x)s 100%",
        "V_DOLLAR": "a$b${c}",
        "V_HASH": "a #b",
        "V_QUOTES": 'it\'s "quoted"',
        "V_LINES": "one\ntwo\n",
        "V_UTF8": "日本 ñ",
        "V_EMPTY": "",
        "V_PASSED": "from outside",
        "V_BASE": "beneath",
    }


def test_ps_and_describe_show_what_holds_bytes_that_are_no_utf8(project: Project) -> None:
    """Both ended in an internal error for a description, a log path or a command with such a byte in it."""
    project.write("""
        components:
          a: {command: [sh, -c, "sleep 1000", $V], description: $V, log: $V/a.log, labels: {v: $V}}
    """)
    latin = {"V": b"caf\xe9".decode(errors="surrogateescape")}
    project.up(env=latin)
    for command in ("ps", "describe"):
        shown = project.ok(command, *(["a"] if command == "describe" else []), "--json")
        assert "caf\\udce9/a.log" in shown.out, shown
    assert "caf" in project.ok("describe", "a").out
    assert project.up(env=latin).out.startswith("nothing changed")


def test_a_project_runs_in_a_folder_whose_name_is_no_utf8(project: Project) -> None:
    """Everything that can be asked of it is answered, and it is found again as it was, also without its record."""
    home = Path(os.fsdecode(os.fsencode(project.dir) + b"/caf\xe9"))
    project.write(
        "components: {a: {command: sleep 1000}, b: {command: sleep 1, working_dir: missing, restart: never}}",
        f"{home.name}/stigmer.yaml",
    )
    state, shown = home / ".stigmer", str(home).encode(errors="backslashreplace").decode()

    def run(command: str, code: int = 0) -> str:
        result = project.run(*command.split(), cwd=home)
        assert result.code == code, result
        assert "Traceback" not in result.err, result
        return result.out

    try:
        run("up", 1)
        address = json.loads((state / "supervisor.json").read_text())
        pid = json.loads(run("ps --json"))["components"][0]["pid"]
        assert json.loads(run("ps --json"))["file_changed"] is False
        for command in (
            "ps",
            "describe b",
            "describe b --json",
            "logs",
            "ls",
            "ls --json",
            "up --dry-run",
            "signal CONT a",
        ):
            run(command)
        told = [json.loads(line)["message"] for line in run("events --json").splitlines()]
        assert any(f"{home}/missing" in message for message in told), told
        assert f"{shown}/missing" in run("events")
        run("upgrade")
        os.kill(address["pid"], signal.SIGKILL)
        eventually(lambda: project.run("ps", cwd=home).code == 3)
        run("restart b", 1)  # by a supervisor that knows only what is on record
        address = json.loads((state / "supervisor.json").read_text())
        os.kill(address["pid"], signal.SIGKILL)
        eventually(lambda: project.run("ps", cwd=home).code == 3)
        for name in ("state.db", "state.db-wal"):
            (state / name).write_bytes(b"rubbish")
        run("up", 1)
        assert json.loads(run("ps --json"))["components"][0]["pid"] == pid
        assert f"it is kept as {shown}/.stigmer/state.db.damaged" in run("events")
        log = (state / "supervisor.log").read_text()
        assert f"it is kept as {shown}/.stigmer/state.db.damaged" in log
        assert "Traceback" not in log
        assert "1 unchanged" in run("up --dry-run")
    finally:
        run("down")
    # A unit of systemd is UTF-8, so that it can't name the folder.
    unit = project.run("startup", "--print", cwd=home)
    assert unit.code == 2, unit
    assert "systemd can't be told of the path" in unit.err
    assert "in UTF-8" in unit.err
    shutil.rmtree(home)
