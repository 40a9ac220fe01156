"""Running a command inside a container, within a time: for exec probes."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stigmer_pm.runtime import system, table

if TYPE_CHECKING:
    from docker import APIClient

#: Bytes of output that are kept (the kubelet's limit).
_OUTPUT = 10 * 1024
#: Bytes before each piece of output: the stream, three zeros, the length.
_HEADER = 8
#: Looks for the exit status of a command whose output has ended, and seconds between them.
_LOOKS, _LOOK_AGAIN = 50, 0.01


@dataclass(frozen=True, slots=True)
class Executed:
    """How a command ended: its exit status, or ``None`` when the time was up and it has been killed."""

    code: int | None
    output: str


def execute(
    client: APIClient,
    container: str,
    argv: Sequence[str],
    timeout: float,
    *,
    environment: Mapping[str, str],
    working_dir: str | None,
    user: str | None,
) -> Executed:
    """Run a command in a container and wait at most ``timeout`` seconds for it. Blocks."""
    ends_at = time.monotonic() + timeout
    command = client.exec_create(
        container,
        list(argv),
        environment=dict(environment) or None,
        workdir=working_dir,
        user=user or "",
    )["Id"]
    stream = client.exec_start(command, socket=True)
    try:
        output, is_over = _read(_socket_of(stream), ends_at)
    finally:
        _close(stream)
    if is_over:
        for _ in range(_LOOKS):
            found = client.exec_inspect(command)
            if not found["Running"] and found["ExitCode"] is not None:
                return Executed(int(found["ExitCode"]), output)
            time.sleep(_LOOK_AGAIN)
    _kill(client, container, int(client.exec_inspect(command).get("Pid") or 0))
    return Executed(None, output)


def _read(stream: socket.socket, ends_at: float) -> tuple[str, bool]:
    """What it prints, up to the limit, and whether it has ended within the time."""
    raw, kept = bytearray(), bytearray()
    while (left := ends_at - time.monotonic()) > 0:
        stream.settimeout(left)
        try:
            data = stream.recv(65536)
        except TimeoutError:
            break
        if not data:
            return _text(kept), True
        raw += data
        while len(raw) >= _HEADER and len(raw) >= _HEADER + (size := int.from_bytes(raw[4:_HEADER], "big")):
            kept += raw[_HEADER : _HEADER + size][: _OUTPUT - len(kept)]
            del raw[: _HEADER + size]
    return _text(kept), False


def _text(kept: bytearray) -> str:
    return kept.decode(errors="replace").rstrip()


def _socket_of(stream: Any) -> socket.socket:
    """The SDK wraps the socket, by a file object or by one of its own."""
    return getattr(stream, "_sock", stream)  # type: ignore[no-any-return]


def _close(stream: Any) -> None:
    """By the response that owns the connection: closed behind its back, it complains when it is collected."""
    owner = getattr(stream, "_response", stream)
    with suppress(Exception):
        owner.close()


def _kill(client: APIClient, container: str, pid: int) -> None:
    """An engine can't end what it has begun in a container (its API has nothing for it): by its pid, from here, or,
    where that is another user's, from inside."""
    if not pid or not _is_in(pid, container):
        return
    tree = [*table.descendants(pid), pid]
    inside = [number for number in map(_pid_inside, tree) if number]
    killed = [system.send_signal(process, system.KILL) for process in tree]
    if not all(killed) and inside:
        killer = client.exec_create(container, ["kill", "-9", *inside], user="0")["Id"]
        with suppress(Exception):
            client.exec_start(killer)


def _is_in(pid: int, container: str) -> bool:
    try:
        with open(f"/proc/{pid}/cgroup", encoding="ascii", errors="replace") as file:
            return container in file.read()
    except OSError:
        return False


def _pid_inside(pid: int) -> str:
    with suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("NSpid:"):
                return line.split()[-1]
    return ""
