"""Finding the supervisor of a project: its address in the state folder, and whether it still runs.

The address may be stale, so it is tried first and the lock is asked only when nobody answers. (The other way round,
the moment in which a client holds the lock to ask about it could turn away a supervisor that is just starting.)
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass

from stigmer_pm.client.errors import NoSupervisor
from stigmer_pm.locks import unexecuted
from stigmer_pm.marks import mark_key, marked_pids
from stigmer_pm.plain_files import plain
from stigmer_pm.sockets import all_folders, connected, peer_of, socket_name
from stigmer_pm.statedir import StateDir
from stigmer_pm.users import user_name

_STARTING_OR_ENDING = "the supervisor of this project is just starting or ending"
#: Seconds that one that has been killed may hold its lock after its connections are gone.
_DYING = 0.5
#: Pids that are named at most.
_SHOWN = 5
_UP = "start one with 'stigmer-pm up'"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a supervisor listens. ``owner_uid`` owns the state folder, and so must own the socket and answer on it."""

    pid: int
    socket: str
    project: str
    file: str
    owner_uid: int


def read_address(state: StateDir, environ: Mapping[str, str]) -> Address:
    """The address that the supervisor of this state folder has left, or of one that answers where it would listen.

    Raises:
        NoSupervisor: there is none, it can't be read, or the folder belongs to somebody else.
    """
    owner = _owner_of(state)
    found = None if owner is None else _written_down(state, owner)
    # The folder, or the address in it, may have been removed or damaged under a supervisor that runs.
    found = found or _answering(state, environ)
    if found is not None:
        return found
    if is_locked(state):
        raise NoSupervisor(_STARTING_OR_ENDING, "try again in a moment", may_return=True)
    if _is_left(state) and not _is_copy(state):
        raise _has_died()
    raise _is_lost(state) or none_runs()


def _is_lost(state: StateDir) -> NoSupervisor | None:
    """The error for what runs without a supervisor and without a record: somebody has removed the state folder."""
    pids = [] if os.path.exists(state.database) else marked_pids(mark_key(os.path.realpath(state.path)))
    if not pids:
        return None
    shown = ", ".join(map(str, pids[:_SHOWN])) + (", ..." if len(pids) > _SHOWN else "")
    return NoSupervisor(
        f"no supervisor runs for this project and its record is gone, but what it ran goes on (pid {shown})",
        "'stigmer-pm up' takes it over again; then 'stigmer-pm down' ends it",
        is_lost=True,
    )


def _is_left(state: StateDir) -> bool:
    """Something was started that nobody has ended: a supervisor that dies at its very beginning leaves no address."""
    try:
        return bool(os.listdir(state.pids))
    except OSError:
        return False


def _is_copy(state: StateDir) -> bool:
    """The address in it is of a supervisor of another folder, which is still there: what was started, runs there."""
    try:
        with open(state.address, encoding="utf-8", opener=plain) as file:
            original = json.load(file)["state_dir"]
        return original != os.path.realpath(state.path) and os.path.exists(StateDir(original).database)
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _written_down(state: StateDir, owner: int) -> Address | None:
    try:
        with open(state.address, encoding="utf-8", opener=plain) as file:
            found = json.load(file)
        # A copy of a project has the address of the original's supervisor in it. (A folder that was moved has its own.)
        if found.get("state_dir") not in (None, os.path.realpath(state.path)) and not is_locked(state):
            return None
        return Address(int(found["pid"]), str(found["socket"]), str(found["project"]), str(found["file"]), owner)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise NoSupervisor(f"cannot read '{state.address}': permission denied", is_denied=True) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # damaged; the supervisor writes it anew


def _answering(state: StateDir, environ: Mapping[str, str]) -> Address | None:
    name = socket_name(state.path)
    for folder in all_folders(environ):
        path = os.path.join(folder, name)
        try:
            if os.lstat(path).st_uid != os.geteuid():
                continue
            connection = connected(path, 1.0)
        except OSError:
            continue
        with connection:
            pid = peer_of(connection)[0]
        return Address(pid or 0, path, "", "", os.geteuid())
    return None


def none_runs(detail: str = "") -> NoSupervisor:
    """The error for a project that no supervisor runs."""
    return NoSupervisor(f"no supervisor runs for this project{detail}", _UP, is_absent=True)


def explain_silence(state: StateDir, address: Address, error: OSError) -> NoSupervisor:
    """Why nobody could be reached at ``address``, each cause said apart."""
    was_cut_off = isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError)
    if not (_stays_locked(state) if was_cut_off else is_locked(state)):
        # One that ends in good order takes its address away.
        return _has_died(address) if os.path.exists(state.address) or _is_left(state) else none_runs()
    if isinstance(error, (FileNotFoundError, ConnectionRefusedError)) and not os.path.exists(state.address):
        return NoSupervisor(_STARTING_OR_ENDING, "try again in a moment", may_return=True)
    if isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
        return NoSupervisor(
            f"the supervisor (pid {address.pid}) runs but its socket is gone: {address.socket}",
            "it is made anew within 10 seconds; try again then",
            may_return=True,
        )
    if isinstance(error, TimeoutError):
        return doesnt_answer(address.pid, state.supervisor_log)
    reason = (error.strerror or str(error)).lower()
    return NoSupervisor(f"cannot reach the supervisor (pid {address.pid}) at {address.socket}: {reason}")


def doesnt_answer(pid: int, log: str) -> NoSupervisor:
    """The error for a supervisor that is there, and silent."""
    if _is_suspended(pid):
        return NoSupervisor(
            f"the supervisor (pid {pid}) doesn't answer: it is suspended (SIGSTOP)",
            f"'kill -CONT {pid}' wakes it up; what runs goes on meanwhile",
            is_silent=True,
        )
    return NoSupervisor(
        f"the supervisor (pid {pid}) doesn't answer",
        f"see {log}; if it hangs, 'kill -9 {pid}' and 'stigmer-pm up': what runs goes on meanwhile",
        is_silent=True,
    )


def _is_suspended(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] in (b"T", b"t")
    except OSError:
        return False


def _has_died(address: Address | None = None) -> NoSupervisor:
    which = f" (pid {address.pid})" if address is not None else ""
    return NoSupervisor(
        f"the supervisor of this project{which} has died; what it ran goes on",
        "start another with 'stigmer-pm up', which finds it again",
        has_died=True,
    )


def _stays_locked(state: StateDir) -> bool:
    """The lock is held, and not by one that is just dying: a kernel closes what a process had one after the other."""
    ends_at = time.monotonic() + _DYING
    while is_locked(state):
        if time.monotonic() > ends_at:
            return True
        time.sleep(0.005)
    return False


def is_locked(state: StateDir) -> bool:
    """A supervisor holds the lock of this state folder."""
    try:
        descriptor = plain(state.lock, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return not unexecuted(state.lock)
    finally:
        os.close(descriptor)
    return False


def _owner_of(state: StateDir) -> int | None:
    """Who owns the state folder; ``None``: there is none."""
    try:
        found = os.lstat(state.path)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise NoSupervisor(f"cannot look into the state folder '{state.path}': {reason}", is_denied=True) from error
    if stat.S_ISLNK(found.st_mode):
        # Its owner is not the owner of what it points to, and no supervisor takes one.
        raise NoSupervisor(
            f"the state folder '{state.path}' is a symbolic link",
            "name the folder itself with state_dir in stigmer.yaml",
            is_denied=True,
        )
    if os.geteuid() not in (0, found.st_uid):
        raise belongs_to(f"the state folder '{state.path}'", found.st_uid)
    return found.st_uid


def belongs_to(what: str, uid: int) -> NoSupervisor:
    """The error for something that is another user's."""
    name = user_name(uid)
    return NoSupervisor(
        f"permission denied: {what} belongs to {name}",
        f"run this as {name}, or set state_dir in stigmer.yaml to a folder of your own",
        is_denied=True,
    )
