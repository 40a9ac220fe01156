"""Reading the body of a request: JSON, and so much of it, for one and for all who send at the same time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stigmer_pm.supervisor.errors import Refused

if TYPE_CHECKING:
    from starlette.requests import Request

#: Bytes of a request that names components. Ten thousand names of a hundred characters are 1 MiB.
SMALL = 1024 * 1024
#: Bytes of one that holds a whole file. A resolved one of 1000 components is about 2 MiB. While it is taken apart
#: nothing else is done: four times as much held everything up for seconds.
LARGE = 16 * 1024 * 1024
#: Bytes of all bodies that are being received: two of the largest, so that one that never ends keeps no other out.
_MOST_AT_ONCE = 2 * LARGE
# Written by json.dumps, where a backslash of the text itself stands twice.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


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
        body = json.loads(text.decode("utf-8") or "{}", parse_float=_finite, parse_constant=_finite)
        if b"\\u" in text:
            _refuse_odd_characters(body)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the request is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused("the request must be a JSON object")
    return body


def _finite(text: str) -> float:
    """A number; Python takes ``NaN``, ``Infinity`` and ``1e999`` as well, which JSON can't answer."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"expected a number, found {text:.20}")
    return number


def _refuse_odd_characters(body: object) -> None:
    """Escapes can write what neither a path nor an answer can hold; bytes that are no UTF-8 go as U+DC80 to U+DCFF."""
    plain = json.dumps(body, ensure_ascii=False)
    plain.encode("utf-8", "surrogateescape")
    if _NUL.search(plain):
        raise ValueError("expected text without the character NUL")
