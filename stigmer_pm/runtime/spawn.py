"""Starting one program: the descriptor of its log, its session, folder, user, limits and environment.

Every failure names the step at which it happened, since "No such file or directory" alone helps nobody.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import resource
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stigmer_pm.spec import Limits


class SpawnFailure(Exception):
    """A program could not be started: ``step`` says what was being done, ``detail`` why it failed."""

    def __init__(self, step: str, subject: str, number: int, detail: str) -> None:
        super().__init__(f"cannot {step}: {detail}")
        self.step = step
        self.subject = subject
        self.number = number
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a program runs as; ``None`` fields keep what the supervisor is."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None
    name: str | None = None
    home: str | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """What to execute. ``environment`` is complete: nothing of the supervisor's own is added."""

    argv: tuple[str, ...]
    working_dir: str
    environment: Mapping[str, str]
    user: str | None = None
    group: str | None = None
    umask: int | None = None
    nice: int | None = None
    limits: Limits = Limits()


def spawn(program: Program, output_fd: int) -> int:
    """Execute ``program`` in a session of its own, both its streams on ``output_fd``; its pid.

    Returns only when the program itself has been executed, so a missing one is known at once.

    Raises:
        SpawnFailure: it could not be started; nothing of it runs.
    """
    identity = resolve_identity(program.user, program.group)
    environment = dict(program.environment)
    prepare = _prepare(program, identity)
    if not os.path.isdir(program.working_dir):
        raise _folder_failure(program.working_dir)
    try:
        process = subprocess.Popen(
            program.argv,
            cwd=program.working_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output_fd,
            stderr=output_fd,
            start_new_session=True,
            # What is this process's own is closed by being executed, and not before: by the lock another supervisor
            # sees that a run is about to begin, should this one be killed right here.
            close_fds=False,
            user=identity.uid if prepare is None else None,
            group=identity.gid if prepare is None else None,
            extra_groups=identity.groups if prepare is None else None,
            umask=-1 if program.umask is None else program.umask,
            # Safe, for no thread of ours holds a lock that the child could need: it only makes system calls.
            preexec_fn=prepare,  # noqa: PLW1509
        )
    except OSError as error:
        raise _explain(program, environment, error) from error
    except (ValueError, subprocess.SubprocessError) as error:
        raise SpawnFailure("set its limits or niceness", program.argv[0], errno.EPERM, _limit_words(program)) from error
    # The reaper collects every child; Popen must neither wait for this one nor warn that it didn't.
    process.returncode = 0
    return process.pid


def resolve_identity(user: str | None, group: str | None) -> Identity:
    """The numbers behind a user and a group, each a name or a number.

    Raises:
        SpawnFailure: there is no such user or group, or taking it needs a privilege that is missing.
    """
    if user is not None and group is None and ":" in user:
        user, _, group = user.partition(":")  # as Compose writes it
    if user is None and group is None:
        return Identity()
    if user is not None and user.isdecimal() and group is not None and not _is_known(int(user)):
        return _checked(Identity(int(user), _find_group(group), ()), user)
    entry = _find_user(user) if user is not None else None
    gid = _find_group(group) if group is not None else None if entry is None else entry.pw_gid
    uid = None if entry is None else entry.pw_uid
    groups = None
    if os.geteuid() == 0 and entry is not None and gid is not None:
        groups = tuple(os.getgrouplist(entry.pw_name, gid))
    found = Identity(uid, gid, groups, entry.pw_name if entry else None, entry.pw_dir if entry else None)
    return _checked(found, user or group or "")


def _checked(identity: Identity, name: str) -> Identity:
    if os.geteuid() == 0:
        return identity
    # Becoming whom one already is needs no privilege, so a file written for "deploy" works when deploy runs it.
    if identity.uid in (None, os.geteuid()) and identity.gid in (None, os.getegid()):
        return Identity()
    raise SpawnFailure("take its user", name, errno.EPERM, "only root can run a component as another user or group")


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except (KeyError, OverflowError):
        return False
    return True


def _find_user(user: str) -> pwd.struct_passwd:
    try:
        if user.isdecimal():
            return pwd.getpwuid(int(user))
        return pwd.getpwnam(user)
    except (KeyError, OverflowError):
        _check_descriptor("take its user", user)
        hint = "; give it a group as well to run under a number that has no name" if user.isdecimal() else ""
        raise SpawnFailure("take its user", user, errno.ENOENT, f"there is no user '{user}'{hint}") from None


def _find_group(group: str) -> int:
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        _check_descriptor("take its group", group)
        raise SpawnFailure("take its group", group, errno.ENOENT, f"there is no group '{group}'") from None


def _check_descriptor(step: str, name: str) -> None:
    """A user or group was not found: because the table of them could not be opened?

    Raises:
        SpawnFailure: so it is.
    """
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise _shortage(step, name, error.errno or 0) from None


def home_variables(user: str | None) -> dict[str, str]:
    """What systemd sets with User=, for a program that runs as somebody looks for its files there."""
    try:
        identity = resolve_identity(user, None)
    except SpawnFailure:
        return {}  # that it can't be started is said when it is tried
    if identity.name is None or identity.home is None:
        return {}
    return {"HOME": identity.home, "USER": identity.name, "LOGNAME": identity.name}


def _prepare(program: Program, identity: Identity) -> Callable[[], None] | None:
    """What the child does to itself before it becomes the program; ``None`` (the fast path) when there is nothing.

    Only set when the file asks for it, for it makes the start a fork instead of a vfork. It takes the user as well, for
    afterwards there would be no privilege left to set limits and niceness with.
    """
    wanted = (
        (resource.RLIMIT_NOFILE, program.limits.nofile),
        (resource.RLIMIT_NPROC, program.limits.nproc),
        (resource.RLIMIT_CORE, program.limits.core),
    )
    limits = [(kind, value) for kind, value in wanted if value is not None]
    nice = program.nice
    if not limits and nice is None:
        return None

    def prepare() -> None:
        for kind, value in limits:
            resource.setrlimit(kind, (value, value))
        if nice is not None:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
        if identity.groups is not None:
            os.setgroups(identity.groups)
        if identity.gid is not None:
            os.setregid(identity.gid, identity.gid)
        if identity.uid is not None:
            os.setreuid(identity.uid, identity.uid)

    return prepare


def _limit_words(program: Program) -> str:
    parts = [] if program.nice is None else [f"nice: {program.nice}"]
    for name in ("nofile", "nproc", "core"):
        value = getattr(program.limits, name)
        if value is not None:
            parts.append(f"limits.{name}: {value}")
    return f"not permitted to set {', '.join(parts) or 'them'}; lower the value, or start stigmer-pm as root"


#: What a limit is that is none.
_UNLIMITED = resource.RLIM_INFINITY

_SHORT_OF = {
    errno.EAGAIN: "its user, its container or the machine may have no more of them (ulimit -u, pids.max)",
    errno.ENOMEM: "the machine, or the cgroup of the supervisor, is out of memory",
    errno.EMFILE: "the supervisor may have no more descriptors (ulimit -n)",
    errno.ENFILE: "the machine may have no more descriptors (sysctl fs.file-max)",
}


def shortage_words(number: int) -> str:
    """What is lacking, and where to look, for an errno that says so."""
    return f"{os.strerror(number).lower()}: {_SHORT_OF[number]}"


def _shortage(step: str, subject: str, number: int) -> SpawnFailure:
    detail = shortage_words(number) if number in _SHORT_OF else os.strerror(number).lower()
    return SpawnFailure(step, subject, number, detail)


def _user_words(program: Program) -> str:
    return "its user" if program.user is None else f"user '{program.user}'"


def _folder_failure(path: str) -> SpawnFailure:
    step = "change to its working_dir"
    if not os.path.lexists(path):
        return SpawnFailure(step, path, errno.ENOENT, f"'{path}' does not exist")
    if not os.path.exists(path):
        return SpawnFailure(step, path, errno.EACCES, f"'{path}' can't be reached")
    return SpawnFailure(step, path, errno.ENOTDIR, f"'{path}' is not a folder")


def _explain(program: Program, environment: Mapping[str, str], error: OSError) -> SpawnFailure:
    number, command = error.errno or 0, program.argv[0]
    if error.filename is not None and os.fspath(error.filename) == program.working_dir and command != error.filename:
        return SpawnFailure("change to its working_dir", program.working_dir, number, _os_words(error, command))
    # The error of a fork names no file; with one, it was the exec. The kernel refuses that when the new user has more
    # processes than the limit that the program was given a moment before.
    if number == errno.EAGAIN and error.filename is not None and program.limits.nproc not in (None, _UNLIMITED):
        words = f"limits.nproc is {program.limits.nproc}, and {_user_words(program)} has as many processes already"
        return SpawnFailure("set its limits", command, errno.EPERM, f"{words}; raise it")
    if number in _SHORT_OF:
        return _shortage("make a process", command, number)
    if number == errno.EPERM and (program.user is not None or program.group is not None):
        return SpawnFailure("take its user", program.user or "", number, os.strerror(number))
    return SpawnFailure("run its command", command, number, _command_words(program, environment, number))


def _os_words(error: OSError, command: str) -> str:
    return f"'{error.filename or command}': {os.strerror(error.errno or 0).lower()}"


def _command_words(program: Program, environment: Mapping[str, str], number: int) -> str:
    command = program.argv[0]
    path = command if "/" in command else shutil.which(command, path=environment.get("PATH", os.defpath))
    full = os.path.join(program.working_dir, path) if path else None
    if number == errno.ENOENT:
        if full and os.path.isfile(full):
            return f"'{command}' names an interpreter in its first line that is not there"
        return f"'{command}' not found" + ("" if "/" in command else " in PATH")
    if number == errno.EACCES:
        if full and os.path.isdir(full):
            return f"'{command}' is a folder"
        return f"'{command}' is not executable (permission denied)"
    if number == errno.ENOEXEC:
        return f"'{command}' is no program that this machine can run (does a script lack its #! line?)"
    if number == errno.E2BIG:
        return "its arguments and environment are too long for the kernel"
    return f"'{command}': {os.strerror(number).lower()}"
