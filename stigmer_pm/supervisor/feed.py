"""Telling whoever listens what has changed: waits, streams of events, the foreground display."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from stigmer_pm.supervisor.records import EventRow

#: Entries that are kept for a listener that doesn't read. Past that the oldest are dropped: a stuck client must not
#: cost the supervisor memory without end.
_BACKLOG = 10_000


class NoMoreNews(Exception):
    """A client gets no more news here; ``has_moved``: it is to ask the supervisor that takes this one's place."""

    def __init__(self, *, has_moved: bool) -> None:
        super().__init__("no more news")
        self.has_moved = has_moved


class Subscription:
    """What has changed since it was last taken: names of instances, and new entries of the journal."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._events: list[EventRow] = []
        self._wake = asyncio.Event()
        self._end: NoMoreNews | None = None

    def put(self, names: Iterable[str], events: Iterable[EventRow]) -> None:
        """Add news."""
        self._names.update(names)
        self._events.extend(events)
        del self._events[:-_BACKLOG]
        if self._names or self._events:
            self._wake.set()

    def end(self, *, has_moved: bool) -> None:
        """Whoever takes gets what there is, and then no more; one that is to ask elsewhere gets that there."""
        self._end = NoMoreNews(has_moved=has_moved)
        self._wake.set()

    async def take(self, timeout: float | None = None) -> tuple[set[str], list[EventRow]]:
        """Wait for news, at most ``timeout`` seconds; both are empty when there was none.

        Raises:
            NoMoreNews: there won't be any. Only clients' subscriptions end.
        """
        if not self._wake.is_set():
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return set(), []
        if self._end is None:
            self._wake.clear()
        elif self._end.has_moved or not (self._names or self._events):
            raise self._end
        names, self._names = self._names, set()
        events, self._events = self._events, []
        return names, events


class Feed:
    """Hands news to every subscription."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._clients: set[Subscription] = set()
        self._turns_away: bool | None = None

    def subscribe(self, *, is_client: bool = False) -> Subscription:
        """News from now on; give it back with :meth:`unsubscribe`. ``is_client``: somebody who has connected."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        if is_client:
            self._clients.add(subscription)
            if self._turns_away is not None:
                subscription.end(has_moved=self._turns_away)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """No more news for it."""
        self._subscriptions.discard(subscription)
        self._clients.discard(subscription)

    def turn_clients_away(self, *, has_moved: bool) -> None:
        """No more news for clients, nor for those who come: this supervisor ends, or another takes its place."""
        self._turns_away = has_moved
        for subscription in self._clients:
            subscription.end(has_moved=has_moved)

    def take_clients_in(self) -> None:
        """Those who come from now on get news again."""
        self._turns_away = None

    def publish(self, names: Iterable[str], events: Iterable[EventRow]) -> None:
        """News for everyone."""
        names, events = tuple(names), tuple(events)
        for subscription in self._subscriptions:
            subscription.put(names, events)
