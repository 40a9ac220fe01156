"""Which file it is, and where its state lies. Imports neither YAML nor the models: ``ps`` goes through here."""

from __future__ import annotations

import os
from collections.abc import Mapping

from stigmer_pm.config.errors import NoFile
from stigmer_pm.config.file_text import read_bytes

NAMES = ("stigmer.yaml", "stigmer.yml")

_CURE = "make one with 'stigmer-pm init', or name it with --file"
_KEY = b"state_dir"
# The byte order marks of UTF-16: the key is then not to be found in the bytes.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def find_file(explicit: str | None, environ: Mapping[str, str], cwd: str) -> str:
    """The absolute path of the project's file.

    ``explicit`` (``--file``) goes before ``STIGMER_FILE``, and that before the nearest ``stigmer.yaml`` or
    ``stigmer.yml`` in the folder ``cwd`` or one above it. Both of the first count from ``cwd``.

    Raises:
        NoFile: there is none.
    """
    named = explicit or environ.get("STIGMER_FILE")
    if named:
        path = os.path.normpath(os.path.join(cwd, named))
        if not os.path.exists(path):
            source = "" if explicit else " (named by STIGMER_FILE)"
            raise NoFile(path, f"there is no such file{source}; {_CURE}")
        return path
    folder = os.path.abspath(cwd)
    while True:
        for name in NAMES:
            path = os.path.join(folder, name)
            if os.path.exists(path):
                return path
        above = os.path.dirname(folder)
        if above == folder:
            raise NoFile(os.path.abspath(cwd), f"no stigmer.yaml in this folder or one above it; {_CURE}")
        folder = above


def default_state_dir(file: str) -> str:
    """The state folder of a file that names none: ``.stigmer`` beside it."""
    return os.path.join(os.path.dirname(os.path.abspath(file)), ".stigmer")


def read_state_dir(file: str, environ: Mapping[str, str]) -> str:
    """The absolute path of the state folder that ``file`` names; the rest of the file may be broken.

    Only a file that has the word ``state_dir`` in it is read as YAML, for this is on the way of every ``ps``.

    Raises:
        NoFile: the file doesn't exist.
        ConfigError: it can't be read, or names a state folder that can't be told.
    """
    content = read_bytes(file)
    if _KEY not in content and not content.startswith(_UTF_16):
        return default_state_dir(file)
    from stigmer_pm.config.state_dir import state_dir_of  # YAML: 25 ms

    return state_dir_of(file, content, environ)
