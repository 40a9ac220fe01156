"""Carrying out attempts of probes: each is a task of its own, so that none delays another or anything else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from stigmer_pm.core.events import ProbeDone
from stigmer_pm.core.probing import Outcome
from stigmer_pm.probes import CheckResult, HealthProbe
from stigmer_pm.runtime import system
from stigmer_pm.spec import ProbeKind, ProbeSpec

_log = logging.getLogger(__name__)

#: Seconds by which a timeout may come late before it says more about the supervisor than about what was asked. It was
#: suspended (SIGSTOP, a laptop that slept), or had no CPU, and an answer may lie there that nobody has read in time.
_LATE = 0.5

_Answer = Callable[[str, ProbeDone], None]
_Key = tuple[str, int]


class Prober:
    """The probes of all runs, and the attempts that are under way.

    ``answer`` gets the result of each attempt that wasn't cancelled. A probe is made at its first attempt and kept for
    as long as its run lasts and its spec is the same, since some handlers go on where the last attempt ended. Once it
    is another, nobody wants to know any more what the one before it is still about to find.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, answer: _Answer) -> None:
        self._loop = loop
        self._answer = answer
        self._tasks: dict[_Key, dict[asyncio.Task[None], ProbeKind]] = {}
        self._probes: dict[_Key, dict[ProbeKind, tuple[ProbeSpec, HealthProbe]]] = {}
        #: How often attempts that were under way have been interfered with.
        self._interferences = 0

    def attempt(self, instance: str, run: int, spec: ProbeSpec, make: Callable[[], HealthProbe]) -> None:
        """Make one attempt of the probe ``spec``, which ``make`` makes when there is none yet."""
        known, tasks = self._probes.setdefault((instance, run), {}), self._tasks.setdefault((instance, run), {})
        before = known[spec.kind][0] if spec.kind in known else None
        if before is not spec and before != spec:
            for earlier in [task for task, kind in tasks.items() if kind is spec.kind]:
                earlier.cancel()
            known[spec.kind] = (spec, make())
        task = self._loop.create_task(self._attempt(instance, run, *known[spec.kind]))
        tasks[task] = spec.kind
        task.add_done_callback(lambda done: self._forget((instance, run), done))

    def cancel(self, instance: str, run: int) -> None:
        """The run is over: its attempts are not wanted any more, and what they started is ended."""
        self._probes.pop((instance, run), None)
        for task in self._tasks.pop((instance, run), ()):
            task.cancel()

    def discard_failures(self) -> None:
        """What the attempts under way need is taken from them: a failure of one says nothing about who was asked."""
        self._interferences += 1

    def is_busy(self) -> bool:
        """An attempt is under way."""
        return bool(self._tasks)

    async def close(self) -> None:
        """Cancel everything and wait until it has cleaned up."""
        tasks = [task for tasks in self._tasks.values() for task in tasks]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _attempt(self, instance: str, run: int, spec: ProbeSpec, probe: HealthProbe) -> None:
        began_at = system.now()
        late: list[float] = []
        interferences = self._interferences
        timer = self._loop.call_later(spec.timeout, lambda: late.append(system.now() - began_at - spec.timeout))
        try:
            result = await probe.check()
        except Exception as error:  # noqa: BLE001 (the top of each attempt: without an answer it is never asked again)
            _log.exception("bug in the %s probe of %s", spec.kind, instance)
            result = CheckResult(Outcome.DISCARDED, f"bug in the probe: {type(error).__name__}: {error}")
        finally:
            timer.cancel()
        outcome, output = result.outcome, result.output
        if outcome is Outcome.FAILURE and late and late[0] > _LATE:
            outcome, output = Outcome.DISCARDED, f"the supervisor was held up for {late[0]:.1f}s during the attempt"
        elif outcome is Outcome.FAILURE and interferences != self._interferences:
            outcome, output = Outcome.DISCARDED, "the supervisor ended the attempt, since it was to be replaced"
        duration = system.now() - began_at
        self._answer(instance, ProbeDone(run, spec.kind, outcome, _printable(output), duration))

    def _forget(self, key: _Key, task: asyncio.Task[None]) -> None:
        tasks = self._tasks.get(key)
        if tasks is not None:
            tasks.pop(task, None)
            if not tasks:
                del self._tasks[key]


def _printable(text: str) -> str:
    """The output without what would move the cursor or change colours on somebody's terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
