"""The system calls that supervision uses, and no logic: the one seam between the product and the kernel.

What is not everywhere (pidfd, subreaper) says so by returning ``None`` or ``False``; callers have a portable way.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import struct
import time
from contextlib import suppress

# A clock that counts suspended time, never goes back, and is the same for the supervisor that comes after this one.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_PR_SET_CHILD_SUBREAPER = 36
# _IOWR(0xFF, 11, struct pidfd_info): the size that Linux 6.13 introduced is 64 bytes, and newer kernels accept it.
_PIDFD_GET_INFO = 0xC040FF0B
_PIDFD_INFO_EXIT = 1 << 3
_PIDFD_INFO_SIZE = 64
_EXIT_CODE_OFFSET = 60

#: Descriptors that are not spent on watching processes: for clients, probes, logs and the table of processes.
_SPARE_DESCRIPTORS = 128


def now() -> float:
    """Seconds since the machine started."""
    return time.clock_gettime(_CLOCK)


def wall_time() -> float:
    """Seconds since 1970, by a clock that somebody may set at any time: for people, never for deadlines."""
    return time.time()


def boot_id() -> str:
    """A word that is another one after every start of the machine."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return str(round(time.time() - time.monotonic(), -1))


def machine_words() -> str:
    """What tells this machine from others, and a container with a copy of its files from the next: it stays the same
    over its life, as far as a machine has anything of that kind."""
    identity = ""
    with suppress(OSError), open("/etc/machine-id", encoding="ascii", errors="replace") as file:
        identity = file.read().strip()
    return f"{identity} {os.uname().nodename}"


def become_subreaper() -> bool:
    """Orphaned descendants become children of this process instead of init's; ``False`` where there is no such call."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return bool(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def exists(pid: int) -> bool:
    """A process has this pid, alive or not collected yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def set_process_name(name: str) -> None:
    """What ``ps -o comm`` and ``pgrep`` show of this process (15 characters at most); its command line stays."""
    with suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write(name[:15])


def open_pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; ``None`` where there is none to be had.

    The last descriptors of this process are kept for what it can't do without: logs, the table of processes, clients.

    Raises:
        ProcessLookupError: there is no such process.
    """
    opener = getattr(os, "pidfd_open", None)
    if opener is None:
        return None
    try:
        descriptor = int(opener(pid))
    except ProcessLookupError:
        raise
    except OSError:
        return None
    if descriptor >= resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_DESCRIPTORS:
        os.close(descriptor)
        return None
    return descriptor


def is_uncollected(pidfd: int) -> bool:
    """The process of a descriptor lives, or has not been collected by its parent: its pid is nobody else's."""
    try:
        signal.pidfd_send_signal(pidfd, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # of another user by now
    return True


def exit_status_of(pidfd: int) -> int | None:
    """The wait status of a process that has been reaped, also by another parent (Linux 6.15); ``None``: not told."""
    request = bytearray(struct.pack("=QQ", _PIDFD_INFO_EXIT, 0).ljust(_PIDFD_INFO_SIZE, b"\0"))
    try:
        fcntl.ioctl(pidfd, _PIDFD_GET_INFO, request, True)
    except OSError:
        return None
    (mask,) = struct.unpack_from("=Q", request, 0)
    if not mask & _PIDFD_INFO_EXIT:
        return None
    (status,) = struct.unpack_from("=i", request, _EXIT_CODE_OFFSET)
    return int(status)


def send_signal(pid: int, number: int) -> bool:
    """Signal one process; ``False`` when it is gone, or when it has become another user's (sudo, a setuid program)."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def send_group_signal(group: int, number: int) -> bool:
    """Signal every process of a group that may be signalled; ``False`` when there is none."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def keep_descriptors() -> None:
    """What this process has inherited (of a shell, of make) is for it alone: programs that it starts don't get it."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    for name in os.listdir(folder):
        if int(name) > 2:
            with suppress(OSError):  # the one that the folder was read by
                os.set_inheritable(int(name), False)


def default_signals() -> None:
    """Undo what this process has inherited: a signal that it ignores, every program that it starts would ignore.

    A shell starts what it puts into the background with SIGINT and SIGQUIT ignored, and nohup with SIGHUP.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def let_signals_through() -> None:
    """No signal is held back any more, whoever has blocked it; those that have come meanwhile follow."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def reap_one() -> tuple[int, int] | None:
    """The pid and wait status of one dead child of this process, if there is one."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


CONTINUE, KILL, STOP = signal.SIGCONT, signal.SIGKILL, signal.SIGSTOP
