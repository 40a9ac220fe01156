"""``stigmer-pm restart``."""

from __future__ import annotations

import click

from stigmer_pm.cli.acting import Watching, act, acting_options
from stigmer_pm.cli.options import example, settle_option
from stigmer_pm.cli.session import Session, pass_session


@click.command(
    "restart",
    short_help="Stop components, and start them again.",
    epilog=example("restart workflow-runner", "restart --all --timeout 1m"),
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
    """Stop components and start them again, and wait until they are ready.

    One that is stopped, completed or failed is started, and its count of failed runs is cleared. Uses what is applied:
    an edited file takes effect with "up".
    """
    watching = Watching(no_wait, timeout, settle)
    return act(session, "restart", names, labels, everything=everything, watching=watching)
