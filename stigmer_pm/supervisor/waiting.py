"""Waiting for instances to get somewhere: a stream of how they stand, ended by the result."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from stigmer_pm.core.verdict import Goal, Patience, Standing, Verdict, judge
from stigmer_pm.runtime import system
from stigmer_pm.supervisor.documents import Document, standing_document
from stigmer_pm.supervisor.engine import Engine
from stigmer_pm.supervisor.feed import Subscription

#: Seconds that news are collected for before they are passed on, so that a thousand changes are a few messages.
_GATHER = 0.05


@dataclass(frozen=True, slots=True)
class Wish:
    """What is waited for: ``targets`` maps an instance to the first run that counts. ``timeout`` is in seconds."""

    targets: Mapping[str, int]
    goal: Goal
    patience: Patience
    timeout: float | None = None


async def wait(engine: Engine, wish: Wish) -> AsyncIterator[tuple[str, Document]]:
    """``("progress", …)`` at first and whenever something moved, and ``("done", …)`` once all is decided."""
    subscription = engine.feed.subscribe()
    try:
        async for message in _Wait(engine, wish).run(subscription):
            yield message
    finally:
        engine.feed.unsubscribe(subscription)


class _Wait:
    def __init__(self, engine: Engine, wish: Wish) -> None:
        self._engine = engine
        self._wish = wish
        self._ends_at = None if wish.timeout is None else system.now() + wish.timeout
        self._verdicts: dict[str, Verdict] = {}
        self._told: dict[str, Document] = {}

    async def run(self, subscription: Subscription) -> AsyncIterator[tuple[str, Document]]:
        names = set(self._wish.targets)
        while True:
            self._judge(names)
            news = self._news(names)
            if news:
                yield "progress", {"instances": news}
            if self._is_decided() or self._is_timed_out():
                yield "done", self._result()
                return
            changed, _ = await subscription.take(self._sleep())
            if changed:
                more, _ = await subscription.take(_GATHER)
                changed |= more
            # Dependencies count too: one that waits may be lost by a change of another.
            pending = {n for n, v in self._verdicts.items() if v.standing is Standing.PENDING}
            names = (changed & self._wish.targets.keys()) | pending

    def _judge(self, names: set[str]) -> None:
        now, lookup = system.now(), self._engine.project.find
        for name in names:
            instance = lookup(name)
            if instance is None:
                goal_met = self._wish.goal is Goal.STOPPED
                standing = Standing.REACHED if goal_met else Standing.LOST
                self._verdicts[name] = Verdict(standing, "removed from the file")
                continue
            run = self._wish.targets[name]
            self._verdicts[name] = judge(instance, self._wish.goal, run, now, self._wish.patience, lookup)

    def _news(self, names: set[str]) -> list[Document]:
        found = []
        for name in sorted(names, key=list(self._wish.targets).index) if len(names) < 200 else names:
            document = self._document(name)
            if self._told.get(name) != document:
                self._told[name] = document
                found.append(document)
        return found

    def _document(self, name: str) -> Document:
        instance, verdict = self._engine.project.find(name), self._verdicts[name]
        if instance is None:
            return {"name": name, "state": verdict.standing.value, "phase": "stopped", "reason": verdict.reason}
        return standing_document(instance, verdict, self._engine.log_offsets.get(name, 0))

    def _is_decided(self) -> bool:
        return all(v.standing is not Standing.PENDING for v in self._verdicts.values())

    def _is_timed_out(self) -> bool:
        return self._ends_at is not None and system.now() >= self._ends_at

    def _sleep(self) -> float | None:
        times = [v.until for v in self._verdicts.values() if v.until is not None and v.standing is Standing.PENDING]
        if self._ends_at is not None:
            times.append(self._ends_at)
        return max(0.0, min(times) - system.now()) if times else None

    def _result(self) -> Document:
        reached = all(v.standing is Standing.REACHED for v in self._verdicts.values())
        timed_out = any(v.standing is Standing.PENDING for v in self._verdicts.values())
        return {
            "reached": reached,
            "timed_out": timed_out,
            "instances": [self._document(name) for name in self._wish.targets],
        }
