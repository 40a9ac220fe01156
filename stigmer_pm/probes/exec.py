"""The exec handler: a command that exits with status 0 is a success."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping

from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes.reason import reason, seconds
from stigmer_pm.probes.result import CheckResult
from stigmer_pm.probes.shortage import is_own_shortage
from stigmer_pm.probes.spawner import ProbeChild, Spawner
from stigmer_pm.spec import ExecCheck

OUTPUT_LIMIT = 10 * 1024  # the kubelet's; what is beyond is read and dropped, so that the command never blocks on it
# A process in an uninterruptible call (a dead network file system) outlives SIGKILL. Waiting for it without end would
# stop the probe for good, just when it has something to say; the supervisor reaps it whenever it goes.
_KILL_PATIENCE = 2.0


async def check_exec(
    check: ExecCheck,
    timeout: float,
    *,
    environment: Mapping[str, str],
    working_dir: str,
    spawner: Spawner,
    user: str | None = None,
    group: str | None = None,
) -> CheckResult:
    """Run the command, without a shell, and wait at most ``timeout`` seconds for it to exit.

    ``environment``, ``working_dir``, ``user`` and ``group`` are the component's; what the check names itself goes
    before them. When the time is up, or the attempt is cancelled, everything the command started is killed. What a
    command that has exited leaves behind runs on, and no end of its output is waited for. A command that cannot be
    started is a failure, although the kubelet discards it.

    Raises:
        OSError: the supervisor is short of descriptors, processes or memory, so that nothing was asked.
    """
    output = _Output()
    try:
        try:
            child = _spawn(check, output, environment, working_dir, spawner, user, group)
        finally:
            output.close_write_end()
        status = await _wait_exit(child, timeout)
        return _verdict(status, timeout, output.text())
    except _CannotRun as error:
        return CheckResult(Outcome.FAILURE, f"cannot run '{check.argv[0]}': {error}")
    finally:
        output.close()


class _CannotRun(Exception):
    """The command cannot be started; the message says why."""


def _spawn(
    check: ExecCheck,
    output: _Output,
    environment: Mapping[str, str],
    working_dir: str,
    spawner: Spawner,
    user: str | None,
    group: str | None,
) -> ProbeChild:
    cwd = check.working_dir or working_dir
    if check.user is not None or check.group is not None:
        user, group = check.user, check.group
    env = {**environment, **check.environment}
    try:
        return spawner.spawn(check.argv, cwd=cwd, env=env, output_fd=output.write_fd, user=user, group=group)
    except OSError as error:
        if is_own_shortage(error):
            raise
        why = "not found" if isinstance(error, FileNotFoundError) else reason(error)
        # A missing folder and a missing program are the same errno; the name in the error tells them apart.
        raise _CannotRun(f"folder '{cwd}': {why}" if error.filename == cwd else why) from error


async def _wait_exit(child: ProbeChild, timeout: float) -> int | None:
    """The wait status, or ``None`` when the time was up and the command has been killed."""
    # `wait` leaves the future alone when it is itself cancelled or late; the reaper has still to set its result.
    try:
        await asyncio.wait([child.exited], timeout=timeout)
        if child.exited.done():
            return child.exited.result()
        child.kill_tree()
        await asyncio.wait([child.exited], timeout=_KILL_PATIENCE)
    except asyncio.CancelledError:
        child.kill_tree()
        raise
    return None


def _verdict(status: int | None, timeout: float, text: str) -> CheckResult:
    if status == 0:
        return CheckResult(Outcome.SUCCESS, text)
    if status is None:
        words = f"no answer within {seconds(timeout)}"
    elif os.WIFSIGNALED(status):
        words = f"killed by {_signal_name(os.WTERMSIG(status))}"
    else:
        words = f"exit status {os.waitstatus_to_exitcode(status)}"
    return CheckResult(Outcome.FAILURE, f"{words}: {text}" if text else words)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal between the first and the last, which have names
        return f"signal {number}"


class _Output:
    """What a command writes, up to the limit, through a pipe that is read as it comes."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._read_fd, self.write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read_fd, self._read)

    def text(self) -> str:
        """What has been written so far, also what still lies in the pipe."""
        # Bounded by the limit, since a process that was left behind may write faster than this reads.
        while len(self._kept) < OUTPUT_LIMIT and self._read():
            pass
        return self._kept.decode(errors="replace").rstrip()

    def close_write_end(self) -> None:
        """Give up our own copy of the end that the command writes to."""
        os.close(self.write_fd)

    def close(self) -> None:
        """Stop reading."""
        self._loop.remove_reader(self._read_fd)
        os.close(self._read_fd)

    def _read(self) -> bool:
        """Take what is there; whether more may come."""
        try:
            data = os.read(self._read_fd, 65536)
        except BlockingIOError:
            return False
        self._kept += data[: OUTPUT_LIMIT - len(self._kept)]
        if not data:
            self._loop.remove_reader(self._read_fd)  # at its end a pipe is always readable, and would be so for ever
        return bool(data)
