"""``stigmer-pm signal``."""

from __future__ import annotations

import click

from stigmer_pm.cli.acting import chosen
from stigmer_pm.cli.options import all_option, example, file_option, label_option, names_argument
from stigmer_pm.cli.session import Session, pass_session


@click.command("signal", epilog=example("signal HUP stigmer-server", "signal USR1 --all"))
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
    results = session.living_supervisor().signal(name, chosen("signal", names, labels, everything=everything))
    for result in results:
        session.terminal.print(f"{result['name']}: {result['said']}")
    return 0 if all(result["pid"] for result in results) else 1
