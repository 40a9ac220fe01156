"""The connection to a Docker engine: calls off the event loop, its events, and whether it answers at all."""

from __future__ import annotations

import asyncio
import errno
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from stigmer_pm.runtime.containers.address import BadContext, EngineAddress, engine_address
from stigmer_pm.runtime.containers.knock import Answer, knock
from stigmer_pm.runtime.containers.trouble import EngineRefusal, EngineSilence, explain
from stigmer_pm.runtime.containers.workers import Workers
from stigmer_pm.runtime.spawn import shortage_words
from stigmer_pm.threads import DeafThread, NoThread

if TYPE_CHECKING:
    from docker import APIClient

_log = logging.getLogger(__name__)
T = TypeVar("T")

#: Calls that are under way at the same time; the engine itself does little side by side beyond that.
_MOST_CALLS = 8
#: Seconds that a call may take. Making a container from a large image takes some on a slow disk.
_CALL_TIMEOUT = 60.0
#: What is worth hearing: each probe inside a container would tell three more.
_EVENTS = ("die", "kill", "stop", "restart", "destroy", "pause", "unpause", "oom", "start", "health_status")
#: Seconds between questions to a connected engine whether it is still alive, how many of them in a row have to fail
#: before it is taken for one that hangs, and seconds that each of them has.
_ASK_EVERY, _ASK_TIMES, _ASK_WITHIN = 5.0, 3, 2.0
#: Seconds in which an engine that isn't on its way out answers a question, and an engine that is new the first ones.
_TAKES_WITHIN, _FIRST_WITHIN = 1.0, 20.0
#: Seconds between attempts to reach an engine that is away: the first, and the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class LinkListener(Protocol):
    """Who is told how the engine stands. Everything is called on the event loop."""

    def engine_is_there(self) -> None:
        """It answers, and its events are heard from now on; what happened before has to be looked up."""

    def engine_is_away(self, words: str) -> None:
        """It can't be reached; ``words`` say why. Called again when they change."""

    def engine_event(self, event: Mapping[str, Any]) -> None:
        """Something has happened to a container of this project."""


class EngineLink:
    """One engine. Lives on the event loop; keeps up the connection from :meth:`begin` on.

    Args:
        environment: that of the ``up`` that started the project: it says which engine.
        label: of the containers whose events are listened to.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, environment: Mapping[str, str], label: str, listener: LinkListener
    ) -> None:
        self._loop = loop
        self._environment = environment
        self._label = label
        self._listener = listener
        self._workers = Workers(loop, "engine-calls", _MOST_CALLS)
        self._knockers = Workers(loop, "engine-questions", _MOST_CALLS)
        self._client: APIClient | None = None
        self._client_lock = threading.Lock()
        self._is_there = asyncio.Event()
        self._events: Any = None
        self._keeper: asyncio.Task[None] | None = None
        #: Why it can't be reached; empty while it can.
        self.silence = ""
        self.address = EngineAddress("")

    def begin(self) -> None:
        """Reach the engine, and keep on reaching it."""
        if self._keeper is None:
            self._keeper = self._loop.create_task(self._keep())

    @property
    def has_begun(self) -> bool:
        """The engine was needed."""
        return self._keeper is not None

    @property
    def is_up(self) -> bool:
        """The engine answers."""
        return self._is_there.is_set()

    async def ready(self) -> None:
        """Wait until the engine answers."""
        self.begin()
        await self._is_there.wait()

    async def call(self, job: Callable[[APIClient], T]) -> T:
        """Carry out a call of the SDK in a thread.

        Raises:
            EngineSilence: the engine can't be reached.
            EngineRefusal: it says no.
            NoThread: there is no thread to be had for it; nothing was done.
        """
        if self.silence:
            raise EngineSilence(self.silence)
        return await self._workers.run(lambda: self.call_here(job))

    def call_here(self, job: Callable[[APIClient], T]) -> T:
        """The same in the calling thread, which must not be that of the event loop; raises the same."""
        if self.silence:
            raise EngineSilence(self.silence)  # a call to an engine that hangs would only keep its thread
        return self._call(job)

    async def takes_requests(self) -> bool:
        """It isn't on its way out."""
        return await self._knock(_TAKES_WITHIN) is Answer.YES

    async def close(self) -> None:
        """Let go of the engine."""
        if self._keeper is not None:
            self._keeper.cancel()
            (result,) = await asyncio.gather(self._keeper, return_exceptions=True)
            if isinstance(result, Exception):
                _log.error("bug in the connection to the engine", exc_info=result)
        self._stop_listening()
        self._workers.close()
        self._knockers.close()

    # --- inside -------------------------------------------------------------------------------------------------

    def _call(self, job: Callable[[APIClient], T]) -> T:
        try:
            return job(self._connected())
        except Exception as error:
            meaning = explain(error, self.address)
            if meaning is None:
                raise
            raise meaning from error

    def _connected(self) -> APIClient:
        with self._client_lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> APIClient:
        # 140 ms and 20 MB, which only those pay who run containers.
        import docker

        address = self.address
        tls: Any = False
        if address.certificates is not None:
            names = (f"{address.certificates}/{name}.pem" for name in ("cert", "key", "ca"))
            cert, key, ca = names
            tls = docker.tls.TLSConfig(client_cert=(cert, key), ca_cert=ca, verify=address.verifies)
        return docker.APIClient(
            base_url=address.url,
            version="auto",
            tls=tls,
            timeout=int(_CALL_TIMEOUT),
            max_pool_size=64,
            use_ssh_client=address.url.startswith("ssh://"),
        )

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                async with asyncio.timeout(_FIRST_WITHIN):
                    self._events = await self._knockers.run(self._listen)
                over = self._read(self._events)
                began, self.silence = self._loop.time(), ""
                self._is_there.set()
                self._listener.engine_is_there()
                await self._attend(over)
                if self._loop.time() - began > _LONGEST_PAUSE:
                    pause = _FIRST_PAUSE
                    continue  # at once, so that an end of the engine is noticed; but not of one that ends each answer
            except Exception as error:  # noqa: BLE001 (an address that the SDK chokes on, for one)
                self._lose(self._why_not(error))
                self._stop_listening()
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _why_not(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            self._knockers.abandon(EngineSilence(self._mute_words()))
            return self._mute_words()
        if isinstance(error, (EngineSilence, EngineRefusal)):
            return str(error)
        if isinstance(error, NoThread):
            words = shortage_words(errno.EAGAIN)
            return f"the Docker engine at {self.address.url} can't be asked, for no thread can be made: {words}"
        return f"the Docker engine at {self.address.url} can't be reached: {error}"

    def _mute_words(self) -> str:
        return f"the Docker engine at {self.address.url} takes connections and doesn't answer; see how it is doing"

    def _lose(self, words: str) -> None:
        """It can't be reached, and whoever waits for an answer waits in vain."""
        self._is_there.clear()
        self.silence = words
        self._workers.abandon(EngineSilence(words))
        self._listener.engine_is_away(words)

    def _find_address(self) -> EngineAddress:
        try:
            return engine_address(self._environment)
        except BadContext as error:
            raise EngineSilence(str(error)) from error

    def _listen(self) -> Any:
        """Ask anew for the version, for it may be another engine by now, and then for events."""
        with self._client_lock:
            self._client = None
            self.address = self._find_address()
        if knock(self.address, _ASK_WITHIN) is Answer.NOTHING:
            raise EngineSilence(self._mute_words())
        filters = {"type": "container", "label": self._label, "event": list(_EVENTS)}
        return self._call(lambda client: client.events(decode=True, filters=filters))

    def _read(self, stream: Any) -> asyncio.Future[None]:
        """Hand on events until the stream is over, which is told by the future.

        Raises:
            NoThread: there is no thread to be had for it.
        """
        over: asyncio.Future[None] = self._loop.create_future()

        def read() -> None:
            try:
                for event in stream:
                    self._loop.call_soon_threadsafe(self._listener.engine_event, event)
            except Exception as error:  # noqa: BLE001 (the engine has gone, in one of many ways)
                _log.info("the events of the engine have ended: %s", error)
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(_finish, over)

        DeafThread(read, "engine-events").start()
        return over

    async def _attend(self, over: asyncio.Future[None]) -> None:
        """Wait for the end of the events.

        Raises:
            EngineSilence: the engine hangs meanwhile.
        """
        while not over.done():
            await asyncio.wait((over,), timeout=_ASK_EVERY)
            if not over.done() and await self._is_mute():
                _log.warning("the engine takes connections and doesn't answer")
                raise EngineSilence(self._mute_words())

    async def _is_mute(self) -> bool:
        """It hangs. One that closes its door is another case: what it still has to say, it says to those inside."""
        for attempt in range(_ASK_TIMES):
            if attempt:
                await asyncio.sleep(_ASK_WITHIN / 2)
            if await self._knock(_ASK_WITHIN) is not Answer.NOTHING:
                return False
        return True

    async def _knock(self, within: float) -> Answer:
        try:
            return await self._knockers.run(partial(knock, self.address, within))
        except NoThread:
            return Answer.YES  # nobody can tell

    def _stop_listening(self) -> None:
        if self._events is not None:
            with suppress(Exception):
                self._events.close()


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
