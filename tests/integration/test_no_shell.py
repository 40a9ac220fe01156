"""No command goes through a shell unless the file says ``shell: true``; real processes, and what they executed."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.project import Project, eventually

#: Seconds for what is traced, which takes ten times as long as it would by itself.
_PATIENCE = 150.0

#: Each of these means something to a shell; ``$$`` is how the file writes a dollar sign.
WORDS = ["$$HOME", "`touch tick`", "$$(touch sub)", "*", ";", "touch", "&&", ">out", "|", "a b", "~", "#x", "\\n", "'"]
ARGV = ", ".join(f'"{word}"'.replace("\\", "\\\\") for word in WORDS)
FILE = f"""
components:
  listed: {{command: [./show, {ARGV}]}}
  text: {{command: "./show $$HOME `touch tick` ; touch x && touch y > out | * ~"}}
  probed:
    command: sleep 1000
    probes:
      readiness: {{exec: {{command: [./check, {ARGV}]}}, period: 200ms, timeout: 30s}}
      liveness: {{exec: "./check $$HOME ; touch z", period: 200ms, timeout: 30s}}
"""


def prepared(project: Project) -> Project:
    """Programs that write down their arguments, one a line."""
    code = "import sys, time; print('\\n'.join(sys.argv[1:]), flush=True)"
    python = project.argv()[0]
    project.script("show", f"#!{python}\n{code}\ntime.sleep(1000)\n")
    project.script("check", f"#!{python}\nimport sys\nopen('asked', 'a').write(repr(sys.argv[1:]) + chr(10))\n")
    project.write(FILE)
    return project


def test_what_a_shell_would_act_on_arrives_as_it_is_written(project: Project) -> None:
    """As arguments of programs, and of commands that probes run."""
    prepared(project).up()
    wanted = [word.replace("$$", "$") for word in WORDS]
    eventually(lambda: project.log("text"), "it has shown them")
    assert project.log("listed").decode().splitlines() == wanted
    assert project.log("text").decode().split("\n")[:-1] == (
        ["$HOME", "`touch", "tick`", ";", "touch", "x", "&&", "touch", "y", ">", "out", "|", "*", "~"]
    )
    for arguments in (wanted, ["$HOME", ";", "touch", "z"]):
        eventually(lambda: repr(arguments) in (project.dir / "asked").read_text(), "a probe has asked")  # noqa: B023
    assert not {"tick", "sub", "x", "y", "z", "out"} & {path.name for path in project.dir.iterdir()}


def test_shell_true_is_the_one_way_to_a_shell(project: Project) -> None:
    """``/bin/sh -c``."""
    project.write('components: {a: {command: "echo $$((1 + 1)) | cat; exec sleep 1000", shell: true}}\n')
    project.up()
    eventually(lambda: project.log("a") == b"2\n", "the shell has done it")


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_kernel_is_asked_to_execute_no_shell(project: Project) -> None:
    """From ``up`` to ``down``: by the command line, the supervisor, and the commands of probes."""
    prepared(project)
    trace = project.dir / "trace"
    argv = ["strace", "-f", "-qq", "-e", "trace=execve", "-o", str(trace), *project.argv("up")]
    traced = subprocess.Popen(
        argv, cwd=project.dir, env=project.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        eventually(project.answers, "it is up", _PATIENCE)
        eventually(lambda: all(c["ready"] for c in project.ps().values()), "all are ready", _PATIENCE)
        project.ok("down", timeout=_PATIENCE)
    finally:
        traced.wait(timeout=_PATIENCE)
    executed = re.findall(r'execve\("([^"]+)"', trace.read_text())
    assert any(path.endswith("show") for path in executed)
    assert any(path.endswith("check") for path in executed)
    assert not [path for path in executed if path.rpartition("/")[2] in ("sh", "bash", "dash", "env")]
