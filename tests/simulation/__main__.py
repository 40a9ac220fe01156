"""``python -m tests.simulation --seeds 10000``: run many histories; a failure tells its seed and what happened."""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from .histories import run_history
from .simulation import Simulation


def main() -> int:
    """The exit status: 1 when a history has failed."""
    parser = argparse.ArgumentParser(description="Run histories of the simulation.")
    parser.add_argument("--seeds", type=int, default=1000, help="how many (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--steps", type=int, default=40, help="of each history (%(default)s)")
    parser.add_argument("--keep-going", action="store_true", help="don't end at the first failure")
    options = parser.parse_args()
    began, failed, hours = time.perf_counter(), [], 0.0
    for seed in range(options.first, options.first + options.seeds):
        try:
            hours += (run_history(seed, options.steps).clock.at - 1000.0) / 3600
        except Exception as error:  # noqa: BLE001 (whatever it is, it ends this history only)
            failed.append(seed)
            print(f"seed {seed}: {type(error).__name__}: {error}")
            if not options.keep_going:
                _explain(error)
                break
    elapsed = time.perf_counter() - began
    count = options.seeds if options.keep_going or not failed else failed[-1] - options.first + 1
    print(f"{count - len(failed)} passed, {len(failed)} failed")
    print(f"{hours:.0f} simulated hours in {elapsed:.1f} s; {1000 * elapsed / count:.1f} ms a history")
    return 1 if failed else 0


def _explain(error: BaseException) -> None:
    traceback.print_exception(error)
    frame = error.__traceback__
    while frame is not None:
        for value in frame.tb_frame.f_locals.values():
            if isinstance(value, Simulation):
                print("what happened:\n  " + "\n  ".join(value.told))
                return
        frame = frame.tb_next


if __name__ == "__main__":
    sys.exit(main())
