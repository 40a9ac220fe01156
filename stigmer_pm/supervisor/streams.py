"""Answers that are streams: Server-Sent Events, for as long as there is something to tell and somebody to read it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING

from starlette.responses import StreamingResponse

from stigmer_pm.supervisor.documents import Document

if TYPE_CHECKING:
    from stigmer_pm.supervisor.service import Service

_log = logging.getLogger(__name__)

Messages = AsyncGenerator[tuple[str, Document], None]


def stream(service: Service, messages: Messages) -> StreamingResponse:
    """The answer that tells the messages one after the other, and ends them when nobody reads it any more."""

    async def lines() -> AsyncIterator[bytes]:
        try:
            async for name, document in _until_moving(service, messages):
                yield f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 (the top of each stream)
            _log.exception("bug while streaming")

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _until_moving(service: Service, messages: Messages) -> Messages:
    """The messages; when another supervisor takes this one's place, ``moved`` says to ask that one again."""
    moving = asyncio.ensure_future(service.succession.is_moving.wait())
    try:
        while True:
            following = asyncio.ensure_future(anext(messages))
            try:
                await asyncio.wait({following, moving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not following.done():
                    following.cancel()
                    await asyncio.wait({following})
            if following.cancelled():
                yield "moved", {}
                return
            try:
                yield following.result()
            except StopAsyncIteration:
                return
    finally:
        moving.cancel()
        await messages.aclose()
