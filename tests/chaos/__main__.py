"""``python -m tests.chaos --kills 100 --components 200``: kill supervisors, and judge."""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys

from tests.project import make_project

from .churn import Churn, Verdict


def main() -> int:
    """The exit status: 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description="Kill the supervisor of components that die without end.")
    parser.add_argument("--kills", type=int, default=100, help="how often it is killed (%(default)s)")
    parser.add_argument("--components", type=int, default=200, help="how many there are (%(default)s)")
    parser.add_argument("--life", type=int, default=1000, metavar="MS", help="of a run, on average (%(default)s)")
    parser.add_argument("--seed", type=int, default=os.getpid(), help="of the moments of the kills")
    options = parser.parse_args()
    print(f"{options.components} components, {options.kills} kills, seed {options.seed}", flush=True)
    chance = random.Random(options.seed)  # noqa: S311 (moments, and no secrets)
    for project in make_project():
        churn = Churn(project, options.components, chance, options.life)
        verdict = churn.run(options.kills, _say_how_far)
        _report(verdict)
        if verdict.faults:
            print((project.dir / ".stigmer" / "supervisor.log").read_text()[-4000:])
    return 1 if verdict.faults else 0


def _say_how_far(verdict: Verdict) -> None:
    if verdict.kills % 10 == 0:
        print(f"{verdict.kills} kills after {verdict.seconds:.0f} s: {len(verdict.faults)} faults", flush=True)


def _report(verdict: Verdict) -> None:
    rate = verdict.runs / verdict.seconds
    print(f"{verdict.kills} kills, {verdict.early} of them before the supervisor had answered; {verdict.seconds:.0f} s")
    print(f"{verdict.runs} runs ({rate:.0f} a second), {verdict.restarts} restarts, {verdict.lines} lines")
    print(f"{verdict.untold} runs began and ended untold, each at the moment of a kill")
    median, most = statistics.median(verdict.recoveries), max(verdict.recoveries)
    print(f"up to its answer: median {median:.2f} s, at most {most:.2f} s")
    print(f"{len(verdict.faults)} faults")
    for fault in verdict.faults[:50]:
        print(f"  {fault}")


if __name__ == "__main__":
    sys.exit(main())
