"""``stigmer-pm down``."""

from __future__ import annotations

import time

import click

from stigmer_pm.cli.options import example, file_option, timeout_option
from stigmer_pm.cli.screen.outcome import report_unwell, summary
from stigmer_pm.cli.screen.progress import watch
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.errors import NoSupervisor
from stigmer_pm.client.finding import is_locked
from stigmer_pm.client.requests import Outcome, Supervisor

#: Seconds between looks at the lock once everything has stopped; the supervisor then needs a few milliseconds.
_LOOK = 0.01
#: Seconds after which a supervisor that has stopped everything should have ended.
_END_WITHIN = 10.0


@click.command(
    "down", short_help="Stop everything, and end the supervisor.", epilog=example("down", "down --timeout 30s")
)
@file_option()
@timeout_option
@pass_session
def command(session: Session, timeout: float | None) -> int:
    """Stop everything in reverse dependency order, end the supervisor, and wait until both are done.

    Logs stay, and so does the history of runs, which the next supervisor shows again. When nothing runs, that is said,
    and the exit status is 0. Ctrl-C and --timeout end only the waiting: what has begun to stop goes on stopping.
    """
    session.say_which_file()
    try:
        supervisor = session.living_supervisor(timeout)
    except NoSupervisor as error:
        if error.is_lost or not error.is_absent:
            raise
        session.terminal.print("nothing runs for this project")
        return 0
    try:
        outcome = _stop_everything(session, supervisor, timeout)
    except NoSupervisor as error:
        if not error.has_died:
            raise
        supervisor = session.living_supervisor(timeout)  # which says what has happened, and goes on
        outcome = _stop_everything(session, supervisor, timeout)
    if outcome is not None:
        report_unwell(session.terminal, outcome, "stopped", timeout)
        if not outcome.reached:
            session.terminal.hint("it goes on stopping; 'stigmer-pm down' again waits for it")
            return 1
    _wait_for_end(supervisor)
    if outcome is not None and outcome.unwritten:
        session.terminal.warn(
            "this 'down' is not on record, and the next supervisor takes what has stopped for ended by itself: "
            f"{outcome.unwritten}"
        )
    if outcome is not None and outcome.stays:
        session.terminal.say(f"{summary(outcome, 'stopped')}; supervisor ended, but {outcome.stays}")
        return 1
    if outcome is not None and outcome.not_reached:
        session.terminal.say(outcome.not_reached)
    session.terminal.print("nothing to stop" if outcome is None else f"{summary(outcome, 'stopped')}; supervisor ended")
    return 0


def _stop_everything(session: Session, supervisor: Supervisor, timeout: float | None) -> Outcome | None:
    """The outcome, or ``None`` when the supervisor ended before it could tell it: then nothing runs any more."""
    supervisor.timeout = timeout
    try:
        return watch(session.terminal, supervisor.down(timeout=timeout), "stopped")
    except NoSupervisor as error:
        if error.has_died or not error.is_absent:
            raise
        return None


def _wait_for_end(supervisor: Supervisor) -> None:
    ends_at = time.monotonic() + _END_WITHIN
    while is_locked(supervisor.state):
        if time.monotonic() > ends_at:
            raise NoSupervisor(
                f"everything has stopped, but the supervisor (pid {supervisor.address.pid}) does not end",
                f"see {supervisor.state.supervisor_log}",
            )
        time.sleep(_LOOK)
