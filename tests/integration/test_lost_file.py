"""The file is gone while what it has applied runs: another branch was checked out, or somebody has moved it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from stigmer_pm.cli.lost_file import lost_file

from ..project import Project

FILE = "components: {web: {command: sleep 1000}}\n"


def warning(project: Project) -> str:
    """What every command says then, and only that."""
    file = project.dir / "stigmer.yaml"
    return f"warning: {file} is gone; what it had applied goes on, and 'stigmer-pm down' ends it\n"


@pytest.fixture
def lost(project: Project) -> Project:
    """A project that runs, and has no file any more."""
    project.write(FILE)
    project.up()
    (project.dir / "stigmer.yaml").unlink()
    return project


@pytest.mark.parametrize("place", [(), ("-f", "stigmer.yaml")])
def test_what_runs_is_found_and_ended_without_its_file(lost: Project, place: tuple[str, ...]) -> None:
    """``init``, the cure where there never was one, would make another project of it."""
    web = lost.pid("web")
    shown = lost.run(*place, "ps")
    assert (shown.code, shown.err) == (0, warning(lost))
    assert str(web) in shown.out
    refused = lost.run(*place, "up")
    assert refused.code == 2
    assert refused.err.startswith(warning(lost))
    assert refused.err.endswith("stigmer.yaml: the file does not exist\n")
    assert web in lost.living(), "nothing has changed"
    ended = lost.run(*place, "down")
    assert (ended.code, lost.living()) == (0, {})
    assert lost.run(*place, "down").code == 2, "and then it is no project any more"


def test_it_is_found_from_a_folder_below_and_without_a_supervisor(lost: Project) -> None:
    """A command that acts brings another supervisor, as ever."""
    below = lost.dir / "below"
    below.mkdir()
    lost.kill_supervisor()
    assert "has died" in lost.run("ps", cwd=below).err
    ended = lost.run("down", cwd=below)
    assert (ended.code, lost.living()) == (0, {})


def test_a_shell_that_completes_names_is_told_nothing(lost: Project) -> None:
    """It would stand in the middle of the line that is being typed."""
    environ = {"_STIGMER_PM_COMPLETE": "bash_complete", "COMP_WORDS": "stigmer-pm stop ", "COMP_CWORD": "2"}
    result = lost.run(env=environ)
    assert "web" in result.out
    assert result.err == ""


def state_of(folder: Path, file: Path) -> None:
    """A state folder with the address of a supervisor of ``file``."""
    (folder / ".stigmer").mkdir()
    (folder / ".stigmer" / "supervisor.json").write_text(json.dumps({"file": str(file)}))


def test_a_state_folder_of_somebody_else_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder above, such as /tmp, may be anybody's."""
    state_of(tmp_path, tmp_path / "stigmer.yml")
    assert lost_file(None, str(tmp_path / "below")) == str(tmp_path / "stigmer.yml")
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(tmp_path).st_uid + 1)
    assert lost_file(None, str(tmp_path / "below")) is None


def test_a_state_folder_of_a_file_elsewhere_says_nothing_about_this_one(tmp_path: Path) -> None:
    """Nor does one whose file is there."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    state_of(tmp_path, elsewhere / "stigmer.yaml")
    assert lost_file(None, str(tmp_path)) is None
    state_of(elsewhere, elsewhere / "other.yaml")
    assert lost_file("stigmer.yaml", str(elsewhere)) is None
    assert lost_file("other.yaml", str(elsewhere)) == str(elsewhere / "other.yaml")
    (elsewhere / "other.yaml").touch()
    assert lost_file("other.yaml", str(elsewhere)) is None
