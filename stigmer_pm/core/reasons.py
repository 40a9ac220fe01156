"""Why an instance is in its phase, as facts, and the one place where those facts become words.

A reason keeps what was counted and seen; :func:`words` says it. Nothing else in the product words a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """The kinds of reason. Every one has its words in :func:`words`; a test holds that."""

    NONE = "none"
    NOT_STARTED = "not-started"
    STOPPED_BY_HAND = "stopped-by-hand"
    REMOVED = "removed"
    WAITS_FOR_DEPENDENCY = "waits-for-dependency"
    DEPENDENCY_LOST = "dependency-lost"
    WAITS_FOR_STARTUP = "waits-for-startup"
    WAITS_FOR_DEPENDENTS = "waits-for-dependents"
    STOP = "stop"
    RESTART = "restart"
    LEFTOVERS = "leftovers"
    UNKILLABLE = "unkillable"
    PROBE_FAILED = "probe-failed"
    RUN_FAILED = "run-failed"
    SHORTAGE = "shortage"
    FLAPPING = "flapping"
    GAVE_UP = "gave-up"
    ENDED = "ended"
    PREPARING = "preparing"
    PAUSED = "paused"
    ENGINE = "engine"
    DELIVERING = "delivering"
    REFUSED = "refused"
    OUTPUT = "output"
    LOG_LOST = "log-lost"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason: its kind and the facts that its words need; what a kind doesn't use stays empty.

    ``subject`` is a dependency, dependent or probe, or how much of a preparation is done; ``detail`` are words about
    it; ``count`` counts runs or restarts, or is a percentage; ``seconds`` is a window or an average length.
    """

    why: Why
    subject: str = ""
    detail: str = ""
    count: int = 0
    window: float = 0.0
    seconds: float = 0.0


NO_REASON = Reason(Why.NONE)

#: What the world says of a run that is under way, and takes back when it is over.
NOTES = frozenset({Why.PREPARING, Why.PAUSED, Why.ENGINE, Why.DELIVERING, Why.REFUSED, Why.OUTPUT, Why.LOG_LOST})


def words(reason: Reason) -> str:
    """The reason in words for people; empty when the phase alone says it."""
    return _WORDS[reason.why].format(
        subject=reason.subject,
        detail=reason.detail,
        extent=f": {reason.subject}" if reason.subject else "",
        count=reason.count,
        runs="run" if reason.count == 1 else "runs",
        window=duration_words(reason.window),
        seconds=duration_words(reason.seconds),
    )


_WORDS = {
    Why.NONE: "",
    Why.NOT_STARTED: "not started yet",
    Why.STOPPED_BY_HAND: "stopped by hand{detail}",
    Why.REMOVED: "removed from the file{detail}",
    Why.WAITS_FOR_DEPENDENCY: "waits for {subject} to be {detail}",
    Why.DEPENDENCY_LOST: "waits for {subject}, which {detail}",
    Why.WAITS_FOR_STARTUP: "waits for its startup probe",
    Why.WAITS_FOR_DEPENDENTS: "waits for {subject} to stop",
    Why.STOP: "{detail}",
    Why.RESTART: "{detail}",
    Why.LEFTOVERS: "{detail}; ending what it left behind",
    Why.UNKILLABLE: "SIGKILL had no effect yet: the kernel holds a process of the run, it is another user's, or its "
    "engine doesn't answer",
    Why.PROBE_FAILED: "{subject} probe failed {count} times in a row: {detail}",
    Why.RUN_FAILED: "{detail} ({count} failed {runs} in a row)",
    Why.SHORTAGE: "{detail}; tried again until it can",
    Why.FLAPPING: "flapping: at least {count} restarts in {window}, runs of about {seconds}; {detail}",
    Why.GAVE_UP: "gave up after {count} failed {runs} in a row within {window}: {detail}",
    Why.ENDED: "{detail}",
    Why.PREPARING: "{detail}{extent}",
    Why.PAUSED: "paused by somebody else; 'docker unpause' lets it go on",
    Why.ENGINE: "{detail}",
    Why.DELIVERING: "",  # a matter of moments, or else its engine hangs, and that is said
    Why.REFUSED: "its engine refuses to send it {subject}: {detail}",
    Why.LOG_LOST: "its log {detail}, and it goes on writing there; 'stigmer-pm restart {subject}' opens a new one",
    Why.OUTPUT: "its log can't be written: {detail}; its engine keeps what it prints, until it can",
}


#: Characters of a probe's output that stand in a reason or in the journal; ``describe`` has all of it.
_BRIEF = 200


def brief(output: str) -> str:
    """What a probe said, in one line."""
    line = " ".join(output.split())
    return line if len(line) <= _BRIEF else f"{line[: _BRIEF - 1]}…"


def duration_words(seconds: float) -> str:
    """``20ms``, ``2.3s``, ``12s``, ``10m``, ``1h30m``, ``2d``: two units at most, as short as it stays plain."""
    if seconds < 0.9995:
        return f"{round(seconds * 1000)}ms" if seconds >= 0.0005 else "0s"
    if seconds < 9.95:
        return f"{seconds:.1f}s".replace(".0s", "s")
    whole = round(seconds)
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    parts: list[str] = []
    for unit, length in units:
        amount, whole = divmod(whole, length)
        if amount:
            parts.append(f"{amount}{unit}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return "".join(parts)
