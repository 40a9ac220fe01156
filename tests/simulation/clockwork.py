"""Virtual time, and loops that run on it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class VirtualClock:
    """Time passes only when the simulation says so."""

    at: float = 1000.0

    def now(self) -> float:
        """Seconds."""
        return self.at

    def wall(self) -> float:
        """Seconds since 1970; any fixed distance will do."""
        return 1_700_000_000.0 + self.at


@dataclass(order=True)
class Call:
    """A call that is to come."""

    at: float
    number: int
    callback: Callable[..., object] = field(compare=False)
    arguments: tuple[object, ...] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """It is not to come after all."""
        self.is_cancelled = True


class VirtualLoop:
    """An event loop on a virtual clock. Calls for the same moment come in the order in which they were made."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._soon: deque[Call] = deque()
        self._later: list[Call] = []
        self._number = 0

    def call_soon(self, callback: Callable[..., object], *args: object) -> Call:
        """Call it when what is under way is done."""
        call = self._call(self._clock.at, callback, args)
        self._soon.append(call)
        return call

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> Call:
        """Call it in ``delay`` seconds."""
        call = self._call(self._clock.at + delay, callback, args)
        heapq.heappush(self._later, call)
        return call

    def next_at(self) -> float | None:
        """When the next call is due; ``None``: nothing is to come."""
        while self._later and self._later[0].is_cancelled:
            heapq.heappop(self._later)
        if any(not call.is_cancelled for call in self._soon):
            return self._clock.at
        return self._later[0].at if self._later else None

    def run_due(self) -> None:
        """Make the calls that are due now, and those that they ask for."""
        while True:
            while self._soon:
                call = self._soon.popleft()
                if not call.is_cancelled:
                    call.callback(*call.arguments)
            if not self._later or self._later[0].at > self._clock.at:
                return
            self._soon.append(heapq.heappop(self._later))

    def _call(self, at: float, callback: Callable[..., object], arguments: tuple[object, ...]) -> Call:
        self._number += 1
        return Call(at, self._number, callback, arguments)
