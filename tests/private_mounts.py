"""File systems of a project's own: mounted where only its processes see them, so that they may be filled or closed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.project import Project, open_project


class MountedProject(Project):
    """A project whose processes live in a mount namespace of their own, with a small file system at ``.stigmer``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / ".stigmer").mkdir(mode=0o700)
        self._keeper = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE, cwd="/"
        )
        assert self._keeper.stdout is not None
        if not self._keeper.stdout.readline():
            self._keeper.wait()
            pytest.skip("no mount namespace of our own may be made here")
        self.inside("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder / ".stigmer"))

    @property
    def state(self) -> Path:
        """The state folder as the project's processes see it."""
        return Path(f"/proc/{self._keeper.pid}/root{self.dir}/.stigmer")

    def argv(self, *args: str) -> list[str]:
        """Commands run in the namespace as well."""
        return [*self._entered(), *super().argv(*args)]

    def inside(self, *argv: str) -> str:
        """Run any command there; what it prints."""
        return subprocess.run([*self._entered(), *argv], check=True, cwd="/", stdout=subprocess.PIPE, text=True).stdout

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.state / "filler").open("ab", buffering=0) as filler:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    continue

    def empty(self) -> None:
        """Take away what fills it."""
        (self.state / "filler").unlink()

    def close(self) -> dict[int, str]:
        """End everything, the namespace last."""
        left = super().close()
        self._keeper.kill()
        self._keeper.communicate()
        return left

    def _entered(self) -> list[str]:
        return ["nsenter", f"--target={self._keeper.pid}", "--mount", f"--wdns={self.dir}"]


def make_mounted_project() -> Iterator[MountedProject]:
    """One of them, gone after the test; skips where we may not mount."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    yield from open_project(MountedProject)


@contextmanager
def read_only(project: MountedProject) -> Iterator[None]:
    """Whoever opens something in the state folder finds a file system that is read-only."""
    state = str(project.dir / ".stigmer")
    project.inside("mount", "--bind", state, state)
    project.inside("mount", "-o", "remount,bind,ro", state)
    try:
        yield
    finally:
        project.inside("umount", state)
