"""A command line with a project and a scripted supervisor."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stigmer_pm.cli.app import run

from .fake_supervisor import FakeSupervisor, holding_lock, serving, write_address

FILE = "project: shop\ncomponents:\n  web: {command: sleep 1000}\n  db: {command: sleep 1000}\n"


_HERE = Path(__file__).parents[2]


def program_environ() -> dict[str, str]:
    """The environment of a ``python -m stigmer_pm`` that may run in any folder."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(_HERE), os.environ.get("PYTHONPATH")]))}


@dataclass(frozen=True)
class Result:
    """What a command did. Its repr is a bug report."""

    code: int
    out: str
    err: str

    def __repr__(self) -> str:
        return f"\n-> {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}\n---"


class Cli:
    """A folder with a stigmer.yaml in which commands run, in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], stack: ExitStack) -> None:
        self.dir = folder
        self.file = folder / "stigmer.yaml"
        self.state = folder / ".stigmer"
        self._capsys = capsys
        self._stack = stack
        self._sockets = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="spm-")))

    def run(self, *arguments: str, seed: Any = None) -> Result:
        """Run a command to its end; ``seed`` stands for the forked child that may become the supervisor."""
        self._capsys.readouterr()
        code = run(arguments, seed)
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.err
        return Result(code, captured.out, captured.err)

    def supervise(self, *, is_locked: bool = True) -> FakeSupervisor:
        """From now on a supervisor runs, which answers what the test writes down; unlocked, it is just ending."""
        fake = self._stack.enter_context(serving(self._sockets / "s.sock"))
        if is_locked:
            self._stack.enter_context(holding_lock(self.state))
        write_address(self.state, fake.socket, self.file)
        return fake

    def short_folder(self) -> Path:
        """A folder whose path leaves room for the name of a socket."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="spm-")))

    def hold_lock(self) -> None:
        """From now on a supervisor holds the lock, and nobody answers."""
        self._stack.enter_context(holding_lock(self.state))

    def leave_address(self) -> Path:
        """An address of a supervisor whose socket isn't there."""
        socket = self._sockets / "gone.sock"
        write_address(self.state, socket, self.file)
        return socket


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """A project of two components; no variable of whoever runs the tests reaches it."""
    for name in list(os.environ):
        if name.startswith("STIGMER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with ExitStack() as stack:
        found = Cli(tmp_path, capsys, stack)
        found.file.write_text(FILE)
        yield found
