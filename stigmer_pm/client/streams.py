"""Server-Sent Events: the part of the format that a supervisor uses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from stigmer_pm.client.documents import Document


def messages(lines: Iterable[bytes]) -> Iterator[tuple[str, Document]]:
    """``(event, data)`` of every complete message; a last one that was cut off is left out."""
    event, data = "message", b""
    for raw in lines:
        line = raw.rstrip(b"\r\n")
        if not line:
            if data:
                yield event, json.loads(data)
            event, data = "message", b""
        elif line.startswith(b"event:"):
            event = line[6:].strip().decode()
        elif line.startswith(b"data:"):
            data += line[5:].strip()
