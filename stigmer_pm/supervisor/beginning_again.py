"""Serving in spite of bugs: one costs a new beginning from what is on record, as a death would, in the same process."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from stigmer_pm.runtime import system
from stigmer_pm.supervisor import event_loop
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.order import Order

_log = logging.getLogger(__name__)

#: Serves an order to the end, which is to begin at once when the flag says so; its result is the exit status.
Serve = Callable[[Order, bool], Coroutine[Any, Any, int]]

#: A supervisor that fails more often than this within so many seconds is not begun again.
_MOST_FAILURES, _FAILURE_WINDOW = 5, 60.0
#: Seconds before it begins again, so that one that fails at once does not take the machine.
_PAUSE = 0.1


class Failed(Exception):
    """A bug, the cause of this, has ended a supervisor that was serving, or that ``was_ending``."""

    def __init__(self, *, was_ending: bool) -> None:
        super().__init__("a bug has ended the supervisor")
        self.was_ending = was_ending


def serve_in_spite_of_bugs(order: Order, serve: Serve) -> int:
    """Serve until the end; when a bug is met, begin again from what is on record.

    A bug that comes back at once is not answered for ever: who is there to see it finds it in the log.

    Raises:
        Refused: it can't be begun; nothing was started.
        Failed: the bug came back, or it can't be begun again; what runs goes on.
    """
    failures: deque[float] = deque(maxlen=_MOST_FAILURES)
    is_to_end = False
    while True:
        try:
            return event_loop.run(serve(order, is_to_end))
        except Refused as refused:
            if not failures:
                raise
            raise Failed(was_ending=is_to_end) from refused
        except Failed as failed:
            _log.exception("bug in the supervisor: it begins again from what is on record; what runs goes on")
            if len(failures) == _MOST_FAILURES and system.now() - failures[0] < _FAILURE_WINDOW:
                raise
            failures.append(system.now())
            is_to_end |= failed.was_ending
            time.sleep(_PAUSE)
            order = Order(order.state_dir, order.file, order.environment)
