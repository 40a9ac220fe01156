"""Starting a supervisor from a command line: a fork that imports what it needs while the parent reads the file.

Kept free of everything heavy, so that it can be called before anything else is imported.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stigmer_pm.supervisor.home import Home


#: Seconds that a supervisor has for its beginning, however short the timeout of a command is.
_LEAST = 5.0


class SeedFailed(Exception):
    """A bug has ended the child before it could say anything else; the text has its traceback."""


class Seed:
    """A child that waits for an order to become a supervisor; without one it ends and leaves no trace."""

    def __init__(self, channel: socket.socket, pid: int) -> None:
        self._channel = channel
        self._pid = pid

    def plant(self, order: Mapping[str, object], timeout: float | None = None) -> dict[str, Any]:
        """Make it the supervisor of the project that ``order`` describes, and wait for what it answers, for ``timeout``
        seconds if there is a limit, but for no fewer than it takes to begin.

        The answer has ``socket`` and ``apply``, or ``error``, or ``busy`` when another supervisor has the lock. With
        ``error`` beside the other two it runs, and can't be asked for now.

        Raises:
            SeedFailed: a bug has ended it.
        """
        within = None if timeout is None else max(timeout, _LEAST)
        with self._channel:
            self._channel.settimeout(within)
            with suppress(OSError):  # it may have ended by now, and what it has said is still to be read
                self._channel.sendall(json.dumps(order).encode() + b"\n")
            try:
                with self._channel.makefile("rb") as answers:
                    line = answers.readline()
            except TimeoutError:
                return _late(self._pid, within)
            except OSError:
                line = b""
        if not line:
            self._collect()
            message = "the new supervisor ended before it answered"
            return {"error": {"message": message, "cure": "see supervisor.log in the state folder", "exit": 1}}
        answer: dict[str, Any] = json.loads(line)
        if "socket" not in answer:
            self._collect()
        if "bug" in answer:
            raise SeedFailed(answer["bug"])
        return answer

    def discard(self) -> None:
        """It is not needed."""
        self._channel.close()
        self._collect()

    def _collect(self) -> None:
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _late(pid: int, within: float | None) -> dict[str, Any]:
    message = f"the new supervisor (pid {pid}) has not answered within {within:g} s; it goes on beginning"
    cure = f"'stigmer-pm ps' says how it is; if it hangs, 'kill -9 {pid}' and 'stigmer-pm up'"
    return {"error": {"message": message, "cure": cure, "exit": 1}}


def prefork() -> Seed:
    """Fork the child. Call this while the process has one thread and has written nothing."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return Seed(ours, pid)
    status = 1
    try:
        ours.close()
        status = _grow(theirs)
    except BaseException as error:  # noqa: BLE001 (the top of this process, which never gets to that of its parent)
        _tell_bug(theirs, error)
    finally:
        os._exit(status)


def _grow(channel: socket.socket) -> int:
    # A session of its own, so that neither Ctrl-C nor the end of the terminal reaches it.
    os.setsid()
    # Handled, and not ignored: what is ignored here every component would ignore as well.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _do_nothing)
    from stigmer_pm.supervisor import run

    with channel.makefile("rb") as orders:
        line = orders.readline()
    if not line.endswith(b"\n"):
        return 0
    order = run.read_order(json.loads(line))

    def reply(document: Mapping[str, object]) -> None:
        with suppress(OSError):  # whoever asked has gone; the supervisor stays
            channel.sendall(json.dumps(document).encode() + b"\n")
            channel.close()

    return run.supervise(order, reply, _detach)


def _tell_bug(channel: socket.socket, error: BaseException) -> None:
    import traceback

    text = "".join(traceback.format_exception(error))
    words = "".join(traceback.format_exception_only(error)).strip()
    try:
        channel.sendall(json.dumps({"bug": f"in the new supervisor: {words}\n{text}"}).encode() + b"\n")
    except OSError:  # it has had an answer, or has gone; stderr is the log of the supervisor then
        os.write(2, text.encode(errors="backslashreplace"))


def _do_nothing(number: int, frame: object) -> None:
    pass


def _detach(home: Home) -> None:
    """Let go of the terminal, the pipes and the folder of whoever asked."""
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    log = os.open(home.dir.supervisor_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o600)
    for target, source in ((0, null), (1, log), (2, log)):
        os.dup2(source, target)
    os.close(null)
    os.close(log)
