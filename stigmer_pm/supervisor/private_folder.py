"""Making a folder that is this user's alone, and refusing one that others could read, fill or swap for another."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress

from stigmer_pm.users import user_name

#: Says whether what lies in a folder (given as a descriptor) is ours, so that it may be closed to everybody else.
IsOurs = Callable[[int], bool]


class NotPrivate(OSError):
    """The folder isn't safe to use; the message says why without naming it, ``cure`` what helps."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.cure = cure


def make_private(path: str, is_ours: IsOurs = lambda descriptor: True) -> None:
    """Make the folder with mode 0700, or make sure of the one that is there.

    Everything is asked of the folder that is open, so that nobody can put another in its place meanwhile; and where
    others may do so at any time, it isn't used.

    Raises:
        NotPrivate: it can't be trusted.
        OSError: it can't be made.
    """
    parent = os.path.dirname(path)
    os.makedirs(parent, exist_ok=True)
    _refuse_parents_of_all(os.path.realpath(parent))
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)
    descriptor = _opened(path)
    try:
        _take_possession(path, descriptor, is_ours)
    finally:
        os.close(descriptor)


def _refuse_parents_of_all(parent: str) -> None:
    """Whoever may write a folder may rename what is in it, unless it is sticky (as /tmp is).

    A folder that its *group* may write is let pass: where the file of the project lies, the group may change what runs
    anyway, and many systems give each user a group of his own.
    """
    for folder in _ancestors(parent):
        mode = os.stat(folder).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise NotPrivate(
                f"every user can write '{folder}', and so put another in its place",
                f"chmod o-w '{folder}', or set state_dir in stigmer.yaml to a folder elsewhere",
            )


def _ancestors(path: str) -> Iterator[str]:
    yield path
    while path != (path := os.path.dirname(path)):
        yield path


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            cure = "name the folder itself with state_dir in stigmer.yaml"
            raise NotPrivate("it is a symbolic link", cure) from error
        if not stat.S_ISDIR(found.st_mode):
            raise NotPrivate("it is not a folder", "remove it, or set state_dir") from error
        if found.st_uid != os.geteuid():
            raise _belongs_to(found.st_uid) from error
        raise


def _take_possession(path: str, descriptor: int, is_ours: IsOurs) -> None:
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid():
        raise _belongs_to(found.st_uid)
    mode = stat.S_IMODE(found.st_mode)
    if not mode & 0o077:
        return
    if os.listdir(descriptor):
        if mode & 0o022:
            raise NotPrivate(
                "others can write it, so what lies in it may be theirs",
                f"look at what is in it, then chmod 700 '{path}'; or remove it",
            )
        if not is_ours(descriptor):
            raise NotPrivate(
                "it holds other files, and would be closed to everybody else",
                "set state_dir in stigmer.yaml to a folder that holds nothing else, such as .stigmer",
            )
    os.fchmod(descriptor, 0o700)


def _belongs_to(uid: int) -> NotPrivate:
    owner = user_name(uid)
    cure = f"run stigmer-pm as {owner}, or set state_dir in stigmer.yaml to a folder of your own"
    return NotPrivate(f"it belongs to {owner}", cure)
