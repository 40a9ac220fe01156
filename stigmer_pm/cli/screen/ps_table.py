"""The table of ``ps``."""

from __future__ import annotations

import time
from collections.abc import Sequence

from stigmer_pm.cli.screen.amounts import bytes_words, seconds_words, unix_time
from stigmer_pm.cli.screen.phases import color_of, reason_words
from stigmer_pm.cli.screen.table import aligned, cut, width_before_last
from stigmer_pm.cli.screen.terminal import Terminal, plain
from stigmer_pm.client.documents import ComponentEntry

_HEADERS = ("NAME", "PHASE", "READY", "PID", "RESTARTS", "UPTIME", "CPU", "MEM", "REASON")
_NUMBERS = frozenset({"PID", "RESTARTS", "UPTIME", "CPU", "MEM"})
#: What a narrow screen does without, first to last, so that a reason keeps room. ``describe`` has them all.
_SPARED = ("MEM", "CPU", "UPTIME")
#: Columns that a reason needs before it says anything.
_ROOM_FOR_REASON = 24
#: Phases in which a process runs, so that being ready or not says something.
_LIVING = ("starting", "running")


def ps_lines(terminal: Terminal, components: Sequence[ComponentEntry]) -> list[str]:
    """The lines of the table, coloured and cut to the width of a terminal, complete for anything else."""
    headers = list(_HEADERS)
    rows = [headers, *(_cells(component) for component in components)]
    width = terminal.width()
    if width is not None:
        rows = _fitted(rows, width)
    kept = rows[0]
    phase = kept.index("PHASE")

    def paint(row: int, column: int, text: str) -> str:
        if row == 0:
            return terminal.paint(text, None, bold=True)
        return terminal.paint(text, color_of(components[row - 1])) if column == phase else text

    return aligned(rows, right=frozenset(i for i, name in enumerate(kept) if name in _NUMBERS), paint=paint)


def _cells(component: ComponentEntry) -> list[str]:
    cpu, memory = component["cpu_percent"], component["memory_bytes"]
    is_running = component["phase"] == "running" and component["since"] is not None
    return [
        component["name"],
        component["phase"],
        _ready_word(component),
        str(component["pid"] or "-"),
        str(component["restarts"]),
        seconds_words(time.time() - unix_time(component["since"] or "")) if is_running else "-",
        "-" if cpu is None else f"{cpu:.1f}%",
        "-" if memory is None else bytes_words(memory),
        plain(reason_words(component["reason"], component["next_restart"])),
    ]


def _ready_word(component: ComponentEntry) -> str:
    if component["phase"] not in _LIVING:
        return "-"
    return "yes" if component["ready"] else "no"


def _fitted(rows: list[list[str]], width: int) -> list[list[str]]:
    longest = max((len(row[-1]) for row in rows[1:]), default=0)
    wanted = min(longest, _ROOM_FOR_REASON)
    for name in _SPARED:
        if width - width_before_last(rows) >= wanted:
            break
        spared = rows[0].index(name)
        rows = [row[:spared] + row[spared + 1 :] for row in rows]
    room = max(0, width - width_before_last(rows))
    return [[*row[:-1], cut(row[-1], room)] for row in rows]
