"""Copying a container's output into its log file: each line is written once, however often the copying is cut short."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from stigmer_pm.runtime.containers.log_file import LogFile, LogUnwritable, is_passing
from stigmer_pm.runtime.containers.log_frames import Entry, Frames
from stigmer_pm.runtime.containers.log_position import Position, load_position, save_position

#: Seconds for which a new position may stay in memory only. What has been written meanwhile is compared byte by byte
#: after a death, so this bounds work, and what a change of the log file by others can double.
_SAVE_WITHIN = 1.0


class LogCopy:
    """One container's output on its way into one log file. Whoever copies may die between any two instructions.

    First the position is kept and then the first byte written, so that without a position nothing has been. After that
    bytes are written first and counted later: the next copy begins at the last position that was kept, finds what
    stands behind it in the file, and goes on where that ends.

    Args:
        container_id: the full id.
        log_path: where the output goes.
        position_path: where the position is kept; its folder is made when it is missing.
        stalled: see ``LogFile``.
        clock: seconds that never go back.
        wall_clock: seconds since 1970.
        write: ``os.write``.
        save: ``save_position``.

    Raises:
        LogUnwritable: one of the files can't be opened or written.
    """

    def __init__(
        self,
        container_id: str,
        log_path: str,
        position_path: str,
        stalled: Callable[[OSError], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        write: Callable[[int, memoryview], int] = os.write,
        save: Callable[[str, Position], None] = save_position,
    ) -> None:
        self._position_path = position_path
        self._stalled = stalled
        self._clock = clock
        self._wall_clock = wall_clock
        self._save = save
        self._save_by: float | None = None
        self._frames = Frames()
        self._log = LogFile(log_path, stalled, write=write)
        try:
            self._position = self._begin(container_id)
        except BaseException:
            self._log.close()
            raise
        self._covers = self._position.covers(None)

    @property
    def complaint(self) -> str | None:
        """What the engine said went wrong on its side in this answer."""
        return self._frames.complaint

    def begin_answer(self) -> int | None:
        """From which time on to ask the engine for the log (seconds since 1970; ``None``: from the beginning).

        What the answer holds of what has been copied will be left out.
        """
        since = self._position.since(self._wall_clock())
        self._covers = self._position.covers(since)
        self._frames = Frames()
        return since

    def take(self, data: bytes) -> None:
        """Write the next bytes of the answer; beginnings of entries wait for their ends.

        Raises:
            LogUnwritable: the log can't be written.
            EngineRefusal: the answer makes no sense.
        """
        entries = self._frames.feed(data)
        if self._covers:
            entries = [entry for entry in entries if not self._is_covered(entry)]
        if entries:
            self._follow_path()
            self._log.append(b"".join([content for _, _, content in entries]))
            self._position.advance(entries)
            self._position.offset = self._log.offset
            if self._save_by is None:
                self._save_by = self._clock() + _SAVE_WITHIN
        if self._save_by is not None and self._clock() >= self._save_by:
            self.save()

    def end_answer(self) -> None:
        """Check that the answer was whole.

        Raises:
            ConnectionError: it ends within an entry.
        """
        if self._frames.is_cut:
            raise ConnectionError("the engine's log ends within an entry")

    def seconds_to_save(self) -> float | None:
        """How long the position may wait; ``None``: it is kept."""
        return None if self._save_by is None else max(0.0, self._save_by - self._clock())

    def save(self) -> None:
        """Keep the position, if it is a new one.

        When that fails it is tried again later. Until then what is written only gets longer to compare.
        """
        if self._save_by is None:
            return
        try:
            self._save(self._position_path, self._position)
        except OSError:
            self._save_by = self._clock() + _SAVE_WITHIN
        else:
            self._save_by = None

    def close(self) -> None:
        """Let go of the log file. The position is kept or not as ``save`` has left it."""
        self._log.close()

    def _begin(self, container_id: str) -> Position:
        try:
            position = load_position(self._position_path)
        except OSError as error:
            raise self._no_position("read", error) from error
        if position is not None and position.container == container_id:
            self._log.expect(position.device, position.inode, position.offset)
            position.log = self._log.path
            return position
        device, inode = self._log.identity
        position = Position(container_id, self._log.path, device, inode, self._log.offset)
        self._save_first(position)
        return position

    def _save_first(self, position: Position) -> None:
        while True:
            try:
                os.makedirs(os.path.dirname(self._position_path) or ".", mode=0o700, exist_ok=True)
                self._save(self._position_path, position)
                return
            except OSError as error:
                if not is_passing(error):
                    raise self._no_position("write", error) from error
                self._stalled(error)

    def _no_position(self, verb: str, error: OSError) -> LogUnwritable:
        what = f"cannot {verb} '{self._position_path}', the position in the container's log"
        return LogUnwritable(f"{what}: {(error.strerror or str(error)).lower()}")

    def _is_covered(self, entry: Entry) -> bool:
        stream, stamp, _ = entry
        cover = self._covers.get(stream)
        if cover is None:
            return False
        if cover.has(stamp):
            return True
        del self._covers[stream]
        return False

    def _follow_path(self) -> None:
        """Go on in a new file when the log was renamed or deleted: a line in a deleted file would be lost.

        The position is kept before, and so it is complete for the old file; and after, with the new one's end.
        """
        if not self._log.is_replaced():
            return
        self.save()
        self._log.reopen()
        self._position.device, self._position.inode = self._log.identity
        self._position.offset = self._log.offset
        self._save_by = self._clock()
        self.save()
