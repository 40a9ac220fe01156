"""Signals arrive, also at a container that is paused; and one that an engine refuses is said."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import pytest

from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.runtime.containers import seen
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.outsiders import take_event, who_ended
from stigmer_pm.runtime.containers.sending import send
from stigmer_pm.runtime.containers.watch import Stage, Watch
from stigmer_pm.spec import ComponentSpec, ContainerExecution
from tests.no_threads import Threads

from .fake_engine import Answer, FakeEngine, Silent, always, until

KILL, UNPAUSE = "POST /containers/c0ffee/kill", "POST /containers/c0ffee/unpause"
KILLED = {"Action": "kill", "Actor": {"Attributes": {"signal": "15"}}}
DELIVERING = Reason(Why.DELIVERING)
REFUSED = Reason(Why.REFUSED, subject="SIGTERM", detail="permission denied")


class Scene:
    """A container that is to end by SIGTERM, and what is said of it."""

    def __init__(self, engine: FakeEngine, *, is_paused: bool = False, stop_timeout: float = 60.0) -> None:
        execution = ContainerExecution(image="busybox", container_name="web", project="shop", log="/dev/null")
        spec = ComponentSpec(name="web", container=execution, stop_timeout=stop_timeout)
        document = {"Id": "c0ffee", "State": {"Running": True, "Paused": is_paused}}
        self.engine = engine
        self.watch = Watch("web", 1, spec, execution, stage=Stage.RUNNING, container="c0ffee", seen=seen.read(document))
        self.watch.note = Reason(Why.PAUSED) if is_paused else NO_REASON
        self.notes: list[Reason] = []

    def note(self, watch: Watch, reason: Reason) -> None:
        if reason != watch.note:
            watch.note = reason
            self.notes.append(reason)

    async def slowly(self, status: int, message: str) -> Answer:
        """An answer that takes longer than what is soon."""
        await until(lambda: DELIVERING in self.notes, "it has taken long")
        return status, {"message": message}

    def run(self, test: Callable[[EngineLink], Awaitable[None]]) -> None:
        async def main() -> None:
            async with self.engine.running():
                link = EngineLink(asyncio.get_running_loop(), {"DOCKER_HOST": self.engine.host}, "label", Silent())
                await link.ready()
                try:
                    await test(link)
                finally:
                    await link.close()

        asyncio.run(main())

    async def send(self, link: EngineLink) -> bool:
        self.watch.wanted_signal, self.watch.is_stop_wanted = signal.SIGTERM, True
        return await send(link, self.watch, self.note)


def test_a_paused_container_goes_on_however_long_its_turn_takes(engine: FakeEngine) -> None:
    """What is said of it by then is something else, and it could not end."""
    scene = Scene(engine, is_paused=True, stop_timeout=0.1)

    async def test(link: EngineLink) -> None:
        engine.answers[UNPAUSE] = engine.answers[KILL] = always(204, {})
        engine.answers["GET /info"] = lambda: scene.slowly(200, "")
        others = [asyncio.ensure_future(link.call(lambda client: client.info())) for _ in range(8)]
        await until(lambda: len(engine.asked) == 8, "all threads are busy")
        assert await scene.send(link)
        await asyncio.gather(*others)

    scene.run(test)
    assert engine.asked[8:] == [UNPAUSE, KILL]
    assert scene.notes == [DELIVERING, NO_REASON]


def test_a_container_that_somebody_else_has_let_go_on_meanwhile_gets_its_signal(engine: FakeEngine) -> None:
    """That it isn't paused any more is what was wanted."""
    scene = Scene(engine, is_paused=True)

    async def test(link: EngineLink) -> None:
        engine.answers[UNPAUSE] = always(500, {"message": "Container c0ffee is not paused"})
        engine.answers[KILL] = always(204, {})
        assert await scene.send(link)

    scene.run(test)
    assert engine.asked == [UNPAUSE, KILL]


@pytest.mark.parametrize("status", [500, 409])
def test_a_signal_that_is_refused_after_a_while_is_said_to_be(engine: FakeEngine, status: int) -> None:
    """It isn't being delivered any more; and it is looked at."""
    scene = Scene(engine, stop_timeout=0.1)

    async def test(link: EngineLink) -> None:
        engine.answers[KILL] = lambda: scene.slowly(status, "permission denied")
        assert not await scene.send(link)

    scene.run(test)
    assert scene.notes == [DELIVERING, REFUSED]
    assert not scene.watch.was_told_to_end


def test_a_signal_that_is_refused_at_once_is_said_to_be(engine: FakeEngine) -> None:
    """Until it is sent after all."""
    scene = Scene(engine)

    async def test(link: EngineLink) -> None:
        engine.answers[KILL] = always(500, {"message": "permission denied"})
        assert not await scene.send(link)
        engine.answers[KILL] = always(204, {})
        assert await scene.send(link)

    scene.run(test)
    assert scene.notes == [REFUSED, NO_REASON]


def test_nothing_is_said_of_a_container_that_has_ended_before_its_signal(engine: FakeEngine) -> None:
    """A look tells more."""
    scene = Scene(engine)

    async def test(link: EngineLink) -> None:
        engine.answers[KILL] = always(409, {"message": "container c0ffee is not running"})
        assert not await scene.send(link)

    scene.run(test)
    assert scene.notes == []


def test_a_signal_that_no_thread_can_send_stays_wanted(engine: FakeEngine, threads: Threads) -> None:
    """It counts as being delivered, so that the time for the stop begins when it is."""
    scene = Scene(engine)

    async def test(link: EngineLink) -> None:
        engine.answers[KILL] = always(204, {})
        threads.left = 0
        assert not await scene.send(link)
        assert (scene.watch.wanted_signal, scene.watch.is_stop_wanted) == (signal.SIGTERM, True)
        threads.left = None
        assert await send(link, scene.watch, scene.note)

    scene.run(test)
    assert scene.notes == [DELIVERING, NO_REASON]
    assert engine.asked == [KILL]


def test_a_signal_that_gets_lost_is_sent_again(engine: FakeEngine) -> None:
    """The connection broke, and the engine is there all the same: so the container is looked at, and it follows. An
    engine that carries it out after all tells of it twice, and none of that is somebody else's doing."""
    scene = Scene(engine)

    async def lose() -> Answer:
        raise ConnectionError

    async def test(link: EngineLink) -> None:
        engine.answers[KILL] = lose
        assert not await scene.send(link)
        assert (scene.watch.wanted_signal, scene.watch.is_stop_wanted) == (signal.SIGTERM, True)
        engine.answers[KILL] = always(204, {})
        assert await scene.send(link)

    scene.run(test)
    for _ in range(2):
        take_event(scene.watch, KILLED, 0.0)
    assert who_ended(scene.watch, 0.0) == ""
    take_event(scene.watch, KILLED, 0.0)
    assert who_ended(scene.watch, 0.0) == "SIGTERM by somebody else"


def test_a_signal_that_was_refused_hides_nobody(engine: FakeEngine) -> None:
    """The next one that the engine tells of is somebody else's."""
    scene = Scene(engine)

    async def test(link: EngineLink) -> None:
        engine.answers[KILL] = always(500, {"message": "permission denied"})
        assert not await scene.send(link)

    scene.run(test)
    take_event(scene.watch, KILLED, 0.0)
    assert who_ended(scene.watch, 0.0) == "SIGTERM by somebody else"
