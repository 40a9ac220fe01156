"""The connection to an engine is kept up, whatever is lacking for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from stigmer_pm.runtime.containers.link import EngineLink
from tests.no_threads import Threads

from .fake_engine import FakeEngine, until


class Heard:
    """What a link tells."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.events: list[Mapping[str, Any]] = []

    def engine_is_there(self) -> None:
        self.told.append("there")

    def engine_is_away(self, words: str) -> None:
        self.told.append(words)

    def engine_event(self, event: Mapping[str, Any]) -> None:
        self.events.append(event)


@asynccontextmanager
async def linked(engine: FakeEngine, heard: Heard) -> AsyncIterator[EngineLink]:
    """A link to an engine that runs."""
    async with engine.running():
        link = EngineLink(asyncio.get_running_loop(), {"DOCKER_HOST": engine.host}, "label", heard)
        link.begin()
        try:
            yield link
        finally:
            await link.close()


def test_an_engine_whose_events_no_thread_can_read_is_asked_again(engine: FakeEngine, threads: Threads) -> None:
    """Until then it counts as away, and is not taken for one that is heard."""
    heard = Heard()

    async def test() -> None:
        threads.lacking = ("engine-events",)
        async with linked(engine, heard) as link:
            await until(lambda: threads.refused > 1, "it is asked again")
            assert not link.is_up
            threads.lacking = ()
            await until(lambda: link.is_up, "it is up")
            engine.tell({"Action": "die", "id": "c0ffee"})
            await until(lambda: heard.events, "its events are heard")

    asyncio.run(test())
    assert "no thread can be made" in heard.told[0]
    assert heard.told[-1] == "there"


def test_without_any_thread_an_engine_is_waited_for(engine: FakeEngine, threads: Threads) -> None:
    """The reason is said, and it is reached once there are some."""
    heard = Heard()

    async def test() -> None:
        threads.left = 0
        async with linked(engine, heard) as link:
            await until(lambda: link.silence, "it is said")
            assert not link.is_up
            threads.left = None
            await until(lambda: link.is_up, "it is up")

    asyncio.run(test())
    assert "ulimit -u" in heard.told[0]


def test_an_engine_that_ends_its_events_at_once_is_not_asked_without_a_pause(engine: FakeEngine) -> None:
    """It would take a whole CPU, here and there."""
    engine.ends_events = True

    async def test() -> None:
        async with linked(engine, Heard()) as link:
            await until(lambda: link.is_up, "it is up")
            await asyncio.sleep(1.0)

    asyncio.run(test())
    assert 1 < engine.heard < 10


def test_it_is_let_go_of_whatever_its_keeper_ended_with(engine: FakeEngine, caplog: pytest.LogCaptureFixture) -> None:
    """A bug in what follows from an outage is logged, and others are let go of as well."""

    class Bad(Heard):
        def engine_is_there(self) -> None:
            super().engine_is_there()
            raise ZeroDivisionError

        def engine_is_away(self, words: str) -> None:
            raise ZeroDivisionError

    heard = Bad()

    async def test() -> None:
        async with linked(engine, heard) as link:
            await until(lambda: heard.told and not link.is_up, "its keeper has ended")

    asyncio.run(test())
    assert "bug in the connection to the engine" in caplog.text
