"""The machine's clocks, and times for people from the times that the core counts in."""

from __future__ import annotations

from datetime import UTC, datetime

from stigmer_pm.runtime import system


class MachineClock:
    """The clocks of this machine (see :class:`stigmer_pm.supervisor.surroundings.Clock`)."""

    def now(self) -> float:
        """Seconds since the machine started."""
        return system.now()

    def wall(self) -> float:
        """Seconds since 1970."""
        return system.wall_time()


def wall_of(moment: float, now: float | None = None) -> float:
    """Seconds since 1970 of a moment of the core's clock, by the wall clock as it is set now."""
    return system.wall_time() - ((system.now() if now is None else now) - moment)


def stamp(wall: float | None) -> str | None:
    """RFC 3339 in UTC with milliseconds; ``None`` stays ``None``."""
    if wall is None:
        return None
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp_of(moment: float | None) -> str | None:
    """A moment of the core's clock, for people."""
    return None if moment is None else stamp(wall_of(moment))
