"""The merged logs of ``up --foreground``: what the components write, shown as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from stigmer_pm.logs import Follower, Line
from stigmer_pm.supervisor.engine import Engine

#: Seconds between looks at the log files. A person doesn't notice it, and it costs nothing that matters in front.
_LOOK = 0.1


class FrontLogs:
    """Shows what components write. ``show`` gets the name of a component and a line."""

    def __init__(
        self,
        paths: Mapping[str, str],
        begin: Mapping[str, int],
        show: Callable[[str, bytes], None],
        say: Callable[[str], None],
    ) -> None:
        """Show what is added to the files ``paths``, or what stands in them from their offset in ``begin`` on."""
        self._show_line = show
        self._say = say
        self._begin = begin
        #: Another one goes on showing them, from where this one has come to.
        self.is_handed_on = False
        self._follower = Follower({} if begin else paths, 0, self._tell_trouble)

    def offsets(self) -> dict[str, int]:
        """How far each file has been shown, by the name of its component."""
        return self._follower.offsets()

    async def follow(self, engine: Engine) -> None:
        """Show lines until this is cancelled; what has been written by then is shown as well, unless another one goes
        on."""
        paths: dict[str, str] = {}
        try:
            while True:
                current = {i.state.name: i.spec.log for i in engine.project}
                if current != paths:
                    self._show(self._follower.retarget(current, {**engine.recorder.log_offsets, **self._begin}))
                    paths = current
                self._show(self._follower.poll())
                await asyncio.sleep(0 if self._follower.is_behind else _LOOK)
        finally:
            if not self.is_handed_on:
                self._show(self._follower.poll())
                self._show(self._follower.rest())
            self._follower.close()

    def _tell_trouble(self, name: str, error: OSError) -> None:
        self._say(f"cannot read the log of {name}: {(error.strerror or str(error)).lower()}")

    def _show(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._show_line(line.name, line.data)
