"""``python -m tests.simulation --seeds 10000``: run many histories; a failure tells its seed and what happened."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from .histories import STEPS, History

#: Seeds that a process takes at a time: about a second's work.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Failure:
    """A history in which something doesn't hold: its error in a line, and everything there is to say about it."""

    seed: int
    error: str
    report: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Seeds that were run."""

    count: int
    moments: int
    failures: tuple[Failure, ...]


def main() -> int:
    """The exit status: 1 when a history has failed."""
    parser = argparse.ArgumentParser(description="Run histories of the simulation.")
    parser.add_argument("--seeds", type=int, default=1000, help="how many (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--steps", type=int, default=STEPS, help="of each history (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (%(default)s)")
    parser.add_argument("--keep-going", action="store_true", help="don't end at the first failure")
    options = parser.parse_args()
    began, count, moments = time.perf_counter(), 0, 0
    failures: list[Failure] = []
    for batch in _batches(options.first, options.seeds, options.steps, options.jobs):
        count, moments = count + batch.count, moments + batch.moments
        failures += batch.failures
        for failure in batch.failures:
            print(f"seed {failure.seed}: {failure.error}", flush=True)
        if failures and not options.keep_going:
            print(failures[0].report)
            break
    elapsed = time.perf_counter() - began
    print(f"{count - len(failures)} passed, {len(failures)} failed")
    print(f"{moments} moments in {elapsed:.1f} s; {1000 * elapsed / count:.1f} ms a history")
    return 1 if failures else 0


def _batches(first: int, seeds: int, steps: int, jobs: int) -> Iterator[Batch]:
    """All of them, in order, ``jobs`` at a time."""
    firsts = range(first, first + seeds, _BATCH)
    sizes = [min(_BATCH, first + seeds - start) for start in firsts]
    if jobs == 1 or len(firsts) == 1:
        yield from map(_run, firsts, sizes, [steps] * len(firsts))
        return
    with ProcessPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(_run, firsts, sizes, [steps] * len(firsts))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _run(first: int, count: int, steps: int) -> Batch:
    # What a supervisor would write into its log is no news here.
    logging.getLogger("stigmer_pm").addHandler(logging.NullHandler())
    moments, failures = 0, []
    for seed in range(first, first + count):
        history = History(seed)
        try:
            history.run(steps)
        except Exception as error:  # noqa: BLE001 (whatever it is, it ends this history only)
            told = f"{type(error).__name__}: {error}"
            trace = "".join(traceback.format_exception(error))
            replay = f"python -m tests.simulation --first {seed} --seeds 1 --steps {steps}"
            report = f"{trace}\n{history.story()}\n\nseed {seed}: {told}\nto replay it: {replay}"
            failures.append(Failure(seed, told, report))
        moments += history.simulation.moments
    return Batch(count, moments, tuple(failures))


if __name__ == "__main__":
    sys.exit(main())
