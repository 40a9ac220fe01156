"""CPU and memory of the whole tree of a run, looked up when somebody asks and at no other time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stigmer_pm.runtime import system, table

#: Two looks at a process that are closer than this say nothing about its CPU; the older one is kept.
_SHORTEST = 0.5
#: Seconds for which a look is good enough for others who ask. It is a look at every process of the machine, and most of
#: what a ``ps`` costs, so that many who ask at once would wait for each other.
_FRESH = 0.1


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tree uses: CPU in percent of one core since the last look (or since its start), memory in bytes."""

    cpu_percent: float
    memory_bytes: int


class UsageMeter:
    """Remembers the last look at each run, since a share of CPU is a difference of two."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, float], tuple[float, float]] = {}
        self._last: dict[tuple[int, float], Usage] = {}
        self._last_at = 0.0

    def measure(self, leaders: Mapping[int, float]) -> dict[int, Usage]:
        """The usage of each leader's tree; ``leaders``: pid to the time it started, by the core's clock."""
        if not leaders:
            return {}
        if system.now() - self._last_at < _FRESH and leaders.items() <= self._last.keys():
            return {leader: self._last[leader, started_at] for leader, started_at in leaders.items()}
        found = self._look(leaders)
        self._last = {(leader, leaders[leader]): usage for leader, usage in found.items()}
        self._last_at = system.now()
        return found

    def _look(self, leaders: Mapping[int, float]) -> dict[int, Usage]:
        rows, now = table.read_table(), system.now()
        children: dict[int, list[int]] = {}
        for row in rows.values():
            children.setdefault(row.parent, []).append(row.pid)
        found: dict[int, Usage] = {}
        seen: dict[tuple[int, float], tuple[float, float]] = {}
        for leader, started_at in leaders.items():
            cpu, memory = _sum(leader, rows, children)
            at, before = self._seen.get((leader, started_at), (started_at, 0.0))
            percent = 100.0 * max(0.0, cpu - before) / max(now - at, 0.01)
            found[leader] = Usage(round(percent, 1), memory)
            seen[leader, started_at] = (now, cpu) if now - at >= _SHORTEST else (at, before)
        # What was seen of others, whom nobody asks about now, is kept for as long as they may live.
        others = {key: look for key, look in self._seen.items() if key[0] in rows and key[0] not in leaders}
        self._seen = others | seen
        return found


def _sum(leader: int, rows: Mapping[int, table.ProcessRow], children: Mapping[int, list[int]]) -> tuple[float, int]:
    cpu, memory, pending = 0.0, 0, [leader]
    while pending:
        pid = pending.pop()
        row = rows.get(pid)
        if row is not None:
            cpu += row.cpu
            memory += row.memory_bytes
            pending.extend(children.get(pid, ()))
    return cpu, memory
