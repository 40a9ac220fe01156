"""What is wrong with a file, and where. Light to import: commands that never read the file import this as well."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""A place in the document: the keys and list indexes that lead to it, such as ``("components", "web", "ports", 0)``."""

_PLAIN_KEY = re.compile(r"[^\s.\[\]\"]+")
# What is longer is no name that anybody means, and would only bury the message.
_LONGEST_KEY = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. ``line`` and ``column`` count from 1; 0 when the problem is with the file as a whole."""

    path: str
    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        file = printable(self.file)
        place = f"{file}:{self.line}:{self.column}" if self.line else file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ConfigError(Exception):
    """A file can't be used; ``problems`` holds everything that is wrong with it, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class NoFile(ConfigError):
    """There is no file to read."""

    def __init__(self, file: str, message: str) -> None:
        super().__init__([Problem("", file, 0, 0, message)])


class FileUnreadable(ConfigError):
    """The file is there, but can't be read as text."""

    def __init__(self, file: str, why: str, line: int = 0, column: int = 0) -> None:
        super().__init__([Problem("", file, line, column, f"cannot read the file: {why}")])


def printable(text: str) -> str:
    """``text`` in one line that no terminal obeys: line ends, control characters and stray bytes are escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def path_text(path: Path) -> str:
    """``components.web.ports[0]``; a key that has a dot, a bracket or a blank in it stands in double quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if len(part) <= _LONGEST_KEY else f"{part[: _LONGEST_KEY - 3]}..."
            if not _PLAIN_KEY.fullmatch(key):
                key = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text += f".{key}" if text else key
    return printable(text)
