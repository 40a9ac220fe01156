"""How far a container's output has been copied into its log file, kept so that a later supervisor can go on there.

Why a timestamp and a number are not enough: the engine's order of entries is not that of their timestamps. Standard
output and standard error get theirs independently, and the pieces of a long line have the timestamp of the first (see
``log_frames``). But within one of the two streams timestamps never go back unless somebody sets the clock back. So the
position is kept for each of them: the highest timestamp, and how many entries came from the first with it on. With a
clock that goes forward these are the entries with exactly this timestamp; after it was set back they are all since, and
counting finds the place as well.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from stigmer_pm.runtime.containers.log_frames import Entry, seconds_of

#: Seconds before the last entry from which the engine is asked again. The engine appends an entry some time after it
#: was stamped, and another with a later timestamp may get in before: as long as its disk stands still.
_MARGIN = 10

#: Content of this length without a newline is a piece of a longer line: the engine splits at 16 KiB.
_PIECE = 16 * 1024

_VERSION = 1


@dataclass(slots=True)
class Place:
    """How far one of the two streams of a container has been copied.

    ``entries`` came from the first with the timestamp ``highest`` on, itself included, the oldest of them with
    ``lowest``. ``until`` is the highest timestamp of both streams when the last of them was copied: the end of a long
    line has an old timestamp, and comes late. ``is_open``: the last was a piece of a long line, so that more with its
    timestamp may come at any time.
    """

    highest: bytes
    entries: int
    lowest: bytes
    until: bytes
    is_open: bool = False


@dataclass(slots=True)
class Position:
    """What has been copied of one container's output, and where in which file that ends.

    ``offset`` is just after the last byte that was written of it; what stands behind has been appended since.
    """

    container: str
    log: str
    device: int
    inode: int
    offset: int
    last: bytes | None = None
    places: dict[int, Place] = field(default_factory=dict)

    def advance(self, entries: list[Entry]) -> None:
        """Count entries as copied."""
        places = self.places
        reached = max((place.highest for place in places.values()), default=b"")
        for stream, stamp, content in entries:
            place = places.get(stream)
            if place is None:
                place = places[stream] = Place(stamp, 0, stamp, stamp)
            if stamp > place.highest:
                place.highest = place.lowest = stamp
                place.entries = 1
            else:
                place.entries += 1
                place.lowest = min(place.lowest, stamp)
            reached = max(reached, stamp)
            place.until = reached
            place.is_open = len(content) >= _PIECE and not content.endswith(b"\n")
        if entries:
            self.last = entries[-1][1]

    def since(self, now: float) -> int | None:
        """From which time on the engine has to be asked for entries so that none is missing (seconds since 1970).

        ``None``: from the beginning. So it is too when the clock (``now``) has been set back behind the last entry, for
        what was printed since may have any timestamp.
        """
        if self.last is None:
            return None
        last = seconds_of(self.last)
        if now < last:
            return None
        since = last - _MARGIN
        # Engines before 23 leave out every older entry, later ones only those before the first that isn't. What has to
        # be counted must not be cut in two, and the rest of a long line must not be left out. For one stream to be
        # whole it may be necessary to go back so far that the other one comes into it, so each has two turns.
        for place in (*self.places.values(), *self.places.values()):
            if place.is_open or seconds_of(place.until) >= since - _MARGIN:
                since = min(since, seconds_of(place.lowest) - 1)
        return max(1, since)

    def covers(self, since: int | None) -> dict[int, Cover]:
        """For each stream, what of an answer from ``since`` on has been copied.

        Of a stream that was quiet in all that time nothing is in it that was.
        """
        return {
            stream: Cover(place.highest, place.entries)
            for stream, place in self.places.items()
            if since is None or seconds_of(place.until) >= since
        }


class Cover:
    """Tells, entry by entry of one stream, whether it has been copied; when one hasn't, none after it has."""

    def __init__(self, highest: bytes, entries: int) -> None:
        self._highest = highest
        self._entries = entries
        self._is_counting = False

    def has(self, stamp: bytes) -> bool:
        """Whether the next entry, with this timestamp, has been copied."""
        if not self._is_counting:
            if stamp < self._highest:
                return True
            # A higher one first: the engine has thrown away its old log, with everything that was copied.
            self._entries = self._entries if stamp == self._highest else 0
            self._is_counting = True
        self._entries -= 1
        return self._entries >= 0


def save_position(path: str, position: Position) -> None:
    """Keep a position in a file of its own, which is replaced as a whole.

    It is not synced: this is about processes that die, and those take nothing with them that was written.

    Raises:
        OSError: it can't be written; what was kept before still is.
    """
    places = {
        str(stream): {
            "highest": place.highest.decode("ascii"),
            "entries": place.entries,
            "lowest": place.lowest.decode("ascii"),
            "until": place.until.decode("ascii"),
            "is_open": place.is_open,
        }
        for stream, place in position.places.items()
    }
    document = {
        "version": _VERSION,
        "container": position.container,
        "log": position.log,
        "device": position.device,
        "inode": position.inode,
        "offset": position.offset,
        "last": None if position.last is None else position.last.decode("ascii"),
        "places": places,
    }
    data = json.dumps(document).encode("ascii")
    new = path + ".new"
    try:
        with open(new, "wb", opener=_private) as file:
            file.write(data)
        os.replace(new, path)
    except OSError:
        with suppress(OSError):
            os.unlink(new)
        raise


def load_position(path: str) -> Position | None:
    """The position kept in a file; ``None`` when there is none, or it makes no sense.

    Raises:
        OSError: it is there and can't be read.
    """
    try:
        with open(path, "rb", opener=_private) as file:
            document = json.loads(file.read())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        return None
    try:
        return _decode(document)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def _decode(document: Any) -> Position | None:
    if document["version"] != _VERSION:
        return None
    places = {
        int(stream): Place(
            highest=_stamp(place["highest"]),
            entries=_count(place["entries"]),
            lowest=_stamp(place["lowest"]),
            until=_stamp(place["until"]),
            is_open=bool(place["is_open"]),
        )
        for stream, place in document["places"].items()
    }
    last = document["last"]
    return Position(
        container=str(document["container"]),
        log=str(document["log"]),
        device=_count(document["device"]),
        inode=_count(document["inode"]),
        offset=_count(document["offset"]),
        last=None if last is None else _stamp(last),
        places=places,
    )


def _stamp(text: str) -> bytes:
    stamp = text.encode("ascii")
    if len(stamp) != 30:
        raise ValueError(text)
    seconds_of(stamp)
    return stamp


def _count(number: object) -> int:
    if not isinstance(number, int) or number < 0:
        raise ValueError(number)
    return number


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o640)
