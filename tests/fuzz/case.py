"""One hostile project: the files of a folder and the variables of whoever calls there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: The file of the project.
FILE = "stigmer.yaml"


@dataclass(frozen=True, slots=True)
class Case:
    """``files`` by name; ``environ`` is added to a plain environment. Its repr is what a test is made of."""

    files: Mapping[str, bytes]
    environ: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, **environ: str) -> Case:
        """One file alone."""
        return cls({FILE: text.encode("utf-8", "surrogatepass")}, environ)


@dataclass(frozen=True, slots=True)
class Report:
    """What reading it has come to: the longest that one command took, the most memory at any moment, and faults."""

    seconds: float
    peak_bytes: int
    faults: tuple[str, ...] = ()
