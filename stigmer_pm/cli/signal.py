"""``stigmer-pm signal``."""

from __future__ import annotations

import click

from stigmer_pm.cli.acting import chosen
from stigmer_pm.cli.options import all_option, example, file_option, label_option, names_argument
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.spec.signals import signal_number


@click.command(
    "signal",
    short_help="Send a signal to components.",
    epilog=example("signal HUP stigmer-server", "signal USR1 --all"),
)
@file_option()
@all_option
@label_option
@click.argument("name", metavar="SIGNAL")
@names_argument()
@pass_session
def command(
    session: Session, name: str, names: tuple[str, ...], labels: tuple[tuple[str, str], ...], everything: bool
) -> int:
    """Send a signal, by name (HUP, SIGHUP) or number, to the first process of components.

    How a run ends by it counts as any other end. Exits with 1 when one of them has no process.
    """
    _refuse_no_signal(name, names)
    results = session.living_supervisor().signal(name, chosen("signal", names, labels, everything=everything))
    for result in results:
        session.terminal.print(f"{result['name']}: {result['said']}")
    return 0 if all(result["pid"] for result in results) else 1


def _refuse_no_signal(name: str, names: tuple[str, ...]) -> None:
    """Before a supervisor is asked, or even started for it."""
    try:
        signal_number(name)
    except ValueError as error:
        hint = f"; the signal comes first: signal {names[0]} {name}" if names and _is_signal(names[0]) else ""
        raise click.UsageError(f"{error}{hint}") from error


def _is_signal(name: str) -> bool:
    try:
        signal_number(name)
    except ValueError:
        return False
    return True
