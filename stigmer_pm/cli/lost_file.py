"""A project whose file is gone while what it has applied runs: another branch is checked out, or the file was moved."""

from __future__ import annotations

import json
import os

from stigmer_pm.config.locate import NAMES, default_state_dir
from stigmer_pm.plain_files import plain
from stigmer_pm.statedir import StateDir


def lost_file(named: str | None, cwd: str) -> str | None:
    """The path that the project's file had, if a supervisor has left its address in the state folder beside it.

    ``named`` is the file that was asked for; without one, the nearest such state folder in ``cwd`` or above it counts.
    One that ended in good order has taken its address away, and a folder of somebody else is not believed.
    """
    if named:
        file = os.path.normpath(os.path.join(cwd, named))
        return file if _applied(file) == file else None
    folder = os.path.abspath(cwd)
    found = _applied(os.path.join(folder, NAMES[0]))
    while found is None and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        found = _applied(os.path.join(folder, NAMES[0]))
    return found


def _applied(file: str) -> str | None:
    """The file that is written down in the state folder beside ``file``; ``None``: none is, or it is still there."""
    state = StateDir(default_state_dir(file))
    try:
        if os.stat(state.path, follow_symlinks=False).st_uid != os.geteuid():
            return None
        with open(state.address, encoding="utf-8", opener=plain) as address:
            applied = json.load(address)["file"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    is_beside = isinstance(applied, str) and default_state_dir(applied) == state.path
    return applied if is_beside and not os.path.exists(applied) else None
