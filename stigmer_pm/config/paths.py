"""Paths of the file as absolute ones."""

from __future__ import annotations

import os
from collections.abc import Mapping


def absolute(path: str, file: str, environ: Mapping[str, str]) -> str:
    """``path`` as counted from the folder of ``file``; ``~`` is the caller's home."""
    home = environ.get("HOME")
    if home and (path == "~" or path.startswith("~/")):
        path = home + path[1:]
    return os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(file)), path))
