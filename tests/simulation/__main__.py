"""``python -m tests.simulation --seeds 10000``: run many histories; a failure tells its seed and what happened."""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback

from .histories import STEPS, History


def main() -> int:
    """The exit status: 1 when a history has failed."""
    parser = argparse.ArgumentParser(description="Run histories of the simulation.")
    parser.add_argument("--seeds", type=int, default=1000, help="how many (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--steps", type=int, default=STEPS, help="of each history (%(default)s)")
    parser.add_argument("--keep-going", action="store_true", help="don't end at the first failure")
    options = parser.parse_args()
    # What a supervisor would write into its log is no news here.
    logging.getLogger("stigmer_pm").addHandler(logging.NullHandler())
    began, failed, moments = time.perf_counter(), [], 0
    for seed in range(options.first, options.first + options.seeds):
        history = History(seed)
        try:
            history.run(options.steps)
        except Exception as error:  # noqa: BLE001 (whatever it is, it ends this history only)
            failed.append(seed)
            print(f"seed {seed}: {type(error).__name__}: {error}", flush=True)
            if not options.keep_going:
                traceback.print_exception(error)
                print(history.story())
                print(f"seed {seed}: {type(error).__name__}: {error}")
                break
        moments += history.simulation.moments
    elapsed = time.perf_counter() - began
    count = options.seeds if options.keep_going or not failed else failed[-1] - options.first + 1
    print(f"{count - len(failed)} passed, {len(failed)} failed")
    print(f"{moments} moments in {elapsed:.1f} s; {1000 * elapsed / count:.1f} ms a history")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
