"""A whole file, resolved: what the command line sends to the supervisor, which never reads the file itself."""

from __future__ import annotations

from dataclasses import dataclass

from stigmer_pm.spec.component import ComponentSpec


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that the resolved spec was made from, with the SHA-256 of its content (``None``: it did not exist).

    ``ps`` and ``restart`` compare these to say that the file has changed since it was applied.
    """

    path: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class ProjectSpec:
    """A resolved ``stigmer.yaml``. ``components`` keeps the order of the file; paths are absolute.

    Holds every component the file declares, also those in profiles that nobody chose.
    """

    name: str
    file: str
    state_dir: str
    components: tuple[ComponentSpec, ...]
    inputs: tuple[InputFile, ...] = ()

    def component(self, name: str) -> ComponentSpec | None:
        """The component called ``name``, if there is one."""
        return next((c for c in self.components if c.name == name), None)
