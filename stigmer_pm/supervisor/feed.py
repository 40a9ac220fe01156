"""Telling whoever listens what has changed: waits, streams of events, the foreground display."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from stigmer_pm.supervisor.records import EventRow

#: Entries that are kept for a listener that doesn't read. Past that the oldest are dropped: a stuck client must not
#: cost the supervisor memory without end.
_BACKLOG = 10_000


class Subscription:
    """What has changed since it was last taken: names of instances, and new entries of the journal."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._events: list[EventRow] = []
        self._wake = asyncio.Event()

    def put(self, names: Iterable[str], events: Iterable[EventRow]) -> None:
        """Add news."""
        self._names.update(names)
        self._events.extend(events)
        del self._events[:-_BACKLOG]
        if self._names or self._events:
            self._wake.set()

    async def take(self, timeout: float | None = None) -> tuple[set[str], list[EventRow]]:
        """Wait for news, at most ``timeout`` seconds; both are empty when there was none."""
        if not self._wake.is_set():
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return set(), []
        self._wake.clear()
        names, self._names = self._names, set()
        events, self._events = self._events, []
        return names, events


class Feed:
    """Hands news to every subscription."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def subscribe(self) -> Subscription:
        """News from now on; give it back with :meth:`unsubscribe`."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """No more news for it."""
        self._subscriptions.discard(subscription)

    def publish(self, names: Iterable[str], events: Iterable[EventRow]) -> None:
        """News for everyone."""
        names, events = tuple(names), tuple(events)
        for subscription in self._subscriptions:
            subscription.put(names, events)
