"""Trying a program that is to take over, in a child: can it be imported, and does it read what this one has written?"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.handover import FORMAT, Successor

#: Seconds that the check may take; it takes half of one.
_CHECK_WITHIN = 30.0
#: Bytes of what it says that are read: what a pipe holds, so that it never waits for us.
_MOST_WORDS = 65536


class Child(Protocol):
    """A command that runs."""

    exited: asyncio.Future[int]

    def kill_tree(self) -> None:
        """End it."""


Spawn = Callable[[tuple[str, ...], dict[str, str], int], Child]


async def check(successor: Successor, database: str, spawn: Spawn) -> str:
    """The version of a program that can take over.

    ``spawn`` starts a command with an environment and a descriptor for its output.

    Raises:
        Refused: it can't, and why.
    """
    read_fd, write_fd = os.pipe()
    try:
        os.set_blocking(read_fd, False)
        command = successor.command("stigmer_pm.selfcheck", str(FORMAT), database)
        child = spawn(command, successor.environment(), write_fd)
        try:
            done, _ = await asyncio.wait([child.exited], timeout=_CHECK_WITHIN)
        finally:
            child.kill_tree()  # harmless when it has ended; nobody waits for one that has not
        if not done:
            raise _refusal(f"it did not answer within {_CHECK_WITHIN:.0f} s")
        words = ""
        with suppress(BlockingIOError):
            words = os.read(read_fd, _MOST_WORDS).decode(errors="replace")
    except OSError as error:
        raise _refusal(f"'{successor.python}': {(error.strerror or str(error)).lower()}") from error
    finally:
        os.close(read_fd)
        os.close(write_fd)
    return _version_in(words, child.exited.result())


def _version_in(words: str, status: int) -> str:
    """The version in what the program has said, of which the last line counts.

    Raises:
        Refused: there is none.
    """
    last = (words.strip().splitlines() or [""])[-1]
    try:
        found = json.loads(last)
    except (ValueError, RecursionError):
        raise _refusal(last or f"it ended with wait status {status}") from None
    if not isinstance(found, dict):
        raise _refusal(f"its answer is no version: {last}")
    if "version" not in found:
        raise _refusal(str(found.get("error")))
    return str(found["version"])


def _refusal(why: str) -> Refused:
    return Refused(
        f"the installed version can't take over: {why}",
        cure="repair the installation and try again; the supervisor that runs goes on as before",
        code="successor",
        exit_status=1,
        status=409,
    )
