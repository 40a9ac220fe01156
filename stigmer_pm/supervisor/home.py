"""Moving into the state folder: making it, refusing one that isn't safe, and the lock that only one can have."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress

from stigmer_pm.locks import unexecuted
from stigmer_pm.notes import write_note
from stigmer_pm.plain_files import plain
from stigmer_pm.runtime import system, table
from stigmer_pm.statedir import StateDir
from stigmer_pm.supervisor.errors import Refused, refuse_full_disk
from stigmer_pm.supervisor.full_disk import is_full
from stigmer_pm.supervisor.private_folder import NotPrivate, make_private

#: What a state folder of ours, or a folder within it, has in it.
_OURS = ("supervisor.lock", "state.db", "supervisor.log")


#: Seconds for which a lock may be held by commands that only ask about it. Each takes microseconds, and some may do so
#: in a row. (`flock` can't tell who holds it.)
_ASKED_WITHIN = 0.2
#: Times that the folder may be removed again between being made and being locked.
_TRIES = 100
#: Seconds that a fork of a supervisor that was killed has to become another program, which takes a millisecond; until
#: one that is ended for not doing it is gone; and between looks.
_EXECUTED_WITHIN = 1.0
_ENDED_WITHIN = 6.0
_LOOK = 0.01


class Busy(Exception):
    """Another supervisor holds the lock of this state folder."""

    def __init__(self) -> None:
        super().__init__("another supervisor has locked it")


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
        was_there = os.path.lexists(path)
        self.lock_fd = self._move_in(lock_fd)
        # Another one may have made it, used it and ended while this one waited for the lock.
        self._is_new = not was_there and not os.path.exists(self.dir.database)

    def _move_in(self, lock_fd: int | None = None) -> int:
        taken = None
        try:
            if lock_fd is None:
                lock_fd = taken = self._make_and_lock()
            else:
                make_private(self.dir.path, _is_ours)
            # Only now: whoever takes its new folder away again has the lock while it does.
            for folder in (self.dir.logs, self.dir.pids):
                _make_folder(folder)
        except OSError as error:
            if taken is not None:
                os.close(taken)
            raise _unusable(self.dir.path, error) from error
        with suppress(OSError):  # a full disk: it is written when the next supervisor comes
            _write_new(self.dir.gitignore, "*\n")
        return lock_fd

    def _make_and_lock(self) -> int:
        """The lock of the folder that is there in the end: others may remove it and make it anew meanwhile."""
        for _ in range(_TRIES):
            make_private(self.dir.path, _is_ours)
            with suppress(FileNotFoundError):
                descriptor = _lock(self.dir.lock)
                if _is_same(descriptor, self.dir.lock):
                    return descriptor
                os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, "it is removed again and again")

    def is_in_place(self) -> bool:
        """The folder is still there, with the lock that we hold; somebody may have removed it."""
        return _is_same(self.lock_fd, self.dir.lock)

    def moved_to(self, file: str) -> str | None:
        """Where the folder is now, when somebody has moved the whole project with it; ``None``: nobody has.

        It is locked there as it was here, and that is where an ``up`` looks; in its old place nothing is to be made
        anew. ``file`` is the one that was applied last: when that is still where it was, only the state was put away.
        """
        there = None if self.is_in_place() else self._folder_of_lock()
        if there is None:
            return None
        is_beside = file.startswith(f"{os.path.dirname(there)}/")
        return there if is_beside or not os.path.exists(file) else None

    def _folder_of_lock(self) -> str | None:
        """Where the lock that we hold is now; ``None``: it was removed, or the kernel doesn't tell."""
        with suppress(OSError):
            lock = os.readlink(f"/proc/self/fd/{self.lock_fd}")
            if _is_same(self.lock_fd, lock):
                return os.path.dirname(lock)
        return None

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
        """Write down where this supervisor is found.

        Raises:
            OSError: it can't be written.
        """
        write_note(self.dir.address, json.dumps(address))

    def is_published(self, address: Mapping[str, object]) -> bool:
        """This address is what readers find."""
        try:
            with open(self.dir.address, encoding="utf-8", opener=plain) as file:
                return bool(json.load(file) == dict(address))
        except (OSError, ValueError):
            return False

    def unpublish(self) -> None:
        """This supervisor ends in good order; an address that stays behind is that of one that was killed, and so is a
        pid file: those that were there when the folder was moved are not found by their old path any more."""
        with suppress(OSError):
            os.unlink(self.dir.address)
        there = None if self.is_in_place() else self._folder_of_lock()
        if there is not None:
            moved = StateDir(there)
            with suppress(OSError):
                os.unlink(moved.address)
            shutil.rmtree(moved.pids, ignore_errors=True)

    def withdraw(self) -> None:
        """Take the folder away again if it is new: nothing has come of it.

        The lock goes last. From then on the folder may be another's, and what that has put into it stays.
        """
        if not self._is_new or not self.is_in_place():
            return
        with suppress(OSError):
            for entry in list(os.scandir(self.dir.path)):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry, ignore_errors=True)
                elif entry.path != self.dir.lock:
                    os.unlink(entry)
            os.unlink(self.dir.lock)
            os.rmdir(self.dir.path)

    def close(self) -> None:
        """Give the lock back."""
        os.close(self.lock_fd)


def _is_ours(descriptor: int) -> bool:
    return any(name in _OURS for name in os.listdir(descriptor))


def _unusable(path: str, error: OSError) -> Refused:
    what = f"cannot use the state folder '{path}'"
    if isinstance(error, NotPrivate):
        return Refused(f"{what}: {error}", cure=error.cure, code="not-private")
    if is_full(error):
        return refuse_full_disk(path)
    return Refused(
        f"{what}: {(error.strerror or str(error)).lower()}",
        cure="set state_dir in stigmer.yaml to a folder that you can write",
        exit_status=2,
    )


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def _is_same(descriptor: int, path: str) -> bool:
    """The file that is open is the one of this name."""
    try:
        there, ours = os.stat(path), os.fstat(descriptor)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


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
            waited = system.now() - began
        else:
            return
        left = unexecuted(path) if waited > _ASKED_WITHIN else []
        if not left and waited > _ASKED_WITHIN:
            raise Busy
        if left and waited > _ENDED_WITHIN:
            raise Refused(
                f"cannot take over: what the last supervisor was starting (pid {left[0]}) can't be ended",
                cure="the kernel is still reading its program; see whether the file system of that answers",
                exit_status=1,
                code="starting",
            )
        if waited > _EXECUTED_WITHIN:
            for pid in left:  # nothing of it has run, and the run is started anew
                system.send_signal(pid, system.KILL)
        time.sleep(_LOOK)


def _write_new(path: str, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        os.unlink(path)  # an empty one would never be filled
        raise
