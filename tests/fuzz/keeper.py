"""Holds the process that reads hostile files, and keeps it to its limits of time and memory."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from .case import Case, Report

#: Seconds that one command may take for one file, waiting for a processor that others have not counted.
SLOWEST_S = 1.0
#: Bytes that the process may hold at any moment, the interpreter and all modules included (they take 50 MB).
LARGEST_BYTES = 200 << 20
#: Seconds after which a process that does not answer is killed: a machine may be busy with other things.
_PATIENCE_S = 20.0
#: Times that what was too slow is tried before it counts: others share caches and memory as well.
_TRIES = 3

_ROOT = Path(__file__).resolve().parents[2]


class Keeper:
    """One process at a time, which runs ``module``, made when it is needed and ended with the keeper."""

    def __init__(self, module: str = "tests.fuzz.subject") -> None:
        self._module = module
        self._folder = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def read(self, case: Case) -> Report:
        """Have the case read. What is too slow or too large is read again in a new process before it counts."""
        report = self._ask(case)
        for _ in range(_TRIES - 1):
            if report.faults or (report.seconds <= SLOWEST_S and report.peak_bytes <= LARGEST_BYTES):
                break
            self.end()
            again = self._ask(case)
            seconds, peak = min(report.seconds, again.seconds), min(report.peak_bytes, again.peak_bytes)
            report = Report(seconds, peak, again.faults)
        faults = list(report.faults)
        if report.seconds > SLOWEST_S:
            faults.append(f"it took {report.seconds:.2f} s")
        if report.peak_bytes > LARGEST_BYTES:
            faults.append(f"it held {report.peak_bytes >> 20} MiB")
        return replace(report, faults=tuple(faults))

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is None or self._connection is None:
            return
        self._connection.close()
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._process = None

    def _ask(self, case: Case) -> Report:
        if self._process is None:
            self._begin()
        connection, process = self._connection, self._process
        assert connection is not None
        assert process is not None
        try:
            connection.send(case)
            if not connection.poll(_PATIENCE_S):
                self.end()
                return Report(0.0, 0, (f"it did not end within {_PATIENCE_S:.0f} s",))
            report = connection.recv()
        except (EOFError, ConnectionError):
            status = process.wait()
            said = Path(self._folder, "said").read_text(encoding="utf-8", errors="replace")
            self.end()
            return Report(0.0, 0, (f"the process ended with {status}: {said[-3000:]}",))
        assert isinstance(report, Report)
        return report

    def _begin(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="spm-fuzz-")
        ours, theirs = socket.socketpair()
        with theirs, open(os.path.join(self._folder, "said"), "wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, self._folder, str(theirs.fileno())],
                cwd=_ROOT,
                env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=(theirs.fileno(),),
            )
        self._connection = Connection(ours.detach())
