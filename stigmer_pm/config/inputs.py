"""The files that a spec is made from, with what they held."""

from __future__ import annotations

import hashlib

from stigmer_pm.config.errors import NoFile
from stigmer_pm.config.file_text import read_bytes
from stigmer_pm.spec.project import InputFile


class Inputs:
    """Reads files, each once, and remembers them."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes | None] = {}

    def read(self, file: str) -> bytes:
        """The content of a file that must exist.

        Raises:
            NoFile: it doesn't.
            FileUnreadable: it can't be read.
        """
        content = self.read_optional(file)
        if content is None:
            raise NoFile(file, "the file does not exist")
        return content

    def read_optional(self, file: str) -> bytes | None:
        """The content of a file, ``None`` when there is none.

        Raises:
            FileUnreadable: it can't be read.
        """
        if file not in self._contents:
            try:
                self._contents[file] = read_bytes(file)
            except NoFile:
                self._contents[file] = None
        return self._contents[file]

    def files(self) -> tuple[InputFile, ...]:
        """What was read, in this order."""
        return tuple(
            InputFile(path, None if content is None else hashlib.sha256(content).hexdigest())
            for path, content in self._contents.items()
        )
