"""When a supervisor in front ends by itself, and with which exit status it ends."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass

from stigmer_pm.core.state import Desired, InstanceState, Phase, RunEnd

#: For somebody who sits in front. A service manager would take these two for failures, and start again what somebody
#: has just stopped, so that a service ends with 0 however it was asked to.
INTERRUPTED = 130
#: As a shell has it for one that SIGTERM ended: here for an end that was not waited for.
HURRIED = 128 + signal.SIGTERM
#: Of a service that has ended and left what runs: no success, so that its manager starts it again and doesn't run what
#: it runs after a success (systemd: ExecStop, which stops everything). sysexits.h has it for "try again".
LEFT = 75


@dataclass(frozen=True, slots=True)
class Manner:
    """How it behaves in front.

    ``exit_code_from``: it ends with this component. ``exit_on_failure``: it ends when a component is given up on.
    ``leaves_running``: SIGTERM and Ctrl-C end the supervisor alone. ``is_service``: as a service manager wants it:
    without the logs of components, and it stays when every one has ended.
    """

    exit_code_from: str | None = None
    exit_on_failure: bool = False
    leaves_running: bool = False
    is_service: bool = False


def due_end(states: Sequence[InstanceState], manner: Manner) -> tuple[int, str] | None:
    """The exit status of an end that is due, and why it is, in words; ``None``: it goes on."""
    ended = [s for s in states if s.phase in (Phase.COMPLETED, Phase.FAILED)]
    for state in ended:
        if state.name == manner.exit_code_from:
            return status_of(state.last_end), f"{state.name} has ended; stopping the others"
        if manner.exit_on_failure and state.phase is Phase.FAILED:
            return status_of(state.last_end) or 1, f"{state.name} has failed; stopping the others"
    active = [s for s in states if s.desired is Desired.RUNNING and s.phase not in (Phase.COMPLETED, Phase.FAILED)]
    if ended and not active and not manner.is_service:
        failed = any(s.phase is Phase.FAILED for s in ended)
        return 1 if failed else 0, "every component has ended"
    return None


def status_of(end: RunEnd | None) -> int:
    """An exit status as a shell has it: the code, or 128+n for signal n; 127 for what couldn't be started."""
    if end is None or (end.exit is None and end.spawn_error is None):
        return 1
    if end.spawn_error is not None:
        return 127
    assert end.exit is not None
    if end.exit.signal is not None:
        return 128 + end.exit.signal
    return 1 if end.exit.code is None else end.exit.code
