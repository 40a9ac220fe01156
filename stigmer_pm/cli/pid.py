"""``stigmer-pm pid``."""

from __future__ import annotations

import click

from stigmer_pm.cli.options import example, file_option, name_argument
from stigmer_pm.cli.screen.phases import phase_words
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.requests import Selection


@click.command("pid", short_help="Print the pid of a component.", epilog=example("pid stigmer-server"))
@file_option()
@name_argument
@pass_session
def command(session: Session, name: str) -> int:
    """Print the pid of a component's first process; exits with 1 when it has none, and says why.

    A pattern that matches several instances prints a line for each.
    """
    status = 0
    for component in session.supervisor().ps(Selection((name,)))["components"]:
        if component["pid"] is not None:
            session.terminal.print(str(component["pid"]))
            continue
        why = phase_words(component["phase"], component["reason"], component["next_restart"])
        session.terminal.complain(f"{component['name']} has no process: {why}")
        status = 1
    return status
