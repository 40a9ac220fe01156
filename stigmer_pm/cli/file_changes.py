"""Whether the file, or anything it was resolved from, is another than when it was applied."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

from stigmer_pm.cli.screen.terminal import Terminal
from stigmer_pm.client.documents import Input
from stigmer_pm.plain_files import plain


def has_changed(inputs: Iterable[Input]) -> bool:
    """One of the inputs has another content now, is gone, or is there where there was none."""
    return any(sha256_of(entry["path"]) != entry["sha256"] for entry in inputs)


def say_changed(terminal: Terminal, file: str) -> None:
    """The one line for it, with its cure; that the file is gone has been said, and has another."""
    if not os.path.exists(file):
        return
    name = os.path.basename(file)
    terminal.warn(f"{name}, or a file it uses, has changed since it was applied; apply it with 'stigmer-pm up'")


def sha256_of(path: str) -> str | None:
    """The SHA-256 of a file's content; ``None`` when there is no such file, ``""`` when it can't be read."""
    try:
        with open(path, "rb", opener=plain) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return ""
