"""Small files that others read at any time: replaced as a whole, so that nobody ever sees a half of one."""

from __future__ import annotations

import os

from stigmer_pm.plain_files import plain


def write_note(path: str, text: str) -> None:
    """Make ``text`` the content of the file, for this user alone; readers see the old or the new one.

    Not flushed to the disk: a note is about what runs, and a power cut ends that anyway.

    Raises:
        OSError: it can't be written; the old one stays.
    """
    new = f"{path}.new"
    descriptor = plain(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.replace(new, path)
