"""``python -m tests.fuzz.guided SECONDS``: atheris, where it is installed, changes examples by what code they reach.

What it finds is written to build/fuzz; ``python -m tests.fuzz.guided build/fuzz/crash-…`` has it again.
"""

from __future__ import annotations

import importlib.util
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings

from .case import Case
from .keeper import SLOWEST_S

#: Where libFuzzer puts what it finds.
_FOUND = Path("build") / "fuzz"
#: Bytes that an example is made from, at most, and how many there are to begin with.
_LONGEST, _SEEDS = 8192, 64


def main() -> int:
    """Does not return when there is atheris: libFuzzer ends the process, with 77 when it has found something."""
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("atheris is not installed: the coverage-guided part is left out ('pip install atheris')\n")
        return 0
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

    with atheris.instrument_imports(include=["stigmer_pm.config", "stigmer_pm.secrets"]):
        from stigmer_pm.config import loading, resolved  # noqa: F401 (the commands import them when they need them)

        from .hostile import cases
        from .subject import Subject

    (what,) = sys.argv[1:]
    found = _FOUND.resolve()
    corpus = found / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number in range(_SEEDS):  # an example takes some thousand bytes, which libFuzzer would be long in coming to
        seed = random.Random(number)  # noqa: S311 (to have the same again)
        (corpus / f"seed-{number}").write_bytes(seed.randbytes(_LONGEST >> number % 4))
    options = [f"-max_total_time={what}", str(corpus)] if what.isdecimal() else [str(Path(what).resolve())]
    subject = Subject(Path(tempfile.mkdtemp(prefix="spm-fuzz-")))

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases())
    def read(case: Case) -> None:
        report = subject.read(case)
        assert not report.faults, report.faults
        assert report.seconds <= SLOWEST_S, f"it took {report.seconds:.2f} s"

    one: Any = read
    arguments = [sys.argv[0], *options, f"-artifact_prefix={found}/", f"-max_len={_LONGEST}", "-verbosity=1"]
    atheris.Setup(arguments, one.hypothesis.fuzz_one_input)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
