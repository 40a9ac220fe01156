"""The table of processes: who is whose parent, what each uses, and which carry the mark of one of our runs.

Read from ``/proc`` on Linux, and by psutil elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
HAS_PROC = os.path.exists("/proc/self/stat")


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process. ``started`` tells it apart from a later one with the same pid; ``cpu`` is in seconds.

    ``is_zombie``: all of it has ended. One whose first thread alone has ended (``pthread_exit`` in ``main``) lives,
    though the kernel shows it as a zombie. ``exit_status`` is the wait status of a zombie, and 0 where the kernel
    doesn't tell.
    """

    pid: int
    parent: int
    group: int
    session: int
    started: int
    cpu: float
    memory_bytes: int
    is_zombie: bool
    exit_status: int = 0


def read_row(pid: int) -> ProcessRow | None:
    """The row of one process, or ``None`` when there is none."""
    if not HAS_PROC:
        return _psutil_row(pid)
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    # The name stands in brackets and may hold spaces and brackets itself, so count from the last one.
    fields = text[text.rindex(b")") + 2 :].split()
    return ProcessRow(
        pid=pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        started=int(fields[19]),
        cpu=(int(fields[11]) + int(fields[12])) / _TICK,
        memory_bytes=int(fields[21]) * _PAGE,
        is_zombie=fields[0] in (b"Z", b"X") and int(fields[17]) <= 1,
        exit_status=int(fields[49]) if len(fields) > 49 else 0,
    )


def read_table() -> dict[int, ProcessRow]:
    """Every process of the machine, by pid."""
    found: dict[int, ProcessRow] = {}
    for pid in all_pids():
        row = read_row(pid)
        if row is not None:
            found[pid] = row
    return found


def started(pid: int) -> int | None:
    """What tells this process apart from a later one with the same pid; ``None`` when there is none alive."""
    row = read_row(pid)
    return None if row is None or row.is_zombie else row.started


def zombie_status(pid: int, started: int) -> int | None:
    """The wait status of a process that has ended and that its parent has not collected yet.

    ``None``: it is no such process, or the kernel doesn't tell (field 52 of ``/proc/PID/stat``, which is 0 for whoever
    may not trace the process, so a 0 is not believed).
    """
    row = read_row(pid)
    if row is None or not row.is_zombie or row.started != started:
        return None
    return row.exit_status or None


def is_of_another_namespace() -> bool:
    """``/proc`` shows the pids of another namespace, under which ours are those of strangers."""
    try:
        return os.readlink("/proc/self") != str(os.getpid())
    except OSError:
        return False  # there is none


def shares_namespace(pid: int) -> bool:
    """A process is in the pid namespace of this one, as far as that can be told."""
    try:
        return os.stat(f"/proc/{pid}/ns/pid").st_ino == os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return True


def namespace() -> str:
    """A word that is another one where the same pids are those of other processes: in a container, and in each start of
    it.

    The number of a namespace is given out again as soon as it is free, which is at once when a container is started
    again; when its process 1 was started is not.
    """
    try:
        number = os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
    first = read_row(1)
    return f"{number} {0 if first is None else first.started}"


def tree(roots: Iterable[int], table: Mapping[int, ProcessRow]) -> list[int]:
    """``roots`` and all their descendants that are in the table."""
    children: dict[int, list[int]] = {}
    for row in table.values():
        children.setdefault(row.parent, []).append(row.pid)
    found: list[int] = []
    seen: set[int] = set()
    pending = list(roots)
    while pending:
        pid = pending.pop()
        if pid in table and pid not in seen:
            seen.add(pid)
            found.append(pid)
            pending.extend(children.get(pid, ()))
    return found


def read_mark(pid: int, variable: str) -> str | None:
    """The value of a variable in the environment that the process was started with; ``None``: none, or not ours."""
    return value_in(read_environment(pid), variable)


def read_environment(pid: int) -> bytes | None:
    """The environment that a process was started with, as the kernel has it; ``None``: there is none, or not ours.

    It is empty for a moment while the kernel makes another program of a process, and for the kernel's own threads.
    """
    if not HAS_PROC:
        return b"".join(os.fsencode(f"{name}={value}\0") for name, value in _psutil_environment(pid).items()) or None
    try:
        return _environment_in(f"/proc/{pid}") or _environment_of_threads(pid)
    except OSError:
        return None


def _environment_in(folder: str) -> bytes:
    try:
        with open(f"{folder}/environ", "rb") as file:
            return file.read()
    except ProcessLookupError:
        return b""  # a thread that has ended while others go on; newer kernels say so


def _environment_of_threads(pid: int) -> bytes:
    """That of a process whose first thread has ended: the others still have it."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        if thread != str(pid) and (environment := _environment_in(f"/proc/{pid}/task/{thread}")):
            return environment
    return b""


def value_in(environment: bytes | None, variable: str) -> str | None:
    """The value of a variable in what :func:`read_environment` has read."""
    prefix = os.fsencode(variable) + b"="
    for entry in (environment or b"").split(b"\0"):
        if entry.startswith(prefix):
            return os.fsdecode(entry[len(prefix) :])
    return None


def is_being_executed(pid: int) -> bool:
    """The kernel is making another program of it: the old environment is gone, and the new one is not there yet."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return False
    # It has memory (kernel threads and zombies have none), and no end of its environment (fields 23 and 51). Field 26
    # is 1 for whoever isn't told of either.
    return len(fields) > 48 and fields[20] != b"0" and fields[23] != b"1" and fields[48] == b"0"


def own_children() -> list[int]:
    """The pids of this process's children, zombies included; orphans that came to it as subreaper are among them."""
    me = os.getpid()
    children = _children(me)
    if children is None:
        return [row.pid for row in read_table().values() if row.parent == me]
    return children


def descendants(pid: int) -> list[int]:
    """A process and all that descends from it and still hangs together; cheap, for it reads nothing of any other."""
    found, pending = [], [pid]
    while pending:
        parent = pending.pop()
        found.append(parent)
        children = _children(parent)
        if children is None and HAS_PROC and os.path.exists(f"/proc/{parent}"):
            return tree([pid], read_table())
        pending.extend(children or ())
    return found


def _children(pid: int) -> list[int] | None:
    """The children that any thread of a process has started; ``None``: it is gone, or the kernel can't tell."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        return None
    return found


def all_pids() -> list[int]:
    """The pids of all processes of the machine."""
    if HAS_PROC:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    import psutil  # noqa: PLC0415 - only where there is no /proc

    return psutil.pids()


def _psutil_row(pid: int) -> ProcessRow | None:
    import psutil  # noqa: PLC0415 - only where there is no /proc

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times, memory = process.cpu_times(), process.memory_info()
            return ProcessRow(
                pid=pid,
                parent=process.ppid(),
                group=os.getpgid(pid),
                session=os.getsid(pid),
                started=round(process.create_time() * 100),
                cpu=times.user + times.system,
                memory_bytes=memory.rss,
                is_zombie=process.status() == psutil.STATUS_ZOMBIE,
            )
    except (psutil.Error, OSError):
        return None


def _psutil_environment(pid: int) -> Mapping[str, str]:
    import psutil  # noqa: PLC0415 - only where there is no /proc

    try:
        return psutil.Process(pid).environ()
    except psutil.Error:
        return {}
