"""``stigmer-pm ls``."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator, Mapping

import click

from stigmer_pm.cli.options import example, json_option
from stigmer_pm.cli.screen.table import aligned
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.documents import Document, PsDocument
from stigmer_pm.client.errors import ClientError
from stigmer_pm.client.finding import Address
from stigmer_pm.client.requests import Supervisor
from stigmer_pm.sockets import all_folders
from stigmer_pm.statedir import StateDir

_HEADERS = ("PROJECT", "COMPONENTS", "READY", "PID", "FOLDER")
_NUMBERS = frozenset({1, 2, 3})


@click.command("ls", epilog=example("ls", "ls --json"))
@json_option
@pass_session
def command(session: Session, as_json: bool) -> int:
    """List every project of this user that a supervisor runs: its folder, its components, and how many are ready.

    This needs no file, and works in any folder.
    """
    projects = sorted(
        (_entry(document) for document in _answers(session.environ)), key=lambda entry: str(entry["file"])
    )
    if as_json:
        session.terminal.print(json.dumps({"projects": projects}, indent=2, ensure_ascii=False))
        return 0
    if not projects:
        session.terminal.say("no supervisor of this user runs")
        return 0
    rows = [[str(entry[key]) for key in ("project", "components", "ready", "pid", "folder")] for entry in projects]
    for line in aligned([_HEADERS, *rows], right=_NUMBERS):
        session.terminal.print(line)
    return 0


def _entry(document: PsDocument) -> Document:
    components = document["components"]
    return {
        "project": document["project"],
        "folder": os.path.dirname(document["file"]),
        "file": document["file"],
        "components": len(components),
        "ready": sum(component["ready"] for component in components),
        "pid": document["supervisor"]["pid"],
        "version": document["supervisor"]["version"],
    }


def _answers(environ: Mapping[str, str]) -> Iterator[PsDocument]:
    seen: set[str] = set()
    for folder in all_folders(environ):
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.sock"))):
            real = os.path.realpath(path)
            if real in seen:
                continue
            seen.add(real)
            # There is no state folder to look into: whoever listens says which project it is.
            unknown = Address(pid=0, socket=path, project="", file="", owner_uid=os.geteuid())
            try:
                yield Supervisor(StateDir(folder), unknown).ps()
            except ClientError:
                continue  # a socket that a killed supervisor left, or one that isn't ours
