"""A container's log as an engine keeps it, and lives of supervisors that copy it and are killed."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from stigmer_pm.runtime.containers.log_copy import LogCopy
from stigmer_pm.runtime.containers.log_position import Position, save_position

#: The second at which the times of the tests begin.
BEGIN = 1_780_000_000


@dataclass(frozen=True)
class Printed:
    """One entry of an engine's log: stream, nanoseconds after ``BEGIN``, content."""

    stream: int
    at: int
    content: bytes

    @property
    def stamp(self) -> bytes:
        second = datetime.fromtimestamp(BEGIN + self.at // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{second}.{self.at % 10**9:09}Z".encode()

    @property
    def frame(self) -> bytes:
        payload = self.stamp + b" " + self.content
        return struct.pack(">BxxxL", self.stream, len(payload)) + payload


def answer(printed: list[Printed], since: int | None, *, is_old: bool) -> list[Printed]:
    """What an engine answers: before 23 without all older entries, since then without those before the first newer."""
    if since is None:
        return printed
    after = (since - BEGIN) * 10**9
    if is_old:
        return [one for one in printed if one.at >= after]
    first = next((number for number, one in enumerate(printed) if one.at >= after), len(printed))
    return printed[first:]


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Bytes as they may come out of several reads."""
    return (data[at : at + size] for at in range(0, len(data), size))


class Killed(BaseException):
    """SIGKILL: nothing in the program handles it."""


@dataclass
class Life:
    """One supervisor: kills itself at its ``dies_at``-th step, a write or a save of the position.

    ``part`` is how much of that step happens: of a write so many bytes, of a save all or nothing (0).
    """

    dies_at: int | None = None
    part: int = 0
    piece: int = 64 * 1024
    clock_step: float = 1.0
    is_old: bool = True
    now: float | None = None
    steps: int = 0
    _time: float = 0.0
    saved: list[int] = field(default_factory=list)

    def copy(self, printed: list[Printed], folder: Path, *, hook: Callable[[], None] | None = None) -> bool:
        """Copy what there is; ``False`` when it was killed before the end."""
        copy = None
        try:
            copy = LogCopy(
                "c0ffee", str(folder / "log"), str(folder / "position"), self._stalled,
                clock=self._clock, wall_clock=lambda: self._now(printed), write=self._write, save=self._save,
            )  # fmt: skip
            frames = b"".join(one.frame for one in answer(printed, copy.begin_answer(), is_old=self.is_old))
            for data in pieces(frames, self.piece):
                copy.take(data)
                if hook is not None:
                    hook()
            copy.end_answer()
            copy.save()
        except Killed:
            return False
        finally:
            if copy is not None:
                copy.close()
        return True

    def _now(self, printed: list[Printed]) -> float:
        if self.now is not None:
            return self.now
        return BEGIN + (printed[-1].at / 10**9 if printed else 0) + 1

    def _clock(self) -> float:
        self._time += self.clock_step
        return self._time

    def _write(self, descriptor: int, data: memoryview) -> int:
        if self._is_last():
            os.write(descriptor, data[: self.part])
            raise Killed
        return os.write(descriptor, data)

    def _save(self, path: str, position: Position) -> None:
        if self._is_last():
            if self.part:
                save_position(path, position)
            raise Killed
        self.saved.append(position.offset)
        save_position(path, position)

    def _is_last(self) -> bool:
        self.steps += 1
        return self.steps - 1 == self.dies_at

    def _stalled(self, error: OSError) -> None:
        raise error
