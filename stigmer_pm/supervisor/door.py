"""The socket: where it lies, who may come in, and answering HTTP on it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from stigmer_pm.sockets import LONGEST_PATH, connected, own_folders, peer_of, socket_name
from stigmer_pm.supervisor.private_folder import NotPrivate, make_private

if TYPE_CHECKING:
    from starlette.applications import Starlette

_log = logging.getLogger(__name__)

#: Connections that wait to be let in: as many as may be in (`visitors`), who all may come at once.
BACKLOG = 512


def socket_path(state_dir: str, environ: Mapping[str, str]) -> str:
    """Where the socket of the project in ``state_dir`` goes: the user's runtime folder, or one under the temporary.

    The folder is made and is ours alone when this returns.

    Raises:
        OSError: neither folder can be made or trusted.
    """
    name, folders = socket_name(state_dir), list(own_folders(environ))
    failure: OSError | None = None
    for folder in folders:
        path = os.path.join(folder, name)
        if len(os.fsencode(path)) > LONGEST_PATH:
            continue
        try:
            make_private(folder)
            _refuse_what_is_no_socket(path)
        except NotPrivate as error:
            failure = PermissionError(f"'{folder}': {error}")
            continue
        except OSError as error:
            failure = error
            continue
        return path
    raise failure or OSError(f"the path of the socket would be longer than {LONGEST_PATH} bytes: {folders[0]}")


def _refuse_what_is_no_socket(path: str) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(f"'{path}' is there and is no socket; remove it")


def listen(path: str) -> socket.socket:
    """A listening socket at ``path``, mode 0600. One that lies there is stale: we hold the project's lock.

    Raises:
        OSError: it can't be made there.
    """
    with suppress(FileNotFoundError):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The folder lets nobody else in, so nobody can connect between these two.
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def stop_listening(listener: socket.socket) -> None:
    """Close it and remove it from its place."""
    path = listener.getsockname()
    listener.close()
    with suppress(OSError):
        os.unlink(path)


def answering_pid(path: str) -> int | None:
    """The process that listens at ``path``, by the kernel's word; 0: one it doesn't name; ``None``: nobody does."""
    try:
        connection = connected(path, 1.0)
    except TimeoutError:
        return 0
    except OSError:
        return None
    with connection:
        pid, _ = peer_of(connection)
        return pid or 0


class Door:
    """Answers HTTP on the socket with an ASGI application. Idle, it costs nothing."""

    def __init__(self, app: Starlette) -> None:
        from uvicorn import Config
        from uvicorn.server import ServerState

        from stigmer_pm.supervisor.visitors import Visitors

        # No access log, no signal handlers, no ticking main loop: only uvicorn's protocol is used, on our own loop.
        self._config = Config(
            app, log_config=None, access_log=False, lifespan="off", server_header=False, ws="none", http="h11"
        )
        self._config.load()
        self._state = ServerState()
        self._visitors = Visitors(self._config, self._state)
        self._server: asyncio.Server | None = None
        self._listener: socket.socket | None = None
        self.path = ""

    async def open(self, path: str, listener: socket.socket | None = None) -> None:
        """Listen at ``path``, or go on with a ``listener`` that was handed over and lies there.

        Raises:
            OSError: the socket can't be made there.
        """
        await self.close()
        asyncio.get_running_loop().set_exception_handler(_tell)
        self._listener = listen(path) if listener is None else listener
        self.path = path
        await self.resume()

    async def resume(self) -> None:
        """Answer (again), unless it has been closed."""
        if self._listener is None:
            return
        # Python 3.13 and later would remove the socket with a server that is closed; we say when.
        options: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
        loop = asyncio.get_running_loop()
        # asyncio would take as many connections in one go as may wait; and where no descriptor is free, fail as often.
        options["backlog"] = 1
        self._server = await loop.create_unix_server(self._visitors.protocol, sock=self._listener, **options)
        self._listener.listen(BACKLOG)

    async def pause(self) -> int:
        """Take nothing more in, and answer what is under way, within a second. The descriptor of the socket: who
        connects from now on waits in the kernel's queue, for :meth:`resume` or for whoever gets the descriptor."""
        assert self._listener is not None, "it is open"
        kept = self._listener.dup()
        if self._server is not None:
            self._server.close()
            self._server = None
        self._listener = kept
        await self.drain()
        return kept.fileno()

    @property
    def is_listening(self) -> bool:
        """It has a socket, wherever that lies."""
        return self._listener is not None

    def is_open(self) -> bool:
        """The socket lies where clients look for it."""
        return bool(self.path) and os.path.exists(self.path)

    async def close(self) -> None:
        """Stop listening and remove the socket; answers that are under way go on until the loop ends."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            with suppress(OSError):
                os.unlink(self.path)

    async def end(self) -> None:
        """Close, let those be answered who can be within a second, and hang up on the rest: it was ended, and
        whoever reads that in the log as a cancelled task of ours would take it for a bug."""
        await self.close()
        self._visitors.send_away(owing_only=True)
        await self.drain()
        self._visitors.send_away()
        await self.drain()

    async def drain(self) -> None:
        """Wait until the answers under way are written, a second at most."""
        self._visitors.close()
        tasks = list(self._state.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio has to say of an error that nobody caught."""
    if isinstance(context.get("exception"), OSError) and "socket" in context and "accept" in context["message"]:
        _log.warning("nobody can be let in for now: %s (ulimit -n)", context["exception"])
    else:
        loop.default_exception_handler(context)
