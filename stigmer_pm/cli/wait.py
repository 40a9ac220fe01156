"""``stigmer-pm wait``."""

from __future__ import annotations

import click

from stigmer_pm.cli.acting import Watching, wait_and_report
from stigmer_pm.cli.options import (
    example,
    file_option,
    label_option,
    names_argument,
    selection_of,
    settle_option,
    timeout_option,
)
from stigmer_pm.cli.session import Session, pass_session

_GOALS = ("ready", "started", "completed", "stopped")


@click.command(
    "wait",
    short_help="Wait until components are ready, or can't get there.",
    epilog=example("wait --timeout 1m", "wait stigmer-server --for ready"),
)
@file_option()
@click.option("--for", "goal", type=click.Choice(_GOALS), default="ready", show_default=True, help="What to wait for.")
@timeout_option
@settle_option
@label_option
@names_argument()
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    goal: str,
    timeout: float | None,
    settle: float,
) -> int:
    """Wait until components are ready, started, completed or stopped; all of them when none is named.

    Exits with 1 and the reason as soon as one of them can't get there any more, or when the timeout has passed. A
    backoff is sat out.
    """
    supervisor = session.supervisor()
    supervisor.timeout = timeout
    selection = selection_of(names, labels)
    if not (names or labels) and goal != "stopped":
        # What is meant to be stopped would never get there, and nobody asked for it by name.
        wanted = [c["name"] for c in supervisor.ps()["components"] if c["desired"] == "running"]
        if not wanted:
            session.terminal.print("nothing is meant to run")
            return 0
        selection = selection_of(wanted, ())
    watching = Watching(timeout=timeout, settle=settle, sits_out_backoff=True)
    return wait_and_report(session, supervisor, selection, goal, watching)
