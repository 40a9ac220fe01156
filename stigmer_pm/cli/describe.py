"""``stigmer-pm describe``."""

from __future__ import annotations

import json

import click

from stigmer_pm.cli.options import example, file_option, json_option, name_argument
from stigmer_pm.cli.screen.details import details_lines
from stigmer_pm.cli.session import Session, pass_session


@click.command(
    "describe",
    short_help="Show everything about one component.",
    epilog=example("describe stigmer-server", "describe stigmer-server --json"),
)
@file_option()
@json_option
@click.option("--show-secrets", is_flag=True, help="Show the values of variables, and what else looks secret.")
@name_argument()
@pass_session
def command(session: Session, name: str, show_secrets: bool, as_json: bool) -> int:
    """Show everything about one component: what it is, how it stands and why, probes, runs, recent events, its log.

    Values of variables are masked, and so are headers of probes whose name looks secret, and passwords in URLs.
    """
    details = session.supervisor().describe(name, show_secrets=show_secrets)
    if as_json:
        session.terminal.print(json.dumps(details, indent=2, ensure_ascii=False))
        return 0
    for line in details_lines(session.terminal, details):
        session.terminal.print(line)
    session.warn_of_unwritten(details.get("trouble"))
    return 0
