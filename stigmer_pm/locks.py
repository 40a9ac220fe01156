"""Who has the lock of a state folder: its supervisor, or what one that has died had just forked.

Everything that a supervisor forks shares its lock until the moment in which it becomes another program. So a supervisor
that comes after one that was killed in between doesn't get the lock before it is certain what has become of the fork,
and neither doubles that run nor loses it.
"""

from __future__ import annotations

import os

from stigmer_pm.plain_files import plain


def unexecuted(path: str) -> list[int]:
    """What a dead supervisor has forked, and the kernel hasn't made another program yet: its pids.

    Empty when the supervisor lives, and when it can't be told (no ``/proc``, another user's processes).
    """
    try:
        with open(path, encoding="ascii", opener=plain) as file:
            supervisor = int(file.read())
        lock = os.stat(path)
    except (OSError, ValueError):
        return []
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc/self/fd") else ():
        if name.isdecimal() and _has_lock(name, lock):
            found.append(name)
    # As the supervisor itself saw it: the folder may be shared with a container, where its pid is another one.
    return [] if any(_own_pid(name) == supervisor for name in found) else [int(name) for name in found]


def holder(path: str, *, is_lost: bool = False) -> int | None:
    """The process that holds the lock of this path, by its name and not by the file that lies there now: somebody may
    have removed that under its supervisor, and whoever comes would get a new one. ``None``: none does, as far as it can
    be told.

    ``is_lost``: only one whose file was removed. Never one of another pid namespace: in a container the same path is
    another project.
    """
    names = (f"{path} (deleted)",) if is_lost else (path, f"{path} (deleted)")
    for name in os.listdir("/proc") if os.path.isdir("/proc/self/ns") else ():
        if not name.isdecimal() or int(name) == os.getpid():
            continue
        try:
            if _may_be_supervisor(name) and any(_holds(name, fd, names) for fd in os.listdir(f"/proc/{name}/fd")):
                return int(name)
        except OSError:
            continue  # it has ended, or is none of ours
    return None


def _may_be_supervisor(name: str) -> bool:
    """By the name of its program, for looking at every descriptor of the machine would take long."""
    with open(f"/proc/{name}/comm", "rb") as file:
        if not file.read().startswith((b"stigmer-pm", b"py")):
            return False
    return os.stat(f"/proc/{name}/ns/pid").st_ino == os.stat("/proc/self/ns/pid").st_ino


def _holds(name: str, descriptor: str, names: tuple[str, ...]) -> bool:
    try:
        return os.readlink(f"/proc/{name}/fd/{descriptor}") in names and _is_locking(name, descriptor)
    except FileNotFoundError:
        return False  # closed meanwhile


def _has_lock(name: str, lock: os.stat_result) -> bool:
    try:
        for descriptor in os.listdir(f"/proc/{name}/fd"):
            found = os.stat(f"/proc/{name}/fd/{descriptor}")
            if (found.st_dev, found.st_ino) == (lock.st_dev, lock.st_ino) and _is_locking(name, descriptor):
                return True
    except OSError:
        pass  # it has ended, or is none of ours
    return False


def _is_locking(name: str, descriptor: str) -> bool:
    """Others may have the file open as well, just to ask whether it is locked."""
    with open(f"/proc/{name}/fdinfo/{descriptor}", encoding="ascii") as file:
        return any(line.startswith("lock:") and "FLOCK" in line and "WRITE" in line for line in file)


def _own_pid(name: str) -> int:
    """The pid of a process as it knows it itself."""
    try:
        with open(f"/proc/{name}/status", encoding="utf-8", errors="replace") as file:
            return next((int(line.split()[-1]) for line in file if line.startswith("NSpid:")), int(name))
    except OSError:
        return int(name)
