"""``stigmer-pm start``."""

from __future__ import annotations

import click

from stigmer_pm.cli.acting import Watching, act, acting_options
from stigmer_pm.cli.options import example, settle_option
from stigmer_pm.cli.session import Session, pass_session


@click.command(
    "start", short_help="Start components, and what they need.", epilog=example("start workflow-runner", "start --all")
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
    """Start components, and what they need, and wait until they are ready.

    One that runs already is left as it is, which is said. What was stopped by hand is started as well. Uses what is
    applied: an edited file takes effect with "up".
    """
    watching = Watching(no_wait, timeout, settle)
    return act(session, "start", names, labels, everything=everything, watching=watching)
