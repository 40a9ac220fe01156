"""What runs have in common, wherever they run: their log, and what is told of one that has begun."""

from __future__ import annotations

from dataclasses import dataclass

from stigmer_pm.logs.sink import open_sink
from stigmer_pm.runtime.spawn import SpawnFailure


@dataclass(frozen=True, slots=True)
class Started:
    """A run that has been started: what is needed to find it again, and where its output begins in the log.

    Attributes:
        pid: of its first process; 0 for a container whose processes are not to be seen from here.
        started: when it began, by a clock that tells it from a later one: ticks since the machine was started for a
            process, nanoseconds since 1970 by its engine's clock for a container.
        log_from: the size of the log in bytes before its first output; ``None``: as it is on record.
        container: the engine's id of a container.
        health: what the HEALTHCHECK of its image says; ``None``: it has none.
        port_was_taken: somebody answered before it began where its probes ask.
    """

    pid: int
    started: int
    log_from: int | None
    container: str | None = None
    health: bool | None = None
    port_was_taken: bool = False


def open_log(path: str) -> int:
    """The descriptor of a component's log.

    Raises:
        SpawnFailure: it can't be opened, so the run can't be started.
    """
    try:
        return open_sink(path)
    except OSError as error:
        detail = f"'{path}': {(error.strerror or str(error)).lower()}"
        raise SpawnFailure("open its log", path, error.errno or 0, detail) from error
