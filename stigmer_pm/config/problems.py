"""The problems of one file, as they are found; sorted and freed of repetitions when they are told."""

from __future__ import annotations

from stigmer_pm.config.errors import ConfigError, Path, Problem, path_text, printable
from stigmer_pm.config.nodes import Document, locate

# A message is one or two lines. What is longer holds a long name or value, and its ends say which.
_LONGEST_MESSAGE = 1000
# Names that are compared for hints: a tenth of a second. It is enough for 100 unknown keys of a component, or for 10
# unknown names among 1000 components, and nobody reads the hundredth hint.
_MOST_COMPARED = 10_000
# So much is told at once. What is beyond it is the doing of one mistake, or of an attack on who reads the file.
MOST_TOLD = 1000


class Problems:
    """Collects what is wrong with the file at ``file``, and with the files that it names."""

    def __init__(self, file: str, most: float = MOST_TOLD) -> None:
        self.file = file
        self._most = most
        self._compared = 0
        self._found: list[Problem] = []
        self._places: set[tuple[str, int, int, str]] = set()

    def add(self, path: Path, line: int, column: int, message: str, *, file: str | None = None) -> None:
        """Note a problem at a known place. One that is there already, such as through an alias, is not repeated.

        Raises:
            ConfigError: it is one more than are told at once.
        """
        name = self.file if file is None else file
        message = printable(message)
        if len(message) > _LONGEST_MESSAGE:
            message = f"{message[: _LONGEST_MESSAGE // 2]} ... {message[-_LONGEST_MESSAGE // 2 :]}"
        place = (name, line, column, message)
        if place not in self._places:
            self._places.add(place)
            if len(self._found) >= self._most:
                message, path = f"more than {self._most} things are wrong; put those right first that are told here", ()
            self._found.append(Problem(path_text(path), name, line, column, message))
            if len(self._found) > self._most:
                raise self.error()

    def add_at(self, document: Document, path: Path, message: str, *, at_key: bool = False) -> None:
        """Note a problem with the value at ``path``, or as near to it as the document goes; or with its key."""
        found = locate(document, path)
        line, column = (found.key_line, found.key_column) if at_key or found.is_short else (found.line, found.column)
        self.add(found.path if not at_key else path, line, column, message)

    def may_hint(self, count: int) -> bool:
        """Whether ``count`` names may be compared for a hint; not when so many have been that it only takes time."""
        self._compared += count
        return self._compared <= _MOST_COMPARED

    def error(self) -> ConfigError:
        """Everything found: the file's own problems in its order, then those of the files it names."""
        return ConfigError(sorted(self._found, key=lambda p: (p.file != self.file, p.file, p.line, p.column)))

    def raise_any(self) -> None:
        """Raise what was found, if anything was.

        Raises:
            ConfigError: something is wrong.
        """
        if self._found:
            raise self.error()
