"""Showing a wait while it lasts: drawn over itself on a terminal, one line for each change otherwise."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from stigmer_pm.cli.screen.phases import standing_words
from stigmer_pm.cli.screen.terminal import Terminal
from stigmer_pm.client.documents import Standing
from stigmer_pm.client.requests import Outcome, Progress

#: Of the reason of one that SIGKILL has ended.
_KILLED = "had to be killed"
#: Names that are listed; more are a few too many for a line.
_MOST_NAMES = 8


class Display(Protocol):
    """What shows progress."""

    def show(self, news: Iterable[Standing]) -> None:
        """Some instances stand otherwise than before."""

    def close(self) -> None:
        """The wait is over, or was ended."""


def watch(
    terminal: Terminal, messages: Iterable[Progress | Outcome], goal: str, already: Collection[str] = ()
) -> Outcome:
    """Show what is told until the outcome is. Of those who were ``already`` there, that has been said."""
    display = _display(terminal, goal, already)
    under_way: set[str] = set()
    outcome = None
    try:
        for message in messages:
            if isinstance(message, Outcome):
                outcome = message
                break
            under_way.update(standing["name"] for standing in message.instances if standing["state"] == "pending")
            display.show(message.instances)
    finally:
        display.close()
    assert outcome is not None, "a wait ends with its outcome, or raises"
    _warn_of_killed(terminal, [s for s in outcome.instances if s["name"] in under_way and s["state"] == "reached"])
    return outcome


def _warn_of_killed(terminal: Terminal, ended: Iterable[Standing]) -> None:
    """That some did not end by themselves is seen by nobody else: after ``down`` there is no ``ps``."""
    killed = [s["name"] for s in ended if s["phase"] == "stopped" and _KILLED in s["reason"]]
    if killed:
        shown = ", ".join(killed[:_MOST_NAMES]) + (", …" if len(killed) > _MOST_NAMES else "")
        terminal.warn(f"did not end within stop_timeout and had to be killed (SIGKILL): {shown}")


def _display(terminal: Terminal, goal: str, already: Collection[str]) -> Display:
    if not terminal.draws_live:
        return _Lines(terminal, goal, already)
    # rich takes 40 ms to import; it is only paid for when a person watches.
    from stigmer_pm.cli.screen.live import LiveDisplay

    return LiveDisplay(terminal, goal)


class _Lines:
    """One line for each change. What is lost is said with its log at the end; here only if the wait goes on."""

    def __init__(self, terminal: Terminal, goal: str, already: Collection[str]) -> None:
        self._terminal = terminal
        self._goal = goal
        self._already = set(already)
        self._told: dict[str, tuple[str, str, str]] = {}
        self._states: dict[str, str] = {}
        self._lost: set[str] = set()

    def show(self, news: Iterable[Standing]) -> None:
        news = tuple(news)
        self._states |= {standing["name"]: standing["state"] for standing in news}
        goes_on = "pending" in self._states.values()
        for standing in news:
            if standing.get("progress") is not None:
                continue  # each percent in a line of its own would be nothing to read
            words = standing_words(standing, self._goal)
            # The words of one that is there don't have its reason in them, and those of a backoff change by the second.
            is_there = standing["state"] == "reached"
            now = (standing["state"], standing["phase"], words if is_there else standing["reason"])
            if self._told.get(standing["name"]) != now and (goes_on or standing["state"] != "lost"):
                self._tell(standing, now, words)

    def _tell(self, standing: Standing, now: tuple[str, str, str], words: str) -> None:
        name = standing["name"]
        self._told[name] = now
        if name in self._already:
            self._already.remove(name)
            if standing["state"] == "reached":
                return
        # Of one that is given up on, each further attempt while others are waited for would say the same again.
        if name not in self._lost or standing["state"] == "reached":
            self._terminal.say(f"{name}: {words}")
        if standing["state"] == "lost":
            self._lost.add(name)

    def close(self) -> None:
        pass
