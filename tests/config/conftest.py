"""A folder with a stigmer.yaml in it, and what loading it gives."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from stigmer_pm.config import ConfigError, load
from stigmer_pm.spec import ComponentSpec, ContainerExecution, ProjectSpec


class Folder:
    """The folder of one test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = str(path / "stigmer.yaml")

    def write(self, text: str | bytes, name: str = "stigmer.yaml") -> str:
        """Write a file; text may be indented."""
        content = textwrap.dedent(text).encode() if isinstance(text, str) else text
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    def load(
        self,
        text: str | bytes | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        profiles: Collection[str] = (),
        names: Collection[str] = (),
    ) -> ProjectSpec:
        """The spec of the file, written before when there is a text."""
        if text is not None:
            self.write(text)
        return load(self.file, environ or {}, profiles=profiles, names=names)

    def component(self, fields: str, environ: Mapping[str, str] | None = None) -> ComponentSpec:
        """The spec of one component ``a``, given as a flow mapping without its braces."""
        return self.load(f"components:\n  a: {{{fields}}}\n", environ).components[0]

    def problems(
        self,
        text: str | bytes | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        profiles: Collection[str] = (),
    ) -> list[str]:
        """What is wrong with the file, each as ``LINE:COLUMN: FIELD: MESSAGE``; other files with their name before."""
        with pytest.raises(ConfigError) as caught:
            self.load(text, environ, profiles=profiles)
        lines = [str(problem) for problem in caught.value.problems]
        return [line.removeprefix(f"{self.file}:").removeprefix(f"{self.path}/").strip() for line in lines]

    def problem(self, text: str | bytes | None = None, environ: Mapping[str, str] | None = None) -> str:
        """The one thing that is wrong with it."""
        found = self.problems(text, environ)
        assert len(found) == 1, found
        return found[0]


def container_of(folder: Folder, fields: str, environ: Mapping[str, str] | None = None) -> ContainerExecution:
    """What the one component ``a`` with these fields executes."""
    spec = folder.component(fields, environ)
    assert spec.process is None
    assert spec.container is not None
    return spec.container


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty one, called ``project``."""
    path = tmp_path / "project"
    path.mkdir()
    return Folder(path)
