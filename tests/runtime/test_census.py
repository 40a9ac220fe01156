"""A count of the machine misses nothing of a run, though processes go on forking, executing and ending meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stigmer_pm.runtime import table
from stigmer_pm.runtime.census import Census, Marks
from stigmer_pm.runtime.table import ProcessRow

MARKS = Marks("MARK", "key/a/1", leader=10, leader_started=7, was_watched=False)


def row(pid: int, *, parent: int = 1, session: int = 1, started: int = 7, is_zombie: bool = False) -> ProcessRow:
    """One process."""
    return ProcessRow(pid, parent, session, session, started, 0.0, 0, is_zombie)


class Machine:
    """Processes and their environments, which a test changes while they are read."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.rows: dict[int, ProcessRow] = {}
        self.environments: dict[int, Iterator[bytes | None]] = {}
        self.executing: set[int] = set()
        patch.setattr(table, "read_row", self.rows.get)
        patch.setattr(table, "read_environment", lambda pid: next(self.environments.get(pid, iter([None])), None))
        patch.setattr(table, "is_being_executed", lambda pid: pid in self.executing)

    def add(self, found: ProcessRow, *environments: bytes | None) -> None:
        """A process, and what its environment is at each look."""
        self.rows[found.pid] = found
        self.environments[found.pid] = iter(environments)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """An empty one."""
    return Machine(monkeypatch)


def test_a_process_that_is_just_being_executed_is_of_its_run(machine: Machine) -> None:
    """Its environment is empty for a moment, whether or not that moment is over when it is looked at again."""
    machine.add(row(11, session=11), b"", b"", b"MARK=key/a/1\0")
    machine.add(row(12, session=12), b"", b"MARK=key/a/1\0")
    machine.executing = {11}
    assert sorted(Census("MARK", lambda: [11, 12]).roots(MARKS)) == [11, 12]


def test_a_thread_of_the_kernel_is_nobodys_and_waited_for_by_nobody(machine: Machine) -> None:
    """Its environment is always empty."""
    machine.add(row(11, session=0), *[b""] * 10)
    assert Census("MARK", lambda: [11]).roots(MARKS) == []


def test_what_one_forks_that_ends_during_the_count_is_of_the_run(machine: Machine) -> None:
    """Its mark can't be read any more, and the fork was not there when the pids were listed."""
    machine.add(row(10, session=10), None)
    listings = iter([[10], [10, 11], [11]])

    def list_pids() -> list[int]:
        machine.add(row(11, session=10), b"MARK=key/a/1\0")
        return next(listings)

    machine.rows.pop(10)
    assert Census("MARK", list_pids).roots(MARKS) == [11]


def test_a_session_without_a_mark_in_it_is_a_strangers_when_nobody_has_watched(machine: Machine) -> None:
    """With one, the kernel can't have given its number away, so an unmarked process in it is ours."""
    machine.add(row(11, session=10), b"HOME=/\0")
    assert Census("MARK", lambda: [11]).roots(MARKS) == []
    assert Census("MARK", lambda: [11]).roots(Marks("MARK", "key/a/1", 10, 7)) == [11]
    machine.add(row(12, session=10), b"MARK=key/a/1\0")
    machine.add(row(11, session=10), b"HOME=/\0")
    assert sorted(Census("MARK", lambda: [11, 12]).roots(MARKS)) == [11, 12]


def test_a_tree_is_all_that_descends_and_lives(machine: Machine) -> None:
    """Also through one that has ended and not been collected."""
    machine.add(row(10, session=10), b"MARK=key/a/1\0")
    machine.add(row(11, parent=10, is_zombie=True))
    machine.add(row(12, parent=11, session=12), b"\0")
    machine.add(row(13), b"\0")
    census = Census("MARK", lambda: [10, 11, 12, 13])
    assert sorted(census.tree(census.roots(MARKS))) == [10, 12]
