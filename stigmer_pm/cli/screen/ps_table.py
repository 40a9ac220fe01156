"""The table of ``ps``."""

from __future__ import annotations

import time
from collections.abc import Sequence

from stigmer_pm.cli.screen.amounts import bytes_words, seconds_words, unix_time
from stigmer_pm.cli.screen.phases import color_of, reason_words, without_echo
from stigmer_pm.cli.screen.table import aligned, width_before_last
from stigmer_pm.cli.screen.terminal import Terminal, plain
from stigmer_pm.client.documents import ComponentEntry

_HEADERS = ("NAME", "PHASE", "READY", "PID", "RESTARTS", "UPTIME", "CPU", "MEM", "REASON")
_NUMBERS = frozenset({"PID", "RESTARTS", "UPTIME", "CPU", "MEM"})
#: What a screen does without that is too narrow for the table, first to last. ``describe`` has them all.
_SPARED = ("MEM", "CPU", "UPTIME")
#: Names that stand before a reason which more than these have.
_MOST_NAMES = 5
#: Phases in which a process runs, so that being ready or not says something.
_LIVING = ("starting", "running")


def ps_lines(terminal: Terminal, components: Sequence[ComponentEntry]) -> list[str]:
    """The lines of the table, coloured for a terminal.

    A pipe has all in one line a component. On a terminal the reasons stand in the table when there is room for every
    one of them, and otherwise whole below it: half a reason says nothing.
    """
    rows = [list(_HEADERS), *(_cells(component) for component in components)]
    width = terminal.width()
    if width is None:
        return _table(terminal, rows, components)
    reasons = _without_echoes(components, [row[-1] for row in rows[1:]])
    room = width - width_before_last(rows)
    if any(reasons) and max(map(len, reasons)) <= room:
        told = [rows[0], *([*row[:-1], reason] for row, reason in zip(rows[1:], reasons, strict=True))]
        return _table(terminal, told, components)
    lines = _table(terminal, _spared([row[:-1] for row in rows], width), components)
    below = _below(terminal, components, reasons, width)
    return [*lines, "", *below] if below else lines


def _table(terminal: Terminal, rows: Sequence[Sequence[str]], components: Sequence[ComponentEntry]) -> list[str]:
    headers = rows[0]
    phase = headers.index("PHASE")

    def paint(row: int, column: int, text: str) -> str:
        if row == 0:
            return terminal.paint(text, None, bold=True)
        return terminal.paint(text, color_of(components[row - 1])) if column == phase else text

    return aligned(rows, right=frozenset(i for i, name in enumerate(headers) if name in _NUMBERS), paint=paint)


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


def _without_echoes(components: Sequence[ComponentEntry], reasons: Sequence[str]) -> list[str]:
    """The reasons, none of which repeats what stands behind another name in the same table."""
    said = {component["name"]: reason for component, reason in zip(components, reasons, strict=True)}
    return [without_echo(reason, said) for reason in reasons]


def _spared(rows: list[list[str]], width: int) -> list[list[str]]:
    """The rows without what a screen of that width has no room for."""
    for name in _SPARED:
        if width_before_last(rows) + max(len(row[-1]) for row in rows) <= width:
            break
        spared = rows[0].index(name)
        rows = [row[:spared] + row[spared + 1 :] for row in rows]
    return rows


def _below(terminal: Terminal, components: Sequence[ComponentEntry], reasons: Sequence[str], width: int) -> list[str]:
    """Each reason once, behind the names of those that have it."""
    from textwrap import wrap  # what fits into the table needs none of it

    having: dict[str, list[ComponentEntry]] = {}
    for component, reason in zip(components, reasons, strict=True):
        if reason:
            having.setdefault(reason, []).append(component)
    lines: list[str] = []
    for reason, those in having.items():
        more = len(those) - _MOST_NAMES
        names = ", ".join(component["name"] for component in those[:_MOST_NAMES])
        names += f" and {more} more" if more > 0 else ""
        # Long words are left to the terminal, which breaks them so that an address can still be copied.
        first, *rest = wrap(
            f"{names}: {reason}", width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        lines += [first.replace(names, terminal.paint(names, color_of(those[0])), 1), *rest]
    return lines
