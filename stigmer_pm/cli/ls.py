"""``stigmer-pm ls``."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import click

from stigmer_pm.cli.options import example, json_option
from stigmer_pm.cli.screen.table import aligned
from stigmer_pm.cli.session import Session, pass_session
from stigmer_pm.client.documents import Document, PsDocument
from stigmer_pm.client.errors import ClientError, NoSupervisor
from stigmer_pm.client.finding import Address
from stigmer_pm.client.requests import Supervisor
from stigmer_pm.plain_files import plain
from stigmer_pm.sockets import all_folders
from stigmer_pm.statedir import StateDir

_HEADERS = ("PROJECT", "COMPONENTS", "READY", "PID", "FOLDER")
_NUMBERS = frozenset({1, 2, 3})


@click.command("ls", short_help="List every project of this user that runs.", epilog=example("ls", "ls --json"))
@json_option
@pass_session
def command(session: Session, as_json: bool) -> int:
    """List every project of this user that a supervisor runs: its folder, its components, and how many are ready.

    This needs no file, and works in any folder.
    """
    silent: list[tuple[str, NoSupervisor]] = []
    answers = _answers(session.environ, lambda folder, error: silent.append((folder, error)))
    projects = sorted((_entry(document) for document in answers), key=lambda entry: str(entry["file"]))
    for folder, error in silent:
        session.terminal.warn(f"{folder}: {error.message}")
        session.terminal.hint(error.cure or "")
    if as_json:
        session.terminal.print(json.dumps({"projects": projects}, indent=2, ensure_ascii=False))
        return 0
    if not projects and not silent:
        session.terminal.say("no supervisor of this user runs")
        return 0
    if not projects:
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


def _answers(environ: Mapping[str, str], on_silence: Callable[[str, NoSupervisor], None]) -> Iterator[PsDocument]:
    """What every supervisor says; of one that is there and says nothing, ``on_silence`` gets the folder and why."""
    seen: set[str] = set()
    for folder in all_folders(environ):
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.sock"))):
            real = os.path.realpath(path)
            if real in seen:
                continue
            seen.add(real)
            supervisor = _listening(path, folder)
            try:
                yield supervisor.ps()
            except NoSupervisor as error:
                if error.is_silent:
                    on_silence(os.path.dirname(supervisor.address.file) or path, error)
            except ClientError:
                continue  # it is just ending


def _listening(path: str, folder: str) -> Supervisor:
    """Whoever has left this socket: one that runs, one that was killed, or somebody else. A note beside it says of
    which project."""
    note: Mapping[str, object] = {}
    pid = 0
    with suppress(OSError, ValueError, KeyError, TypeError):
        if os.lstat(f"{path}.json").st_uid == os.geteuid():
            with open(f"{path}.json", encoding="utf-8", opener=plain) as file:
                note = dict(json.load(file))
            with open(StateDir(str(note["state_dir"])).address, encoding="utf-8", opener=plain) as file:
                pid = int(json.load(file)["pid"])
    address = Address(pid, path, project="", file=str(note.get("file", "")), owner_uid=os.geteuid())
    return Supervisor(StateDir(str(note.get("state_dir", folder))), address)
