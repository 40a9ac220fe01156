"""How a wait ended, said: one line and the last log lines for each instance that is not well, then a summary."""

from __future__ import annotations

from collections import Counter

from stigmer_pm.cli.screen.amounts import seconds_words
from stigmer_pm.cli.screen.phases import COLORS, standing_words, without_echo
from stigmer_pm.cli.screen.terminal import Terminal
from stigmer_pm.client.documents import Standing
from stigmer_pm.client.requests import Outcome

#: Lines of its log that are shown for an instance that is not well.
_LOG_LINES = 10
#: Phases in which the log of the last run tells why; one that waits for another has nothing to tell.
_TELLING = ("failed", "backoff", "running", "starting")


def report_unwell(terminal: Terminal, outcome: Outcome, goal: str, timeout: float | None) -> None:
    """Say every instance that did not get there, why, and what its log had to say."""
    unwell = [standing for standing in outcome.instances if standing["state"] != "reached"]
    said = {standing["name"]: standing["reason"] for standing in unwell}
    for standing in unwell:
        told: Standing = {**standing, "reason": without_echo(standing["reason"], said)}
        name = terminal.paint_err(standing["name"], COLORS.get(standing["phase"]), bold=True)
        terminal.say(f"{name}: {standing_words(told, goal)}{_ending(standing, goal, timeout)}")
        if goal != "stopped" and standing["phase"] in _TELLING:
            _show_log(terminal, standing)


def summary(outcome: Outcome, goal: str, *, nothing_changed: bool = False) -> str:
    """``2 components ready``, ``nothing changed, 2 ready``, ``1 component ready, 1 completed, 1 failed``."""
    counts = Counter(_outcome_word(standing, goal) for standing in outcome.instances)
    parts = [f"{count} {word}" for word, count in sorted(counts.items(), key=lambda item: _rank(item[0], goal))]
    if nothing_changed:
        return ", ".join(["nothing changed", *parts])
    if not parts:
        return "nothing to do"
    number, _, rest = parts[0].partition(" ")
    return ", ".join([f"{number} component{'' if number == '1' else 's'} {rest}", *parts[1:]])


def _ending(standing: Standing, goal: str, timeout: float | None) -> str:
    if standing["state"] == "pending" and timeout is not None:
        return f"; not {goal} within {seconds_words(timeout)}"
    if standing["phase"] == "backoff":
        return "; the supervisor keeps trying"
    return ""


def _outcome_word(standing: Standing, goal: str) -> str:
    phase = standing["phase"]
    if standing["state"] == "reached":
        return phase if phase in ("completed", "stopped", "failed") else goal
    if phase in ("failed", "stopped"):
        return phase
    return "in backoff" if phase == "backoff" else f"not {goal}"


def _rank(word: str, goal: str) -> tuple[bool, bool, str]:
    return (word != goal, word not in ("completed", "stopped"), word)


def _show_log(terminal: Terminal, standing: Standing) -> None:
    from stigmer_pm.logs import tail

    path = standing.get("log")
    if not path:
        return
    try:
        lines = tail(path, _LOG_LINES, start_offset=standing["log_from"])
    except OSError:
        return  # gone, or nobody may read it: the reason above stands by itself
    for line in lines:
        text = line.rstrip(b"\r\n").decode(errors="backslashreplace")
        terminal.say(f"    {terminal.paint_err(_printable(text), None, dim=True)}")


def _printable(text: str) -> str:
    """The line without what would move the cursor or change colours in the middle of a report."""
    return "".join(c if c.isprintable() or c == "\t" else "�" for c in text)
