"""The descriptor that a run writes its log through: standard output and standard error are this one file."""

from __future__ import annotations

import errno
import os
import stat


def open_sink(path: str) -> int:
    """Open ``path`` for appending, making it and its folders when they are missing; the descriptor.

    Every write of a run lands whole at the end of the file, in the order of the writes, whoever else has it open
    (``O_APPEND``). A device such as ``/dev/null`` is as good as a file.

    Raises:
        OSError: it can't be opened, or it is a named pipe or a socket.
    """
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    # Opening a named pipe that nobody reads would stop the whole supervisor until somebody does.
    if os.path.exists(path) and not _takes_appends(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is neither a file nor a device", path)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o640)


def _takes_appends(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISCHR(mode) or stat.S_ISDIR(mode)  # a folder has a better error of its own
