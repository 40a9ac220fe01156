"""The start of a container, where it is overtaken by the end of the supervisor, or overtakes another one."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, cast

import pytest

from stigmer_pm.runtime.containers import making
from stigmer_pm.runtime.containers.labels import Owner
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.output import Output
from stigmer_pm.runtime.containers.starting import Beginning
from stigmer_pm.runtime.containers.watch import Watch
from stigmer_pm.spec import ComponentSpec, ContainerExecution

OWNER = Owner("key", "/srv/shop/stigmer.yaml")
EXECUTION = ContainerExecution(image="busybox", container_name="web", project="shop", log="/dev/null")


class SlowLink:
    """An engine whose pull takes until it may end."""

    def __init__(self) -> None:
        self.is_pulling = threading.Event()
        self.may_end = threading.Event()

    def call_here(self, job: object) -> None:
        self.is_pulling.set()
        self.may_end.wait(10)


def test_a_pull_that_outlives_its_supervisor_has_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread is left to itself. It put a traceback on the terminal of ``up --foreground``."""
    tracebacks: list[object] = []
    monkeypatch.setattr(threading, "excepthook", tracebacks.append)
    link = SlowLink()
    output = cast(Output, None)
    beginning = Beginning(cast(EngineLink, link), output, OWNER, lambda watch, reason: None, lambda container: False)

    async def begin() -> None:
        watch = Watch("web", 1, ComponentSpec("web", container=EXECUTION), EXECUTION)
        pull = asyncio.ensure_future(beginning._pull(watch))
        while not link.is_pulling.is_set():
            await asyncio.sleep(0.01)
        pull.cancel()

    asyncio.run(begin())
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "engine-pull"]
    link.may_end.set()
    thread.join(10)
    assert tracebacks == []


class OddLink:
    """An engine that answers what we can't read, and then what we can."""

    def __init__(self) -> None:
        self.calls = 0

    async def ready(self) -> None:
        pass

    async def call(self, job: object) -> str:
        self.calls += 1
        if self.calls < 3:
            raise KeyError("State")
        return "found"


def test_a_container_of_which_an_engine_says_what_nobody_understands_is_looked_for_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And told once in the log: it would be watched by nobody."""
    output, link = cast(Output, None), cast(EngineLink, OddLink())
    beginning = Beginning(link, output, OWNER, lambda watch, reason: None, lambda container: False)
    watch = Watch("web", 1, ComponentSpec("web", container=EXECUTION), EXECUTION)
    assert cast(object, asyncio.run(beginning.find(watch))) == "found"
    assert [record.getMessage() for record in caplog.records] == [
        "bug in looking for the container of web, which goes on"
    ]


class Engine:
    """The calls of the SDK by which an old container is ended; ``stops`` has how long each was given."""

    def __init__(self) -> None:
        self.stops: list[int] = []

    def containers(self, **asked: object) -> list[dict[str, str]]:
        return [{"Id": "c0ffee"}]

    def inspect_container(self, container: str) -> dict[str, Any]:
        return {"Id": container, "Name": "/other", "State": {"Running": True}, "Config": {"Labels": {}}}

    def stop(self, container: str, timeout: int) -> None:
        self.stops.append(timeout)


@pytest.mark.parametrize(("stop_timeout", "given"), [(0.0, 0), (0.5, 1), (10.0, 10), (10.2, 11)])
def test_what_an_earlier_run_has_left_has_all_its_time_to_stop(stop_timeout: float, given: int) -> None:
    """An engine counts whole seconds. Half a second was none, which is SIGKILL at once."""
    engine, spec = Engine(), ComponentSpec("web", container=EXECUTION, stop_timeout=stop_timeout)
    nothing = lambda container: None  # noqa: E731
    order = making.Order(OWNER, "web", 2, spec, EXECUTION, nothing, nothing, lambda container: False)
    making._clear(cast(Any, engine), order)
    assert engine.stops == [given]
