"""A supervisor ends in order, also when no further thread can be made, or when a part of it can't end well."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from stigmer_pm.runtime.containers.labels import Owner
from stigmer_pm.spec import ComponentSpec, ProcessExecution
from stigmer_pm.supervisor import event_loop
from stigmer_pm.supervisor.pidfiles import PidFiles
from stigmer_pm.supervisor.world import LocalWorld
from tests.no_threads import Threads


def ending(outcome: Callable[[], int], threads: Threads) -> Coroutine[Any, Any, int]:
    """Something that has used a thread, and can have no other in the end."""

    async def main() -> int:
        await asyncio.to_thread(int)
        threads.left = 0
        return outcome()

    return main()


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    """How many threads there may be."""
    return Threads(monkeypatch)


def test_an_event_loop_ends_with_what_it_has_come_to(threads: Threads) -> None:
    """And not with an error about its threads."""
    assert event_loop.run(ending(lambda: 7, threads)) == 7
    assert threads.refused == 1


def test_an_event_loop_ends_with_the_error_that_has_ended_it(threads: Threads) -> None:
    """What is made of a bug hangs on it."""

    def fail() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        event_loop.run(ending(fail, threads))


def test_another_error_of_the_loop_is_raised_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is none of threads that can't be made."""

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("something else")

    async def main() -> int:
        await asyncio.to_thread(int)
        monkeypatch.setattr(threading.Thread, "start", fail)
        return 0

    with pytest.raises(RuntimeError, match="something else"):
        event_loop.run(main())


def test_a_kill_that_is_due_is_carried_out_although_the_engine_cannot_be_let_go_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes have nothing to do with it."""

    async def test() -> None:
        world = LocalWorld(
            asyncio.get_running_loop(),
            PidFiles(str(tmp_path)),
            key="key",
            containers_of=Owner("key", str(tmp_path / "stigmer.yaml")),
            base_environment=dict(os.environ),
            positions=str(tmp_path / "positions"),
            cgroup=str(tmp_path / "cgroup"),
        )

        async def fail() -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(world._containers, "close", fail)
        execution = ProcessExecution(("sleep", "1000"), str(tmp_path), str(tmp_path / "log"))
        started = world.start("web", 1, ComponentSpec(name="web", process=execution))
        assert started is not None
        world.kill("web", 1)
        try:
            with pytest.raises(ZeroDivisionError):
                await world.close()
            assert has_ended(started.pid), "before anything else gets its turn"
        finally:
            os.kill(started.pid, 9)
            os.waitpid(started.pid, 0)

    asyncio.run(test())


def has_ended(pid: int) -> bool:
    """A child ends within a moment; it isn't collected."""
    ends_at = time.monotonic() + 2
    while time.monotonic() < ends_at:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
            return True
        time.sleep(0.01)
    return False
