"""Running an event loop to its end, also when no further thread can be made by then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from stigmer_pm.threads import is_without_thread

_log = logging.getLogger(__name__)
T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """What ``main`` returns or raises, in a loop of its own.

    In the end ``asyncio.run`` makes a thread, to wait in it for those of the loop. Where none can be made it raises an
    error, in place of what ``main`` has come to; but nothing is waited for then that matters any more.
    """
    ends: list[asyncio.Future[T]] = []

    async def keep() -> None:
        ends.append(asyncio.ensure_future(main))
        await asyncio.wait(ends)

    try:
        asyncio.run(keep())
    except RuntimeError as error:
        if not is_without_thread(error):
            raise
        _log.info("the event loop's threads are not waited for: %s", error)
    return ends[0].result()
