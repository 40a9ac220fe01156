"""The output of containers is copied, and none is thrown away, when threads, disks or connections are lacking."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.log_position import Position, save_position
from stigmer_pm.runtime.containers.output import Output
from stigmer_pm.runtime.containers.trouble import EngineSilence
from stigmer_pm.runtime.containers.watch import Stage, Watch
from stigmer_pm.spec import ComponentSpec, ContainerExecution
from tests.no_threads import Threads

from .fake_engine import WITHIN, Answer, FakeEngine, Silent, always, until
from .fake_log import Printed

CONTAINER = "c0ffee"
LOGS = f"GET /containers/{CONTAINER}/logs"
LINES = [Printed(1, at * 10**9, b"line %d\n" % at) for at in range(4)]
WHOLE = b"".join(line.frame for line in LINES)
PRINTED = b"".join(line.content for line in LINES)


class Scene:
    """An engine, and the output of a run of a container of it."""

    def __init__(self, engine: FakeEngine, folder: Path) -> None:
        self.engine = engine
        self.log = folder / "web.log"
        self.positions = folder / "positions"
        execution = ContainerExecution(image="busybox", container_name="web", project="shop", log=str(self.log))
        spec = ComponentSpec(name="web", container=execution)
        self.watch = Watch("web", 1, spec, execution, stage=Stage.RUNNING, container=CONTAINER)
        self.looks: list[Watch] = []
        self.output: Output

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        async with self.engine.running():
            link = EngineLink(loop, {"DOCKER_HOST": self.engine.host}, "label", Silent())
            self.output = Output(loop, link, str(self.positions), self.looks.append)
            await link.ready()
            try:
                yield
            finally:
                self.watch.stage = Stage.OVER
                await self.output.close()
                await link.close()

    def written(self) -> bytes:
        return self.log.read_bytes() if self.log.exists() else b""


@pytest.fixture
def scene(engine: FakeEngine, tmp_path: Path) -> Scene:
    """A container that has printed a few lines."""
    engine.answers[LOGS] = always(200, WHOLE)
    return Scene(engine, tmp_path)


def in_turn(*answers: Answer) -> Callable[[], Any]:
    """One after the other, and the last for ever."""
    left = list(answers)

    async def answer() -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def test_a_container_whose_log_no_thread_can_copy_is_copied_later(scene: Scene, threads: Threads) -> None:
    """It is told why, until there is one."""

    async def test() -> None:
        async with scene.running():
            threads.lacking = ("log ",)
            scene.output.follow(scene.watch)
            assert scene.watch.output_error is not None
            assert scene.watch.output_error.errno == errno.EAGAIN
            threads.lacking = ()
            await until(lambda: scene.written() == PRINTED, "it is copied")

    asyncio.run(test())


def test_nobody_waits_for_a_copy_that_no_thread_could_make(scene: Scene, threads: Threads) -> None:
    """What is left is copied before the container goes, in a moment and not after half a minute."""

    async def test() -> None:
        async with scene.running():
            threads.lacking = ("log ",)
            scene.output.follow(scene.watch)
            scene.watch.stage = Stage.OVER
            threads.lacking = ()
            async with asyncio.timeout(10):
                await asyncio.to_thread(scene.output.drain, scene.watch, CONTAINER)

    asyncio.run(test())
    assert scene.written() == PRINTED


def test_a_log_that_cannot_be_opened_is_said_until_it_can(scene: Scene) -> None:
    """A folder where the log should be; that it goes is noticed."""
    scene.log.mkdir()

    async def test() -> None:
        async with scene.running():
            scene.output.follow(scene.watch)
            await until(lambda: scene.watch.output_error, "it is said")
            assert scene.watch.output_error is not None
            assert scene.watch.output_error.errno == errno.EISDIR
            assert scene.looks == [], "the container has nothing to do with it"
            scene.log.rmdir()
            await until(lambda: scene.written() == PRINTED, "it is copied")
            await until(lambda: scene.watch.output_error is None, "it is said no more")

    asyncio.run(test())


def test_a_position_that_cannot_be_kept_is_said_until_it_can(scene: Scene) -> None:
    """A file where their folder should be."""
    scene.positions.touch()

    async def test() -> None:
        async with scene.running():
            scene.output.follow(scene.watch)
            await until(lambda: scene.watch.output_error, "it is said")
            assert scene.written() == b"", "without a position it could come twice"
            scene.positions.unlink()
            await until(lambda: scene.written() == PRINTED, "it is copied")

    asyncio.run(test())
    assert os.stat(scene.positions).st_mode & 0o777 == 0o700


def test_what_a_broken_connection_has_left_is_copied_before_the_container_goes(scene: Scene) -> None:
    """The container has ended with its engine, which is back, and its log has the rest."""
    scene.engine.answers[LOGS] = in_turn((200, WHOLE[:-3]), (200, WHOLE))

    async def test() -> None:
        async with scene.running():
            scene.output.follow(scene.watch)
            scene.watch.stage = Stage.OVER
            await until(lambda: scene.watch.log is None, "the stream is over")
            assert scene.written() != PRINTED
            await asyncio.to_thread(scene.output.drain, scene.watch, CONTAINER)

    asyncio.run(test())
    assert scene.written() == PRINTED


def test_a_log_that_is_damaged_on_the_engine_does_not_keep_a_container_for_ever(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it is read, it ends within a line; that is said."""
    scene.engine.answers[LOGS] = always(200, WHOLE[:-3])

    async def test() -> None:
        async with scene.running():
            await asyncio.to_thread(scene.output.drain, scene.watch, CONTAINER)

    asyncio.run(test())
    assert "is lost" in caplog.text
    assert scene.written() == PRINTED[: -len(LINES[-1].content)]


def test_a_container_stays_while_the_engine_is_away_that_has_its_last_output(scene: Scene) -> None:
    """It goes when that is copied."""
    scene.engine.answers[LOGS] = always(200, WHOLE[:-3])

    async def test() -> None:
        async with scene.running():
            scene.output.follow(scene.watch)
            scene.watch.stage = Stage.OVER
            await until(lambda: scene.watch.log is None, "the stream is over")
            scene.output._link.silence = "it is away"
            with pytest.raises(EngineSilence):
                await asyncio.to_thread(scene.output.drain, scene.watch, CONTAINER)

    asyncio.run(test())


def test_a_container_stays_while_nobody_answers_who_has_its_last_output(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """Also in the moment before it is noticed that the engine is away."""

    async def vanish() -> Answer:
        raise ConnectionError

    scene.engine.answers[LOGS] = vanish

    async def test() -> None:
        async with scene.running():
            with pytest.raises(EngineSilence):
                await asyncio.to_thread(scene.output.drain, scene.watch, CONTAINER)

    asyncio.run(test())
    assert "is lost" not in caplog.text


def test_what_an_earlier_supervisor_has_not_copied_is_before_the_project_goes(scene: Scene) -> None:
    """Where the log is, the position tells; a container of which nothing was ever copied is left alone."""
    scene.engine.answers[LOGS] = in_turn((200, WHOLE[:-3]), (200, WHOLE))

    async def copy_some() -> None:
        async with scene.running():
            scene.output.follow(scene.watch)
            await until(lambda: scene.watch.log is None, "the stream is over")

    async def copy_rest() -> None:
        async with scene.running():
            for container in (CONTAINER, "another"):
                await asyncio.to_thread(scene.output.drain_left, container, time.monotonic() + WITHIN)

    asyncio.run(copy_some())
    assert scene.written() != PRINTED
    asyncio.run(copy_rest())
    assert scene.written() == PRINTED
    assert set(scene.engine.asked) == {LOGS}


def test_what_is_left_of_an_earlier_container_goes_into_the_log_that_it_had(scene: Scene, tmp_path: Path) -> None:
    """Its supervisor died, and the next one has a file that names another log."""
    first, other = Position(CONTAINER, str(scene.log), 0, 0, 0), tmp_path / "other.log"
    scene.positions.mkdir()
    save_position(str(scene.positions / f"{CONTAINER}.json"), first)
    execution = replace(scene.watch.execution, log=str(other))
    watch = Watch("web", 2, scene.watch.spec, execution)

    async def test() -> None:
        async with scene.running():
            await asyncio.to_thread(scene.output.drain, watch, CONTAINER)

    asyncio.run(test())
    assert scene.written() == PRINTED
    assert not other.exists()


def test_streams_are_let_go_of_without_a_thread(scene: Scene, threads: Threads) -> None:
    """In the end there may be none for it."""

    async def test() -> None:
        is_over = asyncio.Event()

        async def hang() -> Answer:
            await is_over.wait()
            return 200, b""

        scene.engine.answers[LOGS] = hang
        async with scene.running():
            scene.output.follow(scene.watch)
            await until(lambda: scene.engine.asked == [LOGS], "it is asked for")
            threads.left = 0
            await scene.output.close()
            threads.left = None
            is_over.set()
            await until(lambda: not any(one.name.startswith("log ") for one in threading.enumerate()), "it has ended")

    asyncio.run(test())
    assert threads.refused == 1
    assert scene.watch.log is not None, "what is closed doesn't tell of an end"
