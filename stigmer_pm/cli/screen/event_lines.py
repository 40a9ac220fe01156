"""Entries of the journal on the screen: ``TIME  NAME  KIND  MESSAGE``, in columns that hold while more come."""

from __future__ import annotations

from collections.abc import Sequence

from stigmer_pm.cli.screen.amounts import local_time
from stigmer_pm.cli.screen.phases import COLORS
from stigmer_pm.cli.screen.terminal import Terminal, plain
from stigmer_pm.client.documents import EventEntry

#: The longest of the usual kinds; a longer one pushes its message to the right.
_KIND_WIDTH = 12


class EventPrinter:
    """Prints entries. The name of one about the project is ``-``."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._name_width = 0

    def show(self, events: Sequence[EventEntry]) -> None:
        """Some more; a longer name than any before widens the column from there on."""
        self._name_width = max([self._name_width, *(len(event["instance"] or "-") for event in events)])
        for event in events:
            name = (event["instance"] or "-").ljust(self._name_width)
            kind = self._terminal.paint(event["kind"].ljust(_KIND_WIDTH), COLORS.get(event["kind"]))
            self._terminal.print(f"{local_time(event['at'])}  {name}  {kind}  {plain(event['message'])}".rstrip())
