"""Where a port of a container answers, seen from here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from stigmer_pm.runtime.containers.address import EngineAddress

_HERE = "127.0.0.1"
_ANY = ("", "0.0.0.0", "::")  # noqa: S104 (read, and not bound to)


def find(inspected: Mapping[str, Any], port: int, address: EngineAddress) -> tuple[str, int] | None:
    """The host and port; ``None``: it has no address, and doesn't publish the port.

    The container's own address is asked where it can be reached. What stands before a published port, the engine's
    proxy, takes connections even while nobody listens behind it.
    """
    if inspected.get("HostConfig", {}).get("NetworkMode") == "host":
        return _host_of(address), port
    settings = inspected.get("NetworkSettings", {})
    published = (settings.get("Ports") or {}).get(f"{port}/tcp") or ()
    if _reaches_containers(address):
        for network in (settings.get("Networks") or {}).values():
            if network.get("IPAddress"):
                return str(network["IPAddress"]), port
    for place in published:
        host = str(place.get("HostIp", ""))
        return _host_of(address) if host in _ANY else host, int(place["HostPort"])
    return None


def _reaches_containers(address: EngineAddress) -> bool:
    """Networks of an engine of this machine lead here, unless it runs without root, or in a virtual machine: then its
    socket is a user's."""
    try:
        return address.is_local and os.stat(address.socket).st_uid == 0
    except OSError:
        return False


def _host_of(address: EngineAddress) -> str:
    return _HERE if address.is_local else urlsplit(address.url).hostname or _HERE
