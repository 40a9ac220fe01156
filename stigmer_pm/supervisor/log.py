"""What the supervisor says about itself: ``supervisor.log``, tracebacks included."""

from __future__ import annotations

import logging
import logging.handlers
import os
import stat
import time
from contextlib import suppress

from stigmer_pm.plain_files import plain

#: The supervisor says little about itself, so this holds months; the files before it are dropped.
_LOG_BYTES, _LOG_FILES = 1024 * 1024, 1
_TIMES = "%Y-%m-%dT%H:%M:%SZ"


def log_to(path: str) -> None:
    """What the supervisor says about itself goes to ``path``, with times in UTC.

    What lies there and is no file (a pipe) is moved aside: what runs needs a supervisor more than that its words.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path).st_mode):
            os.replace(path, f"{path}.aside")
    os.close(plain(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    handler = logging.handlers.RotatingFileHandler(
        path,
        maxBytes=_LOG_BYTES,
        backupCount=_LOG_FILES,
        encoding="utf-8",
        errors="backslashreplace",  # a path may have bytes in it that are no UTF-8
    )
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", _TIMES)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.raiseExceptions = False  # a full disk must not put a traceback on anybody's terminal
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def last_words(path: str, words: str) -> None:
    """Add a line to the log of a state folder that this supervisor can't have, though one before it had it.

    Nothing is made there, and nothing is written through a link or into the file of somebody else; then it goes to
    stderr, which, in the background, is the log that the one before had open.
    """
    line = (
        f"{time.strftime(_TIMES, time.gmtime())} ERROR {__name__}: {words}; this supervisor ends, what runs goes on\n"
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        descriptor = os.dup(2)
    try:
        found = os.fstat(descriptor)
        is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        os.write(descriptor if is_ours else 2, line.encode(errors="backslashreplace"))
    except OSError:
        return  # a full disk, for one: there is nobody else to tell
    finally:
        os.close(descriptor)
