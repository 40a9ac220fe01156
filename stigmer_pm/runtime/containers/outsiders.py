"""What an engine's events say that an inspection doesn't: what somebody else has done to a container."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from stigmer_pm.runtime.containers.watch import Watch
from stigmer_pm.spec.signals import signal_name

#: What is said of a run whose container is gone.
REMOVED = "its container was removed by somebody else"
#: Signals that nobody ends a container with.
_HARMLESS = frozenset({signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGCONT, signal.SIGSTOP})
#: Seconds in which a signal ends what it was sent to, if it does: an engine gives it ten.
_LASTS = 15.0
#: Actions after which a container is looked at.
_WORTH_A_LOOK = ("die", "destroy", "pause", "unpause", "oom", "start")


def take_event(watch: Watch, event: Mapping[str, Any], now: float) -> bool:
    """Remember what an event of a container tells at ``now``; whether the container is to be looked at.

    The order is: ``kill`` for each signal, then ``die``, and after that ``stop`` or ``destroy`` for what was asked.
    """
    action = str(event.get("Action") or event.get("status") or "")
    attributes: Mapping[str, Any] = event.get("Actor", {}).get("Attributes") or {}
    match action:
        case "kill":
            _take_signal(watch, str(attributes.get("signal", "")), now)
        case "die":
            code = str(attributes.get("exitCode", ""))
            watch.told_code = int(code) if code.isdecimal() else None
        case "stop" | "restart" if watch.outside:
            watch.outside = f"docker {action} by somebody else"
        case "destroy" if watch.outside:
            watch.outside = REMOVED
    return action in _WORTH_A_LOOK or action.startswith("health_status")


def who_ended(watch: Watch, now: float) -> str:
    """Who has ended a run, in words; empty when it wasn't somebody else, as far as can be told."""
    return watch.outside if now - watch.outside_at <= max(_LASTS, watch.spec.stop_timeout) else ""


def _take_signal(watch: Watch, number: str, now: float) -> None:
    if watch.own_signals:
        watch.own_signals -= 1
        return
    if number.isdecimal() and int(number) not in _HARMLESS:
        watch.outside, watch.outside_at = f"{signal_name(int(number))} by somebody else", now
