"""What the supervisor says about itself: ``supervisor.log``, tracebacks included."""

from __future__ import annotations

import logging
import logging.handlers
import os
import time

#: The supervisor says little about itself, so this holds months; the files before it are dropped.
_LOG_BYTES, _LOG_FILES = 1024 * 1024, 1


def log_to(path: str) -> None:
    """What the supervisor says about itself goes to ``path``, with times in UTC."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.close(descriptor)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES)
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.raiseExceptions = False  # a full disk must not put a traceback on anybody's terminal
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
