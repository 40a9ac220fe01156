"""Where the Docker engine is: ``DOCKER_HOST``, else the chosen docker context, else the usual socket.

The rules are those of the ``docker`` command, by the environment of the ``up`` that the project was started with.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

#: Where an engine listens that nobody has configured.
USUAL = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """An engine's URL, and the folder of ``ca.pem``, ``cert.pem`` and ``key.pem`` when it wants TLS.

    ``verifies``: the engine's certificate is checked.
    """

    url: str
    certificates: str | None = None
    verifies: bool = True

    @property
    def is_local(self) -> bool:
        """It listens on a socket of this machine; so its processes may be to be seen from here."""
        return self.url.startswith("unix://")

    @property
    def socket(self) -> str:
        """The path of the socket of a local one."""
        return self.url.removeprefix("unix://")


class BadContext(Exception):
    """The docker context that is chosen can't be read."""


def engine_address(environment: Mapping[str, str]) -> EngineAddress:
    """Where the engine is.

    Raises:
        BadContext: a docker context is chosen, and is not there or is not for a Docker engine.
    """
    host = environment.get("DOCKER_HOST", "")
    if host:
        certificates = environment.get("DOCKER_CERT_PATH") or _config_folder(environment)
        wants_tls = bool(environment.get("DOCKER_TLS_VERIFY"))
        return EngineAddress(host, certificates if wants_tls else None)
    name = environment.get("DOCKER_CONTEXT") or _current_context(environment)
    return EngineAddress(USUAL) if name in ("", "default") else _context(environment, name)


def _config_folder(environment: Mapping[str, str]) -> str:
    home = environment.get("HOME") or os.path.expanduser("~")
    return environment.get("DOCKER_CONFIG") or os.path.join(home, ".docker")


def _current_context(environment: Mapping[str, str]) -> str:
    try:
        with open(os.path.join(_config_folder(environment), "config.json"), encoding="utf-8") as file:
            return str(json.load(file).get("currentContext") or "")
    except (OSError, ValueError, AttributeError):
        return ""  # docker itself goes on without it, too


def _context(environment: Mapping[str, str], name: str) -> EngineAddress:
    folder = os.path.join(_config_folder(environment), "contexts")
    identity = hashlib.sha256(name.encode()).hexdigest()
    try:
        with open(os.path.join(folder, "meta", identity, "meta.json"), encoding="utf-8") as file:
            endpoint = json.load(file)["Endpoints"]["docker"]
        certificates = os.path.join(folder, "tls", identity, "docker")
        has_tls = os.path.isdir(certificates)
        verifies = not endpoint.get("SkipTLSVerify")
        return EngineAddress(str(endpoint["Host"]), certificates if has_tls else None, verifies)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadContext(f"the docker context '{name}' can't be read; see 'docker context ls'") from error
