"""What becomes of what is to be written while nothing can be written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from stigmer_pm.core.effects import EventKind, Record, RunOver
from stigmer_pm.core.project import Project
from stigmer_pm.runtime.run import Started
from stigmer_pm.supervisor.recorder import Recorder
from stigmer_pm.supervisor.records import EventRow
from stigmer_pm.supervisor.store import StoreError
from tests.simulation.virtual_memory import VirtualMemory


class _Clock:
    def now(self) -> float:
        return 100.0

    def wall(self) -> float:
        return 1_000_000.0


class _Disk(VirtualMemory):
    """A record that can't be written while the disk ``is_full``; ``journal`` has the messages that were written."""

    def __init__(self) -> None:
        super().__init__(lambda point: None)
        self.is_full = True
        self.journal: list[str] = []
        self._ids = count(1)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with super().transaction():
            if self.is_full:
                raise StoreError("cannot write the record: no space left on device")
            yield

    def append_events(self, rows: Sequence[EventRow]) -> list[EventRow]:
        self.journal += [row.message for row in rows]
        return [EventRow(r.at, r.instance, r.run, r.kind, r.message, next(self._ids)) for r in rows]


def _recorder() -> tuple[Recorder, _Disk]:
    disk = _Disk()
    return Recorder(_Clock(), disk, Project([])), disk


def test_what_could_not_be_written_is_written_and_told_once() -> None:
    """Also the trouble itself, with the time of each happening."""
    recorder, disk = _recorder()
    recorder.note(Record("web", EventKind.RUNNING, "runs as pid 7", 1))
    assert recorder.write() == []
    recorder.note(Record("web", EventKind.EXITED, "exited with 1", 1))
    assert recorder.write() == []
    assert "no space left" in str(recorder.trouble)

    disk.is_full = False
    told = [row.message for row in recorder.write()]
    assert told == disk.journal
    trouble = "cannot write the record: no space left on device"
    assert sorted(told) == sorted(["runs as pid 7", "exited with 1", trouble])
    assert recorder.trouble is None
    assert not recorder.has_unwritten
    assert recorder.write() == []


def test_a_disk_that_stays_full_costs_no_endless_memory() -> None:
    """And no run that lives is forgotten for it, nor the newest that are over."""
    recorder, disk = _recorder()
    recorder.begun("steady", 1, Started(77, 5, 0))
    for run in range(1, 5001):
        recorder.begun("flapping", run, Started(1000 + run, run, 0))
        recorder.over(RunOver("flapping", run, 99.0, 0.5, "exited with 1"))
        recorder.note(Record("flapping", EventKind.EXITED, "exited with 1", run))
        recorder.write()
    recorder.begun("flapping", 5001, Started(6001, 5001, 0))
    recorder.write()

    disk.is_full = False
    recorder.write()
    assert len(disk.journal) <= 1000
    assert len(disk.tables.runs) <= 1500
    for name, run, pid in (("steady", 1, 77), ("flapping", 5001, 6001), ("flapping", 5000, 6000)):
        row = disk.find_run(name, run)
        assert row is not None
        assert row.pid == pid
    newest = disk.find_run("flapping", 5000)
    assert newest is not None
    assert newest.ended == "exited with 1"
