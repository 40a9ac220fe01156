"""A disk without room: how it is told from what else may go wrong, and the one answer to who starts a supervisor."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from stigmer_pm.supervisor.errors import Refused

#: No room on the disk, or none that is left to this user.
_ERRORS = (errno.ENOSPC, errno.EDQUOT)
#: Bytes that are tried to be written. SQLite wants 32 KiB at once for the index of its log.
_TRIED = 64 * 1024


def is_full(error: OSError) -> bool:
    """The error says that there is no room."""
    return error.errno in _ERRORS


def has_no_room(folder: str) -> bool:
    """Nothing can be written into a folder for want of room; SQLite has a word of its own for that, and often says no
    more than "disk I/O error"."""
    path = os.path.join(folder, f".room-{os.getpid()}")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return is_full(error)
    try:
        left = _TRIED
        while left:
            left -= os.write(descriptor, bytes(left))
        return False
    except OSError as error:
        return is_full(error)
    finally:
        os.close(descriptor)
        with suppress(OSError):
            os.unlink(path)


def refuse_full_disk(folder: str) -> Refused:
    """What is answered when no supervisor can be begun for it."""
    return Refused(
        f"cannot write into the state folder '{folder}': the disk is full",
        cure="free some space there, and try again; what runs goes on",
        exit_status=1,
        code="disk-full",
    )
