"""A disk without room: how it is told from what else may go wrong."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

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
