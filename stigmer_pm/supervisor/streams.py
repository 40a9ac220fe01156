"""Answers that are streams: Server-Sent Events, for as long as there is something to tell and somebody to read it."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.responses import StreamingResponse

from stigmer_pm.supervisor.documents import Document
from stigmer_pm.supervisor.errors import internal, unreadable
from stigmer_pm.supervisor.feed import NoMoreNews
from stigmer_pm.supervisor.store import StoreError

if TYPE_CHECKING:
    from stigmer_pm.supervisor.service import Service

_log = logging.getLogger(__name__)

Messages = AsyncGenerator[tuple[str, Document], None]


def stream(service: Service, messages: Messages) -> StreamingResponse:
    """The answer that tells the messages one after the other.

    When another supervisor takes this one's place, ``moved`` says to ask that one again; when this one ends, the
    stream ends. What goes wrong in the middle is told as ``error``, for the status has long been sent.
    """
    lines = _lines(messages, service.home.dir.supervisor_log)
    return StreamingResponse(lines, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _lines(messages: Messages, log: str) -> AsyncIterator[bytes]:
    try:
        async with aclosing(messages):
            async for name, document in messages:
                yield _line(name, document)
    except NoMoreNews as end:
        if end.has_moved:
            yield _line("moved", {})
    except StoreError as error:
        yield _line("error", unreadable(error).document())
    except Exception:  # noqa: BLE001 (the top of each stream)
        _log.exception("bug while streaming")
        yield _line("error", internal(log).document())


def _line(name: str, document: Document) -> bytes:
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()
