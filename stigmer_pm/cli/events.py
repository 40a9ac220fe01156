"""``stigmer-pm events``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import click

from stigmer_pm.cli.matching import matching
from stigmer_pm.cli.options import Count, PointInTime, example, file_option, label_option, names_argument, selection_of
from stigmer_pm.cli.screen.event_lines import EventPrinter
from stigmer_pm.cli.screen.terminal import Terminal
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.documents import EventEntry, EventsAnswer
from stigmer_pm.client.errors import NoSupervisor
from stigmer_pm.client.requests import Supervisor

Names = tuple[str, ...]
Labels = tuple[tuple[str, str], ...]

#: Entries of the past that ``--follow`` begins with, as ``tail -f`` has it.
_BEFORE_FOLLOWING = 10


@click.command(
    "events",
    short_help="Show what happened, oldest first.",
    epilog=example("events", "events stigmer-server --since 10m", "events -f --json"),
)
@file_option("--file")
@click.option("-f", "--follow", is_flag=True, help="Stay, and print what happens from now on.")
@click.option("--since", type=PointInTime(), metavar="WHEN", help="From then on: 10m ago, or 2026-01-22T10:00:00.")
@click.option("-n", "--lines", type=Count(), metavar="N", help="Only the last N. [default: all; 10 with --follow]")
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

    Times are local; those of --json are in UTC. Works with no supervisor as well, but for --follow.
    """
    show = _json_printer(session.terminal) if as_json else EventPrinter(session.terminal).show
    if not follow:
        answer = _events(session, names, labels, since, lines)
        show(answer["events"])
        session.warn_of_unwritten(answer.get("trouble"))
        return 0
    supervisor = session.supervisor()
    limit = _BEFORE_FOLLOWING if lines is None and since is None else lines
    for event in supervisor.follow_events(_named(supervisor, names, labels), since=since, limit=limit):
        show([event])
        session.terminal.flush()
    session.terminal.say("the supervisor has ended")
    return 0


def _named(supervisor: Supervisor, names: Names, labels: Labels) -> Names:
    if not labels:
        return names
    return tuple(component["name"] for component in supervisor.ps(selection_of(names, labels))["components"])


def _events(session: Session, names: Names, labels: Labels, since: str | None, limit: int | None) -> EventsAnswer:
    """As the supervisor tells them; where none runs, as they are on record."""
    try:
        supervisor = session.supervisor()
        return supervisor.events(_named(supervisor, names, labels), since=since, limit=limit)
    except NoSupervisor as error:
        if not error.is_absent:
            raise
        from stigmer_pm.client.record import Record

        try:
            record = Record(session.state().database)
        except FileNotFoundError:
            raise error from None
        with record:
            session.refuse_file_of_others(record.file())
            chosen = matching(names, labels, record.labels()) if names or labels else ()
            found = record.events(chosen, since, limit)
        session.terminal.say(f"{error.message}; this is from the record")
        return {"trouble": None, "events": found}


def _json_printer(terminal: Terminal) -> Callable[[Sequence[EventEntry]], None]:
    def show(events: Sequence[EventEntry]) -> None:
        for event in events:
            terminal.print(json.dumps(event, ensure_ascii=False))

    return show
