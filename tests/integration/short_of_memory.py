"""A program whose forks fail with ENOMEM while a test says so: the kernel has the test answer them (seccomp_unotify).

Memory can't be taken from one process so that it gets ENOMEM, and nobody else anything: a fork that shares its memory
until the exec needs hardly any, a limit of its address space isn't asked about it, a cgroup that is full has something
killed, and the rules of overcommitment are those of the machine.
"""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from ..project import Project

#: The numbers of vfork, fork and clone; one that is no thread is a process.
_CALLS = {"x86_64": (58, 57, 56), "aarch64": (220,)}
_NOTIF_RECV, _NOTIF_SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1

# Filters the forks of itself and of what it starts, hands on the descriptor that tells of them, and becomes stigmer-pm.
_LAUNCHER = """\
import ctypes, os, socket, struct, sys
path, calls = sys.argv[1], [int(word) for word in sys.argv[2].split(",")]
del sys.argv[1:3]
LOAD, IS, HAS, ANSWER = 0x20, 0x15, 0x45, 0x06
*others, clone = calls
rows = [(LOAD, 0, 0, 0)]  # the number of the call
rows += [(IS, len(others) - at + 3, 0, number) for at, number in enumerate(others)]
rows += [(IS, 0, 2, clone), (LOAD, 0, 0, 16), (HAS, 0, 1, 0x10000)]  # its flags; CLONE_THREAD
rows += [(ANSWER, 0, 0, 0x7FFF0000), (ANSWER, 0, 0, 0x7FC00000)]  # let it through; ask
text = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *row) for row in rows))
program = struct.pack("@HP", len(rows), ctypes.addressof(text))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
listener = libc.syscall(number, 1, 8, ctypes.create_string_buffer(program))
with socket.socket(socket.AF_UNIX) as test:
    test.connect(path)
    socket.send_fds(test, [b"here" if listener >= 0 else b"none"], [listener] if listener >= 0 else [])
if listener < 0:
    sys.exit(77)
os.close(listener)
from stigmer_pm.__main__ import main
sys.exit(main())
"""


class Memory:
    """What there is of it for forks of the program, and of the supervisor that it leaves behind."""

    def __init__(self) -> None:
        #: None is left for this process; 0: for nobody.
        self.is_short_for: int | None = None
        #: Forks that have failed.
        self.refused = 0
        self._is_over = threading.Event()

    def answer(self, listener: int) -> None:
        """Answer each fork until this is over, or nobody is left who could fork."""
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while not self._is_over.is_set():
            for _, what in poll.poll(50):
                if what & select.POLLHUP:
                    return
                with suppress(OSError):  # who asked was killed meanwhile
                    self._answer_one(listener)

    def _answer_one(self, listener: int) -> None:
        question = bytearray(80)
        fcntl.ioctl(listener, _NOTIF_RECV, question)
        number, pid = struct.unpack_from("=QI", question)
        is_refused = self.is_short_for in (0, pid)
        self.refused += is_refused
        answer = (number, 0, -errno.ENOMEM, 0) if is_refused else (number, 0, 0, _CONTINUE)
        fcntl.ioctl(listener, _NOTIF_SEND, bytearray(struct.pack("=QqiI", *answer)))

    def close(self) -> None:
        """Answer no more; whoever forks from now on is told that there is no such call."""
        self._is_over.set()


@contextmanager
def up(project: Project, memory: Memory) -> Iterator[subprocess.Popen[str]]:
    """``up``, as a program whose forks the memory answers within the block."""
    path = project.dir / "tmp" / "forks.sock"
    calls = ",".join(map(str, _CALLS[platform.machine()]))
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        door.settimeout(30.0)
        process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCHER, str(path), calls, "up"],
            cwd=project.dir, env=project.environ, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with door.accept()[0] as caller:
            _, descriptors, _, _ = socket.recv_fds(caller, 16, 1)
    if not descriptors:
        process.communicate()
        pytest.skip("this machine doesn't let forks be answered")
    thread = threading.Thread(target=memory.answer, args=(descriptors[0],))
    thread.start()
    try:
        yield process
    finally:
        memory.close()
        thread.join()
        os.close(descriptors[0])


def lacking() -> str:
    """Why it can't be done here; empty when it can."""
    return "" if platform.machine() in _CALLS else "the numbers of the system calls of this machine aren't known"
