"""A cgroup (v2) for each run, where the supervisor's own one was delegated: the kernel itself keeps a run together.

systemd delegates with ``Delegate=yes``, and marks the folder; a container may have a root of its own.
Nothing is touched outside of ``stigmer-KEY`` below that. Where nothing is delegated, or anything fails, runs are kept
together by their marks alone.

A run is in its cgroup from its first instruction on, since the supervisor forks it from there. (To let the child move
itself would make each start a fork instead of a vfork. ``CLONE_INTO_CGROUP`` would cost less than a move, for which the
kernel waits some 10 ms; neither Python nor the C library of Debian 12 offers it.)
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from stigmer_pm.notes import write_note
from stigmer_pm.plain_files import plain

_log = logging.getLogger(__name__)

#: How systemd marks what it delegates: the first readable for anybody (systemd 251), the other for root.
_DELEGATED = ("user.delegate", "trusted.delegate")


class Cgroups:
    """The cgroups of one project's runs: those of its earlier supervisors, and where it can, those of this one."""

    def __init__(self, own: str | None, key: str, note: str) -> None:
        """``own`` is the supervisor's, ``None`` when it may make none there; ``note`` is a file that keeps where the
        cgroups of the project have been, each on a line."""
        name = f"stigmer-{key}"
        self._own = own
        self._folder = None if own is None else os.path.join(own, name)
        self._note = note
        self._folders = [path for path in _read_note(note) if os.path.basename(path) == name and os.path.isdir(path)]

    def begin(self) -> bool:
        """Make the folder; ``False``: there is none, and never was one that is still there."""
        if self._folder is None:
            return bool(self._folders)
        try:
            with suppress(FileExistsError):
                os.mkdir(self._folder)
        except OSError as error:
            _log.warning("cannot make the cgroup '%s': %s; runs are kept together by their marks", self._folder, error)
            self._folder = None
            return bool(self._folders)
        self._folders = list(dict.fromkeys([self._folder, *self._folders]))
        self._write_note()
        _log.info("each run has a cgroup below '%s'", self._folder)
        return True

    def _write_note(self) -> None:
        """Without it, a later supervisor elsewhere keeps what runs together by its marks: no reason to do without."""
        try:
            write_note(self._note, "".join(f"{path}\n" for path in self._folders))
        except OSError as error:
            _log.warning("cannot note where the cgroups of the runs are: %s", error)

    @contextmanager
    def inside(self, instance: str, run: int) -> Iterator[None]:
        """What is forked within is in the cgroup of the run. When it can't be entered, nothing is different."""
        if self._folder is None or self._own is None:
            yield
            return
        path = os.path.join(self._folder, _name(instance, run))
        try:
            os.makedirs(path, exist_ok=True)  # an empty folder of the project may have been swept away
            _enter(path)
        except OSError as error:
            _log.warning("cannot use the cgroup '%s': %s", path, error)
            yield
            return
        try:
            yield
        finally:
            # What has been forked runs: nothing that fails here may make its start fail.
            try:
                _enter(self._own)
                _take_back(path, self._own)
            except OSError as error:
                _log.error("the supervisor can't leave the cgroup '%s': %s; the next start tries again", path, error)

    def pids(self, instance: str, run: int) -> list[int]:
        """What lives of a run, by its cgroup; those that it has made below are looked into as well."""
        folders = [folder for path in self._paths(instance, run) for folder, _, _ in os.walk(path)]
        return [pid for folder in folders for pid in _pids(folder) if pid != os.getpid()]

    def kill(self, instance: str, run: int) -> None:
        """SIGKILL everything in it at once, whatever forks meanwhile."""
        for path in self._paths(instance, run):
            with suppress(OSError):  # what isn't killed by it is found by its marks
                if os.getpid() in _pids(path):
                    _log.error("the supervisor itself is in the cgroup '%s'; it is not killed as a whole", path)
                    continue
                with open(os.path.join(path, "cgroup.kill"), "w", encoding="ascii") as file:
                    file.write("1")

    def remove(self, instance: str, run: int) -> None:
        """Nothing of the run lives: its cgroup goes, and those that it has made below."""
        for path in self._paths(instance, run):
            _remove(path)

    def sweep(self) -> None:
        """Remove what is empty: the cgroups of runs whose last process was still in them when they were over."""
        for base in self._folders:
            with suppress(OSError):
                for entry in os.scandir(base):
                    if entry.is_dir() and not _is_populated(entry.path):
                        _remove(entry.path)
                os.rmdir(base)

    def _paths(self, instance: str, run: int) -> list[str]:
        found = (os.path.join(folder, _name(instance, run)) for folder in self._folders)
        return [path for path in found if os.path.isdir(path)]


def make_cgroups(key: str, note: str) -> Cgroups | None:
    """Those of one project; ``None``: nothing is delegated to this process, nor was to one before it."""
    cgroups = Cgroups(find_own(), key, note)
    return cgroups if cgroups.begin() else None


def find_own() -> str | None:
    """The folder of this process's own cgroup, when it was delegated and can be written to; ``None``: it wasn't."""
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            own = next((line.rstrip("\n")[3:] for line in file if line.startswith("0::")), None)
        mounts = _mounts()
    except OSError:
        return None
    if own is None:
        return None
    for root, point in mounts:
        below = os.path.relpath(own, root)
        path = os.path.normpath(os.path.join(point, below))
        if not below.startswith("..") and _is_usable(path) and (_is_delegated(path) or _is_containers(own, root, path)):
            return path
    return None


def _is_usable(path: str) -> bool:
    """It can be written to, and the kernel can kill one (Linux 5.14; the root of the machine has no such file)."""
    files = (path, os.path.join(path, "cgroup.procs"), os.path.join(path, "cgroup.kill"))
    return all(os.access(file, os.W_OK) for file in files)


def _is_containers(own: str, root: str, path: str) -> bool:
    """It is the root of a namespace of cgroups, which is not that of the machine: all below is this container's."""
    return own == root == "/" and os.path.exists(os.path.join(path, "cgroup.events"))


def _is_delegated(path: str) -> bool:
    for name in _DELEGATED:
        with suppress(OSError):
            if os.getxattr(path, name) == b"1":
                return True
    return False


def _mounts() -> list[tuple[str, str]]:
    """Where cgroup v2 is mounted: which folder of it, and where."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            fields, _, kind = line.partition(" - ")
            if kind.split()[0] == "cgroup2":
                root, point = fields.split()[3:5]
                found.append((root, point.replace(r"\040", " ")))
    return found


def _read_note(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", opener=plain) as file:
            return file.read().splitlines()
    except OSError:
        return []


def _name(instance: str, run: int) -> str:
    return f"{instance}.{run}"


def _is_populated(path: str) -> bool:
    """A process lives in it, or in one below; a run may have made some, which are not swept away under it."""
    try:
        with open(os.path.join(path, "cgroup.events"), encoding="ascii") as file:
            return "populated 0" not in file.read()
    except OSError:
        return True


def _remove(path: str) -> None:
    for folder, _, _ in os.walk(path, topdown=False):
        with suppress(OSError):  # a process that has just ended may be in it for a moment
            os.rmdir(folder)


def _enter(path: str) -> None:
    with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as file:
        file.write("0")


def _take_back(path: str, own: str) -> None:
    """What another thread has forked meanwhile (the SDK of Docker: an ssh to its engine) is no run's. It is in the
    session of the supervisor, and runs have sessions of their own."""
    for pid in _pids(path):
        with suppress(OSError):
            if os.getsid(pid) == os.getsid(0):
                with open(os.path.join(own, "cgroup.procs"), "w", encoding="ascii") as file:
                    file.write(str(pid))


def _pids(path: str) -> list[int]:
    try:
        with open(os.path.join(path, "cgroup.procs"), encoding="ascii") as file:
            return [int(line) for line in file]
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENODEV):
            return []  # it has been removed
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            raise  # nobody knows
        _log.warning("cannot read the cgroup '%s': %s", path, error)
        return []
