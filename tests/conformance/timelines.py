"""Timeline cases: when attempts are made, by a virtual clock, through the real core."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from stigmer_pm.core.probing import Outcome
from stigmer_pm.spec import ProbeKind

from .core_driver import KINDS, Case, Driver, component, probes_of

_CLOSE = 1e-6


def run_timeline(case: Case) -> list[str]:
    """What differs from the case; nothing when it passes."""
    if "probes" in case:
        return _run_gated(case)
    kind = KINDS[case["probe"]]
    script = _Script(kind, case.get("attempt_duration", [0]), case.get("fail_from"))
    seen = _play(case, {case["probe"]: case["spec"]}, script)
    starts = seen.starts(kind)
    problems = []
    expected = [case[key] for key in ("attempt_starts_k8s", "attempt_starts_simple") if key in case]
    if not any(_same(starts, times) for times in expected):
        problems.append(f"attempts at {starts}, expected {' or '.join(map(str, expected))}")
    return problems + _moments(case, seen)


def _run_gated(case: Case) -> list[str]:
    script = _Script(ProbeKind.STARTUP, [0], None, succeeds_at=case.get("startup_succeeds_at"))
    seen = _play(case, case["probes"], script)
    problems = []
    for name, kind in (
        ("startup", ProbeKind.STARTUP),
        ("liveness", ProbeKind.LIVENESS),
        ("readiness", ProbeKind.READINESS),
    ):
        times = case.get(f"{name}_starts_k8s")
        if times is not None and not _same(seen.starts(kind), times):
            problems.append(f"attempts of {name} at {seen.starts(kind)}, expected {times}")
    return problems + _moments(case, seen)


@dataclass
class _Script:
    """How long attempts of ``kind`` take and how they end; those of other probes succeed at once."""

    kind: ProbeKind
    durations: list[float]
    fail_from: float | None
    succeeds_at: float | None = None
    made: int = 0

    def next(self, kind: ProbeKind, now: float) -> tuple[float, Outcome]:
        if kind is not self.kind:
            return now, Outcome.SUCCESS
        duration = self.durations[min(self.made, len(self.durations) - 1)]
        self.made += 1
        fails = self.fail_from is not None and now >= self.fail_from
        fails = fails or (self.succeeds_at is not None and now < self.succeeds_at)
        return now + duration, Outcome.FAILURE if fails else Outcome.SUCCESS


@dataclass
class _Seen:
    attempts: list[tuple[float, ProbeKind]]
    killed_at: float | None = None
    ready_at: float | None = None
    horizon: float = 0.0
    ends: list[tuple[float, int, ProbeKind, Outcome]] = field(default_factory=list)

    def starts(self, kind: ProbeKind) -> list[float]:
        return [at for at, found in self.attempts if found is kind and at <= self.horizon]


def _play(case: Case, probes: Case, script: _Script) -> _Seen:
    driver = Driver(component(probes_of(probes), max_restarts=None))
    driver.begin_run()
    seen = _Seen(driver.attempts, horizon=case["horizon"])
    while True:
        times = [end[0] for end in seen.ends[:1]]
        deadline = driver.deadline()
        if deadline is not None:
            times.append(max(deadline, driver.now))
        if not times or min(times) > case["horizon"] or seen.killed_at is not None:
            return seen
        driver.now = min(times)
        if seen.ends and seen.ends[0][0] <= driver.now:
            _, _, kind, outcome = heapq.heappop(seen.ends)
            driver.finish(kind, outcome)
        else:
            for number, kind in enumerate(driver.due()):
                at, outcome = script.next(kind, driver.now)
                heapq.heappush(seen.ends, (at, number, kind, outcome))
        if driver.is_killed_by_probe:
            seen.killed_at = driver.now
        if driver.is_ready and seen.ready_at is None:
            seen.ready_at = driver.now


def _moments(case: Case, seen: _Seen) -> list[str]:
    found = {"kill_at": seen.killed_at, "ready_at": seen.ready_at}
    return [f"{key} is {value}, expected {case[key]}" for key, value in found.items() if not _is(value, case.get(key))]


def _is(value: float | None, expected: float | None) -> bool:
    return expected is None or (value is not None and abs(value - expected) < _CLOSE)


def _same(found: list[float], expected: list[float]) -> bool:
    return len(found) == len(expected) and all(abs(a - b) < _CLOSE for a, b in zip(found, expected, strict=True))
