"""The log handler: a line of this run's log in which a pattern is found is a success, from then on."""

from __future__ import annotations

import asyncio
import os
import re

from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes.result import CheckResult
from stigmer_pm.spec import LogCheck

#: Bytes that are searched before the loop gets a turn: about a tenth of a millisecond with a simple pattern.
_BLOCK = 32 * 1024
#: What is searched of one line. A pattern tells apart what a program says, not what it dumps.
_LINE_LIMIT = 8 * 1024
_SHOWN = 200


async def check_log(
    check: LogCheck, timeout: float, *, path: str, begin: int, memory: dict[str, object]
) -> CheckResult:
    """Search what has been written since the last attempt, or since ``begin``, where the run's output begins.

    Not searching to the end within ``timeout`` seconds is a failure; the next attempt goes on where this one ended.
    """
    scan = memory.get("scan")
    if not isinstance(scan, _Scan):
        scan = memory["scan"] = _Scan(check.pattern, path, begin)
    try:
        async with asyncio.timeout(timeout):
            while scan.found is None and scan.search():
                await asyncio.sleep(0)
    except TimeoutError:
        return CheckResult(Outcome.FAILURE, f"the log grows faster than it can be searched for '{check.pattern}'")
    except OSError as error:
        return CheckResult(Outcome.FAILURE, f"cannot read '{path}': {(error.strerror or str(error)).lower()}")
    if scan.found is None:
        return CheckResult(Outcome.FAILURE, f"no line of this run's log matches '{check.pattern}' yet")
    return CheckResult(Outcome.SUCCESS, f"the log says: {scan.found}")


class _Scan:
    """How far a log has been searched."""

    def __init__(self, pattern: str, path: str, begin: int) -> None:
        self._pattern = re.compile(pattern)
        self._path = path
        self._position = begin
        self._partial = b""
        self.found: str | None = None

    def search(self) -> bool:
        """Search the next block; whether there may be more.

        Raises:
            OSError: the log can't be read.
        """
        with open(self._path, "rb") as file:
            if os.fstat(file.fileno()).st_size < self._position:
                self._position, self._partial = 0, b""  # it was cut: what is in it now is new
            file.seek(self._position)
            data = file.read(_BLOCK)
        self._position += len(data)
        *lines, rest = (self._partial + data).split(b"\n")
        self._partial = rest[:_LINE_LIMIT]
        # The last line may be a prompt that never ends, so it is searched as well, and again when it is complete.
        for line in (*lines, self._partial):
            text = line[:_LINE_LIMIT].decode(errors="surrogateescape")
            if self._pattern.search(text):
                shown = text[:_SHOWN].strip()
                self.found = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
                return False
        return len(data) == _BLOCK
