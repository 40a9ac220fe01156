"""The descriptor that a run writes its log through: standard output and standard error are this one file."""

from __future__ import annotations

import errno
import os
import stat


def open_sink(path: str) -> int:
    """Open ``path`` for appending, making it and its folders when they are missing; the descriptor.

    Every write of a run lands whole at the end of the file, in the order of the writes, whoever else has it open
    (``O_APPEND``). ``/dev/null`` is as good as a file; other devices, pipes and sockets are none, for nobody could read
    a log back from them, and opening a pipe that nobody reads would stop the whole supervisor until somebody does.

    A link that somebody else has put there isn't followed, for it may lead to any file that we can write and he can't.

    Raises:
        OSError: it can't be opened, or it is no file.
    """
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    if path.startswith(("/proc/", "/dev/")) and path != os.devnull:
        raise OSError(errno.EINVAL, "it is no file", path)
    if path != os.devnull and os.path.exists(path) and not _may_be_file(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is no file", path)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY
    try:
        return os.open(path, flags | os.O_NOFOLLOW, 0o640)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    if os.lstat(path).st_uid not in (0, os.geteuid()):
        raise OSError(errno.EPERM, "it is a symbolic link of another user", path)
    return os.open(path, flags, 0o640)


def _may_be_file(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)  # a folder has a better error of its own
