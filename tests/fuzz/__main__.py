"""``python -m tests.fuzz --files 100000``: read hostile files; a fault tells how to have it again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from .batches import SIZE, Batch, run_batch
from .case import Case
from .keeper import LARGEST_BYTES, SLOWEST_S, Keeper

#: Batches that one process of its own reads, so that one that grows with each file is seen.
_ROUND = 8
#: Where the files of a fault are put.
_FOUND = Path("build") / "fuzz"


def main() -> int:
    """The exit status: 1 when something was found, 130 when it was interrupted."""
    parser = argparse.ArgumentParser(description="Read hostile files.")
    parser.add_argument("--files", type=int, default=1000, help="how many (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first batch (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (%(default)s)")
    options = parser.parse_args()
    began, last = time.perf_counter(), options.first + -(-options.files // SIZE)
    count, done, found = 0, options.first, 0
    slowest = largest = Batch(options.first)
    try:
        for batch in _batches(options.first, last, options.jobs):
            done, count = batch.seed + 1, count + batch.count
            slowest = max(slowest, batch, key=lambda b: b.seconds)
            largest = max(largest, batch, key=lambda b: b.peak_bytes)
            if batch.found is not None:
                found += 1
                _tell(batch)
            if done % 40 == 0:
                print(f"{count} files, {found} faults, {time.perf_counter() - began:.0f} s", flush=True)
    except KeyboardInterrupt:
        print(f"interrupted; to go on: python -m tests.fuzz --first {done} --files {SIZE * (last - done)}")
    print(f"{count} files in {time.perf_counter() - began:.0f} s; limits: {SLOWEST_S:.0f} s, {LARGEST_BYTES >> 20} MiB")
    print(f"the slowest command took {slowest.seconds:.3f} s (seed {slowest.seed}): {_short(slowest.slowest)}")
    print(f"the most memory was {largest.peak_bytes / (1 << 20):.0f} MiB (seed {largest.seed})")
    print(f"{count - found} passed, {found} failed")
    return 130 if done < last else 1 if found else 0


def _batches(first: int, last: int, jobs: int) -> Iterator[Batch]:
    """All of them, in order, ``jobs`` rounds at a time."""
    firsts = range(first, last, _ROUND)
    lasts = [min(last, start + _ROUND) for start in firsts]
    with ProcessPoolExecutor(jobs) as pool:
        try:
            for batches in pool.map(_round, firsts, lasts):
                yield from batches
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _round(first: int, last: int) -> list[Batch]:
    with Keeper() as keeper:
        return [run_batch(number, keeper) for number in range(first, last)]


def _tell(batch: Batch) -> None:
    found = batch.found
    assert found is not None
    folder = _FOUND / str(found.seed)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in found.case.files.items():
        (folder / name).write_bytes(content)
    (folder / "environ").write_text(repr(found.case.environ), encoding="utf-8")
    print(f"seed {found.seed}: " + "\n  ".join(found.faults))
    print(f"  with {_short(found.case)}; its files are in {folder}")
    print(f"  to have it again: python -m tests.fuzz --first {found.seed} --files {SIZE}", flush=True)


def _short(case: Case | None) -> str:
    text = repr(case)
    return text if len(text) <= 400 else f"{text[:400]}…"


if __name__ == "__main__":
    sys.exit(main())
