"""What an engine's errors mean: that it can't be reached, or that it has refused something, each in a line of words."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from stigmer_pm.runtime.containers.address import EngineAddress
from stigmer_pm.threads import NoThread


class EngineSilence(Exception):
    """The engine can't be reached, or is just beginning or ending: nothing that a component can be blamed for."""


class EngineRefusal(Exception):
    """The engine has said no. ``status`` is that of HTTP: 404 (there is none), 409 (in conflict), and so on."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


#: What engines say while they are being stopped or are just starting, with the status of an error of their own.
_ENDING = (
    "shutting down",
    "is shutting",
    "context canceled",
    "error while dialing",
    "transport is closing",
    "containerd.sock",
    "connection refused",
    "grpc: the client connection is closing",
)


def explain(error: Exception, address: EngineAddress) -> EngineSilence | EngineRefusal | None:
    """What an exception of the SDK means; ``None``: it is none of the engine's or the network's, but our own matter."""
    import docker.errors
    import requests.exceptions
    import urllib3.exceptions

    if isinstance(error, (EngineSilence, EngineRefusal)):
        return error
    if isinstance(error, NoThread):
        return None
    if isinstance(error, docker.errors.APIError):
        return _refusal(error)
    known = (
        docker.errors.DockerException,
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
    )
    return EngineSilence(silence_words(error, address)) if isinstance(error, known) else None


def _refusal(error: Exception) -> EngineSilence | EngineRefusal:
    status = int(getattr(error, "status_code", None) or 500)
    message = " ".join(str(getattr(error, "explanation", None) or error).split())
    if status >= 500 and any(words in message.lower() for words in _ENDING):
        return EngineSilence(f"the Docker engine is being stopped or started: {message}")
    return EngineRefusal(status, message)


def silence_words(error: BaseException, address: EngineAddress) -> str:
    """Why an engine can't be reached, and the cure."""
    number = next((number for number in map(_errno, _chain(error)) if number), None)
    if number == errno.ENOENT and address.is_local:
        return f"no Docker engine is at {address.url}; install Docker, or start it (systemctl start docker)"
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"no permission for the Docker engine at {address.url}; join the group docker "
            "(usermod -aG docker YOU, then log in again)"
        )
    if number == errno.ECONNREFUSED:
        return f"the Docker engine at {address.url} does not run; start it (systemctl start docker)"
    if number in (errno.ECONNRESET, errno.EPIPE) or "Connection aborted" in str(error):
        return f"the Docker engine at {address.url} has gone away"
    detail = " ".join(str(error).split())
    if "timed out" in detail.lower():
        return f"the Docker engine at {address.url} doesn't answer"
    return f"the Docker engine at {address.url} can't be reached: {detail[:200]}"


def _errno(error: BaseException) -> int | None:
    return error.errno if isinstance(error, OSError) and isinstance(error.errno, int) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it was made from: requests and urllib3 keep causes in their arguments, too."""
    pending, seen = [error], set()
    while pending:
        one = pending.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        causes = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        pending += [cause for cause in causes if isinstance(cause, BaseException)]
