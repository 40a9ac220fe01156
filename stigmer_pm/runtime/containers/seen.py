"""What an engine says of a container, as far as it matters here."""

from __future__ import annotations

import calendar
import re
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stigmer_pm.core.state import Exit

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))")
#: What a shell, and an engine, make of a death by signal n: 128 + n. Real time signals end at 64.
_SIGNALLED, _LAST_SIGNAL = 128, 64
#: Characters of the output of a HEALTHCHECK that are kept.
_OUTPUT = 4096


@dataclass(frozen=True, slots=True)
class Seen:
    """A container as it was inspected.

    Attributes:
        is_going: it is being removed.
        started: when its process was started, in nanoseconds since 1970 by the engine's clock; 0: never.
        health: what its HEALTHCHECK says; ``None``: it has none.
        details: the whole document.
    """

    id: str
    is_running: bool
    is_paused: bool
    is_going: bool
    pid: int
    started: int
    exit_code: int
    out_of_memory: bool
    health: bool | None
    health_output: str
    details: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.details.get("Name", "")).removeprefix("/")

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.details.get("Config", {}).get("Labels") or {}


def read(inspected: Mapping[str, Any]) -> Seen:
    """From the document of ``docker inspect``."""
    state = inspected["State"]
    health, output = _health(state.get("Health") or {})
    return Seen(
        id=str(inspected["Id"]),
        is_running=bool(state.get("Running")),
        is_paused=bool(state.get("Paused")),
        is_going=bool(state.get("Dead")) or state.get("Status") == "removing",
        pid=int(state.get("Pid") or 0),
        started=nanoseconds(str(state.get("StartedAt") or "")),
        exit_code=int(state.get("ExitCode") or 0),
        out_of_memory=bool(state.get("OOMKilled")),
        health=health,
        health_output=output,
        details=inspected,
    )


def exit_of(code: int | None, *, out_of_memory: bool = False, by: str = "") -> Exit:
    """How a container ended, from its exit status; ``None``: nobody can tell.

    A status over 128 is taken for a death by signal: that is what it nearly always is, and it is kept as well.
    """
    if code is None:
        return Exit(by=by)
    number = code - _SIGNALLED
    is_signal = 0 < number <= _LAST_SIGNAL and number in set(signal.valid_signals())
    return Exit(code, number if is_signal else None, out_of_memory, "" if out_of_memory else by)


def nanoseconds(stamp: str) -> int:
    """A time such as ``2026-01-22T10:00:00.123456789Z``, in nanoseconds since 1970; 0 for one that is none."""
    found = _STAMP.match(stamp)
    if found is None or stamp.startswith("0001-"):
        return 0
    seconds = calendar.timegm(time.strptime(found[1], "%Y-%m-%dT%H:%M:%S"))
    if found[3]:
        offset = 3600 * int(found[4]) + 60 * int(found[5])
        seconds -= offset if found[3] == "+" else -offset
    return seconds * 1_000_000_000 + int((found[2] or "0").ljust(9, "0"))


def _health(health: Mapping[str, Any]) -> tuple[bool | None, str]:
    status = health.get("Status")
    if status in (None, "", "none"):
        return None, ""
    log = health.get("Log") or ()
    output = str(log[-1].get("Output", "")).strip()[:_OUTPUT] if log else ""
    return status == "healthy", output


def published_ports(inspected: Mapping[str, Any]) -> list[str]:
    """The ports that are published, as ``docker ps`` shows them: ``127.0.0.1:8080->80/tcp``."""
    found = []
    for port, places in sorted((inspected.get("NetworkSettings", {}).get("Ports") or {}).items()):
        found += [f"{place['HostIp']}:{place['HostPort']}->{port}" for place in places or ()]
    return found
