"""What arrives, and what is kept: arguments, environment and output, byte for byte."""

from __future__ import annotations

import json

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
