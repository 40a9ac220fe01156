"""Moving into the state folder: making it, refusing one that isn't safe, and the lock that only one can have."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress

from stigmer_pm.locks import unexecuted
from stigmer_pm.runtime import system, table
from stigmer_pm.statedir import StateDir
from stigmer_pm.supervisor.errors import Refused
from stigmer_pm.supervisor.private_folder import NotPrivate, make_private

#: What a state folder of ours, or a folder within it, has in it.
_OURS = ("supervisor.lock", "state.db", "supervisor.log")


#: Seconds that a fork of a supervisor that was killed has to become another program, which takes a millisecond; until
#: one that is ended for not doing it is gone; and between looks.
_EXECUTED_WITHIN = 1.0
_ENDED_WITHIN = 6.0
_LOOK = 0.01


class Busy(Exception):
    """Another supervisor holds the lock of this state folder."""


class Home:
    """A state folder that is ours: safe, and locked for as long as this object is open."""

    def __init__(self, path: str, lock_fd: int | None = None) -> None:
        """Make or check the folder, and lock it, unless it is locked already by ``lock_fd``.

        Raises:
            Refused: the folder can't be made, or is not safe to use; or processes can't be told apart here.
            Busy: another supervisor runs here.
        """
        if table.is_of_another_namespace():
            raise Refused(
                "cannot tell processes apart: /proc is that of another pid namespace",
                cure="mount one that is of this namespace (unshare --mount-proc)",
            )
        self.dir = StateDir(path)
        self._is_new = not os.path.lexists(path)
        self.lock_fd = self._move_in(lock_fd)

    def _move_in(self, lock_fd: int | None = None) -> int:
        try:
            make_private(self.dir.path, _is_ours)
            for folder in (self.dir.logs, self.dir.pids):
                os.makedirs(folder, 0o700, exist_ok=True)
            lock_fd = _lock(self.dir.lock) if lock_fd is None else lock_fd
            _write_new(self.dir.gitignore, "*\n")
        except NotPrivate as error:
            raise Refused(
                f"cannot use the state folder '{self.dir.path}': {error}", cure=error.cure, code="not-private"
            ) from error
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Refused(
                f"cannot use the state folder '{self.dir.path}': {reason}",
                cure="set state_dir in stigmer.yaml to a folder that you can write",
                exit_status=2,
            ) from error
        return lock_fd

    def is_in_place(self) -> bool:
        """The folder is still there, with the lock that we hold; somebody may have removed it."""
        try:
            there, ours = os.stat(self.dir.lock), os.fstat(self.lock_fd)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def move_back_in(self) -> None:
        """Make the folder anew, and lock it.

        Raises:
            Refused: it can't be made.
            Busy: another supervisor has been faster.
        """
        lock_fd = self._move_in()
        os.close(self.lock_fd)
        self.lock_fd = lock_fd

    def publish(self, address: Mapping[str, object]) -> None:
        """Write down where this supervisor is found; readers see the old or the new one, never a half."""
        temporary = f"{self.dir.address}.new"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(address, file)
        os.replace(temporary, self.dir.address)

    def is_published(self, address: Mapping[str, object]) -> bool:
        """This address is what readers find."""
        try:
            with open(self.dir.address, encoding="utf-8") as file:
                return bool(json.load(file) == dict(address))
        except (OSError, ValueError):
            return False

    def unpublish(self) -> None:
        """This supervisor ends in good order; an address that stays behind is that of one that was killed."""
        with suppress(OSError):
            os.unlink(self.dir.address)

    def withdraw(self) -> None:
        """Take the folder away again if it is new: nothing has come of it."""
        if self._is_new:
            shutil.rmtree(self.dir.path, ignore_errors=True)

    def close(self) -> None:
        """Give the lock back."""
        os.close(self.lock_fd)


def _is_ours(descriptor: int) -> bool:
    return any(name in _OURS for name in os.listdir(descriptor))


def _lock(path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _take(descriptor, path)
    except BaseException:
        os.close(descriptor)
        raise
    with suppress(OSError):  # a full disk: the lock is what counts, the pid in it is for people
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def _take(descriptor: int, path: str) -> None:
    """Lock it; wait for what a dead supervisor has forked and that is about to become a run of ours or a probe.

    Raises:
        Busy: another supervisor has it.
        Refused: what was forked can't be ended.
    """
    began = system.now()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left, waited = unexecuted(path), system.now() - began
        else:
            return
        if not left and waited < _LOOK:
            time.sleep(_LOOK)  # it has just let go of it, or somebody has just asked whether it is locked
        elif not left:
            raise Busy
        elif waited > _ENDED_WITHIN:
            raise Refused(
                f"cannot take over: what the last supervisor was starting (pid {left[0]}) can't be ended",
                cure="the kernel is still reading its program; see whether the file system of that answers",
                exit_status=1,
                code="starting",
            )
        elif waited > _EXECUTED_WITHIN:
            for pid in left:  # nothing of it has run, and the run is started anew
                system.send_signal(pid, system.KILL)
        time.sleep(_LOOK)


def _write_new(path: str, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
