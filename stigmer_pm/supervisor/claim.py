"""Whether a state folder, what runs from it and its socket are this supervisor's to have; asked before it begins."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from stigmer_pm.locks import holder
from stigmer_pm.statedir import StateDir
from stigmer_pm.supervisor.door import answering_pid, listen, socket_path
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.neighbours import read_neighbours
from stigmer_pm.supervisor.upkeep import PERIOD


def refuse_other_file(state_dir: str, file: str, applied: str) -> None:
    """A state folder belongs to one file.

    Raises:
        Refused: ``applied``, which is another one than ``file``, is still there.
    """
    if os.path.realpath(file) != os.path.realpath(applied) and os.path.exists(applied):
        raise Refused(
            f"the state folder '{state_dir}' belongs to the project of {applied}",
            cure=f"name that file (-f {applied}), or give this one a state_dir of its own",
            code="other-file",
        )


def refuse_other_folder(state_dir: str, file: str, environ: Mapping[str, str]) -> None:
    """A file is run from one state folder.

    Raises:
        Refused: a supervisor runs it from another one.
    """
    for other in read_neighbours(environ):
        is_ours = other.state_dir == os.path.realpath(state_dir)
        if not is_ours and os.path.realpath(other.file) == os.path.realpath(file):
            raise Refused(
                f"the components of {file} run already, with the state folder '{other.state_dir}'",
                cure=f"set state_dir back to it, or end them first: kill {other.pid}",
                code="other-state-dir",
            )


def refuse_second(state_dir: str, before: str | None) -> None:
    """A project has one supervisor, also when its folder was removed or moved to another disk under that one.

    ``before`` is where the state folder was when it was last used.

    Raises:
        Refused: it runs, and can't be asked from here.
    """
    here = os.path.realpath(state_dir)
    pid = holder(StateDir(here).lock, is_lost=True)
    if pid is not None:
        raise _refuse_removed(pid)
    pid = None if before in (None, here) else holder(StateDir(str(before)).lock)
    if pid is not None:
        raise Refused(
            f"a supervisor (pid {pid}) of this project runs already; it began when the state folder was '{before}'",
            cure=f"'kill -QUIT {pid}' ends it and leaves what it runs; then try again, to take that over",
            code="moved",
            exit_status=3,
        )


def _refuse_removed(pid: int) -> Refused:
    return Refused(
        f"a supervisor (pid {pid}) of this project runs already, though its state folder was removed",
        cure=f"it makes the folder anew within {PERIOD:.0f} seconds; try again then, or end it: kill {pid}",
        code="removed",
        exit_status=3,
    )


def choose_socket(state_dir: str, environ: Mapping[str, str]) -> str:
    """Where the socket goes.

    Raises:
        Refused: there is no place for it, or somebody answers there.
    """
    try:
        path = socket_path(state_dir, environ)
    except OSError as error:
        raise Refused(
            f"cannot make the socket: {error.strerror.lower() if error.strerror else error}",
            cure="set XDG_RUNTIME_DIR or TMPDIR to a folder of your own, with a short path",
            code="socket",
        ) from error
    pid = answering_pid(path)
    if pid is not None and pid != os.getpid():
        raise _refuse_removed(pid)
    return path


def take_socket(path: str) -> socket.socket:
    """Listen at ``path``; before anything is started, so that a place that can't be had changes nothing.

    Raises:
        Refused: there is no room for it.
    """
    try:
        return listen(path)
    except OSError as error:
        raise Refused(
            f"cannot make the socket '{path}': {(error.strerror or str(error)).lower()}",
            cure="see to that (df, df -i, ulimit -n), or set XDG_RUNTIME_DIR or TMPDIR to a folder elsewhere",
            code="socket",
            exit_status=1,
        ) from error
