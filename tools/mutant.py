"""A way in which ``make mutants`` breaks the core."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """``old``, which stands once in ``file`` of the core, becomes ``new``."""

    file: str
    what: str
    old: str
    new: str


def mutants_of(file: str, *changes: tuple[str, str, str]) -> tuple[Mutant, ...]:
    """Several in one file, each by what it is, the old text and the new one."""
    return tuple(Mutant(file, what, old, new) for what, old, new in changes)
