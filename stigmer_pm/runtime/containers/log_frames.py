"""Log entries out of the engine's multiplexed stream.

A frame is a header of eight bytes (which of the container's streams, three zeros, the size as 32 bits, most significant
byte first) and one entry: a timestamp, a space, and a line with its newline. Seen with json-file and local on 20.10:

* A line of more than 16 KiB is several entries. All but the last lack the newline, and **all have the timestamp of the
  first**, so that those of the other stream that come between are newer than some that follow.
* What a container prints last without a newline is an entry without one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from struct import Struct
from typing import TypeAlias

from stigmer_pm.runtime.containers.trouble import EngineRefusal

#: An entry: number of the stream (1 is standard output, 2 standard error), timestamp, content.
#: Timestamps are all of one form, in UTC with nine digits after the point, so that they compare as bytes.
Entry: TypeAlias = tuple[int, bytes, bytes]

_HEADER = Struct(">BxxxL")
#: Length of a timestamp such as 2026-11-28T14:06:14.534178643Z.
_STAMP = 30
#: The stream in which the engine itself speaks, of what hinders it.
_ENGINE = 3
#: No engine makes entries of this size (they are 16 KiB and a few bytes), so a frame that says so is none.
_LARGEST = 64 * 1024 * 1024
_OTHER_FORM = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


class Frames:
    """Takes the bytes of an answer in any pieces and hands out whole entries."""

    def __init__(self) -> None:
        self._rest = b""
        #: What the engine said went wrong on its side, last; entries may have come after it.
        self.complaint: str | None = None

    @property
    def is_cut(self) -> bool:
        """The beginning of a frame has come, and its end hasn't."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[Entry]:
        """The entries that are complete now.

        Raises:
            EngineRefusal: these are no frames with timestamps.
        """
        if self._rest:
            data = self._rest + data
        entries: list[Entry] = []
        at, end = 0, len(data)
        while end - at >= _HEADER.size:
            stream, size = _HEADER.unpack_from(data, at)
            if stream > _ENGINE or size > _LARGEST:
                raise EngineRefusal(500, f"the engine's log has an unknown form: {data[at : at + 40]!r}")
            start = at + _HEADER.size
            if end - start < size:
                break
            at = start + size
            if stream == _ENGINE:
                self.complaint = data[start:at].decode("utf-8", "replace").strip()
            elif data[start + _STAMP - 1 : start + _STAMP + 1] == b"Z ":
                entries.append((stream, data[start : start + _STAMP], data[start + _STAMP + 1 : at]))
            elif size:
                entries.append(_entry_of_other_form(stream, data[start:at]))
        self._rest = data[at:]
        return entries


def seconds_of(stamp: bytes) -> int:
    """The whole seconds since 1970 of an entry's timestamp.

    Raises:
        ValueError: it is none.
    """
    return int(datetime.fromisoformat(stamp[:19].decode("ascii") + "+00:00").timestamp())


def _entry_of_other_form(stream: int, payload: bytes) -> Entry:
    """Some log drivers give local time, or leave out zeros at the end."""
    text, _, content = payload.partition(b" ")
    match = _OTHER_FORM.fullmatch(text)
    if match is None:
        raise EngineRefusal(500, f"the engine's log has an entry without a timestamp: {payload[:40]!r}")
    second, fraction, zone = match.groups(b"")
    moment = datetime.fromisoformat((second + zone.replace(b"Z", b"+00:00")).decode("ascii")).astimezone(UTC)
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S").encode("ascii") + b"." + fraction.ljust(9, b"0") + b"Z"
    return stream, stamp, content
