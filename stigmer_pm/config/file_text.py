"""A file's content as text, or in clear words why it has none."""

from __future__ import annotations

import codecs
import os
import re

from stigmer_pm.config.errors import FileUnreadable, NoFile

#: 8 MiB: some 50 000 components. What is larger is another file by mistake, and would only take long to refuse.
LARGEST_BYTES = 8 << 20

# What YAML 1.2 (chapter 5.1) doesn't take as a character of a text.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_bytes(file: str) -> bytes:
    """The content of ``file``, a file that is not too large.

    Raises:
        NoFile: it doesn't exist.
        FileUnreadable: it is a folder, too large, or may not be read.
    """
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:
            # What a shell passes as <(command) is written while it is read, and a terminal while it is typed.
            os.set_blocking(descriptor, True)
            content = stream.read(LARGEST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise NoFile(file, "the file does not exist") from None
    except IsADirectoryError:
        raise FileUnreadable(file, "it is a folder") from None
    except PermissionError:
        raise FileUnreadable(file, "no permission to read it; allow it with 'chmod u+r'") from None
    except (OSError, ValueError) as error:
        raise FileUnreadable(file, (getattr(error, "strerror", None) or str(error)).lower()) from error
    if len(content) > LARGEST_BYTES:
        raise FileUnreadable(file, f"it is larger than {LARGEST_BYTES >> 20} MiB")
    return content


def decode(file: str, content: bytes) -> str:
    """``content`` as text: UTF-8, or UTF-16 with a byte order mark. Line ends stay as they are.

    Raises:
        FileUnreadable: it is neither, or has control characters in it.
    """
    encoding = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if b"\0" in content[:8192]:
            raise FileUnreadable(file, "it is a binary file, not text", 1, 1) from None
        line, column = _place(content[: error.start].decode(encoding, errors="replace"))
        byte = content[error.start]
        raise FileUnreadable(file, f"it is not UTF-8: byte 0x{byte:02X} stands here", line, column) from None
    found = _UNPRINTABLE.search(text)
    if found:
        line, column = _place(text[: found.start()])
        raise FileUnreadable(file, f"it is not text: the character U+{ord(found[0]):04X} stands here", line, column)
    return text


def _place(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
