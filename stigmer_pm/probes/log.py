"""The log handler: a line of this run's log in which a pattern is found is a success, from then on."""

from __future__ import annotations

import asyncio
import os
import re
from collections import deque

from stigmer_pm.core.probing import Outcome
from stigmer_pm.plain_files import plain
from stigmer_pm.probes.patterns import TooSlow, time_limit
from stigmer_pm.probes.result import CheckResult
from stigmer_pm.probes.shortage import is_own_shortage
from stigmer_pm.spec import LogCheck

#: Bytes that are searched before the loop gets a turn: about a tenth of a millisecond with a simple pattern.
_BLOCK = 32 * 1024
#: What is searched of one line. A pattern tells apart what a program says, not what it dumps.
_LINE_LIMIT = 8 * 1024
#: Seconds of processor time that a block may take, a hundred times what it takes with a simple pattern. Nothing else
#: happens meanwhile, so it is also the longest that a bad pattern can keep everything else waiting at a time.
_BLOCK_LIMIT_S = 0.05
_SHOWN = 200


async def check_log(
    check: LogCheck, timeout: float, *, path: str, begin: int, memory: dict[str, object]
) -> CheckResult:
    """Search what has been written since the last attempt, or since ``begin``, where the run's output begins.

    Not searching to the end within ``timeout`` seconds is a failure; the next attempt goes on where this one ended.

    Raises:
        OSError: the supervisor is short of descriptors or memory, so that nothing was searched.
    """
    scan = memory.get("scan")
    if not isinstance(scan, _Scan):
        scan = memory["scan"] = _Scan(check.pattern, path, begin)
    is_slow = False
    try:
        async with asyncio.timeout(timeout):
            while scan.found is None:
                try:
                    if not scan.search():
                        break
                except TooSlow:
                    is_slow = True
                await asyncio.sleep(0)
    except TimeoutError:
        if not is_slow:
            return CheckResult(Outcome.FAILURE, f"the log grows faster than it can be searched for '{check.pattern}'")
    except OSError as error:
        if is_own_shortage(error):
            raise
        return CheckResult(Outcome.FAILURE, f"cannot read '{path}': {(error.strerror or str(error)).lower()}")
    if scan.found is not None:
        return CheckResult(Outcome.SUCCESS, f"the log says: {scan.found}")
    if is_slow:
        words = f"the pattern '{check.pattern}' takes too long on a line of the log, which is passed over"
        return CheckResult(Outcome.FAILURE, f"{words}; make it simpler, without a repetition in another")
    return CheckResult(Outcome.FAILURE, f"no line of this run's log matches '{check.pattern}' yet")


class _Scan:
    """How far a log has been searched."""

    def __init__(self, pattern: str, path: str, begin: int) -> None:
        self._pattern = re.compile(pattern)
        self._path = path
        self._position = begin
        self._partial = b""
        self._lines: deque[bytes] = deque()
        self._is_at_end = False
        self.found: str | None = None

    def search(self) -> bool:
        """Search the next block, or what was left of the last one; whether there may be more.

        Raises:
            OSError: the log can't be read.
            TooSlow: a single line took all the time that a block has; the next search goes on with the line after it.
        """
        if not self._lines:
            self._read()
        searched = 0
        try:
            with time_limit(_BLOCK_LIMIT_S):
                while self._lines:
                    text = self._lines[0][:_LINE_LIMIT].decode(errors="surrogateescape")
                    if self._pattern.search(text):
                        self.found = _shown(text)
                        return False
                    searched += 1
                    self._lines.popleft()
        except TooSlow:
            if searched:
                return True  # the line at which the time was up comes first next time, and has all of it
            self._lines.popleft()
            raise
        return not self._is_at_end

    def _read(self) -> None:
        with open(self._path, "rb", opener=plain) as file:
            if os.fstat(file.fileno()).st_size < self._position:
                self._position, self._partial = 0, b""  # it was cut: what is in it now is new
            file.seek(self._position)
            data = file.read(_BLOCK)
        self._position += len(data)
        self._is_at_end = len(data) < _BLOCK
        *lines, rest = (self._partial + data).split(b"\n")
        self._partial = rest[:_LINE_LIMIT]
        if data:
            # The last line may be a prompt that never ends, so it is searched as well, and again when there is more.
            self._lines.extend((*lines, self._partial))


def _shown(text: str) -> str:
    """What is told of a line, in one line and printable."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_SHOWN].strip())
