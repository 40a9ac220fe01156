"""Container logs of a Docker engine, through the connection that the SDK has opened.

The SDK's own iterator hands out one entry for each two reads, can't say whether more has arrived, and blocks until
something does. Here its connection is read directly: everything that has arrived at once, with a deadline.
"""

from __future__ import annotations

import math
import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from typing import TYPE_CHECKING, Any

from stigmer_pm.runtime.containers.trouble import EngineRefusal

if TYPE_CHECKING:
    from docker import APIClient  # costs 140 ms and 20 MB, so it is imported when there is a container
    from requests import Response

#: Seconds to wait for a connection. After that there is no deadline: an engine may have nothing to say for days.
_CONNECT_WITHIN = 30

#: Bytes that are read, and so written, at once.
_READ = 64 * 1024

#: Seconds of silence after which a remote engine is asked whether it is there, so that a dead one is noticed.
_KEEPALIVE_AFTER = 60


class EngineLogs:
    """The log API of a Docker engine; may be used by many threads at once."""

    def __init__(self, client: APIClient) -> None:
        self._client = client

    def open_log(self, container_id: str, since: int | None, follow: bool) -> EngineLogReader:
        """See ``LogSource.open_log``."""
        client = self._client
        url = f"{client.base_url}/v{client.api_version}/containers/{container_id}/logs"
        asked = {"stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(follow), "since": since}
        response = client.get(url, params=asked, stream=True, timeout=(_CONNECT_WITHIN, None))
        try:
            if response.status_code != 200:
                raise EngineRefusal(response.status_code, _refusal_of(response))
            return EngineLogReader(response)
        except BaseException:
            response.close()
            raise


class EngineLogReader:
    """See ``LogReader``."""

    def __init__(self, response: Response) -> None:
        self._response = response
        connection = _connection_of(response)
        self._file: BufferedReader = connection.fp
        self._chunks = Chunks() if connection.chunked else None
        self._pending = _pending_of(self._file)
        self._poll = select.poll()
        self._poll.register(self._file.fileno(), select.POLLIN)
        # What was read along with the header of the answer is in the buffer, where no poll finds it. The first read
        # takes it out, and from then on the buffer is passed by, since more is asked for than it can hold.
        self._is_first = True
        # A second descriptor of the connection, since none that the library holds is ours to shut down.
        self._handle = socket.socket(fileno=os.dup(self._file.fileno()))
        if self._handle.family in (socket.AF_INET, socket.AF_INET6):
            self._handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            with suppress(AttributeError, OSError):  # not every system has it
                self._handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_AFTER)

    def read(self, timeout_s: float | None) -> bytes | None:
        """See ``LogReader.read``."""
        while self._chunks is None or not self._chunks.is_over:
            if not self._wait(timeout_s):
                return None
            data = self._file.read1(_READ)
            if self._chunks is None:
                return data
            if not data:
                raise ConnectionError("the engine has broken off the log")
            data = self._chunks.feed(data)
            if data:
                return data
        return b""

    def interrupt(self) -> None:
        """See ``LogReader.interrupt``."""
        with suppress(OSError):  # it is closed, or not connected any more
            self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """See ``LogReader.close``."""
        self._handle.close()
        self._response.close()

    def _wait(self, timeout_s: float | None) -> bool:
        if self._is_first:
            self._is_first = False
            return True
        if self._pending():
            return True
        return bool(self._poll.poll(None if timeout_s is None else math.ceil(timeout_s * 1000)))


class Chunks:
    """Takes the bytes of a body in HTTP's chunked coding in any pieces, and hands out what is in complete chunks."""

    def __init__(self) -> None:
        self._rest = b""
        #: The last chunk has come.
        self.is_over = False

    def feed(self, data: bytes) -> bytes:
        """What is in the chunks that are complete now.

        Raises:
            ConnectionError: this isn't chunked.
        """
        if self._rest:
            data = self._rest + data
        contents: list[bytes] = []
        at, end = 0, len(data)
        while not self.is_over:
            start = data.find(b"\r\n", at) + 2
            if start < 2:
                break
            size = _size_of(data[at : start - 2])
            stop = start + size
            if stop + 2 > end:
                break
            contents.append(data[start:stop])
            at = stop + 2
            self.is_over = size == 0
        self._rest = data[at:]
        return b"".join(contents)


def _size_of(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise ConnectionError(f"the engine's answer isn't in chunks: {line[:40]!r}") from None


def _refusal_of(response: Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.text.strip() or response.reason


def _connection_of(response: Response) -> Any:
    """The ``http.client.HTTPResponse`` inside. The SDK gets at its sockets in the same way."""
    connection = getattr(response.raw, "_fp", None)
    if not isinstance(getattr(connection, "fp", None), BufferedReader):
        raise EngineRefusal(501, "logs can't be read through this kind of connection to the engine")
    return connection


def _pending_of(file: BufferedReader) -> Callable[[], int]:
    """With TLS a read may leave bytes behind that are decoded already, where no poll finds them."""
    pending = getattr(getattr(file.raw, "_sock", None), "pending", None)
    return pending if callable(pending) else _nothing


def _nothing() -> int:
    return 0
