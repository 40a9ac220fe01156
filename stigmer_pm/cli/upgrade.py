"""``stigmer-pm upgrade``."""

from __future__ import annotations

import os
import sys
import time

import click

from stigmer_pm.cli.options import example, file_option, timeout_option
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.documents import PsDocument, UpgradeAnswer
from stigmer_pm.client.errors import ClientError, NoSupervisor
from stigmer_pm.client.requests import Selection, Supervisor

#: Seconds within which the new supervisor must answer; it does so in half of one.
_ANSWER_WITHIN = 30.0
_LOOK = 0.02


@click.command("upgrade", short_help="Replace the running supervisor by this version.", epilog=example("upgrade"))
@file_option()
@timeout_option
@pass_session
def command(session: Session, timeout: float | None) -> int:
    """Replace the running supervisor by the version that this command is of, in place; no component notices.

    The supervisor keeps its pid, its children and its socket, and nothing is restarted; commands that wait go on
    waiting. A version that can't be imported, or can't read what is on record, is refused, and the old one goes on.
    """
    supervisor = session.supervisor()
    supervisor.timeout = timeout
    answer = supervisor.upgrade(sys.executable, [entry for entry in sys.path if os.path.isabs(entry)])
    found = _wait(supervisor, answer, _ANSWER_WITHIN if timeout is None else timeout)
    count = sum(component["pid"] is not None for component in found["components"])
    same = " (the same version, loaded anew)" if answer["from"] == answer["to"] else ""
    session.terminal.print(
        f"supervisor (pid {answer['pid']}) replaced: {answer['from']} -> {found['supervisor']['version']}{same}; "
        f"{count} component{'' if count == 1 else 's'} kept"
    )
    return 0


def _wait(supervisor: Supervisor, answer: UpgradeAnswer, timeout: float) -> PsDocument:
    """Until the new supervisor answers; what it says.

    Raises:
        NoSupervisor: it has died.
        ClientError: the old one still answers.
    """
    ends_at = time.monotonic() + timeout
    while True:
        try:
            found = supervisor.ps(Selection())
        except NoSupervisor as error:
            # On a busy machine it takes longer to begin than any other question is waited for.
            if not (error.may_return or error.is_silent) or time.monotonic() > ends_at:
                raise
        else:
            if found["supervisor"]["since"] != answer["since"]:
                return found
            if time.monotonic() > ends_at:
                raise ClientError(
                    f"the supervisor (pid {answer['pid']}) has not been replaced; it goes on as before",
                    f"see {supervisor.state.supervisor_log}",
                )
        time.sleep(_LOOK)
