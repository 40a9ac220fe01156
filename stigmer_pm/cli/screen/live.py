"""The live display of a wait: one line for each instance that is not there yet, gone when the wait is over."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from stigmer_pm.cli.screen.amounts import seconds_words
from stigmer_pm.cli.screen.phases import COLORS, reason_words
from stigmer_pm.cli.screen.terminal import Terminal
from stigmer_pm.client.documents import Standing

#: Lines that are shown at once; the rest is a count, so that a thousand components don't fill the screen.
_MOST_LINES = 12
#: Characters of the bar that shows how far something has come.
_BAR = 20
#: Drawings a second: the seconds tick without a jerk, and it costs no CPU to speak of.
_RATE = 8


class LiveDisplay:
    """Draws on the terminal's ``err``."""

    def __init__(self, terminal: Terminal, goal: str) -> None:
        self._goal = goal
        self._standings: dict[str, Standing] = {}
        self._began_at = time.monotonic()
        self._spinner = Spinner("dots")
        # That it is a terminal has been decided; rich need not guess again.
        console = Console(
            file=terminal.err, force_terminal=True, no_color=not terminal.has_color, highlight=False, markup=False
        )
        self._live = Live(console=console, get_renderable=self._draw, transient=True, refresh_per_second=_RATE)
        self._live.start()

    def show(self, news: Iterable[Standing]) -> None:
        """Some instances stand otherwise than before."""
        # A new mapping, as the drawing thread may be reading the old one.
        self._standings = {**self._standings, **{standing["name"]: standing for standing in news}}

    def refresh(self) -> None:
        """Draw now, and not only when the next drawing is due."""
        self._live.refresh()

    def close(self) -> None:
        """Take the display away; what stays on the screen is said by others."""
        self._live.stop()

    def _draw(self) -> Group:
        standings = self._standings
        pending = [s for s in standings.values() if s["state"] == "pending"]
        elapsed = seconds_words(time.monotonic() - self._began_at)
        shown = pending[:_MOST_LINES]
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(width=1)
        # rich would take the width that a long reason lacks from the columns that say whom it is about.
        table.add_column(no_wrap=True, width=max((len(s["name"]) for s in shown), default=0))
        table.add_column(no_wrap=True, width=max((len(s["phase"]) for s in shown), default=0))
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for standing in shown:
            phase = Text(standing["phase"], COLORS.get(standing["phase"], ""))
            table.add_row(self._spinner, standing["name"], phase, Text(_why(standing)))
        more = len(pending) - _MOST_LINES
        settled = len(standings) - len(pending)
        count = f"{settled} of {len(standings)} settled, {elapsed}" + (f", {more} more to come" if more > 0 else "")
        return Group(table, Text(f"   {count}", "dim"))


def _why(standing: Standing) -> str:
    why = reason_words(standing["reason"], standing.get("next_restart"))
    progress = standing.get("progress")
    if progress is None:
        return why
    done = round(_BAR * progress / 100)
    return f"{'━' * done}{'╌' * (_BAR - done)} {progress}% {why}"
