"""Handing a supervisor's place to another program by exec: same pid, same children, same lock, same socket.

Everything that the next one must know is in the state folder, as after a death. What can't be there is handed over: the
descriptors of the lock, so that nobody else can take it in between, and of the socket, so that whoever connects
meanwhile waits in the kernel's queue and is answered by the next one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass
from typing import Any

#: The variable that carries a handover over the exec; nobody but the next program sees it.
VARIABLE = "STIGMER_PM_HANDOVER"
#: Raised whenever a program could misread the handover of one before it; the check before the exec compares it.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Successor:
    """The program that takes over: an interpreter, and where it looks for modules."""

    python: str
    path: tuple[str, ...]

    @classmethod
    def of_this_program(cls) -> Successor:
        """What is installed now where this program was loaded from."""
        return cls(sys.executable, tuple(entry for entry in sys.path if os.path.isabs(entry)))

    def command(self, module: str, *arguments: str) -> tuple[str, ...]:
        """The command that runs a module of it; nothing is imported from the folder that it happens to be in (-P)."""
        return (self.python, "-P", "-m", module, *arguments)

    def environment(self) -> dict[str, str]:
        """This process's, with its path."""
        return {**os.environ, "PYTHONPATH": os.pathsep.join(self.path)}


@dataclass(frozen=True, slots=True)
class Handover:
    """What one supervisor hands to the next in the same process.

    ``version`` is that of the one that hands over, ``python_path`` what its variable PYTHONPATH was, and ``front`` what
    a supervisor in front was about.
    """

    pid: int
    lock_fd: int
    listener_fd: int
    state_dir: str
    file: str
    version: str
    python_path: str | None
    front: Mapping[str, Any] | None
    format: int = FORMAT


def give(successor: Successor, handover: Handover) -> None:
    """Become the successor; signals must be held back. Returns only by an exception, with all as it was.

    Raises:
        OSError: it can't be executed.
    """
    kept = (handover.lock_fd, handover.listener_fd)
    try:
        for descriptor in kept:
            os.set_inheritable(descriptor, True)
        environment = {**successor.environment(), VARIABLE: json.dumps(asdict(handover))}
        os.execve(successor.python, successor.command("stigmer_pm", *sys.argv[1:]), environment)  # noqa: S606
    finally:
        for descriptor in kept:
            os.set_inheritable(descriptor, False)


def take(environ: MutableMapping[str, str]) -> Handover | None:
    """What this process was handed, if it was; the environment is then as it was before."""
    text = environ.pop(VARIABLE, None)
    if text is None:
        return None
    try:
        found = Handover(**json.loads(text))
    except (ValueError, TypeError):
        return None
    if found.pid != os.getpid():
        return None  # that of another process, by whatever way it has come here
    for descriptor in (found.lock_fd, found.listener_fd):
        os.set_inheritable(descriptor, False)
    if found.python_path is None:
        environ.pop("PYTHONPATH", None)
    else:
        environ["PYTHONPATH"] = found.python_path
    return found
