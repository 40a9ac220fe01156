"""The start of a container's run: its image, its networks, the container itself; and finding one again."""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.runtime.containers import images, labels, making, networks
from stigmer_pm.runtime.containers.link import EngineLink
from stigmer_pm.runtime.containers.output import Output
from stigmer_pm.runtime.containers.seen import Seen
from stigmer_pm.runtime.containers.trouble import EngineRefusal, EngineSilence
from stigmer_pm.runtime.containers.watch import Watch
from stigmer_pm.runtime.spawn import SpawnFailure, shortage_words
from stigmer_pm.threads import DeafThread, NoThread

if TYPE_CHECKING:
    from docker import APIClient

_log = logging.getLogger(__name__)
T = TypeVar("T")

#: Seconds between words about the progress of a pull: each is written down.
_TELL_EVERY = 0.5
#: Seconds until a call is repeated that came to nothing.
_AGAIN = 0.3


class Cancelled(Exception):
    """The start has been taken back, and nothing of it is left."""


class Beginning:
    """Starts runs of one project. ``note`` is told what a start waits for; ``is_ending`` knows the containers that are
    being stopped because they are nobody's run."""

    def __init__(
        self,
        link: EngineLink,
        output: Output,
        owner: labels.Owner,
        note: Callable[[Watch, Reason], None],
        is_ending: Callable[[str], bool],
    ) -> None:
        self._link = link
        self._output = output
        self._owner = owner
        self._note = note
        self._is_ending = is_ending
        self._pulls: dict[str, asyncio.Event] = {}
        self._networks = asyncio.Lock()
        #: An engine was asked to make something.
        self.has_begun = False

    async def start(self, watch: Watch) -> Seen:
        """Start the container of a run; while the engine is away, that is waited for.

        Raises:
            SpawnFailure: it can't be started; nothing of it is left.
            Cancelled: it isn't wanted any more.
        """
        while True:
            try:
                await _unless(watch, self._link.ready())
                await self._have_image(watch)
                return await self._start_container(watch)
            except EngineSilence as silence:
                self._note(watch, Reason(Why.ENGINE, detail=str(silence)))
                await _unless(watch, asyncio.sleep(_AGAIN))
            except NoThread as lack:
                words = shortage_words(errno.EAGAIN)
                raise SpawnFailure("make a thread for it", watch.execution.image, errno.EAGAIN, words) from lack

    async def find(self, watch: Watch) -> Seen | None:
        """Find the container of a run: the one that was made for it, or else one of the instance that runs. However
        long that takes: a run that nobody looks for would be watched by nobody."""
        is_logged = False
        while True:
            await self._link.ready()
            try:
                return await self._link.call(lambda client: self._find(client, watch))
            except (EngineSilence, EngineRefusal, NoThread) as error:
                _log.info("cannot look for the container of %s: %s", watch.instance, error)
            except Exception:  # noqa: BLE001 (what an engine says may be anything)
                if not is_logged:
                    is_logged = True
                    _log.exception("bug in looking for the container of %s, which goes on", watch.instance)
            await asyncio.sleep(_AGAIN)

    # --- inside -------------------------------------------------------------------------------------------------

    def _find(self, client: APIClient, watch: Watch) -> Seen | None:
        found = making.inspect_all(client, self._owner.key, watch.instance)
        own = [seen for seen in found if labels.run_number(seen.labels) == watch.run]
        return next((seen for seen in (*own, *found) if seen.is_running), own[0] if own else None)

    async def _have_image(self, watch: Watch) -> None:
        image, when = watch.execution.image, watch.execution.pull
        if when != "always" and await self._is_here(image):
            return
        if when == "never":
            detail = f"the image {image} is not here, and pull is 'never'; get it first: docker pull {image}"
            raise SpawnFailure("start its container", image, 0, detail)
        self._note(watch, Reason(Why.PREPARING, detail=f"pulling {image}"))
        while (other := self._pulls.get(image)) is not None:
            await _unless(watch, other.wait())
            if await self._is_here(image):
                break
        else:
            await self._pull_alone(watch)
        self._note(watch, NO_REASON)

    async def _is_here(self, image: str) -> bool:
        try:
            return await self._link.call(lambda client: images.is_here(client, image))
        except EngineRefusal as refusal:
            raise SpawnFailure("look for its image", image, 0, making.refusal_words(refusal.message)) from refusal

    async def _pull_alone(self, watch: Watch) -> None:
        """Pull, while whoever needs the same image waits for it."""
        over = self._pulls[watch.execution.image] = asyncio.Event()
        try:
            await self._pull(watch)
        except SpawnFailure as failure:
            # A registry that is away must not keep a component from being restarted.
            if watch.execution.pull != "always" or not await self._is_here(watch.execution.image):
                raise
            self._note(watch, NO_REASON)
            words = f"cannot pull its image: {failure.detail}; the one that is here is taken"
            self._note(watch, Reason(Why.PREPARING, detail=words))
        finally:
            del self._pulls[watch.execution.image]
            over.set()

    async def _pull(self, watch: Watch) -> None:
        """Pull in a thread of its own, which is left to itself when the start is taken back."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        last = 0.0

        def tell(progress: Reason) -> None:
            nonlocal last
            if time.monotonic() - last >= _TELL_EVERY:
                last = time.monotonic()
                loop.call_soon_threadsafe(self._note, watch, progress)

        def pull() -> None:
            execution, error = watch.execution, None
            try:
                self._link.call_here(
                    lambda client: images.pull(
                        client, execution.image, execution.platform, tell, watch.is_unwanted.is_set
                    )
                )
            except Exception as raised:  # noqa: BLE001 (whatever it is, it belongs to who waits for the pull)
                error = raised
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(_settle, over, error)

        DeafThread(pull, "engine-pull").start()
        try:
            await _unless(watch, over)
        except EngineRefusal as refusal:
            raise SpawnFailure("pull its image", watch.execution.image, 0, _pull_words(watch, refusal)) from refusal

    async def _start_container(self, watch: Watch) -> Seen:
        order = making.Order(
            self._owner,
            watch.instance,
            watch.run,
            watch.spec,
            watch.execution,
            lambda old: self._output.drain(watch, old),
            self._output.drop,
            self._is_ending,
        )
        step, owner, component = "make its container", self._owner, watch.spec.name
        self.has_begun = True
        try:
            async with self._networks:
                joined = await self._link.call(
                    lambda client: networks.find_or_make(client, owner, component, watch.execution)
                )
            container, runs = await self._link.call(lambda client: making.make(client, order, joined))
            if watch.is_unwanted.is_set() and not runs:
                await self._link.call(lambda client: making.remove(client, container))
                raise Cancelled
            step = "start its container"
            if not runs:
                await self._link.call(lambda client: making.start(client, container))
            return await self._link.call(lambda client: making.inspect(client, container))
        except EngineRefusal as refusal:
            raise SpawnFailure(step, watch.execution.image, 0, making.refusal_words(refusal.message)) from refusal


def _pull_words(watch: Watch, refusal: EngineRefusal) -> str:
    image, message = watch.execution.image, making.refusal_words(refusal.message)
    if refusal.status == 404 or "not found" in message or "denied" in message:
        return f"no image {image} is to be had: {message}; look at its name, or 'docker login'"
    return f"{image}: {message}"


async def _unless(watch: Watch, work: Awaitable[T]) -> T:
    """What ``work`` comes to.

    Raises:
        Cancelled: before that, the start was taken back.
    """
    unwanted = asyncio.ensure_future(watch.is_unwanted.wait())
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((unwanted, task), return_when=asyncio.FIRST_COMPLETED)
        if not watch.is_unwanted.is_set():
            return task.result()
        raise Cancelled
    finally:
        unwanted.cancel()
        task.cancel()


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(None)
