"""What the engine tells of itself and of containers, and which of them are looked at for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from stigmer_pm.core.reasons import NO_REASON, Reason, Why
from stigmer_pm.core.state import Exit, StopCause
from stigmer_pm.runtime.containers import labels
from stigmer_pm.runtime.containers.outsiders import take_event
from stigmer_pm.runtime.containers.watch import Stage, Watch

#: Seconds until a look at a container that was started, and not from here.
_STRAY_AFTER = 0.5


class Hooks(Protocol):
    """What follows from what is told."""

    def over(self, watch: Watch, end: Exit, cause: StopCause | None = None) -> None:
        """The run has ended."""

    def note(self, watch: Watch, reason: Reason) -> None:
        """Something about it, or, with no reason, no longer."""

    def look_soon(self, watch: Watch) -> None:
        """Its container is to be looked at."""

    def look_at_all(self) -> None:
        """Everything is to be looked at."""

    def abandon_questions(self, words: str) -> None:
        """Nobody answers what containers are being asked."""


class Tidings:
    """Hears about the containers of ``watches``, which somebody else adds and removes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, watches: Mapping[tuple[str, int], Watch], hooks: Hooks) -> None:
        self._loop = loop
        self._watches = watches
        self._hooks = hooks

    def engine_is_there(self) -> None:
        """It answers (again): look at everything."""
        for watch in self._watches.values():
            if watch.note.why is Why.ENGINE:
                self._hooks.note(watch, NO_REASON)
        self._hooks.look_at_all()

    def engine_is_away(self, words: str) -> None:
        """It doesn't answer. Where processes are to be seen from here, some are known to have gone with it."""
        self._hooks.abandon_questions(words)
        for watch in list(self._watches.values()):
            if watch.is_over:
                continue
            watch.was_silent = True
            if watch.stage is Stage.RUNNING and watch.is_visible and not watch.process_lives():
                self._hooks.over(watch, Exit(), StopCause.ENGINE)
            else:
                self._hooks.note(watch, Reason(Why.ENGINE, detail=words))

    def engine_event(self, event: Mapping[str, Any]) -> None:
        """Something has happened to one of our containers."""
        container = str(event.get("id") or event.get("Actor", {}).get("ID", ""))
        for watch in self._watches.values():
            if watch.container == container and not watch.is_over and take_event(watch, event, self._loop.time()):
                self._hooks.look_soon(watch)
        if event.get("Action") == "start" and not self._is_expected(event, container):
            self._loop.call_later(_STRAY_AFTER, self._hooks.look_at_all)

    def _is_expected(self, event: Mapping[str, Any], container: str) -> bool:
        """It is a run's, or is about to be."""
        instance = event.get("Actor", {}).get("Attributes", {}).get(labels.INSTANCE)
        return any(
            watch.container == container or (watch.instance == instance and watch.stage is Stage.BEGINNING)
            for watch in self._watches.values()
        )
