"""One connection to a supervisor's socket, made only after it is certain whose socket that is.

The environment of a whole project, secrets included, travels here. So the socket file and the process behind it must
both belong to the owner of the state folder before a byte is sent.
"""

from __future__ import annotations

import errno
import os
import socket

from stigmer_pm.client.finding import Address, belongs_to
from stigmer_pm.sockets import connected, peer_of


def connect(address: Address, timeout: float) -> socket.socket:
    """A connection to the supervisor at ``address``; ``timeout`` in seconds counts for each read and write on it.

    Raises:
        OSError: nobody listens, or the socket is gone.
        NoSupervisor: it is somebody else's.
    """
    owner = os.lstat(address.socket).st_uid
    if owner != address.owner_uid:
        raise belongs_to(f"the socket {address.socket}", owner)
    connection = connected(address.socket, timeout)
    try:
        pid, uid = peer_of(connection)
        if pid and not _lives(pid):
            # What it had just forked has its socket, too, until that is another program; nobody will answer.
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        if uid is not None and uid != address.owner_uid:
            raise belongs_to(f"the process that answers at {address.socket}", uid)
    except BaseException:
        connection.close()
        raise
    return connection


def _lives(pid: int) -> bool:
    """The process has not ended; where there is no ``/proc``, this can't be told, and it is taken to live."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return not os.path.isdir("/proc/self")
