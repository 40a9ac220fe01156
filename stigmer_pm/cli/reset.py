"""``stigmer-pm reset``."""

from __future__ import annotations

import click

from stigmer_pm.cli.acting import Watching, act, acting_options
from stigmer_pm.cli.options import example, settle_option
from stigmer_pm.cli.session import Session, pass_session


@click.command(
    "reset", short_help="Clear failed runs, and start what gave up.", epilog=example("reset workflow-runner")
)
@acting_options
@settle_option
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    everything: bool,
    no_wait: bool,
    timeout: float | None,
    settle: float,
) -> int:
    """Clear the count of failed runs of components, start those that gave up, and wait until they are ready.

    One that runs goes on as it is.
    """
    watching = Watching(no_wait, timeout, settle)
    return act(session, "reset", names, labels, everything=everything, watching=watching)
