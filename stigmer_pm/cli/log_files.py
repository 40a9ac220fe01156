"""Which log files are meant, and what there is to say about one that has nothing in it to read."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stigmer_pm.cli.matching import matching
from stigmer_pm.cli.options import selection_of
from stigmer_pm.cli.session import Session
from stigmer_pm.client.documents import ComponentEntry
from stigmer_pm.client.errors import NoSupervisor
from stigmer_pm.config.errors import ConfigError


class Content(StrEnum):
    """What a log file has to be read."""

    SOMETHING = "something"
    NOTHING = "nothing"
    NO_FILE = "no file"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class LogFile:
    """The log of one instance. ``entry`` is what the supervisor says about the instance, when one answers."""

    name: str
    path: str
    entry: ComponentEntry | None = None

    def content(self) -> Content:
        """What is in it now. A file that can't be looked at counts as something: reading it tells why."""
        try:
            found = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return Content.MISSING
        except OSError:
            return Content.SOMETHING
        if not stat.S_ISREG(found.st_mode):
            return Content.SOMETHING if stat.S_ISDIR(found.st_mode) else Content.NO_FILE
        return Content.SOMETHING if found.st_size else Content.NOTHING

    @property
    def has_run(self) -> bool:
        """A run of it has begun, so that there was a file."""
        return self.entry is not None and (self.entry["pid"] is not None or self.entry["last_exit"] is not None)

    @property
    def loss(self) -> str:
        """Where the file has gone from under a component that has written to it, what has happened and what helps."""
        # The log of a container is made when there is something to write, and made anew when it is gone.
        if not self.has_run or self.entry is None or self.entry["kind"] != "process":
            return ""
        if self.entry["pid"] is None:
            return f"the log of {self.name} ('{self.path}') was deleted or moved; its next run begins a new one"
        return (
            f"the log of {self.name} ('{self.path}') was deleted or moved, and {self.name} goes on writing there; "
            f"'stigmer-pm restart {self.name}' opens a new one"
        )


def chosen_logs(session: Session, patterns: Sequence[str], labels: Sequence[tuple[str, str]]) -> list[LogFile]:
    """The log of every instance that is chosen: as the supervisor says, else the file, else what is there.

    Raises:
        CliError: a name or label matches nothing.
        NoSupervisor: this user may not know.
    """
    try:
        found = session.supervisor().ps(selection_of(patterns, labels))["components"]
    except NoSupervisor as error:
        if error.is_denied:
            raise
        paths, labels_of = _without_supervisor(session)
        return [LogFile(name, paths[name]) for name in matching(patterns, labels, labels_of)]
    return [LogFile(component["name"], component["log"], component) for component in found]


def silence_words(log: LogFile, content: Content) -> str:
    """Why there is nothing to read, where nothing is wrong with that."""
    if content is Content.NO_FILE:
        return f"{log.name} has no log to read: it writes to '{log.path}'"
    if content is Content.NOTHING or log.has_run:
        return f"{log.name} has printed nothing"
    if log.entry is not None:
        return f"{log.name} has not been started yet, so that it has no log"
    return f"there is no log of {log.name}: '{log.path}' is not there"


def _without_supervisor(session: Session) -> tuple[dict[str, str], dict[str, Mapping[str, str]]]:
    """The log and the labels of every component."""
    from stigmer_pm.config import load

    try:
        spec = load(session.file(), session.environ)
    except ConfigError:
        # A file that is broken now says nothing about what was logged before.
        folder = session.state().logs
        found = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        paths = {name.removesuffix(".log"): os.path.join(folder, name) for name in found if name.endswith(".log")}
        return paths, {name: {} for name in paths}
    return {c.name: c.log for c in spec.components}, {c.name: c.labels for c in spec.components}
