"""Who listens to the engine's news."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stigmer_pm.supervisor.feed import Feed
from stigmer_pm.supervisor.records import EventRow


class Listener(Feed):
    """Hears which instances have moved, and what the journal says."""

    def __init__(self, decided: Callable[[Iterable[str]], None], told: Callable[[EventRow], None]) -> None:
        super().__init__()
        self.moved: set[str] = set()
        self._decided = decided
        self._told = told

    def publish(self, names: Iterable[str], events: Iterable[EventRow]) -> None:
        """News."""
        self.moved.update(names)
        self._decided(names)
        for event in events:
            self._told(event)
