"""Break the core in small ways, one at a time, and see whether the tests notice: ``make mutants``.

Each mutant is a change of one line that a tired person might make. It is applied to a copy of the tree, and the tests
of the core, the conformance cases and the simulation run on it until one fails, which is named. One that survives names
a rule that no test states; the answer is a test, and never to take it off the list.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools import mutations, mutations_of_containers
from tools.mutant import Mutant

_MUTANTS = (*mutations.MUTANTS, *mutations_of_containers.MUTANTS)
_ROOT = Path(__file__).parent.parent
_COPIED = ("stigmer_pm", "tests", "tools", "pyproject.toml")
_PYTEST = ("-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", "no:randomly")
#: Of the conformance cases, those that go through the core: the others ask real servers, and read files.
_THROUGH_THE_CORE = "sequence or timeline or backoff or matrix"
#: Cheapest first: most mutants die within seconds, and only the survivors of one pay for the next.
_TRIALS: Sequence[tuple[str, Sequence[str]]] = (
    ("the tests of the core", (*_PYTEST, "tests/core", "--deselect", "tests/core/test_table.py")),
    ("the conformance cases", (*_PYTEST, "tests/conformance/test_conformance.py", "-k", _THROUGH_THE_CORE)),
    ("the simulation", ("-m", "tests.simulation", "--seeds", "300", "--jobs", "1")),
    ("the table of phases", (*_PYTEST, "tests/core/test_table.py")),
)
#: Seconds after which a trial counts as failed: a mutant may run for ever, which is noticed as well. The longest trial
#: takes a tenth of it.
_TOO_LONG = 100.0
#: How a trial names what has failed: a test, or a seed and what is wrong.
_FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)|^(seed \d+: .{,90})", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What has killed a mutant, if anything has: a test, or a history of the simulation."""

    mutant: Mutant
    killed_by: str | None
    seconds: float


def main() -> int:
    """The exit status: 1 when a mutant has survived."""
    parser = argparse.ArgumentParser(description="Break the core in small ways, and see whether the tests notice.")
    parser.add_argument("--only", metavar="TEXT", default="", help="those whose description or file contains TEXT")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="so many at once (%(default)s)")
    options = parser.parse_args()
    chosen = [m for m in _MUTANTS if options.only in m.what or options.only in m.file]
    _check(chosen)
    began = time.monotonic()
    failing = _killer(None)
    if failing is not None:
        raise SystemExit(f"{failing} fails without any change; mend that first")
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = []
        for verdict in pool.map(_try, chosen):
            verdicts.append(verdict)
            killed = f"killed by {verdict.killed_by}" if verdict.killed_by else "SURVIVED"
            print(f"{killed}, {verdict.seconds:.0f} s: {verdict.mutant.file}: {verdict.mutant.what}", flush=True)
    survivors = sum(v.killed_by is None for v in verdicts)
    print(f"{len(verdicts)} mutants, {survivors} survived, {time.monotonic() - began:.0f} s")
    return 1 if survivors else 0


def _check(mutants: Sequence[Mutant]) -> None:
    for mutant in mutants:
        found = (_ROOT / "stigmer_pm" / "core" / mutant.file).read_text(encoding="utf-8").count(mutant.old)
        if found != 1:
            raise SystemExit(f"{mutant.file}: '{mutant.old}' is there {found} times; correct it in tools/mutations*.py")


def _try(mutant: Mutant) -> Verdict:
    began = time.monotonic()
    return Verdict(mutant, _killer(mutant), time.monotonic() - began)


def _killer(mutant: Mutant | None) -> str | None:
    """What fails on a copy of the tree with this change."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        for name in _COPIED:
            source, target = _ROOT / name, Path(folder, name)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        if mutant is not None:
            path = Path(folder, "stigmer_pm", "core", mutant.file)
            path.write_text(path.read_text(encoding="utf-8").replace(mutant.old, mutant.new), encoding="utf-8")
        return next(filter(None, (_failure(Path(folder), *trial) for trial in _TRIALS)), None)


def _failure(folder: Path, name: str, arguments: Sequence[str]) -> str | None:
    """What fails in a trial, if anything does."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_TOO_LONG, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{name}, which took longer than {_TOO_LONG:.0f} s"
    if done.returncode == 0:
        return None
    found = _FAILURE.search(done.stdout)
    return (found[1] or found[2]) if found else name


if __name__ == "__main__":
    sys.exit(main())
