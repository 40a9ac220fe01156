"""``stigmer-pm pid``."""

from __future__ import annotations

import click

from stigmer_pm.cli.options import example, file_option, name_argument
from stigmer_pm.cli.screen.phases import phase_words
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.finding import is_locked
from stigmer_pm.client.requests import Selection


@click.command(
    "pid",
    short_help="Print the pid of a component, or of the supervisor.",
    epilog=example("pid stigmer-server", "pid --supervisor"),
)
@file_option()
@click.option("--supervisor", "of_supervisor", is_flag=True, help="Print the pid of the project's supervisor.")
@name_argument(required=False)
@pass_session
def command(session: Session, name: str | None, of_supervisor: bool) -> int:
    """Print the pid of a component's first process; exits with 1 when it has none, and says why.

    A pattern that matches several instances prints a line for each. With --supervisor, it is the pid of the process
    that looks after the project, also when that doesn't answer; exits with 3 when none runs.
    """
    if (name is not None) is of_supervisor:
        raise click.UsageError("name a component, or give --supervisor" + (", not both" if of_supervisor else ""))
    if name is None:
        _print_supervisor(session)
        return 0
    return _print_components(session, name)


def _print_supervisor(session: Session) -> None:
    supervisor = session.supervisor()
    # One that holds the lock runs: who wants to end or wake one that is silent must have its pid as well.
    if not is_locked(supervisor.state):
        supervisor.knock()
    session.terminal.print(str(supervisor.address.pid))


def _print_components(session: Session, name: str) -> int:
    status = 0
    for component in session.supervisor().ps(Selection((name,)))["components"]:
        if component["pid"] is not None:
            session.terminal.print(str(component["pid"]))
            continue
        why = phase_words(component["phase"], component["reason"], component["next_restart"])
        session.terminal.complain(f"{component['name']} has no process: {why}")
        status = 1
    return status
