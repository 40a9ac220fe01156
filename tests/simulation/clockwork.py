"""Virtual time, and loops that run on it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

#: Calls of one moment after which something goes round in circles: a history has a few dozen instances at most.
_MOST_CALLS = 10_000


class Circles(AssertionError):
    """What is to happen at one moment never ends."""


@dataclass(slots=True)
class VirtualClock:
    """Time passes only when the simulation says so."""

    at: float = 1000.0

    def now(self) -> float:
        """Seconds."""
        return self.at

    def wall(self) -> float:
        """Seconds since 1970; any fixed distance will do."""
        return 1_700_000_000.0 + self.at


class Call:
    """A call that is to come."""

    __slots__ = ("arguments", "callback", "is_cancelled")

    def __init__(self, callback: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self.callback = callback
        self.arguments = arguments
        self.is_cancelled = False

    def cancel(self) -> None:
        """It is not to come after all."""
        self.is_cancelled = True


class VirtualLoop:
    """An event loop on a virtual clock. Calls for the same moment come in the order in which they were made."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._soon: deque[Call] = deque()
        self._later: list[tuple[float, int, Call]] = []
        self._number = 0

    def call_soon(self, callback: Callable[..., object], *args: object) -> Call:
        """Call it when what is under way is done."""
        call = Call(callback, args)
        self._soon.append(call)
        return call

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> Call:
        """Call it in ``delay`` seconds."""
        call = Call(callback, args)
        self._number += 1
        heapq.heappush(self._later, (self._clock.at + delay, self._number, call))
        return call

    def next_at(self) -> float | None:
        """When the next call is due; ``None``: nothing is to come."""
        if self._soon:
            return self._clock.at
        later = self._later
        while later and later[0][2].is_cancelled:
            heapq.heappop(later)
        return later[0][0] if later else None

    def run_due(self) -> None:
        """Make the calls that are due now, and those that they ask for.

        Raises:
            Circles: they go on asking for others.
        """
        soon, later = self._soon, self._later
        for _ in range(_MOST_CALLS):
            if soon:
                call = soon.popleft()
            elif later and later[0][0] <= self._clock.at:
                call = heapq.heappop(later)[2]
            else:
                return
            if not call.is_cancelled:
                call.callback(*call.arguments)
        raise Circles(f"more than {_MOST_CALLS} calls at the moment {self._clock.at}")
