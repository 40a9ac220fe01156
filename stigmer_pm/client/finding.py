"""Finding the supervisor of a project: its address in the state folder, and whether it still runs.

The address may be stale, so it is tried first and the lock is asked only when nobody answers. (The other way round,
the moment in which a client holds the lock to ask about it could turn away a supervisor that is just starting.)
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
from dataclasses import dataclass

from stigmer_pm.client.errors import NoSupervisor
from stigmer_pm.statedir import StateDir

_UP = "start one with 'stigmer-pm up'"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a supervisor listens. ``owner_uid`` owns the state folder, and so must own the socket and answer on it."""

    pid: int
    socket: str
    project: str
    file: str
    owner_uid: int


def read_address(state: StateDir) -> Address:
    """The address that the supervisor of this state folder has left.

    Raises:
        NoSupervisor: there is none, it can't be read, or the folder belongs to somebody else.
    """
    owner = _owner_of(state)
    try:
        with open(state.address, encoding="utf-8") as file:
            found = json.load(file)
        # A copy of a project has the address of the original's supervisor in it. (A folder that was moved has its own.)
        if found.get("state_dir") not in (None, os.path.realpath(state.path)) and not is_locked(state):
            raise none_runs()
        return Address(int(found["pid"]), str(found["socket"]), str(found["project"]), str(found["file"]), owner)
    except FileNotFoundError:
        if is_locked(state):
            raise NoSupervisor(
                "the supervisor of this project is just starting or ending", "try again in a moment", may_return=True
            ) from None
        raise none_runs() from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
        raise NoSupervisor(
            f"cannot read '{state.address}': {reason.lower()}", "write it anew with 'stigmer-pm up'", is_absent=True
        ) from error


def none_runs(detail: str = "") -> NoSupervisor:
    """The error for a project that no supervisor runs."""
    return NoSupervisor(f"no supervisor runs for this project{detail}", _UP, is_absent=True)


def explain_silence(state: StateDir, address: Address, error: OSError) -> NoSupervisor:
    """Why nobody could be reached at ``address``, each cause said apart."""
    if not is_locked(state):
        # One that ends in good order takes its address away.
        return NoSupervisor(
            f"the supervisor of this project (pid {address.pid}) has died; what it ran goes on",
            "start another with 'stigmer-pm up', which finds it again",
            is_absent=True,
        )
    if isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
        return NoSupervisor(
            f"the supervisor (pid {address.pid}) runs but its socket is gone: {address.socket}",
            "it is made anew within 10 seconds; try again then",
            may_return=True,
        )
    if isinstance(error, TimeoutError):
        return NoSupervisor(
            f"the supervisor (pid {address.pid}) doesn't answer",
            f"see {state.supervisor_log}; if it hangs, 'kill -9 {address.pid}' and 'stigmer-pm up': "
            "what runs goes on meanwhile",
        )
    reason = (error.strerror or str(error)).lower()
    return NoSupervisor(f"cannot reach the supervisor (pid {address.pid}) at {address.socket}: {reason}")


def is_locked(state: StateDir) -> bool:
    """A supervisor holds the lock of this state folder."""
    try:
        descriptor = os.open(state.lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _owner_of(state: StateDir) -> int:
    try:
        owner = os.stat(state.path).st_uid
    except FileNotFoundError:
        raise none_runs() from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise NoSupervisor(f"cannot look into the state folder '{state.path}': {reason}") from error
    if os.geteuid() not in (0, owner):
        raise belongs_to(f"the state folder '{state.path}'", owner)
    return owner


def belongs_to(what: str, uid: int) -> NoSupervisor:
    """The error for something that is another user's."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"user {uid}"
    return NoSupervisor(
        f"{what} belongs to {name}", f"run this as {name}, or set state_dir in stigmer.yaml to a folder of your own"
    )
