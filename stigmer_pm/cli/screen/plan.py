"""A plan, for people: what applying the file changes, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stigmer_pm.cli.screen.table import aligned
from stigmer_pm.cli.screen.terminal import Terminal
from stigmer_pm.client.documents import Change

_COLORS = {"start": "green", "restart": "yellow", "update": "cyan", "stop": "red"}
_DONE_WORDS = {"restart": "restarting", "update": "updated, without a restart", "stop": "stopping"}


def plan_lines(terminal: Terminal, changes: Sequence[Change], unchanged: int) -> list[str]:
    """One line for each change, and a count of the rest."""
    rest = f"{unchanged} unchanged" if unchanged else ""
    if not changes:
        return [f"nothing would change{', ' if rest else ''}{rest}"]
    rows = [(change["action"], change["name"], _why(change)) for change in changes]

    def paint(_: int, column: int, text: str) -> str:
        return terminal.paint(text, _COLORS.get(text.strip())) if column == 0 else text

    return [*aligned(rows, paint=paint), *([rest] if rest else [])]


def say_changes(terminal: Terminal, changes: Iterable[Change]) -> None:
    """What an edit does to what is there. Plain starts are left out: the progress shows them."""
    for change in changes:
        words = _DONE_WORDS.get(change["action"])
        if words is not None and change["reason"] != "new":
            terminal.say(f"{change['name']}: {words} ({_why(change)})")


def _why(change: Change) -> str:
    fields = ", ".join(change["fields"])
    return f"{change['reason']}: {fields}" if fields and change["reason"] else change["reason"] or fields
