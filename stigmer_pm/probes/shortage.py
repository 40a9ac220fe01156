"""What the prober itself is short of. It says nothing about the component, and must restart none."""

from __future__ import annotations

import errno
import os
import socket

from stigmer_pm.threads import is_without_thread

_OWN_SHORTAGE = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOBUFS})


def is_own_shortage(error: Exception) -> bool:
    """Whether ``error`` says that the prober is short of descriptors, processes or memory, and so nothing about the
    component.

    Counting it as a failure would let a shortage in the supervisor restart every component there is.
    """
    if is_without_thread(error):
        return True
    if isinstance(error, socket.gaierror):
        return False  # its numbers are the resolver's own, and on some systems they are those of other errors
    return isinstance(error, OSError) and error.errno in _OWN_SHORTAGE


def check_resolver(error: socket.gaierror) -> None:
    """A look-up of a host has failed: was it for lack of something?

    The resolver reads files and opens sockets, and says "not known" when it may open none.

    Raises:
        OSError: it was; what was lacking.
    """
    # EAI_SYSTEM, where errno tells, never comes here: Python raises it as the OSError that it is.
    if error.errno == socket.EAI_MEMORY:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from error
    check_descriptors(1)


def check_descriptors(count: int) -> None:
    """See whether so many descriptors are free.

    Raises:
        OSError: they aren't.
    """
    held: list[int] = []
    try:
        held.extend(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC) for _ in range(count))
    finally:
        for descriptor in held:
            os.close(descriptor)
