"""Where a log stream gets a container's output from, whatever engine is behind it."""

from __future__ import annotations

from typing import Protocol


class LogReader(Protocol):
    """One answer of an engine to the question for a container's log, read as it arrives."""

    def read(self, timeout_s: float | None) -> bytes | None:
        """What has arrived, at once; when that is nothing, what comes next, or ``None`` after ``timeout_s`` seconds.

        Frames may be cut anywhere. No bytes (``b""``): the engine has ended its answer in good order.

        Raises:
            OSError: the connection broke.
        """

    def interrupt(self) -> None:
        """End a ``read`` that is waiting, and all after it, as if the connection broke. May come from any thread."""

    def close(self) -> None:
        """Let go of the connection."""


class LogSource(Protocol):
    """An engine, as far as logs go. Calls block, so they belong in a thread."""

    def open_log(self, container_id: str, since: int | None, follow: bool) -> LogReader:
        """Ask for the log in multiplexed frames with timestamps, standard output and standard error in one.

        Args:
            container_id: the container's full id.
            since: leave out entries that are older (seconds since 1970); ``None``: everything.
            follow: go on with what is printed later, until the container ends.

        Raises:
            EngineRefusal: the engine has said no: there is no such container (404), or its log can't be read (501).
            Exception: whatever else the way to the engine raises; ``trouble.explain`` puts it into words.
        """
