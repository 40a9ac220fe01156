"""``stigmer-pm ps``, also called ``status``."""

from __future__ import annotations

import json
import os
import time

import click

from stigmer_pm.cli.file_changes import has_changed, say_changed
from stigmer_pm.cli.options import example, file_option, json_option, label_option, names_argument, selection_of
from stigmer_pm.cli.screen.ps_table import ps_lines
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.documents import PsDocument
from stigmer_pm.client.requests import Selection

#: Seconds between two looks with ``--watch``: as often as the table's own seconds change.
_PERIOD = 1.0


@click.command(
    "ps",
    short_help="Show how components stand (also called status).",
    epilog=example("ps", "ps 'workflow-*' --json", "ps --watch"),
)
@file_option()
@json_option
@click.option("-w", "--watch", "is_watching", is_flag=True, help="Keep the table on the screen, and current.")
@label_option
@names_argument()
@pass_session
def command(
    session: Session, names: tuple[str, ...], labels: tuple[tuple[str, str], ...], is_watching: bool, as_json: bool
) -> int:
    """Show how components stand: phase, readiness, pid, restarts, and why when that is not plain.

    UPTIME counts from when the phase "running" began, CPU and MEM are those of the whole tree of a run. "status" is
    the same command.
    """
    selection = selection_of(names, labels)
    if is_watching:
        _check_watch(session, as_json=as_json)
        return _watch(session, selection)
    document = session.supervisor().ps(selection)
    if as_json:
        _print_json(session, document)
        return 0
    for line in ps_lines(session.terminal, document["components"]):
        session.terminal.print(line)
    _say_foot(session, document)
    return 0


def _print_json(session: Session, document: PsDocument) -> None:
    changed = has_changed(document["inputs"])
    shown = {key: value for key, value in document.items() if key != "inputs"} | {"file_changed": changed}
    folder = os.path.dirname(document["file"])
    shown["components"] = [c | {"log": _from_folder(c["log"], folder)} for c in document["components"]]
    session.terminal.print(json.dumps(shown, indent=2, ensure_ascii=False))


def _from_folder(path: str, folder: str) -> str:
    """A path below the folder of the file as the file would have it; others as they are."""
    return os.path.relpath(path, folder) if path.startswith(folder + os.sep) else path


def _say_foot(session: Session, document: PsDocument) -> None:
    # On stderr, so that a pipe gets one line a component and nothing else.
    if document.get("trouble"):
        session.terminal.warn(f"{document['trouble']}")
    if has_changed(document["inputs"]):
        say_changed(session.terminal, document["file"])


def _check_watch(session: Session, *, as_json: bool) -> None:
    if as_json:
        raise click.UsageError("give --watch or --json, not both; 'stigmer-pm events -f --json' is for programs")
    if not session.terminal.out_is_terminal:
        raise click.UsageError("--watch needs a terminal; without it, ps prints the table once")


def _watch(session: Session, selection: Selection) -> int:
    supervisor = session.supervisor()
    while True:
        document = supervisor.ps(selection)
        lines = ps_lines(session.terminal, document["components"])
        session.terminal.clear()
        session.terminal.print("\n".join(lines) + "\n\nCtrl-C ends this")
        _say_foot(session, document)
        session.terminal.flush()
        time.sleep(_PERIOD)
