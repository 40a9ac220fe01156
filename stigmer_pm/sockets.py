"""Where the sockets of this user's supervisors lie: written down once, for those who listen and those who look."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator, Mapping

#: The length of a socket's path that every kernel takes, the closing zero included (Linux 108, macOS 104).
LONGEST_PATH = 103
#: Seconds between two tries to connect where the queue of those who wait is full.
_AGAIN = 0.01


def connected(path: str, timeout: float) -> socket.socket:
    """A connection to the socket at ``path``; ``timeout`` is in seconds, for this and for each read and write on it.

    Raises:
        OSError: nobody listens there, or nobody lets us in within that time (TimeoutError).
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    ends_at = time.monotonic() + timeout
    try:
        connection.settimeout(timeout)
        while True:
            try:
                connection.connect(path)
            except BlockingIOError:
                # Too many wait to be let in: with a timeout the kernel says so at once, and lets nobody wait.
                if time.monotonic() > ends_at:
                    raise TimeoutError from None
                time.sleep(_AGAIN)
            else:
                return connection
    except BaseException:
        connection.close()
        raise


def peer_of(connection: socket.socket) -> tuple[int | None, int | None]:
    """The process and the user at the other end, by the kernel's word; ``None`` where it doesn't tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None, None
    pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return int(pid), int(uid)


def socket_name(state_dir: str) -> str:
    """The name of a project's socket, made from the path of its state folder."""
    import hashlib  # noqa: PLC0415 (a client that finds the address written down doesn't need it)

    return hashlib.sha256(os.fsencode(os.path.realpath(state_dir))).hexdigest()[:16] + ".sock"


def own_folders(environ: Mapping[str, str]) -> Iterator[str]:
    """Where a supervisor that is started now would put its socket, the best place first."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isabs(runtime):
        yield os.path.join(runtime, "stigmer-pm")
    yield os.path.join(_temporary(environ), f"stigmer-pm-{os.geteuid()}")


def all_folders(environ: Mapping[str, str]) -> Iterator[str]:
    """Everywhere that a supervisor of this user may have put its socket, whichever login started it."""
    others = (f"/run/user/{os.geteuid()}/stigmer-pm", f"/tmp/stigmer-pm-{os.geteuid()}")  # noqa: S108
    yield from dict.fromkeys((*own_folders(environ), *others))


def _temporary(environ: Mapping[str, str]) -> str:
    """As :func:`tempfile.gettempdir`, whose module costs more than it is worth here."""
    for folder in (environ.get("TMPDIR"), environ.get("TEMP"), environ.get("TMP"), "/tmp", "/var/tmp"):  # noqa: S108
        if folder and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return os.path.abspath(folder)
    return os.getcwd()
