"""Waiting for instances to get somewhere: a stream of how they stand, ended by the result."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from stigmer_pm.core.graph import closure
from stigmer_pm.core.verdict import Goal, Patience, Standing, Verdict, judge
from stigmer_pm.supervisor.documents import Document, standing_document
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.feed import NoMoreNews, Subscription

#: Seconds that news are collected for before they are passed on, so that a thousand changes are a few messages.
_GATHER = 0.05

#: Seconds between the attempts of a readiness probe that somebody waits for: they double from the first to the slowest.
#: Most programs are ready within a second, and the default period is ten.
_FIRST_HURRY, _SLOWEST_HURRY = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is waited for: ``targets`` maps an instance to the first run that counts. ``timeout`` is in seconds."""

    targets: Mapping[str, int]
    goal: Goal
    patience: Patience
    timeout: float | None = None


async def wait(engine: Engine, wish: Wish) -> AsyncGenerator[tuple[str, Document], None]:
    """``("progress", …)`` at first and whenever something moved, and ``("done", …)`` once all is decided.

    Raises:
        NoMoreNews: before it was, the supervisor has ended or been replaced.
    """
    subscription = engine.feed.subscribe(is_client=True)
    try:
        async for message in _Wait(engine, wish).run(subscription):
            yield message
    finally:
        engine.feed.unsubscribe(subscription)


class _Wait:
    def __init__(self, engine: Engine, wish: Wish) -> None:
        self._engine = engine
        self._wish = wish
        self._ends_at = None if wish.timeout is None else engine.clock.now() + wish.timeout
        self._hurry = _FIRST_HURRY
        self._hurry_at = engine.clock.now() + self._hurry
        self._verdicts: dict[str, Verdict] = {}
        self._told: dict[str, Document] = {}

    async def run(self, subscription: Subscription) -> AsyncGenerator[tuple[str, Document], None]:
        names = set(self._wish.targets)
        while True:
            self._judge(names)
            news = self._news(names)
            # Put together before anything is handed out: while that is sent, the instances move on.
            result = self._result() if self._is_decided() or self._is_timed_out() else None
            if news:
                yield "progress", {"instances": news}
            if result is not None:
                yield "done", result
                return
            changed, _ = await subscription.take(self._sleep())
            if changed:
                changed |= await self._gather(subscription)
            # Dependencies count too: one that waits may be lost by a change of another.
            pending = {n for n, v in self._verdicts.items() if v.standing is Standing.PENDING}
            self._hurry_those_waited_for(pending)
            names = (changed & self._wish.targets.keys()) | pending

    async def _gather(self, subscription: Subscription) -> set[str]:
        try:
            changed, _ = await subscription.take(_GATHER)
        except NoMoreNews:
            return set()  # what there was is told, and then this comes again
        return changed

    def _hurry_those_waited_for(self, pending: set[str]) -> None:
        """Have what is not ready yet asked again soon, so that nobody sits out a whole period for nothing."""
        now = self._engine.clock.now()
        if now >= self._hurry_at:
            self._hurry = min(2 * self._hurry, _SLOWEST_HURRY)
            self._hurry_at = now + self._hurry
            edges = {i.state.name: [d.name for d in i.spec.depends_on] for i in self._engine.project}
            self._engine.hurry(closure(pending, edges))

    def _judge(self, names: set[str]) -> None:
        now, lookup = self._engine.clock.now(), self._engine.project.find
        hopeful: set[str] = set()
        for name in names:
            instance = lookup(name)
            if instance is None:
                goal_met = self._wish.goal is Goal.STOPPED
                standing = Standing.REACHED if goal_met else Standing.LOST
                self._verdicts[name] = Verdict(standing, "removed from the file")
                continue
            run = self._wish.targets[name]
            self._verdicts[name] = judge(instance, self._wish.goal, run, now, self._wish.patience, lookup, hopeful)

    def _news(self, names: set[str]) -> list[Document]:
        """What is to be told about ``names``, in the order in which it happened."""
        found = []
        for name in sorted(names, key=self._since):
            document = self._document(name)
            if self._told.get(name) != document:
                self._told[name] = document
                found.append(document)
        return found

    def _since(self, name: str) -> tuple[float, str]:
        instance = self._engine.project.find(name)
        return (0.0 if instance is None else instance.state.since, name)

    def _document(self, name: str) -> Document:
        instance, verdict = self._engine.project.find(name), self._verdicts[name]
        if instance is None:
            return {"name": name, "state": verdict.standing.value, "phase": "stopped", "reason": verdict.reason}
        return standing_document(instance, verdict, self._engine.recorder.log_offsets.get(name, 0))

    def _is_decided(self) -> bool:
        return all(v.standing is not Standing.PENDING for v in self._verdicts.values())

    def _is_timed_out(self) -> bool:
        return self._ends_at is not None and self._engine.clock.now() >= self._ends_at

    def _sleep(self) -> float | None:
        times = [v.until for v in self._verdicts.values() if v.until is not None and v.standing is Standing.PENDING]
        if self._ends_at is not None:
            times.append(self._ends_at)
        if self._wish.goal is Goal.READY:
            times.append(self._hurry_at)
        return max(0.0, min(times) - self._engine.clock.now()) if times else None

    def _result(self) -> Document:
        reached = all(v.standing is Standing.REACHED for v in self._verdicts.values())
        timed_out = any(v.standing is Standing.PENDING for v in self._verdicts.values())
        return {
            "reached": reached,
            "timed_out": timed_out,
            "instances": [self._document(name) for name in self._wish.targets],
        }
