"""Answers of the API as JSON in ASCII: bytes that are no UTF-8 (of a path, a command, a variable) go as escapes."""

from __future__ import annotations

import json
from typing import Any

from starlette import responses


class JSONResponse(responses.JSONResponse):
    """Starlette's own writes UTF-8, which can't hold such bytes."""

    def render(self, content: Any) -> bytes:
        """The body."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
