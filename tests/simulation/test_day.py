"""The short form of ``make soak-day``: hours of flapping components, and nothing of a supervisor grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from stigmer_pm.supervisor.records import EventRow, RunRow
from stigmer_pm.supervisor.store import KEEP_EVENTS, KEEP_RUNS, Store

from .day import Day


@pytest.mark.slow
def test_what_is_kept_of_components_that_flap_for_hours_is_bounded(tmp_path: Path) -> None:
    """Runs and the journal have their retention, the database uses its pages again, and memory stays as it is."""
    day = Day(tmp_path, count=6, life=5.0)
    hours = list(day.hours(4))
    day.store.close()
    assert hours[-1].runs_begun > 40 * 6 * KEEP_RUNS / 4
    for hour in hours[1:]:
        assert hour.events <= KEEP_EVENTS * 1.1
        assert hour.runs <= 6 * KEEP_RUNS + KEEP_EVENTS // 10
    assert hours[-1].database_bytes <= 1.05 * hours[1].database_bytes
    assert hours[-1].objects <= 1.05 * hours[1].objects


def test_the_retention_holds_for_supervisors_that_live_for_a_few_entries_each(tmp_path: Path) -> None:
    """One that is killed every few seconds would never have come to prune."""
    path = str(tmp_path / "state.db")
    entries = [EventRow(0.0, "a", None, "exited", "exited 3")] * (KEEP_EVENTS // 10 - 1)
    for life in range(30):
        store = Store(path)
        with store.transaction():
            store.save_runs(RunRow("a", life * 10 + number, pid=1) for number in range(10))
            store.append_events(entries)
        store.close()
    store = Store(path)
    assert len(store.events()) <= KEEP_EVENTS * 1.1
    assert len(store.runs("a", limit=1000)) <= KEEP_RUNS + 10
    assert store.last_run_numbers() == {"a": 299}
    store.close()
