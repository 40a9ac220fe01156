"""``up --service``: the supervisor as a service manager wants it."""

from __future__ import annotations

import time
from collections.abc import Callable

from stigmer_pm.cli.applying import Wanted, order_of, wait_until_unlocked
from stigmer_pm.cli.errors import BAD_USAGE, explain
from stigmer_pm.cli.foreground import Front, run_order
from stigmer_pm.cli.session import Session
from stigmer_pm.client.documents import Document
from stigmer_pm.client.errors import NoSupervisor, Refused
from stigmer_pm.client.finding import is_locked
from stigmer_pm.client.requests import Supervisor
from stigmer_pm.config.errors import ConfigError
from stigmer_pm.statedir import StateDir

_LOOK = 0.02
#: Seconds within which another supervisor must have let go, or have come to where it can be asked to.
_LET_GO_WITHIN = 15.0


def run_as_service(session: Session, read: Callable[[], Wanted], front: Front) -> int:
    """Take over what runs, or apply the file, and supervise until told to end. The exit status.

    What is on record and may still run is gone on with as it is, even when the file has errors by now: a supervisor
    that was killed must come back, and no edit is applied because of that.

    Raises:
        ConfigError: there is no file, or it doesn't tell the state folder.
        Refused: it can't be begun; nothing was started.
        NoSupervisor: another supervisor doesn't let go.
    """
    try:
        order = order_of(session, read())
    except ConfigError as error:
        explain(error, session.terminal)
        recover = {"state_dir": session.state().path, "file": session.file()}
        order = {"recover": recover, "environment": dict(session.environ)}
    order = {**order, "prefers_record": True}
    try:
        return _run(session, order, front)
    except Refused as refused:
        if refused.code != "no-record":
            raise
        return BAD_USAGE  # the errors have been said


def _run(session: Session, order: Document, front: Front) -> int:
    state = session.state()
    ends_at = time.monotonic() + _LET_GO_WITHIN
    while True:
        _have_it_let_go(session, state, ends_at)
        try:
            return run_order(session, order, front)
        except Refused as refused:
            # Somebody has been faster: a command that found nobody, and started a supervisor.
            if refused.code != "busy" or time.monotonic() > ends_at:
                raise
        time.sleep(_LOOK)


def _have_it_let_go(session: Session, state: StateDir, ends_at: float) -> None:
    """Ask the supervisor that runs, if one does, to leave what runs to this one."""
    while is_locked(state):
        try:
            pid = Supervisor.find(state, session.environ).let_go()
            session.terminal.say(f"taking over from the supervisor that ran (pid {pid})")
        except Refused as refused:
            if not refused.is_ending:
                raise
            session.terminal.say("another command stops everything; waiting until it has")
            wait_until_unlocked(state)
        except NoSupervisor as error:
            if not (error.is_absent or error.may_return) or time.monotonic() > ends_at:
                raise
        else:
            wait_until_unlocked(state, ends_at)
        time.sleep(_LOOK)
