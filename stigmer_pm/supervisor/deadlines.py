"""One timer for all deadlines of all instances: the event loop sleeps until the earliest of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from stigmer_pm.supervisor.surroundings import Cancellable, Clock, Scheduler

#: A timer that comes so many seconds late: the supervisor was suspended or had no CPU. Then what has happened meanwhile
#: is told first, otherwise a program that has ended in time would be killed for being late. So many rounds of the loop
#: are enough for that: in the first a signal is read, in the second handled, in the third its callback is called.
_LATE, _ROUNDS = 0.5, 4


class Deadlines:
    """Calls ``on_due`` with the names whose deadline has come. A name has one deadline; setting it replaces it."""

    def __init__(self, loop: Scheduler, clock: Clock, on_due: Callable[[list[str]], None]) -> None:
        self._loop = loop
        self._clock = clock
        self._on_due = on_due
        self._at: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._timer: Cancellable | None = None
        self._timer_at = 0.0
        self._expected_at = 0.0  # later than the deadline, where that had passed when it was set
        self._rounds = 0

    def set(self, name: str, at: float | None) -> None:
        """The deadline of ``name``, by the core's clock; ``None``: it has none."""
        if at is None:
            self._at.pop(name, None)
            return
        if self._at.get(name) == at:
            return
        self._at[name] = at
        heapq.heappush(self._heap, (at, name))
        if self._timer is None or at < self._timer_at:
            self._arm()

    def close(self) -> None:
        """Call nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._at.clear()
        self._heap.clear()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # Entries that were replaced stay in the heap until they come up; they are recognised by their time.
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if self._heap:
            now, self._timer_at = self._clock.now(), self._heap[0][0]
            self._expected_at = max(now, self._timer_at)
            self._timer = self._loop.call_later(self._expected_at - now, self._fire)

    def _fire(self) -> None:
        self._timer = None
        now, due = self._clock.now(), []
        if now - self._expected_at > _LATE and self._rounds < _ROUNDS:
            self._rounds += 1
            self._timer = self._loop.call_soon(self._fire)
            return
        self._rounds = 0
        while self._heap and self._heap[0][0] <= now:
            at, name = heapq.heappop(self._heap)
            if self._at.get(name) == at:
                del self._at[name]
                due.append(name)
        if due:
            self._on_due(due)
        self._arm()
