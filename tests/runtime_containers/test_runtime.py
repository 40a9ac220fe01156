"""Runs of containers on an engine that refuses things, or while no thread can be made: none is lost or blamed."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stigmer_pm.core.reasons import Reason
from stigmer_pm.core.state import Exit, Run, StopCause
from stigmer_pm.runtime.containers.labels import INSTANCE, RUN, Owner
from stigmer_pm.runtime.containers.runtime import ContainerRuntime
from stigmer_pm.runtime.run import Started
from stigmer_pm.runtime.spawn import SpawnFailure
from stigmer_pm.spec import ComponentSpec, ContainerExecution
from tests.no_threads import Threads

from .fake_engine import Answer, FakeEngine, always, until
from .fake_log import Printed

LINE = Printed(1, 0, b"hello\n")
RUNNING = {"Running": True, "Pid": 0, "StartedAt": "2026-11-28T20:00:00Z"}
ENDED = {"Running": False, "ExitCode": 3, "StartedAt": "2026-11-28T20:00:00Z"}


class Told:
    """Who is told what becomes of runs."""

    def __init__(self) -> None:
        self.starts: list[Started] = []
        self.failures: list[SpawnFailure | None] = []
        self.ends: list[Exit] = []

    def started(self, instance: str, run: int, started: Started) -> None:
        self.starts.append(started)

    def not_started(self, instance: str, run: int, failure: SpawnFailure | None) -> None:
        self.failures.append(failure)

    def ended(self, instance: str, run: int, end: Exit, cause: StopCause | None = None) -> None:
        self.ends.append(end)

    def noted(self, instance: str, run: int, reason: Reason) -> None:
        pass

    def health(self, instance: str, run: int, *, passes: bool, output: str) -> None:
        pass

    def warned(self, instance: str, words: str) -> None:
        pass

    def has(self, instance: str) -> bool:
        return True

    def knows(self, instance: str) -> bool:
        return True


class Scene:
    """A project with one container, ``web``."""

    def __init__(self, engine: FakeEngine, folder: Path) -> None:
        self.engine = engine
        self.told = Told()
        self.log = folder / "web.log"
        self._positions = str(folder / "positions")
        execution = ContainerExecution(image="busybox", container_name="web", project="shop", log=str(self.log))
        self.spec = ComponentSpec(name="web", container=execution)
        self.runtime: ContainerRuntime

    def has(self, state: dict[str, object]) -> None:
        """The engine has its container, which stands like this."""
        labels = {INSTANCE: "web", RUN: "1"}
        entry = {"Id": "c0ffee", "State": "running" if state["Running"] else "exited", "Labels": labels}
        self.engine.answers["GET /containers/json"] = always(200, [entry])
        inspected = {"Id": "c0ffee", "State": state, "Config": {"Labels": labels}}
        self.engine.answers["GET /containers/c0ffee/json"] = always(200, inspected)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self.engine.running():
            self.runtime = ContainerRuntime(
                asyncio.get_running_loop(),
                self.told,
                owner=Owner("key", "/srv/shop/stigmer.yaml"),
                environment={"DOCKER_HOST": self.engine.host},
                positions=self._positions,
            )
            try:
                yield
            finally:
                await self.runtime.close()

    def find(self) -> None:
        """Look for the run of an earlier supervisor, whose record is older than its start."""
        self.runtime.take_over("web", Run(1, 0.0, container=""), self.spec, None)

    async def found(self) -> None:
        self.find()
        await until(lambda: self.told.starts, "it is found")


@pytest.fixture
def scene(engine: FakeEngine, tmp_path: Path) -> Scene:
    """A container that runs."""
    scene = Scene(engine, tmp_path)
    scene.has(RUNNING)
    return scene


def test_a_container_has_started_although_its_log_cannot_be_copied_yet(scene: Scene, threads: Threads) -> None:
    """It isn't ``starting`` for ever."""

    async def test() -> None:
        async with scene.running():
            scene.engine.answers["GET /containers/c0ffee/logs"] = always(200, LINE.frame)
            threads.lacking = ("log ",)
            await scene.found()
            assert threads.refused
            threads.lacking = ()
            await until(lambda: scene.log.exists() and scene.log.read_bytes() == b"hello\n", "it is copied")

    asyncio.run(test())


@pytest.mark.parametrize("lacking", ["engine-calls", "engine-pull"])
def test_a_start_that_no_thread_can_carry_out_is_a_shortage(scene: Scene, threads: Threads, lacking: str) -> None:
    """It is tried again for as long as that lasts, and never given up on."""

    async def test() -> None:
        async with scene.running():
            threads.lacking = (lacking,)
            scene.runtime.start("web", 1, scene.spec)
            await until(lambda: scene.told.failures, "it has failed")

    asyncio.run(test())
    (failure,) = scene.told.failures
    assert failure is not None
    assert failure.number == errno.EAGAIN
    assert "ulimit -u" in failure.detail


def test_an_end_is_found_out_once_there_is_a_thread_for_the_look(scene: Scene, threads: Threads) -> None:
    """Nothing else tells of it for half a minute."""

    async def test() -> None:
        async with scene.running():
            scene.engine.answers["GET /containers/c0ffee/logs"] = always(501, {"message": "there is no log"})
            await scene.found()
            scene.has(ENDED)
            scene.runtime._link._workers.abandon(RuntimeError("the threads that there were are stuck"))
            threads.lacking = ("engine-calls",)
            scene.engine.tell({"Action": "die", "id": "c0ffee", "Actor": {"Attributes": {"exitCode": "3"}}})
            await until(lambda: threads.refused, "it can't be looked at")
            threads.lacking = ()
            await until(lambda: scene.told.ends, "its end is told")

    asyncio.run(test())
    assert scene.told.ends[0].code == 3


def test_an_end_is_found_out_although_the_first_look_was_cut_short(scene: Scene) -> None:
    """A connection broke, or no descriptor was free for one; the engine is there all the same."""
    looks: list[int] = []

    async def test() -> None:
        async with scene.running():
            scene.engine.answers["GET /containers/c0ffee/logs"] = always(501, {"message": "there is no log"})
            await scene.found()
            scene.has(ENDED)
            whole = scene.engine.answers["GET /containers/c0ffee/json"]

            async def answer() -> Answer:
                looks.append(1)
                if len(looks) < 3:
                    raise ConnectionError
                return await whole()

            scene.engine.answers["GET /containers/c0ffee/json"] = answer
            scene.engine.tell({"Action": "die", "id": "c0ffee", "Actor": {"Attributes": {"exitCode": "3"}}})
            await until(lambda: scene.told.ends, "its end is told")

    asyncio.run(test())
    assert len(looks) == 3


def test_a_run_is_looked_for_until_there_is_a_thread_for_it(scene: Scene, threads: Threads) -> None:
    """By the supervisor that takes over from one that was killed."""

    async def test() -> None:
        async with scene.running():
            threads.lacking = ("engine-calls",)
            scene.find()
            await until(lambda: threads.refused, "it can't be looked for")
            threads.lacking = ()
            await until(lambda: scene.told.starts, "it is found")

    asyncio.run(test())


def test_an_engine_that_cannot_say_whether_it_has_the_image_is_no_bug_of_ours(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """What it says is the reason."""

    async def test() -> None:
        async with scene.running():
            scene.engine.answers["GET /images/busybox/json"] = always(500, {"message": "its disk is broken"})
            scene.runtime.start("web", 1, scene.spec)
            await until(lambda: scene.told.failures, "it has failed")

    asyncio.run(test())
    assert [str(failure) for failure in scene.told.failures] == ["cannot look for its image: its disk is broken"]
    assert "bug" not in caplog.text
