"""Lines of logs on the screen: bytes as they were written, behind the name of the component in its own colour."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from stigmer_pm.cli.screen.terminal import Terminal

#: Colours that are read well on light and dark grounds, and that no phase or error uses alone.
_COLORS = ("cyan", "magenta", "yellow", "green", "blue", "bright_cyan", "bright_magenta", "bright_blue")


class LogPrinter:
    """Prints lines to ``out``. A component's colour comes from its name, so it is the same in every call."""

    def __init__(self, terminal: Terminal, names: Iterable[str], *, has_prefix: bool = True) -> None:
        self._terminal = terminal
        self._has_prefix = has_prefix
        self._width = max((len(name) for name in names), default=0)
        self._prefixes: dict[str, bytes] = {}

    def show(self, name: str, line: bytes) -> None:
        """One line; a last one that has no newline yet gets one, so that the next name stands at a line's beginning."""
        data = line if line.endswith(b"\n") else line + b"\n"
        self._terminal.write_bytes(self._prefix(name) + data if self._has_prefix else data)

    def _prefix(self, name: str) -> bytes:
        prefix = self._prefixes.get(name)
        if prefix is None:
            color = _COLORS[zlib.crc32(name.encode()) % len(_COLORS)]
            text = self._terminal.paint(f"{name.ljust(self._width)} |", color) + " "
            prefix = self._prefixes[name] = text.encode()
        return prefix
