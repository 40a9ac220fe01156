"""``stigmer-pm stop``."""

from __future__ import annotations

import click

from stigmer_pm.cli.acting import Watching, act, acting_options
from stigmer_pm.cli.options import example
from stigmer_pm.cli.session import Session, pass_session


@click.command(
    "stop", short_help="Stop components, dependents first.", epilog=example("stop workflow-runner", "stop --all")
)
@acting_options
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    everything: bool,
    no_wait: bool,
    timeout: float | None,
) -> int:
    """Stop components, and wait until they have stopped; dependents first.

    Each gets its stop_signal, and SIGKILL after its stop_timeout. They stay stopped until they are started,
    or until "up"; with restart: unless-stopped, "up" leaves them stopped as well.
    """
    watching = Watching(no_wait, timeout)
    return act(session, "stop", names, labels, everything=everything, watching=watching)
