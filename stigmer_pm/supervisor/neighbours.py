"""Which other supervisors of this user run, and from which files: a note beside each socket."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from stigmer_pm.notes import write_note
from stigmer_pm.plain_files import plain
from stigmer_pm.sockets import all_folders
from stigmer_pm.supervisor.door import answering_pid

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A supervisor that answers, the file that it runs, its state folder, and what its runs are marked with."""

    pid: int
    file: str
    state_dir: str
    key: str


def write_neighbour(socket_path: str, file: str, state_dir: str, key: str) -> None:
    """Leave the note of this supervisor.

    Raises:
        OSError: it can't be written.
    """
    write_note(f"{socket_path}{_SUFFIX}", json.dumps({"file": file, "state_dir": state_dir, "key": key}))


def remove_neighbour(socket_path: str) -> None:
    """Take the note of this supervisor away."""
    with suppress(OSError):
        os.unlink(f"{socket_path}{_SUFFIX}")


def read_neighbours(environ: Mapping[str, str]) -> Iterator[Neighbour]:
    """Every supervisor of this user that answers; notes of those that don't are passed over."""
    for folder in all_folders(environ):
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), f"*.sock{_SUFFIX}"))):
            try:
                if os.lstat(path).st_uid != os.geteuid():
                    continue
                with open(path, encoding="utf-8", opener=plain) as note:
                    found = json.load(note)
                file, state_dir = str(found["file"]), str(found["state_dir"])
                key = str(found.get("key", ""))
            except (OSError, ValueError, KeyError, TypeError):
                continue
            pid = answering_pid(path.removesuffix(_SUFFIX))
            if pid is not None and pid != os.getpid():
                yield Neighbour(pid, file, state_dir, key)
