"""Reading the body of a request: JSON, and so much of it, for one and for all who send at the same time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stigmer_pm.supervisor.errors import Refused

if TYPE_CHECKING:
    from starlette.requests import Request

#: Bytes of a request that names components. Ten thousand names of a hundred characters are 1 MiB.
SMALL = 1024 * 1024
#: Bytes of one that holds a whole file. A resolved one of 1000 components is about 2 MiB.
LARGE = 64 * 1024 * 1024
#: Bytes of all bodies that are being received: two of the largest, so that one that never ends keeps no other out.
_MOST_AT_ONCE = 2 * LARGE


class Bodies:
    """All bodies that are being received."""

    def __init__(self, most_at_once: int = _MOST_AT_ONCE) -> None:
        self._most = most_at_once
        self._held = 0

    async def read(self, request: Request, most: int = SMALL) -> Mapping[str, Any]:
        """The JSON object that a request carries; an empty one where it carries nothing.

        Raises:
            Refused: it is longer than ``most`` bytes, there are too many at once, or it is no JSON object.
        """
        size = 0
        try:
            chunks = []
            async for chunk in request.stream():
                size += len(chunk)
                self._held += len(chunk)
                self._refuse_too_much(size, most)
                chunks.append(chunk)
            return _object(b"".join(chunks))
        finally:
            self._held -= size

    def _refuse_too_much(self, size: int, most: int) -> None:
        if size > most:
            raise Refused(f"the request is longer than {most} bytes", code="too-long", status=413)
        if self._held > self._most:
            raise Refused(
                "too much is being sent to the supervisor at once", cure="try again", code="too-much", status=503
            )


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(text or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refused(f"the request is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused("the request must be a JSON object")
    return body
