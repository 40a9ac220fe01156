"""Whether somebody answers already where the probes of a component will ask, before the component begins.

Whoever has the port passes for the component, which dies of that a moment later: "address already in use".
"""

from __future__ import annotations

import errno
import socket

from stigmer_pm.probes.connect import is_connected_to_itself
from stigmer_pm.spec import GrpcCheck, HttpCheck, Probes, TcpCheck


def is_answered(probes: Probes) -> bool:
    """Somebody takes connections where these probes will ask, on this machine.

    Only the probes that say when a component has come up count, and only when each of them asks a port: the others ask
    the component itself. What is asked of another machine is none of its own ports.
    """
    places = []
    for probe in (probes.startup, probes.readiness):
        if probe is None:
            continue
        if not isinstance(probe.check, (HttpCheck, TcpCheck, GrpcCheck)):
            return False
        places.append((probe.check.host, probe.check.port))
    return any(_takes_connections(host, port) for host, port in places if _is_here(host))


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _takes_connections(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as sock:
            sock.setblocking(False)
            address = "127.0.0.1" if host == "localhost" else host
            failure = sock.connect_ex((address, port))
            if failure == errno.EINPROGRESS:
                # On one machine the handshake is over by now, though the call says otherwise.
                failure = sock.connect_ex((address, port))
            if failure == errno.EALREADY:
                return True  # somebody listens, and has too many in its queue
            return failure in (0, errno.EISCONN) and not is_connected_to_itself(sock)
    except OSError:
        return False
