"""Opening small files of the state folder without ever waiting: a component may have put anything in their place."""

from __future__ import annotations

import errno
import os
import stat


def plain(path: str, flags: int) -> int:
    """An ``opener`` for :func:`open` that takes nothing but a file: a pipe would keep us until somebody opens its other
    end, and a device may never come to its end.

    Raises:
        OSError: it can't be opened, or it is no file.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no file", path)
