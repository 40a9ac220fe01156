"""A second user of the machine, without privileges, who runs the same program."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

import pytest

from tests.project import Project, Result

#: Nobody in particular: a number that no user of the machine has is as good.
UID = 65534
_SITE = sysconfig.get_paths()["purelib"]
_HERE = str(Path(__file__).parent.parent)


@cache
def _interpreter() -> tuple[str, str] | None:
    """An interpreter that the other user may run, and the path on which it finds this program."""
    path = os.pathsep.join((_HERE, _SITE))
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            done = subprocess.run(
                [python, "-c", "import stigmer_pm.cli.app, stigmer_pm.supervisor.api, pydantic"],
                env={"PYTHONPATH": path, "PATH": os.environ["PATH"]},
                user=UID,
                group=UID,
                extra_groups=[],
                capture_output=True,
                check=False,
                cwd="/",
            )
        except OSError:
            continue
        if done.returncode == 0:
            return python, path
    return None


def needs_other_user() -> None:
    """Skip where we can't be somebody else, or where that one can't read this program."""
    if os.geteuid() != 0:
        pytest.skip("only root can run a command as another user")
    if _interpreter() is None:
        pytest.skip("another user can't read the interpreter or this folder")


class OtherUser:
    """Runs commands as a user who owns a folder of his own and nothing else."""

    def __init__(self, folder: Path, mark: dict[str, str], uid: int) -> None:
        self.uid = uid
        found = _interpreter()
        assert found is not None
        self._python, path = found
        self.dir = folder
        self.environ = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "TMPDIR": str(folder / "tmp"),
            "PYTHONPATH": path, **mark,
        }  # fmt: skip
        for part in (folder, folder / "tmp"):
            part.mkdir(mode=0o700)
            os.chown(part, uid, uid)

    def run(self, *args: str, cwd: Path | None = None, prefix: tuple[str, ...] = ()) -> Result:
        """Run a command of stigmer-pm to its end; ``prefix`` is a program that runs it."""
        return self.execute(*prefix, self._python, "-m", "stigmer_pm", *args, cwd=cwd)

    def execute(self, *argv: str, cwd: Path | None = None) -> Result:
        """Run any command to its end."""
        done = subprocess.run(
            argv,
            cwd=cwd or self.dir,
            env=self.environ,
            user=self.uid,
            group=self.uid,
            extra_groups=[],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Result(argv, done.returncode, done.stdout, done.stderr, 0.0)

    def write(self, text: str, name: str = "stigmer.yaml") -> Path:
        """A file of his."""
        path = self.dir / name
        path.write_text(text)
        os.chown(path, self.uid, self.uid)
        return path


def other_user_of(project: Project, uid: int = UID) -> OtherUser:
    """Another user beside a project, whose processes end with it."""
    needs_other_user()
    project.dir.chmod(0o755)
    mark = {key: value for key, value in project.environ.items() if key == "STIGMER_TEST_PROJECT"}
    return OtherUser(project.dir / "other", mark, uid)
