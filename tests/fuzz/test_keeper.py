"""What is planted is found: without this, a harness that looks at nothing would find nothing wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import keeper as limits
from .case import Case
from .keeper import Keeper

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keeper() -> Iterator[Keeper]:
    """Of a process that does what the file says."""
    with Keeper("tests.fuzz.planted") as kept:
        yield kept


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("SLOW", "it took "),
        ("LARGE", "it held 1"),
        ("DIE", "the process ended with 3"),
        ("FORK", "it did os.fork"),
        ("FORK", "it started process"),
        ("SPAWN", "it did subprocess.Popen"),
        ("WRITE", "it did open"),
        ("WRITE", "it left project/there"),
        ("FOLDER", "it did os.mkdir"),
        ("FOLDER", "it left project/.stigmer"),
        ("OBEY", "says what a terminal would obey"),
        ("TRACE", "RuntimeError: planted"),
    ],
)
def test_a_file_that_does_any_harm_is_found(
    keeper: Keeper, word: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time, memory, processes, files and words."""
    monkeypatch.setattr(limits, "SLOWEST_S", 0.25)
    monkeypatch.setattr(limits, "LARGEST_BYTES", 100 << 20)
    assert any(fault in found for found in keeper.read(Case.of(f"# {word}\n")).faults)


def test_a_file_that_never_ends_is_found_and_its_process_ended(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next one is read as if nothing had been."""
    monkeypatch.setattr(limits, "_PATIENCE_S", 1.0)
    assert keeper.read(Case.of("# HANG\n")).faults == ("it did not end within 1 s",)
    monkeypatch.undo()
    assert keeper.read(Case.of("components: {a: {command: x}}\n")).faults == ()


def test_a_harmless_file_is_not_charged_with_anything(keeper: Keeper) -> None:
    """Whether it is valid or not."""
    assert keeper.read(Case.of("components: {a: {command: x}}\n")).faults == ()
    assert keeper.read(Case.of("components: {a: {comand: x}}\n")).faults == ()
