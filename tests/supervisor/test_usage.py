"""CPU and memory of runs, as ``ps`` has them."""

from __future__ import annotations

import pytest

from stigmer_pm.runtime import system, table
from stigmer_pm.supervisor.usage import UsageMeter


def test_a_look_at_one_takes_nothing_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """``ps --watch`` goes on, and somebody describes one of two: the share of the other is still that since the last
    look. (It was that since its start: of an old one that idles now, hours of work.)"""
    now, cpu = 1000.0, {7: 900.0, 8: 0.0}
    monkeypatch.setattr(system, "now", lambda: now)
    monkeypatch.setattr(
        table, "read_table", lambda: {pid: table.ProcessRow(pid, 1, pid, pid, 1, cpu[pid], 0, False) for pid in cpu}
    )
    meter = UsageMeter()
    both = {7: 0.0, 8: 0.0}
    assert meter.measure(both)[7].cpu_percent == 90.0
    now += 1.0
    meter.measure({8: 0.0})
    now += 1.0
    cpu[7] += 1.0
    assert meter.measure(both)[7].cpu_percent == 50.0
    del cpu[7]
    now += 1.0
    meter.measure({8: 0.0})
    assert list(meter._seen) == [(8, 0.0)], "what has ended is forgotten"
