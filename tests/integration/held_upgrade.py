"""An upgrade that is held at a point of its way for as long as a test wants."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.project import Project, eventually

#: Python that is true in the program that is tried, and in the one that has taken the place.
IN_THE_TRIAL = '"stigmer_pm.selfcheck" in sys.orig_argv'
AFTER_THE_EXEC = '"STIGMER_PM_HANDOVER" in os.environ'


@contextmanager
def held_upgrade(project: Project, where: str) -> Iterator[subprocess.Popen[str]]:
    """An ``upgrade`` whose next program waits, where this holds, for as long as the block lasts, before its first line.

    Whoever uses it collects the command.
    """
    go, here = project.dir / "go", project.dir / "here"
    project.write(
        f"""
        import os, sys, time
        if {where}:
            open({str(here)!r}, "w").close()
            while not os.path.exists({str(go)!r}):
                time.sleep(0.01)
        """,
        "slow/sitecustomize.py",
    )
    path = os.pathsep.join([str(project.dir / "slow"), project.environ["PYTHONPATH"]])
    process = project.start("upgrade", env={"PYTHONPATH": path})
    eventually(here.exists, "the next program has begun")
    try:
        yield process
    finally:
        go.touch()
