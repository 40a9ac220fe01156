"""Answers that are streams: Server-Sent Events, for as long as there is something to tell and somebody to read it."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from starlette.responses import StreamingResponse

from stigmer_pm.supervisor.documents import Document
from stigmer_pm.supervisor.feed import NoMoreNews

_log = logging.getLogger(__name__)

Messages = AsyncGenerator[tuple[str, Document], None]


def stream(messages: Messages) -> StreamingResponse:
    """The answer that tells the messages one after the other.

    When another supervisor takes this one's place, ``moved`` says to ask that one again; when this one ends, the
    stream ends.
    """
    return StreamingResponse(_lines(messages), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _lines(messages: Messages) -> AsyncIterator[bytes]:
    try:
        async with aclosing(messages):
            async for name, document in messages:
                yield _line(name, document)
    except NoMoreNews as end:
        if end.has_moved:
            yield _line("moved", {})
    except Exception:  # noqa: BLE001 (the top of each stream)
        _log.exception("bug while streaming")


def _line(name: str, document: Document) -> bytes:
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()
