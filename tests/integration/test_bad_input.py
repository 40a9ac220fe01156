"""Bad input: place and cure, exit status 2, nothing changed, no traceback."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..project import Project

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)

FILES = {
    "duplicate key": ("components:\n  a: {command: sleep 1}\n  a: {command: sleep 2}\n", ":3:", "a"),
    "unknown key": ("components:\n  a: {command: sleep 1, max_restart: 3}\n", ":2:", "max_restarts"),
    "cycle": (
        "components:\n  a: {command: x, depends_on: [b]}\n  b: {command: x, depends_on: [c]}\n"
        "  c: {command: x, depends_on: [a]}\n",
        "a -> b -> c -> a",
        "cycle",
    ),
    "unset variable": ("components:\n  a: {command: 'x ${NOT_SET_ANYWHERE}'}\n", ":2:", "NOT_SET_ANYWHERE"),
    "alias bomb": (BOMB + "components: {a: {command: x}}\n", "stigmer.yaml", "alias"),
    "binary": ("\x00\x01\x02\x7f\x00ELF", "stigmer.yaml", ""),
    "empty": ("", "stigmer.yaml", "empty"),
    "unsupported": ("components:\n  a: {command: x, replicas: 3}\n", ":2:", "not supported yet"),
}


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("command", ["up", "validate"])
def test_a_bad_file_is_said_with_its_place_and_starts_nothing(project: Project, name: str, command: str) -> None:
    """One message, exit 2, no traceback."""
    text, place, word = FILES[name]
    project.write(text)
    result = project.run(command)
    assert result.code == 2, result
    assert place in result.err, result
    assert word in result.err, result
    assert "Traceback" not in result.err
    assert not (project.dir / ".stigmer").exists()
    assert not project.living()


def read_only_what_is_permitted() -> None:
    """Give up root's privilege to pass over permissions (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH) for the next exec."""
    if os.geteuid() == 0:
        libc, drop_from_bounding_set = ctypes.CDLL(None), 24
        for capability in (1, 2):
            assert libc.prctl(drop_from_bounding_set, capability, 0, 0, 0) == 0


def test_a_folder_in_place_of_the_file_is_said(project: Project) -> None:
    """Exit 2."""
    (project.dir / "stigmer.yaml").mkdir()
    result = project.run("up")
    assert result.code == 2, result
    assert "folder" in result.err


def test_a_file_without_read_permission_is_said(project: Project) -> None:
    """Root may read everything, so the command runs without that privilege."""
    path = project.write("components: {a: {command: x}}\n")
    path.chmod(0o000)
    done = subprocess.run(
        [sys.executable, "-m", "stigmer_pm", "up"],
        cwd=project.dir,
        env=project.environ,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=read_only_what_is_permitted,
    )
    assert done.returncode == 2, done
    assert f"{path}: cannot read the file: no permission to read it" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project.dir / ".stigmer").exists()


def test_no_file_at_all_says_what_to_do(project: Project) -> None:
    """``init`` is the cure."""
    for command in ("up", "ps", "validate", "restart"):
        result = project.run(*([command, "x"] if command == "restart" else [command]))
        assert result.code == 2, result
        assert "stigmer.yaml" in result.err
        assert "init" in result.err


@pytest.mark.parametrize("command", [["ps"], ["restart", "a"], ["events"], ["stop", "a"], ["describe", "a"]])
def test_no_supervisor_is_exit_3_with_the_cure(project: Project, command: list[str]) -> None:
    """``up`` is the cure."""
    project.write("components: {a: {command: sleep 1000}}\n")
    result = project.run(*command)
    assert result.code == 3, result
    assert "stigmer-pm up" in result.err


def test_an_unknown_name_is_exit_2_with_the_nearest_and_nothing_is_done_to_the_others(project: Project) -> None:
    """Also when another name of the same command is right."""
    project.write("components: {web: {command: sleep 1000}, db: {command: sleep 1000}}\n")
    project.up()
    before = project.pids()
    result = project.run("restart", "db", "webb")
    assert result.code == 2, result
    assert "'web'" in result.err
    assert project.pids() == before


def test_who_says_all_as_elsewhere_is_told_the_option(project: Project) -> None:
    """PM2 and supervisord have it in place of a name; unless one is called so."""
    project.write("components: {web: {command: sleep 1000}}\n")
    project.up()
    result = project.run("stop", "all")
    assert (result.code, project.ps()["web"]["phase"]) == (2, "running")
    assert result.err.splitlines() == [
        "error: no component is called 'all'",
        "  --all means all of them; commands that only look show all when none is named",
    ]
    project.write("components: {web: {command: sleep 1000}, all: {command: sleep 1000}}\n")
    project.up()
    project.ok("stop", "all")
    assert project.ps()["web"]["phase"] == "running"


def test_the_file_is_found_from_a_folder_below(project: Project) -> None:
    """The nearest stigmer.yaml above; relative paths count from the file."""
    project.write("components: {a: {command: ./run.sh}}\n")
    project.script("run.sh", "#!/bin/sh\nexec sleep 1000\n")
    below = project.dir / "deep" / "down"
    below.mkdir(parents=True)
    assert project.run("up", cwd=below).code == 0
    assert project.run("ps", cwd=Path("/"), env={"STIGMER_FILE": str(project.dir / "stigmer.yaml")}).code == 0
