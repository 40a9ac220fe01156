"""How the phases look, and how an instance is said to stand."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from stigmer_pm.cli.screen.amounts import seconds_words, unix_time
from stigmer_pm.client.documents import ComponentEntry, Standing

#: Green is well, yellow is on its way, red needs somebody. Every phase of design.md is here.
COLORS = {
    "stopped": "bright_black",
    "waiting": "cyan",
    "starting": "cyan",
    "running": "green",
    "stopping": "magenta",
    "backoff": "yellow",
    "completed": "blue",
    "failed": "red",
}


def color_of(component: ComponentEntry) -> str | None:
    """The colour for the phase of an instance; one that runs but is not ready is not green yet."""
    if component["phase"] == "running" and not component["ready"]:
        return "yellow"
    return COLORS.get(component["phase"])


def reason_words(reason: str, next_restart: str | None) -> str:
    """Why it is in its phase, and when it is started next."""
    if next_restart is None:
        return reason
    left = max(0.0, unix_time(next_restart) - time.time())
    # Rounded up, so that a wait of 2 s doesn't begin as one of "1s".
    start = f"next start in {seconds_words(math.ceil(left) if left > 1 else left)}"
    return f"{reason}, {start}" if reason else start


def without_echo(reason: str, said: Mapping[str, str]) -> str:
    """``reason``; one that waits for another doesn't repeat what that one says of itself in ``said``, by its name."""
    head, _, echo = reason.partition(": ")
    dependency = head.removeprefix("waits for ").partition(",")[0]
    return head if echo and head != dependency and echo in said.get(dependency, "") else reason


def phase_words(phase: str, reason: str, next_restart: str | None) -> str:
    """The phase and why, without saying the same twice: ``failed, exited 3``, but ``stopped by hand``."""
    why = reason_words(reason, next_restart)
    if not why:
        return phase
    return why if why.startswith((phase, "runs;")) else f"{phase}, {why}"


def standing_words(standing: Standing, goal: str) -> str:
    """``ready (pid 12)``, ``starting``, ``backoff, exited 3 (1 failed run in a row), next start in 2s``."""
    if standing["state"] == "reached":
        word = standing["phase"] if standing["phase"] in ("completed", "stopped", "failed") else goal
        pid = standing.get("pid")
        return f"{word} (pid {pid})" if pid and goal != "stopped" else word
    return phase_words(standing["phase"], standing["reason"], standing.get("next_restart"))
