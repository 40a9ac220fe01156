"""The exec handler, beyond the conformance cases."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from stigmer_pm.probes import CheckResult, Outcome, ProbeChild, Spawner
from stigmer_pm.probes.exec import OUTPUT_LIMIT, check_exec
from stigmer_pm.spec import ExecCheck

from .real_spawner import RealSpawner

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
_ENVIRONMENT = {"PATH": os.environ["PATH"], "COLOUR": "red", "SHAPE": "round"}


async def _attempt(spawner: Spawner, check: ExecCheck, timeout: float = 10) -> CheckResult:
    return await check_exec(check, timeout, environment=_ENVIRONMENT, working_dir="/", spawner=spawner)


def _run(spawner: Spawner, *argv: str, timeout: float = 10) -> CheckResult:
    return asyncio.run(_attempt(spawner, ExecCheck(argv), timeout))


def test_the_output_of_both_streams_is_kept_in_order(spawner: RealSpawner) -> None:
    """stdout and stderr share one pipe, so what is shown is what happened."""
    result = _run(spawner, "sh", "-c", "echo one; echo two >&2; echo three")
    assert result == CheckResult(Outcome.SUCCESS, "one\ntwo\nthree")


def test_a_failure_says_how_the_command_ended(spawner: RealSpawner) -> None:
    """The status first, then what the command said."""
    assert _run(spawner, "sh", "-c", "echo down >&2; exit 3") == CheckResult(Outcome.FAILURE, "exit status 3: down")
    assert _run(spawner, "sh", "-c", "kill -9 $$") == CheckResult(Outcome.FAILURE, "killed by SIGKILL")
    real_time = _run(spawner, "sh", "-c", f"kill -{signal.SIGRTMIN + 5} $$")
    assert real_time == CheckResult(Outcome.FAILURE, f"killed by signal {signal.SIGRTMIN + 5}")


def test_output_beyond_the_limit_is_dropped_and_never_blocks_the_command(spawner: RealSpawner) -> None:
    """A command that writes far more than a pipe holds ends all the same."""
    result = _run(spawner, sys.executable, "-c", "print('é' * 500_000)")
    assert result.outcome is Outcome.SUCCESS
    assert result.output == "é" * (OUTPUT_LIMIT // 2)


def test_output_that_is_no_utf8_is_shown_as_far_as_it_can_be(spawner: RealSpawner) -> None:
    """Bytes from anywhere never make an attempt fail."""
    assert _run(spawner, "printf", r"a\377b").output == "a\ufffdb"


def test_a_command_that_closes_its_output_is_waited_for(spawner: RealSpawner) -> None:
    """The exit decides, not the end of the output."""
    assert _run(spawner, "sh", "-c", "exec >&- 2>&-; read x; exit 4").output == "exit status 4"


def test_a_left_behind_writer_delays_nothing(spawner: RealSpawner) -> None:
    """A descendant that writes for ever can't keep the attempt from ending with its leader."""
    result = _run(spawner, "sh", "-c", "(while :; do echo yyyyyyyyyyyyyyyy; done) & exit 0")
    assert result.outcome is Outcome.SUCCESS
    assert len(result.output) <= OUTPUT_LIMIT


def test_the_checks_own_environment_and_folder_go_before_the_components(spawner: RealSpawner, tmp_path: Path) -> None:
    """What the probe doesn't name is the component's."""
    check = ExecCheck(
        ("sh", "-c", "echo $COLOUR $SHAPE; pwd"), working_dir=str(tmp_path), environment={"COLOUR": "blue"}
    )
    assert asyncio.run(_attempt(spawner, check)).output == f"blue round\n{tmp_path}"


@pytest.mark.parametrize(("user", "group", "expected"), [(None, None, ("app", "staff")), ("db", None, ("db", None))])
def test_a_command_runs_as_the_component_does(
    spawner: RealSpawner, user: str | None, group: str | None, expected: tuple[str | None, str | None]
) -> None:
    """Unless the check names a user of its own, whose group the component's isn't."""
    check = ExecCheck(("true",), user=user, group=group)
    attempt = check_exec(
        check, 10, environment=_ENVIRONMENT, working_dir="/", spawner=spawner, user="app", group="staff"
    )

    async def run() -> CheckResult:
        return await attempt

    assert asyncio.run(run()).outcome is Outcome.SUCCESS
    assert spawner.users == [expected]


def test_a_command_that_cannot_be_started_is_a_failure_with_its_reason(spawner: RealSpawner, tmp_path: Path) -> None:
    """The kubelet discards such an attempt, so that its liveness probe never fires; here it counts."""
    plain = tmp_path / "plain"
    plain.write_text("no program")
    assert _run(spawner, "/no/such").output == "cannot run '/no/such': not found"
    assert _run(spawner, str(plain)).output == f"cannot run '{plain}': permission denied"
    missing = ExecCheck(("true",), working_dir="/no/folder")
    result = asyncio.run(_attempt(spawner, missing))
    assert result == CheckResult(Outcome.FAILURE, "cannot run 'true': folder '/no/folder': not found")


def test_what_was_written_before_the_timeout_is_shown(spawner: RealSpawner, tmp_path: Path) -> None:
    """It is often the only hint at what the command waited for."""
    written = tmp_path / "written"

    class PatientSpawner:
        """Lets the timeout begin only when the command has written."""

        def spawn(
            self,
            argv: tuple[str, ...],
            *,
            cwd: str,
            env: Mapping[str, str],
            output_fd: int,
            user: str | None,
            group: str | None,
        ) -> ProbeChild:
            child = spawner.spawn(argv, cwd=cwd, env=env, output_fd=output_fd, user=user, group=group)
            while not written.exists():
                time.sleep(0.005)
            return child

    result = _run(PatientSpawner(), "sh", "-c", f"echo connecting; : >{written}; sleep 30", timeout=0.05)
    assert result == CheckResult(Outcome.FAILURE, "no answer within 0.05s: connecting")


def test_a_cancelled_attempt_kills_all_it_started(spawner: RealSpawner, eventually: Eventually) -> None:
    """Nothing of a probe outlives the component that it watched."""

    async def attempt() -> None:
        check = ExecCheck(("sh", "-c", "sleep 30 & sleep 30"))
        task = asyncio.create_task(_attempt(spawner, check, 60))
        await eventually(lambda: bool(spawner.children) and len(spawner.children[0].living()) == 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: not spawner.children[0].living())
        await spawner.children[0].exited

    asyncio.run(attempt())


def test_an_attempt_leaves_no_descriptor_open(spawner: RealSpawner) -> None:
    """Neither when the command ran, nor when it couldn't, nor when it took too long."""

    async def attempts() -> None:
        before = os.listdir("/proc/self/fd")
        await _attempt(spawner, ExecCheck(("true",)))
        await _attempt(spawner, ExecCheck(("/no/such",)))
        await _attempt(spawner, ExecCheck(("sleep", "30")), 0.05)
        assert os.listdir("/proc/self/fd") == before

    asyncio.run(attempts())


def test_a_command_that_survives_being_killed_does_not_hold_up_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs in a dead file system can't be reaped, and just then the probe has something to say."""
    monkeypatch.setattr("stigmer_pm.probes.exec._KILL_PATIENCE", 0.01)
    kills = []

    class StuckChild:
        """Neither exits nor dies."""

        pid = 0

        def __init__(self) -> None:
            self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def kill_tree(self) -> None:
            kills.append(self)

    class StuckSpawner:
        """Starts nothing."""

        def spawn(
            self,
            argv: tuple[str, ...],
            *,
            cwd: str,
            env: Mapping[str, str],
            output_fd: int,
            user: str | None,
            group: str | None,
        ) -> ProbeChild:
            return StuckChild()

    assert _run(StuckSpawner(), "stat", "/dead", timeout=0.01).output == "no answer within 0.01s"
    assert len(kills) == 1
