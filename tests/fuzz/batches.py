"""Runs of many cases that can be had again: a batch is a seed and a number of cases."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Flaky

from .case import Case, Report
from .hostile import cases
from .keeper import Keeper

#: Cases of a batch: about two seconds' work.
SIZE = 250


@dataclass(frozen=True, slots=True)
class Found:
    """A case that shows a fault."""

    seed: int
    case: Case
    faults: tuple[str, ...]


@dataclass(slots=True)
class Batch:
    """What a batch has come to; ``slowest`` and ``largest`` are cases, with what they took."""

    seed: int
    count: int = 0
    seconds: float = 0.0
    peak_bytes: int = 0
    slowest: Case | None = None
    found: Found | None = None

    def note(self, case: Case, report: Report) -> None:
        """One more."""
        self.count += 1
        self.peak_bytes = max(self.peak_bytes, report.peak_bytes)
        if report.seconds > self.seconds:
            self.seconds, self.slowest = report.seconds, case


class _Fault(AssertionError):
    """Ends a run of examples; what it is about stands in the batch."""


def run_batch(number: int, keeper: Keeper, size: int = SIZE) -> Batch:
    """The cases of a seed. The first one that shows a fault is made as small as it gets, and ends the batch."""
    batch = Batch(number)
    _run(batch, keeper, size, (Phase.generate,))
    # What hangs is not made smaller: each try would wait for its end.
    if batch.found is not None and not any("it took" in f or "did not end" in f for f in batch.found.faults):
        smallest = Batch(number)
        _run(smallest, keeper, size, (Phase.generate, Phase.shrink))
        batch.found = smallest.found or batch.found
    return batch


def _run(batch: Batch, keeper: Keeper, size: int, phases: tuple[Phase, ...]) -> None:
    @seed(batch.seed)
    @settings(
        max_examples=size,
        database=None,
        deadline=None,
        phases=phases,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases())
    def read(case: Case) -> None:
        report = keeper.read(case)
        batch.note(case, report)
        if report.faults:
            # The smallest comes last. One that shows no fault when it is tried again (Flaky) is told as well.
            batch.found = Found(batch.seed, case, report.faults)
            raise _Fault

    with suppress(_Fault, Flaky):
        read()
