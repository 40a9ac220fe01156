"""``stigmer-pm events``."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from stigmer_pm.cli.options import PointInTime, example, file_option, label_option, names_argument, selection_of
from stigmer_pm.cli.screen.amounts import local_time
from stigmer_pm.cli.screen.phases import COLORS
from stigmer_pm.cli.screen.terminal import Terminal
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.documents import EventEntry

#: Entries of the past that ``--follow`` begins with, as ``tail -f`` has it.
_BEFORE_FOLLOWING = 10


@click.command("events", epilog=example("events", "events stigmer-server --since 10m", "events -f --json"))
@file_option("--file")
@click.option("-f", "--follow", is_flag=True, help="Stay, and print what happens from now on.")
@click.option("--since", type=PointInTime(), metavar="WHEN", help="From then on: 10m ago, or 2026-01-22T10:00:00.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), metavar="N", help="Only the last N. [default: all; 10 with --follow]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@label_option
@names_argument()
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    follow: bool,
    since: str | None,
    lines: int | None,
    as_json: bool,
) -> int:
    """Show what happened to the project, oldest first: when, to which component, what, and why.

    Times are local; those of --json are in UTC.
    """
    supervisor = session.supervisor()
    if labels:
        names = tuple(component["name"] for component in supervisor.ps(selection_of(names, labels))["components"])
    if not follow:
        _print_all(session.terminal, supervisor.events(names, since=since, limit=lines), as_json=as_json)
        return 0
    limit = _BEFORE_FOLLOWING if lines is None and since is None else lines
    for event in supervisor.follow_events(names, since=since, limit=limit):
        _print_all(session.terminal, [event], as_json=as_json)
        session.terminal.flush()
    session.terminal.say("the supervisor has ended")
    return 0


def _print_all(terminal: Terminal, events: Iterable[EventEntry], *, as_json: bool) -> None:
    for event in events:
        terminal.print(json.dumps(event, ensure_ascii=False) if as_json else event_line(terminal, event))


def event_line(terminal: Terminal, event: EventEntry) -> str:
    """``TIME NAME KIND MESSAGE``, where the name of an event about the project is ``-``."""
    kind = terminal.paint(event["kind"], COLORS.get(event["kind"]))
    return f"{local_time(event['at'])}  {event['instance'] or '-'}  {kind}  {event['message']}".rstrip()
